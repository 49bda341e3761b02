"""When the clock of who works on a case starts: when he was first told of it.

The public clock never waits for that. A case that is urgent is told at once, so both its clocks
start together; any other may be withheld by its officer's alert budget, and nobody answers for
what he was not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models.base.store import Stale, get, retrying, update_if
from models.calendar.rules import WorkingTime
from models.calendar.watch import watched
from models.cases import changes, rules
from models.cases.entities import Status
from models.cases.states import claim_limit_of, clock_of, is_urgent, is_withheld
from models.cases.tables import CaseRow


def first_told(
    case_id: str,
    member_id: str,
    at: datetime,
    working: WorkingTime,
    *,
    since: datetime | None = None,
) -> None:
    """Note that an official was told of a case at ``at``: its clock starts then, once.

    ``since`` is when what he was told had happened (None: just then): a digest may still speak of
    a case that has become somebody else's meanwhile.

    Whoever it was answers for it from then on, so the deputy's telling counts like the officer's.
    Only the first counts; what was told before the case became somebody else's counts for nothing.
    One read and one conditional update. Safe to repeat.
    """
    retrying(lambda: _first_told(case_id, member_id, at, working, since or at))


def _first_told(
    case_id: str, member_id: str, at: datetime, working: WorkingTime, since: datetime
) -> None:
    row = get(CaseRow, case_id)
    if row is None or row.told_at is not None or Status(row.status) not in rules.WORKED_ON:
        return
    if since < (row.given_at or row.created_at):
        return
    unmoved = changes.unmoved(row) & CaseRow.told_at.does_not_exist()
    actions = changes.written(row, started(row, member_id, at, working), working)
    if not update_if(row, actions, unmoved):
        raise Stale


def started(
    row: CaseRow, member_id: str | None, at: datetime, working: WorkingTime
) -> Mapping[str, Any]:
    """What telling changes on a case of which nobody has been told; nothing on any other."""
    if row.told_at is not None:
        return {}
    told = {"told_at": at, "told_id": member_id}
    if not is_withheld(row):
        return told
    return {
        **told,
        "clock_from": at,
        "claim_due_at": _claim_due_at(row, at, working),
    }


def given(
    row: CaseRow, member_id: str | None, now: datetime, working: WorkingTime
) -> Mapping[str, Any]:
    """What changes when a case is to be somebody else's: his clock starts when he is told.

    ``member_id`` None: it is not known whose. An urgent case's clock runs on, whoever has it.
    """
    if is_urgent(row) or (member_id is not None and member_id == row.told_id):
        return {}
    return _anew(row, now, working)


def begun(row: CaseRow, now: datetime, working: WorkingTime) -> Mapping[str, Any]:
    """What changes when a round begins: the public clock at once, the other when it is told."""
    limit = timedelta(seconds=row.resolve_limit_s)
    values = {
        "started_at": now,
        "due_at": watched(working.deadline(now, limit, clock_of(row))).at,
        "extended_s": None,
        "steps": [],
        "rounds": row.rounds + 1,
        **_anew(row, now, working),
    }
    return {**values, "clock_from": now} if is_urgent(row) else values


def _anew(row: CaseRow, now: datetime, working: WorkingTime) -> Mapping[str, Any]:
    return {
        "given_at": now,
        "told_at": None,
        "told_id": None,
        "clock_from": None,
        "claim_limit_s": int(_claim_limit(row, working).total_seconds()),
        "claim_due_at": _claim_due_at(row, now, working),
    }


def _claim_due_at(row: CaseRow, start: datetime, working: WorkingTime) -> datetime:
    return working.deadline(start, _claim_limit(row, working), clock_of(row)).at


def _claim_limit(row: CaseRow, working: WorkingTime) -> timedelta:
    known = claim_limit_of(row)
    if known is None:
        return working.remaining(row.created_at, row.claim_due_at, clock_of(row))
    return known
