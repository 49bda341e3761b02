"""People who want what is not theirs: points, photos, names, other people's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.client import describe, upload
from models.base.store import get
from models.cases.photos import original_key
from models.cases.tables import UploadRow
from models.points.checking import check_all
from tests.support.world import PHOTOS, Person, World, done

SECRET_WORDS = "只有我知道的那句话"


def _joins(world: World, rider: Person, case_id: str) -> Any:
    photo = rider.upload("DSCN0010.jpg", waits=True)
    return rider.app.post("/v1/reports", world.report_body([photo], same_as=case_id))


def _points(rider: Person) -> int:
    balances = done(rider.app.get("/v1/points")).body
    return int(balances["available"]) + int(balances["pending"])


def test_who_handles_a_case_is_not_paid_for_joining_it(world: World) -> None:
    case = world.filed().claimed()
    officer = world.officer.consenting()
    before = _points(officer)

    reply = _joins(world, officer, case.case_id)
    world.work()

    assert (reply.status, reply.code) == (409, "report.own_work")
    assert _points(officer) == before


def test_an_officers_own_report_is_somebody_elses_work(world: World) -> None:
    lead, officer = world.lead, world.officer.consenting()
    case = world.filed(officer)

    world.work()

    told = [
        person
        for person in (officer, lead)
        if any(
            message["case_id"] == case.case_id and message["kind"] == "case.submitted"
            for message in done(person.app.get("/v1/inbox", limit=100)).body["items"]
        )
    ]
    assert told == [lead]
    assert case.act(officer, "claim").code == "case.own_report"
    assert done(case.act(lead, "claim")).status == 200


def test_all_who_find_it_within_ten_minutes_are_paid_and_nobody_twice(world: World) -> None:
    case = world.filed()
    joiners = [world.rider() for _ in range(5)]
    for joiner in joiners:
        done(_joins(world, joiner, case.case_id))
        assert _joins(world, joiner, case.case_id).code == "report.own_case"
    case.claimed()

    for _ in range(3):
        world.work()

    assert [_points(joiner) for joiner in joiners] == [10] * 5
    assert _points(case.rider) == 10
    assert check_all().is_clean


def test_a_refused_photo_sent_again_with_its_form_is_not_kept(world: World) -> None:
    rider, photo = world.rider(), (PHOTOS / "corrupted.jpg").read_bytes()
    asked = done(rider.app.post("/v1/uploads", {"items": [describe(photo, "report")]}))
    form = asked.body["items"][0]

    for _ in range(2):
        assert upload(form, photo).status == form["success_status"]
        world.work()

    assert rider.app.get(f"/v1/uploads/{form['upload_id']}").body["state"] == "refused"
    assert world.services.photo_store.head(original_key(form["upload_id"])) is None


def test_no_log_line_and_no_answer_to_others_tells_who_somebody_is(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = world.rider(), world.rider()
    photo = first.upload("DSCN0021.jpg", waits=True)
    words = {"text": f"{SECRET_WORDS}，电话13812345678"}
    receipt = done(first.app.post("/v1/reports", world.report_body([photo], **words))).body
    case_id = receipt["case"]["id"]
    joined = done(_joins(world, second, case_id)).body
    world.work()

    officer = world.officer.app
    seen_by_others = [
        joined,
        second.app.get(f"/v1/reports/{joined['report']['id']}").body,
        second.app.get("/v1/reports").body,
        second.app.get("/v1/inbox").body,
        second.app.get("/v1/reports/nearby", lon=114.0853, lat=32.1462, category="E0493a").body,
    ]
    seen_by_officer = [officer.get(f"/v1/cases/{case_id}").body, officer.get("/v1/inbox").body]
    logged = capsys.readouterr().out + caplog.text

    hidden = [first.member_id, first.openid, first.unionid, "13812345678", photo]
    row = get(UploadRow, photo)
    assert row is not None
    for secret in [*hidden, SECRET_WORDS, row.public_name]:
        assert secret not in json.dumps(seen_by_others, ensure_ascii=False), secret
    for secret in hidden:
        assert secret not in json.dumps(seen_by_officer, ensure_ascii=False), secret
    for secret in [first.openid, first.unionid, "13812345678", SECRET_WORDS, row.public_name]:
        assert secret not in logged, secret
    assert str(first.app.token) not in logged
