"""The schedule's work on cases: each step once, however often, late or doubled it fires.

``wake_at`` on a case is the next instant at which anything is due. A sweep lists the cases whose
instant has come, reads each strongly, and takes one step in one transaction, again and again until
nothing more is due. The step's event is its guard.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from models.base.clock import utc_text
from models.base.store import Transaction, get, query, retrying
from models.calendar.rules import WorkingTime
from models.cases import changes, closing, rules
from models.cases.changes import Doing
from models.cases.entities import Action, ClosedAs, Party, Status, Step, Wake
from models.cases.parallel import together
from models.cases.states import timing_of
from models.cases.tables import WAKE_SHARDS, CaseRow
from models.points.ledger import Ledger

log = logging.getLogger(__name__)

MAX_STEPS_AT_ONCE = 12
"""More steps than one case can owe, so that a mistake here ends."""


class Escalation:
    """Takes the steps that time makes due."""

    def __init__(self, *, ledger: Ledger, working: WorkingTime) -> None:
        self._ledger = ledger
        self._working = working

    def catch_up(self, case_id: str, now: datetime) -> list[Step]:
        """Take every step a case owes, in order; answers those that this call took.

        One read and one transaction for each. Safe to run beside itself: the loser of a step reads
        again and finds nothing due.
        """
        taken: list[Step] = []
        while len(taken) < MAX_STEPS_AT_ONCE:
            step = self.take_step(case_id, now)
            if step is None:
                break
            taken.append(step)
        return taken

    def take_step(self, case_id: str, now: datetime) -> Step | None:
        """Take the one step that is due first; None when nothing is due."""
        return retrying(lambda: self._take_step(case_id, now))

    def _take_step(self, case_id: str, now: datetime) -> Step | None:
        case = get(CaseRow, case_id)
        if case is None:
            return None
        wake = rules.next_wake(timing_of(case), self._working)
        if wake is None or wake.at > now:
            self._correct_wake(case, wake)
            return None
        tx = Transaction()
        self._apply(tx, case, wake, now)
        changes.commit(tx)
        log.info("case.stepped", extra={"case_id": case_id, "step": wake.step.value})
        return wake.step

    def _apply(self, tx: Transaction, case: CaseRow, wake: Wake, now: datetime) -> None:
        step = wake.step
        if step is Step.LAPSE:
            doing = Doing(action=Action.LAPSE, party=Party.SYSTEM, now=now)
            unconfirmed = ClosedAs.UNCONFIRMED
            closing.close(tx, case, doing, unconfirmed, ledger=self._ledger, working=self._working)
        elif step is Step.NO_EVIDENCE:
            self._close_without_evidence(tx, case, now)
        elif step is Step.RESUME:
            self._resume(tx, case, now)
        elif step is Step.FORGET:
            self._note_step(tx, case, step, cell=None)
        else:
            self._tell_step(tx, case, wake, now)

    def _close_without_evidence(self, tx: Transaction, case: CaseRow, now: datetime) -> None:
        doing = Doing(action=Action.CLOSE_WITHOUT_EVIDENCE, party=Party.SYSTEM, now=now)
        changes.advance(
            tx,
            case,
            doing,
            working=self._working,
            condition=CaseRow.photo_count == 0,
            status=Status.NO_EVIDENCE.value,
            closed_at=now,
        )
        closing.tell(tx, "case.closed", case, now)

    def _resume(self, tx: Transaction, case: CaseRow, now: datetime) -> None:
        """The reporter did not answer in time, or the day has come: the clocks go on."""
        doing = Doing(action=Action.RESUME, party=Party.SYSTEM, now=now)
        claimed = Status.CLAIMED.value
        changes.advance(tx, case, doing, working=self._working, status=claimed)
        closing.tell(tx, "case.resumed", case, now)

    def _tell_step(self, tx: Transaction, case: CaseRow, wake: Wake, now: datetime) -> None:
        """The ladder changes nothing an officer could act upon, so it makes no new version."""
        step = wake.step
        event_id = f"s{case.rounds}#{step.value}"
        self._note_step(tx, case, step)
        doing = Doing(action=step, party=Party.SYSTEM, now=now)
        tx.guard("event", changes.event_row(case, event_id, doing))
        due_at = utc_text(wake.at)
        closing.tell(tx, "case.step", case, now, key=event_id, step=step.value, due_at=due_at)

    def _note_step(self, tx: Transaction, case: CaseRow, step: Step, **values: None) -> None:
        condition = changes.unmoved(case)
        steps = [*case.steps, step.value]
        changes.write(
            tx, case, {"steps": steps, **values}, working=self._working, condition=condition
        )

    def _correct_wake(self, case: CaseRow, wake: Wake | None) -> None:
        """A photo that arrived leaves ``wake_at`` as it was: too early, never too late."""
        if case.wake_at == (wake.at if wake else None):
            return
        tx = Transaction()
        condition = changes.unmoved(case)
        changes.write(tx, case, {}, working=self._working, condition=condition)
        changes.commit(tx)


def due_cases(now: datetime, limit: int) -> list[str]:
    """The cases whose instant has come, longest overdue first. 16 parallel queries."""
    found = together([partial(_due_in, str(shard), now, limit) for shard in range(WAKE_SHARDS)])
    rows = sorted((row for shard in found for row in shard), key=lambda row: row.wake_at)
    return [row.case_id for row in rows[:limit]]


def _due_in(shard: str, now: datetime, limit: int) -> list[CaseRow]:
    rows: list[CaseRow] = query(
        CaseRow.by_wake, shard, CaseRow.wake_at <= now, limit=limit, page_size=limit
    )
    return rows
