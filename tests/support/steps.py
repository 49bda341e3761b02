"""Let time pass over a case, and look at the steps that were taken."""

from __future__ import annotations

from datetime import timedelta

from models.cases.tables import CaseRow
from tests.support.cases import Town


def steps_of(town: Town, case: CaseRow) -> list[str]:
    """The ladder's steps in the order in which they happened."""
    events = [e for e in town.events(case.case_id) if e.event_id.startswith("s")]
    return [event.action for event in sorted(events, key=lambda event: event.at)]


def catch_up(town: Town, case: CaseRow, *, after: timedelta) -> int:
    """Take what is due on a case some time later; answers how many steps that was."""
    town.clock.advance(after)
    return len(town.escalation.catch_up(case.case_id, town.clock.now()))
