"""WeChat's verdicts come early, twice, not at all, or against each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from models.alerts.entities import CallbackPush
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import get, query
from models.cases import photos
from models.cases.entities import Verdict
from models.cases.evidence import EARLY, VERDICT_WITHIN
from models.cases.gateways import JudgementRefused
from models.cases.tables import MediaCheckRow, UploadRow
from tests.support.world import Person, World

HALF_AN_HOUR = timedelta(minutes=36)


class Checker:
    """WeChat's part: ``says`` may raise; else the trace is known before it is answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: Callable[[str], str] = lambda _: new_id("trace")

    def check_media(self, url: str, openid: str, /) -> str:
        self.asked.append(url)
        return self.says(url)


@pytest.fixture
def checker(world: World, monkeypatch: pytest.MonkeyPatch) -> Checker:
    """Somebody else than the simulator judges photos."""
    checker = Checker()
    monkeypatch.setattr(world.services.evidence, "_checker", checker)
    return checker


def _upload(upload_id: str) -> UploadRow:
    row = get(UploadRow, upload_id)
    assert row is not None
    return row


def _checks(upload_id: str) -> list[MediaCheckRow]:
    rows = [row for row in MediaCheckRow.scan() if row.upload_id == upload_id]
    return sorted(rows, key=lambda row: row.tries)


def _pushes(world: World, trace_id: str, **said: object) -> None:
    """WeChat's verdict arrives, as it does, through the callback's outbox row."""
    event = {"Event": "wxa_media_check", "trace_id": trace_id, **said}
    push = CallbackPush(account="mini", dedupe_key=trace_id, event=event)
    world.services.callbacks.take_in(push)
    world.work()


def _passed(world: World, trace_id: str) -> None:
    _pushes(world, trace_id, errcode=0, result={"suggest": "pass"})


def _later(world: World, by: timedelta) -> None:
    world.clock.advance(by)
    world.services.evidence.sweep_checks(world.clock.now(), 100)


def test_a_verdict_quicker_than_our_own_row_is_not_lost(world: World, checker: Checker) -> None:
    def judged_at_once(_: str) -> str:
        trace_id = new_id("trace")
        _passed(world, trace_id)
        return trace_id

    checker.says = judged_at_once

    upload_id = world.rider().upload("DSCN0021.jpg", waits=True)
    world.clock.advance(timedelta(seconds=2))
    world.work()

    assert _upload(upload_id).verdict == Verdict.PASS


def test_a_verdict_nobody_asked_for_goes_after_a_while(world: World, checker: Checker) -> None:
    trace_id, now = new_id("trace"), world.clock.now()
    evidence = world.services.evidence

    with pytest.raises(Unavailable):
        evidence.verdict(trace_id, "pass", at=now)

    evidence.verdict(trace_id, "pass", at=now - EARLY)


def test_a_photo_that_wechat_could_not_fetch_is_asked_about_once_more(
    world: World, checker: Checker
) -> None:
    upload_id = world.rider().upload("DSCN0021.jpg", waits=True)
    _pushes(world, _checks(upload_id)[0].trace_id, errcode=-1008, result={})
    between = _upload(upload_id).verdict

    _later(world, HALF_AN_HOUR)
    _passed(world, _checks(upload_id)[1].trace_id)

    assert between == Verdict.WAITING
    assert _upload(upload_id).verdict == Verdict.PASS


def test_a_photo_that_wechat_can_never_fetch_stays_behind_its_badge(
    world: World, checker: Checker
) -> None:
    upload_id = world.rider().upload("DSCN0021.jpg", waits=True)

    for _ in range(3):
        _pushes(world, _checks(upload_id)[-1].trace_id, errcode=-1008)
        _later(world, HALF_AN_HOUR)

    assert [check.tries for check in _checks(upload_id)] == [1, 2]
    assert _upload(upload_id).verdict == Verdict.NONE


def test_a_check_that_cannot_be_made_holds_nobody_else_up(world: World, checker: Checker) -> None:
    rider = world.rider()
    stuck = rider.upload("DSCN0021.jpg", waits=True)
    world.clock.advance(timedelta(seconds=1))
    behind = rider.upload("DSCN0010.jpg", waits=True)

    def away_for_one(url: str) -> str:
        if _upload(stuck).public_name in url:
            raise Unavailable("wechat.away")
        return new_id("trace")

    checker.says = away_for_one
    _later(world, HALF_AN_HOUR)

    assert [check.tries for check in _checks(behind)] == [1, 2]
    assert [check.waiting for check in _checks(stuck)] == ["1"]


def test_a_queue_full_of_checks_that_cannot_be_made_lets_the_next_ones_through(
    world: World, checker: Checker
) -> None:
    rider = world.rider()
    stuck = rider.upload("DSCN0021.jpg", waits=True)
    world.clock.advance(timedelta(seconds=1))
    behind = rider.upload("DSCN0010.jpg", waits=True)

    def away_for_one(url: str) -> str:
        if _upload(stuck).public_name in url:
            raise Unavailable("wechat.away")
        return new_id("trace")

    checker.says = away_for_one
    world.clock.advance(HALF_AN_HOUR)
    waiting = query(
        MediaCheckRow.by_waiting,
        "1",
        MediaCheckRow.asked_at <= world.clock.now() - VERDICT_WITHIN,
    )
    for _ in waiting:
        world.services.evidence.sweep_checks(world.clock.now(), 1)

    assert len(_checks(behind)) == 2


@pytest.mark.parametrize("is_asked_again", [False, True])
def test_a_photo_that_wechat_will_not_judge_is_not_asked_about_for_ever(
    world: World, checker: Checker, is_asked_again: bool
) -> None:
    def refuses(_: str) -> str:
        raise JudgementRefused

    if not is_asked_again:
        checker.says = refuses
    upload_id = world.rider().upload("DSCN0021.jpg", waits=True)
    checker.says = refuses
    for _ in range(3):
        _later(world, HALF_AN_HOUR)

    urls = [url for url in checker.asked if _upload(upload_id).public_name in url]
    assert len(urls) == 1 + is_asked_again
    assert _upload(upload_id).verdict == Verdict.NONE


def test_of_two_verdicts_at_once_a_risky_photo_is_never_left_public(
    world: World, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = world.rider().upload("DSCN0021.jpg", waits=True)
    _later(world, HALF_AN_HOUR)
    first, second = (check.trace_id for check in _checks(upload_id))
    store, evidence = world.services.photo_store, world.services.evidence
    put = store.put

    def put_then_risky(key: str, content: bytes, **how: str) -> None:
        put(key, content, **how)
        if key.startswith(photos.PUBLISHED):
            evidence.verdict(second, "risky", at=world.clock.now())

    monkeypatch.setattr(store, "put", put_then_risky)
    evidence.verdict(first, "pass", at=world.clock.now())

    name = _upload(upload_id).public_name
    assert _upload(upload_id).verdict == Verdict.RISKY
    for is_published in (False, True):
        assert store.head(photos.full_key(name, is_published=is_published)) is None
        assert store.head(photos.thumbnail_key(name, is_published=is_published)) is None


def test_nine_photos_of_one_report_get_nine_verdicts_in_any_order(
    world: World, checker: Checker
) -> None:
    rider = world.rider()
    names = ("DSCN0010.jpg", "DSCN0021.jpg", "landscape_6.jpg")
    uploads = [rider.upload(names[index % 3], waits=True) for index in range(9)]
    receipt = rider.app.post("/v1/reports", world.report_body(uploads)).body

    for index, upload_id in reversed(list(enumerate(uploads))):
        suggest = "risky" if index == 4 else "pass"
        _pushes(world, _checks(upload_id)[0].trace_id, result={"suggest": suggest})

    shown = _shown(rider, receipt["report"]["id"])
    assert [photo["checked"] for photo in shown] == [index != 4 for index in range(9)]
    assert shown[4]["url"] is None


def _shown(rider: Person, report_id: str) -> list[dict[str, object]]:
    photos_shown: list[dict[str, object]] = rider.app.get(f"/v1/reports/{report_id}").body["photos"]
    return photos_shown
