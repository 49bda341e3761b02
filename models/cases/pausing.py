"""Clocks that stand still: while the reporter is asked, while a case is deferred or elsewhere.

What had passed when they stopped has passed when they go on, to the microsecond of the case's own
clock: the start moves, and the deadline with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from models.calendar.rules import WorkingTime
from models.calendar.watch import watched
from models.cases import rules
from models.cases.entities import Status
from models.cases.states import claim_limit_of, clock_of, limit_of
from models.cases.tables import CaseRow


def kept(row: CaseRow, target: Status, now: datetime, working: WorkingTime) -> Mapping[str, Any]:
    """What a change of state does to a case's clocks: stops them, lets them go on, or nothing."""
    is_pausing = target in rules.PAUSED
    if is_pausing and row.paused_at is None:
        return {"paused_at": now}
    if not is_pausing and row.paused_at is not None:
        # A schedule that comes late lets nobody wait longer.
        return _resumed(row, row.paused_at, min(now, row.resume_at or now), working)
    return {}


def _resumed(
    row: CaseRow, paused_at: datetime, now: datetime, working: WorkingTime
) -> Mapping[str, Any]:
    kind = clock_of(row)

    def moved(start: datetime) -> datetime:
        return working.back(now, working.remaining(start, paused_at, kind), kind)

    started_at = moved(row.started_at)
    values: dict[str, Any] = {
        "paused_at": None,
        "resume_at": None,
        "started_at": started_at,
        "due_at": watched(working.deadline(started_at, limit_of(row), kind)).at,
    }
    if row.clock_from is not None:
        values["clock_from"] = moved(row.clock_from)
        claim_limit = claim_limit_of(row)
        if claim_limit is not None:
            values["claim_due_at"] = working.deadline(values["clock_from"], claim_limit, kind).at
    if row.status == Status.WAITING:
        waited = now - paused_at + timedelta(seconds=row.waited_s or 0)
        values["waited_s"] = int(waited.total_seconds())
    return values
