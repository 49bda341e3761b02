"""What officials do about a case's time: start, ask, propose more, decide, go on, correct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.cases import asking, changes, closing, correcting, proposals
from models.cases.categories import Categories
from models.cases.changes import Doing
from models.cases.commands import Command
from models.cases.entities import Action
from models.cases.tables import CaseRow
from models.cases.workflow import Transition
from models.people.entities import Actor


class Pacing:
    """Lays such commands into a transaction; they have been judged, and their version seen."""

    def __init__(self, *, working: WorkingTime, categories: Categories) -> None:
        self._working = working
        self._categories = categories

    def apply(
        self,
        tx: Transaction,
        actor: Actor,
        case: CaseRow,
        command: Command,
        doing: Doing,
        row: Transition,
    ) -> Mapping[str, Any] | None:
        """The command's answer; None for a command that is not of this kind."""
        working = self._working
        match row.action:
            case Action.START | Action.RESUME:
                topic = "case.resumed" if row.action is Action.RESUME else "case.started"
                answer = changes.advance(tx, case, doing, working=working, status=row.target.value)
                closing.tell(tx, topic, case, doing.now)
                return answer
            case Action.ASK:
                return asking.ask(tx, case, doing, working=working)
            case Action.EXTEND | Action.DEFER:
                parties = changes.parties_in(actor, case)
                return proposals.propose(tx, case, doing, command, parties=parties, working=working)
            case Action.APPROVE:
                return proposals.approve(tx, case, doing, working=working)
            case Action.DECLINE:
                return proposals.decline(tx, case, doing, working=working)
            case Action.CORRECT:
                return correcting.correct(
                    tx,
                    case,
                    doing,
                    command.category or "",
                    working=working,
                    categories=self._categories,
                )
            case _:
                return None
