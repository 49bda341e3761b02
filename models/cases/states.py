"""What the rules and the transition table need of a stored case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from models.calendar.entities import ClockKind
from models.calendar.rules import WorkingTime
from models.cases import rules
from models.cases.categories import first_version
from models.cases.entities import ClosedAs, Facts, Proposed, Severity, Status, Step, Timing
from models.cases.rules import PAUSED, WORKED_ON
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
    """Whether officials hear of a case at once, day and night: danger and serious things.

    The severity decides, not the clock: a vendor on the pavement has continuous hours in some
    cities' tables and still rings nobody at night.
    """
    return row.severity != Severity.C


def is_withheld(row: CaseRow) -> bool:
    """Whether nobody has been told yet who answers for the case; older rows do not say."""
    return row.clock_from is None and row.claim_limit_s is not None


def limit_of(row: CaseRow) -> timedelta:
    """The resolve limit of the present round, with the extensions granted in it."""
    return timedelta(seconds=row.resolve_limit_s + (row.extended_s or 0))


def remaining_of(row: CaseRow, now: datetime, working: WorkingTime) -> tuple[timedelta, str]:
    """What is left of the public limit on the case's own clock, and whether that clock is
    ``running``, ``paused`` or ``stopped``."""
    return remaining_at(
        now,
        working,
        status=Status(row.status),
        kind=clock_of(row),
        due_at=row.due_at,
        paused_at=row.paused_at,
        ended_at=row.resolved_at or row.closed_at,
    )


def remaining_at(
    now: datetime,
    working: WorkingTime,
    *,
    status: Status,
    kind: ClockKind,
    due_at: datetime,
    paused_at: datetime | None,
    ended_at: datetime | None,
) -> tuple[timedelta, str]:
    """The same of a row's parts."""
    at, state = now, "running"
    if status in PAUSED:
        at, state = paused_at or now, "paused"
    elif status not in WORKED_ON:
        at, state = ended_at or now, "stopped"
    return working.remaining(at, due_at, kind), state


def timing_of(row: CaseRow) -> Timing:
    """What the schedule's rule needs of a case."""
    return Timing(
        status=Status(row.status),
        created_at=row.created_at,
        started_at=row.started_at,
        resolve_limit=limit_of(row),
        kind=clock_of(row),
        claim_due_at=row.claim_due_at,
        claim_limit=claim_limit_of(row),
        clock_from=row.clock_from,
        withheld_since=(row.given_at or row.created_at) if is_withheld(row) else None,
        steps_taken=frozenset(Step(step) for step in row.steps),
        was_claimed=row.claimed_at is not None,
        photo_count=row.photo_count,
        resolved_at=row.resolved_at,
        closed_at=row.closed_at,
        resume_at=row.resume_at,
    )


def claim_limit_of(row: CaseRow) -> timedelta | None:
    """The time to claim; None where an older row does not say."""
    return None if row.claim_limit_s is None else timedelta(seconds=row.claim_limit_s)


def facts_of(
    row: CaseRow,
    *,
    member_id: str | None,
    now: datetime,
    is_reporter: bool,
    may_decide: bool = False,
    is_linked: bool = False,
    is_parent_open: bool = False,
) -> Facts:
    """What the guards need of a case and of who acts; ``member_id`` None is the schedule."""
    return Facts(
        is_reporter=is_reporter,
        is_linked=is_linked,
        is_claimer=row.claimer_id is not None and row.claimer_id == member_id,
        was_claimed=row.claimed_at is not None,
        reporter_count=row.reporter_count + len(row.merged or ()),
        reopened=row.reopened,
        photo_count=row.photo_count,
        is_overdue=row.due_at < now,
        is_verdict_open=is_verdict_open(row, now),
        is_reopen_open=row.closed_as != ClosedAs.CONFIRMED
        and _is_within(rules.REOPEN_WITHIN, row.closed_at, now),
        is_appeal_open=_is_within(rules.APPEAL_WITHIN, row.closed_at, now),
        was_appealed=row.appealed_at is not None,
        is_rejecter=row.rejecter_id is not None and row.rejecter_id == member_id,
        extensions=row.extensions or 0,
        was_deferred=row.deferred_at is not None,
        has_waited=timedelta(seconds=row.waited_s or 0) >= rules.WAIT_WITHIN,
        proposed=Proposed(row.proposal["kind"]) if row.proposal else None,
        may_decide=may_decide,
        has_merged=bool(row.merged),
        was_split=bool(row.parts) or row.parent_id is not None,
        is_part=row.parent_id is not None,
        is_parent_open=is_parent_open,
        was_held=row.claimer_id is not None,
    )


def is_verdict_open(row: CaseRow, now: datetime) -> bool:
    """Whether the reporters may still say if it is fixed."""
    return _is_within(rules.VERDICT_WITHIN, row.resolved_at, now)


def _is_within(span: timedelta, start: datetime | None, now: datetime) -> bool:
    return start is not None and now < start + span
