"""The oracle of the schedule: the product passes, and each planted mistake is found."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers.events import escalation as handler
from infra.local import engine as engines
from infra.prove.figures import CutShort
from infra.prove.schedule import proof, stories, year
from infra.prove.schedule.lives import Filed, Life
from infra.prove.schedule.minutes import DAY_MS, HOUR_MS, MINUTE_MS, instant_of, minutes, ms_of
from models.base.store import Transaction
from models.calendar.china import working_time
from models.cases import changes, pausing, rules
from models.cases import escalation as product
from models.cases.changes import Doing
from models.cases.entities import Party, Step, Timing, Wake
from models.cases.escalation import Escalation, due_cases
from models.cases.tables import CaseRow
from models.points.ledger import Ledger

SEEDS = range(5)
WEDNESDAY = ms_of("2026-03-18T02:00:00.000Z")
"""10:00 in China: two and a half hours before lunch ends."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def an_escalation(kind: type[Escalation] = Escalation) -> Escalation:
    return kind(ledger=Ledger(), working=working_time())


def found(escalation: Escalation | None = None) -> list[str]:
    """What is wrong in the first stories; they are told until something is."""
    for seed in SEEDS:
        wrong = stories.tell(seed, escalation).wrong
        if wrong:
            return wrong
    return []


def test_the_product_takes_each_step_once_whatever_happens_to_its_schedule() -> None:
    ended = [stories.tell(seed) for seed in SEEDS]

    assert [one for story in ended for one in story.wrong] == []
    happened = sum((story.happened for story in ended), start=ended[0].happened)
    for misfortune in ("doubled", "killed", "overlapping", "out", "stale", "reply_lost"):
        assert happened[misfortune] > 0, misfortune
    steps = sum((story.steps for story in ended), start=ended[0].steps)
    for step in ("remind", "district", "unclaimed", "unclaimed_duty", "lapse", "forget"):
        assert steps[step] > 0, step


def test_a_seed_is_the_same_story_each_time() -> None:
    first, second = stories.tell(3), stories.tell(3)

    assert first == second


class _Careless(Escalation):
    """Takes steps without the guard and without asking whether the case is as it was read."""

    def _tell_step(self, tx: Transaction, case: CaseRow, wake: Wake, now: datetime) -> None:
        steps = [*case.steps, wake.step.value]
        there = CaseRow.case_id.exists()
        changes.write(tx, case, {"steps": steps}, working=self._working, condition=there)
        doing = Doing(action=wake.step, party=Party.SYSTEM, now=now)
        tx.put("event", changes.event_row(case, f"s{case.rounds}#{wake.step.value}", doing))


def test_a_sweep_that_ignores_the_guard_is_found() -> None:
    assert any("twice" in text or "edited" in text for text in found(an_escalation(_Careless)))


class _Hasty(Escalation):
    """Looks a little ahead, so as never to be late."""

    def take_step(self, case_id: str, now: datetime) -> Step | None:
        return super().take_step(case_id, now + timedelta(milliseconds=2))


def test_a_step_that_comes_a_millisecond_early_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        handler,
        "due_cases",
        lambda now, limit: due_cases(now + timedelta(milliseconds=2), limit),
    )

    assert any("early" in text for text in found(an_escalation(_Hasty)))


class _Forgetful(Escalation):
    """Takes the first step that is due, and leaves the rest to the next sweep."""

    def catch_up(self, case_id: str, now: datetime) -> list[Step]:
        step = self.take_step(case_id, now)
        return [] if step is None else [step]


def test_a_step_that_is_left_for_later_is_found() -> None:
    assert any("missing" in text for text in found(an_escalation(_Forgetful)))


def test_a_clock_that_starts_before_anybody_was_told_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = product.timing_of

    def from_the_start(row: CaseRow) -> Timing:
        return replace(real(row), clock_from=row.started_at, withheld_since=None)

    monkeypatch.setattr(product, "timing_of", from_the_start)

    assert any("early" in text for text in found())


def test_a_case_that_is_looked_at_too_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = rules.next_wake

    def later(*known: Any) -> Wake | None:
        wake = real(*known)
        return wake and replace(wake, at=wake.at + timedelta(minutes=30))

    monkeypatch.setattr(rules, "next_wake", later)

    assert any("missing" in text or "too late" in text for text in found())


def test_a_clock_that_runs_on_while_the_reporter_is_asked_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pausing, "kept", lambda *_: {})

    assert any("early" in text for text in found())


def a_life(kind: str = "working", **changed: Any) -> Life:
    values: dict[str, Any] = {
        "created": WEDNESDAY,
        "kind": kind,
        "is_urgent": kind == "continuous",
        "claim_ms": 2 * HOUR_MS,
        "resolve_ms": 4 * HOUR_MS,
        "has_photo": True,
    }
    return Life(Filed(**{**values, **changed}), minutes())


def due(life: Life) -> dict[str, str]:
    """When each step would come, in China."""
    return {step: f"{instant_of(at + 8 * HOUR_MS):%m-%d %H:%M}" for at, step in life.pending()}


def test_an_urgent_case_is_escalated_by_the_clock_on_the_wall() -> None:
    assert due(a_life("continuous", resolve_ms=10 * HOUR_MS)) == {
        "remind": "03-18 18:00",
        "lead": "03-18 20:00",
        "community": "03-19 01:00",
        "district": "03-19 06:00",
        "unclaimed": "03-18 12:00",
        "unclaimed_community": "03-18 14:00",
        "unclaimed_duty": "03-18 18:00",
    }


def test_a_case_of_which_nobody_was_told_goes_to_the_lead_after_a_day() -> None:
    assert due(a_life())["unclaimed"] == "03-19 10:00"


def test_working_steps_count_from_when_the_officer_was_told() -> None:
    life = a_life()
    life.told(WEDNESDAY + HOUR_MS, "officer")

    assert due(life) == {
        "remind": "03-18 16:42",
        "lead": "03-18 17:30",
        "community": "03-19 10:00",
        "district": "03-19 12:00",
        "unclaimed": "03-18 15:30",
        "unclaimed_community": "03-18 17:30",
        "unclaimed_duty": "03-19 12:00",
    }


def test_the_time_a_case_stands_still_does_not_count() -> None:
    life = a_life("continuous", resolve_ms=10 * HOUR_MS)
    life.version("claim", "claimed", WEDNESDAY + HOUR_MS, "officer")
    life.version("ask", "waiting", WEDNESDAY + 2 * HOUR_MS, "officer")
    standing = due(life)
    life.version("resume", "claimed", WEDNESDAY + 5 * HOUR_MS, "officer")

    assert standing == {"resume": "03-20 12:00"}
    assert due(life)["remind"] == "03-18 21:00"
    assert due(life)["lead"] == "03-18 23:00"


def test_a_reopened_case_begins_its_ladder_anew() -> None:
    life = a_life("continuous")
    for step, hours in (("remind", 4), ("lead", 5)):
        life.step(step, WEDNESDAY + hours * HOUR_MS)
    life.version("claim", "claimed", WEDNESDAY + 6 * HOUR_MS, "officer")
    life.version("resolve", "resolved", WEDNESDAY + 7 * HOUR_MS, "officer")
    life.version("contest", "claimed", WEDNESDAY + DAY_MS, "rider")

    assert due(life)["remind"] == "03-19 13:12"
    assert life.round == 1
    assert life.wrong == []


def test_a_step_twice_early_or_out_of_its_round_is_wrong() -> None:
    life = a_life("continuous")
    life.step("remind", WEDNESDAY + 4 * HOUR_MS)
    life.step("remind", WEDNESDAY + 4 * HOUR_MS)
    life.step("lead", WEDNESDAY + 4 * HOUR_MS - MINUTE_MS)
    life.step("lapse", WEDNESDAY + 5 * HOUR_MS)
    life.step("community", WEDNESDAY + 9 * HOUR_MS, round_=1)

    assert life.wrong == [
        "remind twice in round 0",
        "lead 60.0 s early",
        "lapse while assigned",
        "community in round 1, not 0",
    ]


def test_a_year_on_the_engine_owes_no_step() -> None:
    engine = engines.Engine().start()
    try:
        engines.create_tables(engine.url)
        lived = year.live(engine.url, 12, 1)
    finally:
        engine.stop()

    assert lived.wrong == ()
    assert lived.reports == 12
    assert lived.steps > 12


def test_what_was_measured_before_an_interruption_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(measured: proof.Measured, *_: Any) -> None:
        measured.told.add(stories.tell(1))
        raise KeyboardInterrupt

    monkeypatch.setattr(proof, "_measure", interrupted)

    with pytest.raises(CutShort) as stopped:
        proof.prove(1.0, lambda _: None)

    figures = {figure.name: figure for figure in stopped.value.figures}
    assert figures["escalation.seeds"].value == 1
    assert not figures["escalation.seeds"].ok
    assert figures["escalation.violations"].value == 0
