"""What the rules and the transition table need of a stored case."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from models.calendar.entities import ClockKind
from models.cases.categories import first_version
from models.cases.entities import Facts, Status, Step, Timing
from models.cases.tables import CaseRow


def clock_of(row: CaseRow) -> ClockKind:
    """On which clock a case's limits run: the one its category had when the case was filed."""
    return clock_in(row.clock, row.category)


def clock_in(stored: str | None, category: str) -> ClockKind:
    """The same of a row's parts; without a stored one it is the first list's."""
    if stored is not None:
        return cast(ClockKind, stored)
    return first_version().of(category).kind


def is_urgent(row: CaseRow) -> bool:
    """Whether officials hear of a case at once, day and night: its limits know no office hours."""
    return clock_of(row) == "continuous"


def timing_of(row: CaseRow) -> Timing:
    """What the schedule's rule needs of a case."""
    return Timing(
        status=Status(row.status),
        created_at=row.created_at,
        started_at=row.started_at,
        resolve_limit=timedelta(seconds=row.resolve_limit_s),
        kind=clock_of(row),
        claim_due_at=row.claim_due_at,
        steps_taken=frozenset(Step(step) for step in row.steps),
        was_claimed=row.claimed_at is not None,
        photo_count=row.photo_count,
        resolved_at=row.resolved_at,
        closed_at=row.closed_at,
    )


def facts_of(
    row: CaseRow, *, member_id: str | None, is_reporter: bool, is_verdict_open: bool
) -> Facts:
    """What the guards need of a case and of who acts; ``member_id`` None is the schedule."""
    return Facts(
        is_reporter=is_reporter,
        is_claimer=row.claimer_id is not None and row.claimer_id == member_id,
        was_claimed=row.claimed_at is not None,
        reporter_count=row.reporter_count,
        reopened=row.reopened,
        photo_count=row.photo_count,
        is_verdict_open=is_verdict_open,
    )
