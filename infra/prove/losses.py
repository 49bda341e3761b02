"""Looks for everything that was acknowledged, by the ways of those who were promised it.

Reports and claims are read back over HTTP by who sent them; a photo as its owner sees it and in
the store, byte for byte; an alert in the officer's inbox and among what WeChat delivered. Every
rider has the points of his claimed reports, neither more nor less, and the ledger proves itself.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from handlers.settings import Settings
from handlers.wiring import Services
from infra.local import engine as engines
from infra.local.client import Client, send
from infra.local.stack import BUCKET, Stack
from infra.local.wechat.accounts import SERVICE_OFFICER_ALERT
from infra.prove.kills import Diary, service_openid
from infra.prove.phones import Phone, Sent
from models.cases.photos import original_key
from models.points import acts, checking
from models.points.rule_sheets import first_book

PATIENCE_S = 120.0
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is missing, and what came twice; each line names it."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    alerts: int

    @property
    def is_clean(self) -> bool:
        return not self.lost and not self.doubled


class Search:
    """One search through a stack that runs, for what its diary says."""

    def __init__(
        self, stack: Stack, diary: Diary, officer: Phone, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._stack = stack
        self._diary = diary
        self._officer = officer
        self._deadline = time.monotonic() + patience_s
        self._store = boto3.client(
            "s3",
            region_name=engines.REGION,
            endpoint_url=stack.photos_url,
            aws_access_key_id=engines.ACCESS_KEY,
            aws_secret_access_key=engines.SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )

    def findings(self) -> Findings:
        """Look for everything; what is late is waited for, all in all ``patience_s``."""
        cases = {sent.case_id for sent in self._diary.sent}
        shown = self._settled(lambda: not cases - set(self._shown()), self._shown)
        noted = self._settled(lambda: not cases - set(self._noted()), self._noted)
        lost = [
            *self._lost_reports(),
            *self._lost_photos(),
            *self._lost_claims(),
            *(f"points: {points} of {due}" for points, due in self._points() if points < due),
            *(f"ledger: {fault}" for fault in self._faults()),
            *(f"alert at WeChat: {case}" for case in sorted(cases - set(shown))),
            *(f"alert in the inbox: {case}" for case in sorted(cases - set(noted))),
            *(f"not as promised: {failure}" for failure in self._diary.failures),
        ]
        doubled = [
            *(f"alert at WeChat: {case}" for case in _twice(shown)),
            *(f"alert in the inbox: {case}" for case in _twice(noted)),
            *(f"points: {points} of {due}" for points, due in self._points() if points > due),
            *(f"case: {case}" for case in _twice(sent.case_id for sent in self._diary.sent)),
        ]
        return Findings(
            lost=tuple(lost), doubled=tuple(doubled), alerts=len(cases & set(shown) & set(noted))
        )

    def _lost_reports(self) -> Iterator[str]:
        for sent in self._diary.sent:
            seen = sent.rider.get(f"/v1/reports/{sent.report_id}")
            if seen.status != 200 or seen.body["case"]["id"] != sent.case_id:
                yield f"report: {sent.report_id}"

    def _lost_photos(self) -> Iterator[str]:
        for sent in self._diary.sent:
            if not self._comes(partial(self._is_shown, sent)):
                yield f"photo as shown: {sent.upload_id}"
            if not self._is_kept(sent):
                yield f"photo as sent: {sent.upload_id}"

    def _lost_claims(self) -> Iterator[str]:
        by_case = {sent.case_id: sent for sent in self._diary.sent}
        for case_id in self._diary.claimed:
            sent = by_case[case_id]
            seen = sent.rider.get(f"/v1/reports/{sent.report_id}")
            if seen.status != 200 or seen.body["case"]["status"] != "claimed":
                yield f"claim: {case_id}"
            elif not self._comes(partial(_was_told, sent)):
                yield f"notice of the claim: {case_id}"

    def _points(self) -> Iterator[tuple[int, int]]:
        """What each rider has and what is due to him."""
        claimed = set(self._diary.claimed)
        days: dict[Client, Counter[str]] = defaultdict(Counter)
        for sent in self._diary.sent:
            days[sent.rider][sent.day] += sent.case_id in claimed
        for rider, reports in days.items():
            due = sum(_due(count) for count in reports.values())
            yield rider.get("/v1/points").body["pending"], due

    def _faults(self) -> list[str]:
        Services(Settings.read(self._stack.environment()))
        audit = checking.check_all()
        faults = [f"{fault.code} at {fault.seq}" for fault in audit.faults]
        return faults if audit.is_clean or faults else [f"totals {dict(audit.totals)}"]

    def _is_shown(self, sent: Sent) -> bool:
        """Whether the owner sees his photo, and its address gives a picture."""
        seen = sent.rider.get(f"/v1/reports/{sent.report_id}")
        addresses = [
            photo[name]
            for photo in (seen.body["photos"] if seen.status == 200 else [])
            for name in ("url", "thumbnail_url")
        ]
        return len(addresses) == 2 and all(address and _is_jpeg(address) for address in addresses)

    def _is_kept(self, sent: Sent) -> bool:
        """Whether the store still has the very bytes that were sent."""
        try:
            kept = self._store.get_object(Bucket=BUCKET, Key=original_key(sent.upload_id))
        except self._store.exceptions.NoSuchKey:
            return False
        return hashlib.sha256(kept["Body"].read()).hexdigest() == sent.sha256

    def _shown(self) -> list[str]:
        """The case of each alert that WeChat delivered to the officer."""
        messages = self._stack.control(f"sent?touser={service_openid(self._officer)}")["items"]
        alerts = [one for one in messages if one["template_id"] == SERVICE_OFFICER_ALERT]
        return [_case_of(one) for one in alerts]

    def _noted(self) -> list[str]:
        """The case of each alert in the officer's inbox."""
        messages = _inbox(self._officer.client)
        return [one["case_id"] for one in messages if one["kind"] == "case.submitted"]

    def _settled(self, probe: Callable[[], bool], read: Callable[[], list[str]]) -> list[str]:
        self._comes(probe)
        return read()

    def _comes(self, probe: Callable[[], bool]) -> bool:
        while not (found := probe()) and time.monotonic() < self._deadline:
            time.sleep(0.2)
        return found


def _was_told(sent: Sent) -> bool:
    """Whether the rider was told of the claim, once."""
    notices = [
        one
        for one in _inbox(sent.rider)
        if (one["kind"], one["case_id"]) == ("case.claimed", sent.case_id)
    ]
    return len(notices) == 1


def _inbox(client: Client) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = client.get("/v1/inbox", limit=100, **more)
        if page.status != 200:
            return messages
        messages += page.body["items"]
        if page.body["next_cursor"] is None:
            return messages
        more = {"cursor": page.body["next_cursor"]}


def _case_of(message: dict[str, Any]) -> str:
    """The case that a message's card leads to."""
    return str(message["page"]).rpartition("id=")[2]


def _is_jpeg(address: str) -> bool:
    try:
        answer = send("GET", address)
    except OSError:
        return False
    return answer.status == 200 and bytes(answer.body).startswith(_JPEG)


def _due(reports: int) -> int:
    """What so many claimed reports of one day are worth, all urgent and no more than are scored."""
    book, now = first_book(), datetime.now(UTC)
    first, totals = book.at("report.first", now), book.at(acts.TOTALS, now)
    return min(reports * acts.gross(first, quantity=1, severity="A"), totals.per_day or 0)


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)
