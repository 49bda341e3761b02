"""Four kills, one per part, and nothing is lost; the search for losses finds each planted one.

The tests share one storm. Each plants its loss and looks at what is found that was not before.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest

from infra.local import engine as engines
from infra.local.client import Client
from infra.local.seed import plant
from infra.local.stack import BUCKET, Stack, temporary_stack
from infra.prove.kills import VICTIMS, Diary, Storm
from infra.prove.losses import Findings, Search
from infra.prove.phones import Sent
from models.cases.photos import original_key

pytestmark = pytest.mark.slow


@dataclass
class Aftermath:
    """A stack after its storm, with what was acknowledged and what was found."""

    stack: Stack
    storm: Storm
    diary: Diary
    found: Findings
    first: Findings = field(init=False)
    left: Iterator[Sent] = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.found  # before any test has planted a loss, in whatever order they run
        self.left = itertools.cycle(self.diary.sent)

    def new(self, diary: Diary | None = None) -> set[str]:
        """What is found now and was not before; a second is enough for what is on its way."""
        before = {*self.found.lost, *self.found.doubled}
        search = Search(self.stack, diary or self.diary, self.storm.officer, patience_s=1.0)
        found = search.findings()
        if diary is None:
            self.found = found
        return {*found.lost, *found.doubled} - before

    def row(self, table: str, **key: str) -> dict[str, Any]:
        """Where a row stands, for the engine's client."""
        return {"TableName": table, "Key": {name: {"S": value} for name, value in key.items()}}

    @property
    def engine(self) -> Any:
        return engines.client(self.stack.engine_url)

    @property
    def photos(self) -> Any:
        return boto3.client(
            "s3",
            region_name=engines.REGION,
            endpoint_url=self.stack.photos_url,
            aws_access_key_id=engines.ACCESS_KEY,
            aws_secret_access_key=engines.SECRET_KEY,
        )

    def at_wechat(self, sql: str, case_id: str) -> None:
        """Change what the simulator remembers to have sent of a case."""
        with closing(sqlite3.connect(self.stack.home / "wechat.db", timeout=10)) as link, link:
            changed = link.execute(sql, (f"%svc-officer-alert%{case_id}%",)).rowcount
        assert changed == 1


@pytest.fixture(scope="module")
def aftermath() -> Iterator[Aftermath]:
    with temporary_stack() as stack:
        plant.in_stack(stack)
        storm = Storm(stack, kills=len(VICTIMS), seed=1)
        diary = storm.rage(lambda _: None)
        found = Search(stack, diary, storm.officer).findings()
        yield Aftermath(stack=stack, storm=storm, diary=diary, found=found)


def test_nothing_acknowledged_is_lost_and_nobody_is_told_twice(aftermath: Aftermath) -> None:
    diary, found = aftermath.diary, aftermath.first

    assert (found.lost, found.doubled) == ((), ())
    assert diary.kills == len(VICTIMS)
    assert found.alerts == len(diary.sent) > 0
    assert len(diary.claimed) > 0
    assert diary.repeats.count > 0


def test_a_lost_original_is_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    aftermath.photos.delete_object(Bucket=BUCKET, Key=original_key(sent.upload_id))

    assert aftermath.new() == {f"photo as sent: {sent.upload_id}"}


def test_other_bytes_in_the_place_of_a_photo_are_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    key = original_key(sent.upload_id)
    aftermath.photos.put_object(Bucket=BUCKET, Key=key, Body=b"\xff\xd8\xff other")

    assert aftermath.new() == {f"photo as sent: {sent.upload_id}"}


def test_a_lost_rendering_is_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    shown = sent.rider.get(f"/v1/reports/{sent.report_id}").body["photos"][0]["thumbnail_url"]
    aftermath.photos.delete_object(Bucket=BUCKET, Key=shown.partition(f"{BUCKET}/")[2])

    assert aftermath.new() == {f"photo as shown: {sent.upload_id}"}


def test_a_lost_alert_is_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    aftermath.at_wechat("DELETE FROM sent WHERE message LIKE ?", sent.case_id)

    assert aftermath.new() == {f"alert at WeChat: {sent.case_id}"}


def test_an_alert_that_came_twice_is_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    copy = "INSERT INTO sent (at, touser, message) SELECT at, touser, message FROM sent"
    aftermath.at_wechat(f"{copy} WHERE message LIKE ?", sent.case_id)

    assert aftermath.new() == {f"alert at WeChat: {sent.case_id}"}


def test_a_lost_message_of_the_inbox_is_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    officer = aftermath.storm.officer.client
    message_id = next(
        message["id"]
        for message in officer.get("/v1/inbox", limit=100).body["items"]
        if (message["kind"], message["case_id"]) == ("case.submitted", sent.case_id)
    )
    row = aftermath.row("inbox", member_id=_member_id(officer), message_id=message_id)
    aftermath.engine.delete_item(**row)

    assert aftermath.new() == {f"alert in the inbox: {sent.case_id}"}


def test_a_lost_claim_is_found(aftermath: Aftermath) -> None:
    known = aftermath.found.lost  # a report lost by another test takes its claim along
    case_id = next(one for one in aftermath.diary.claimed if f"claim: {one}" not in known)
    aftermath.engine.update_item(
        **aftermath.row("cases", case_id=case_id),
        UpdateExpression="SET #status = :assigned",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":assigned": {"S": "assigned"}},
    )

    assert aftermath.new() == {f"claim: {case_id}"}


def test_points_that_nobody_posted_are_missed(aftermath: Aftermath) -> None:
    diary = aftermath.diary
    unclaimed = next(
        sent
        for sent in diary.sent
        if sent.case_id not in diary.claimed and below_the_days_cap(sent, diary)
    )
    boasting = replace(diary, claimed=[*diary.claimed, unclaimed.case_id])

    new = aftermath.new(boasting)

    assert f"claim: {unclaimed.case_id}" in new
    assert {line.partition(":")[0] for line in new} == {"claim", "points"}


def test_points_that_nobody_earned_are_found(aftermath: Aftermath) -> None:
    diary = aftermath.diary
    paid = next(
        sent.case_id
        for sent in diary.sent
        if sent.case_id in diary.claimed and below_the_days_cap(sent, diary)
    )
    modest = replace(diary, claimed=[case_id for case_id in diary.claimed if case_id != paid])

    assert {line.partition(":")[0] for line in aftermath.new(modest)} == {"points"}


def test_an_answer_that_was_not_as_promised_is_a_loss(aftermath: Aftermath) -> None:
    refused = replace(aftermath.diary, failures=["500 {}"])

    assert aftermath.new(refused) == {"not as promised: 500 {}"}


def test_a_lost_report_is_found(aftermath: Aftermath) -> None:
    sent = next(aftermath.left)
    row = aftermath.row("reports", report_id=sent.report_id, member_id=_member_id(sent.rider))
    aftermath.engine.delete_item(**row)

    assert f"report: {sent.report_id}" in aftermath.new()


def below_the_days_cap(sent: Sent, diary: Diary) -> bool:
    """Whether one claim more or less of this rider's moves his points: three a day are paid."""
    his = {one.case_id for one in diary.sent if one.rider is sent.rider}
    return len(his & set(diary.claimed)) < 3


def _member_id(client: Client) -> str:
    return str(client.get("/v1/me").body["id"])
