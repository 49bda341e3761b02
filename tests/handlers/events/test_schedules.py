"""What the clock calls: every case and voucher that is due gets its turn, whatever fails."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

from handlers.events import escalation, redemptions
from models.base.errors import Unavailable
from models.cases.entities import Step
from tests.support.world import World, done


def test_a_case_that_cannot_be_stepped_keeps_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, world: World
) -> None:
    failing = {"case_busy": Unavailable(), "case_broken": ZeroDivisionError()}

    def catch_up(case_id: str, now: object) -> list[Step]:
        if case_id in failing:
            raise failing[case_id]
        return [Step.REMIND, Step.LEAD]

    wired = SimpleNamespace(clock=world.clock, escalation=SimpleNamespace(catch_up=catch_up))
    monkeypatch.setattr(escalation, "services", lambda: wired)
    monkeypatch.setattr(
        escalation, "due_cases", lambda now, limit: ["case_busy", "case_broken", "case_good"]
    )

    with caplog.at_level(logging.WARNING):
        answer = escalation.on_schedule()

    assert answer == {"steps": 2}
    assert [record.message for record in caplog.records] == ["case.step_failed", "case.step_broken"]


def test_a_case_that_nobody_claims_climbs_once_however_often_the_clock_strikes(
    world: World,
) -> None:
    filed = world.filed()
    started = world.clock.now()
    world.clock.advance(timedelta(days=3))

    first = escalation.on_schedule()["steps"]
    again = escalation.on_schedule()["steps"]

    history = done(world.officer.app.get(f"/v1/cases/{filed.case_id}")).body["history"]
    steps = [event["action"] for event in history if event["action"].startswith("step")]
    world.clock.set(started)
    assert first > 0
    assert again == 0
    assert steps
    assert len(set(steps)) == len(steps)


def test_a_voucher_that_nobody_fetched_gives_points_back(world: World) -> None:
    rider = world.redeemer(points=10)
    done(rider.app.post("/v1/redemptions", {"reward_id": world.haircut}))
    started = world.clock.now()
    world.clock.advance(timedelta(days=31))

    redemptions.on_schedule()
    again = redemptions.on_schedule()

    rider.sign_in()
    balances = done(rider.app.get("/v1/points")).body
    world.clock.set(started)
    assert (balances["available"], balances["held"]) == (10, 0)
    assert set(again.values()) == {0}
