"""The clock's run over held alerts: everybody gets his turn, whatever fails for another."""

from __future__ import annotations

import json
import logging
import urllib.request
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from handlers.events import digests as handler
from models.alerts.held import due_members
from models.alerts.tables import InboxRow
from models.base.clock import CHINA, FixedClock
from models.base.errors import Unavailable
from models.base.store import query
from tests.support.world import World

AFTERNOON = datetime(2026, 3, 18, 14, 35, tzinfo=CHINA)


def wire(
    monkeypatch: pytest.MonkeyPatch, clock: FixedClock, release: object, due: list[str]
) -> None:
    wired = SimpleNamespace(clock=clock, alert_desk=SimpleNamespace(release=release))
    monkeypatch.setattr(handler, "services", lambda: wired)
    monkeypatch.setattr(handler, "due_members", lambda now: due)


def test_a_member_for_whom_it_fails_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, clock: FixedClock
) -> None:
    failing = {"mbr_busy": Unavailable(), "mbr_broken": ZeroDivisionError()}

    def release(member_id: str) -> int:
        if member_id in failing:
            raise failing[member_id]
        return 1

    wire(monkeypatch, clock, release, ["mbr_busy", "mbr_broken", "mbr_good"])

    with caplog.at_level(logging.WARNING):
        answer = handler.on_schedule()

    assert answer == {"messages": 1}
    assert [one.message for one in caplog.records] == [
        "alert.release_failed",
        "alert.release_broken",
    ]


def test_a_slow_run_ends_before_its_function_does(
    monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    turns = []

    def release(member_id: str) -> int:
        turns.append(member_id)
        clock.advance(timedelta(seconds=8))
        return 0

    wire(monkeypatch, clock, release, ["one", "two", "three"])

    assert handler.on_schedule() == {"messages": 0}
    assert turns == ["one", "two"]


def test_what_was_held_reaches_the_officers_wechat_once_as_a_digest(world: World) -> None:
    started = world.clock.now()
    officer = world.officer
    service_openid = str(
        world.simulator.control("follow", unionid=officer.unionid)["service_openid"]
    )
    world.services.followers.changed(service_openid, at=started)
    world.clock.set(datetime(2026, 3, 18, 13, 0, tzinfo=CHINA))
    filed = [world.filed() for _ in range(3)]
    world.work()
    first = _sent(world, service_openid)

    world.clock.set(AFTERNOON)
    while officer.member_id in due_members(AFTERNOON):
        handler.on_schedule()
    handler.on_schedule()

    messages = _sent(world, service_openid)
    inbox: list[InboxRow] = query(InboxRow, officer.member_id)
    ways = {row.delivered_by for row in inbox if row.case_id == filed[-1].case_id}
    world.clock.set(started)
    digests = [one for one in messages[len(first) :] if one["template_id"] == "svc-digest"]
    assert len(digests) == 1
    assert len(messages) == len(first) + 1
    assert ways == {"digest"}


def _sent(world: World, touser: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(
        f"{world.simulator.base_url}/_control/sent?touser={touser}", timeout=10
    ) as answer:
        items: list[dict[str, object]] = json.load(answer)["items"]
    return items
