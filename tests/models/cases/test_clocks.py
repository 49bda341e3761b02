"""The rules of a case's clocks against somebody who counts every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import CHINA
from models.base.store import Transaction
from models.calendar.china import working_time
from models.cases import changes, rules
from models.cases.changes import Doing
from models.cases.entities import Action, Party, Status, Step
from models.cases.states import limit_of, remaining_of, timing_of
from models.cases.tables import CaseRow

WORKING = working_time()
MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # four weeks without a holiday follow


def is_counted(at: datetime, kind: str) -> bool:
    """Whether the minute that begins at an instant counts, by the words of the rule."""
    local = at.astimezone(CHINA)
    minute = local.hour * 60 + local.minute
    is_open = 8 * 60 + 30 <= minute < 12 * 60 or 14 * 60 + 30 <= minute < 18 * 60
    return kind == "continuous" or (local.weekday() < 5 and is_open)


def a_case(kind: str, started_at: datetime, limit: timedelta) -> CaseRow:
    due = WORKING.deadline(started_at, limit, kind).at  # type: ignore[arg-type]
    return CaseRow(
        "case_1",
        schema=1,
        county="411503",
        number="260302-000001",
        category="E0493a",
        clock=kind,
        severity="C",
        status=Status.CLAIMED.value,
        version=1,
        grid_id="grid_1",
        created_at=started_at,
        started_at=started_at,
        clock_from=started_at,
        told_at=started_at,
        claimed_at=started_at,
        claim_limit_s=3600,
        claim_due_at=due,
        resolve_limit_s=int(limit.total_seconds()),
        due_at=due,
        photo_count=1,
        rounds=0,
        steps=[],
    )


def lead_to(case: CaseRow, now: datetime, **values: Any) -> None:
    doing = Doing(action=Action.RESUME, party=Party.OFFICER, now=now)
    changes.advance(Transaction(), case, doing, working=WORKING, **values)


@given(
    kind=st.sampled_from(["continuous", "working"]),
    start=st.integers(0, 7 * 24 * 60),
    limit=st.integers(30, 900),
    plan=st.lists(
        st.tuples(st.integers(0, 3000), st.sampled_from(["pause", "go_on", "extend"])), max_size=6
    ),
)
def test_what_is_left_is_what_the_minutes_that_counted_left(
    kind: str, start: int, limit: int, plan: list[tuple[int, str]]
) -> None:
    now = MONDAY + start * MINUTE
    case = a_case(kind, now, limit * MINUTE)
    counted = 0

    for minutes, what in plan:
        is_paused = case.paused_at is not None
        for _ in range(minutes):
            counted += is_counted(now, kind) and not is_paused
            now += MINUTE
        if what == "pause" and not is_paused:
            lead_to(case, now, status=Status.DEFERRED.value)
        elif what == "go_on" and is_paused:
            lead_to(case, now, status=Status.CLAIMED.value)
        elif what == "extend" and not is_paused:
            case.extended_s = (case.extended_s or 0) + case.resolve_limit_s
            due = WORKING.deadline(case.started_at, limit_of(case), case.clock)
            lead_to(case, now, extended_s=case.extended_s, due_at=due.at)

        remaining, clock = remaining_of(case, now, WORKING)
        assert remaining == limit_of(case) - counted * MINUTE
        assert clock == ("paused" if case.paused_at else "running")
        _check_ladder(case, now, counted)


def _check_ladder(case: CaseRow, now: datetime, counted: int) -> None:
    """Paused nothing wakes the case but its day; running, exactly what has been reached is due."""
    wake = rules.next_wake(timing_of(case), WORKING)
    if case.paused_at is not None:
        assert wake is None
        return
    assert wake is not None
    assert wake.step is Step.REMIND
    has_come = 100 * counted * MINUTE >= 80 * limit_of(case)
    assert (wake.at <= now) == has_come


@given(
    kind=st.sampled_from(["continuous", "working"]),
    start=st.integers(0, 7 * 24 * 60),
    waited=st.integers(0, 3000),
    slept=st.integers(0, 20_000),
)
def test_both_clocks_have_after_a_pause_what_they_had_before(
    kind: str, start: int, waited: int, slept: int
) -> None:
    started = MONDAY + start * MINUTE
    case = a_case(kind, started, timedelta(hours=10))
    paused = started + waited * MINUTE
    elapsed = WORKING.remaining(started, paused, case.clock)

    lead_to(case, paused, status=Status.WAITING.value)
    lead_to(case, paused + slept * MINUTE, status=Status.CLAIMED.value)

    resumed = paused + slept * MINUTE
    assert WORKING.remaining(case.started_at, resumed, case.clock) == elapsed
    assert WORKING.remaining(case.clock_from, resumed, case.clock) == elapsed
    assert case.waited_s == slept * 60
    assert (case.paused_at, case.resume_at) == (None, None)
