"""What is done to a case beyond the grid's own work: merge it, split it, hand it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.cases import merging, splitting, transfers
from models.cases.categories import Categories
from models.cases.changes import Doing
from models.cases.commands import Command
from models.cases.entities import Action, Status
from models.cases.tables import CaseRow
from models.cases.workflow import Transition
from models.people.entities import Actor
from models.points.ledger import Ledger


class Rearranging:
    """Lays such commands into a transaction; they have been judged, and their version seen."""

    def __init__(self, *, ledger: Ledger, working: WorkingTime, categories: Categories) -> None:
        self._ledger = ledger
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
        match row.action:
            case Action.MERGE:
                parent = merging.parent_for(
                    actor, case, command.into or "", command.into_version, self._categories
                )
                return merging.merge(tx, case, parent, doing, working=self._working)
            case Action.UNMERGE:
                return merging.unmerge(
                    tx,
                    case,
                    doing,
                    to=row.target,
                    working=self._working,
                    categories=self._categories,
                )
            case Action.SPLIT:
                return splitting.split(
                    tx,
                    case,
                    doing,
                    command.categories,
                    categories=self._categories,
                    working=self._working,
                )
            case Action.TRANSFER if command.receiver is not None:
                return transfers.hand_over(
                    tx,
                    case,
                    doing,
                    receiver=command.receiver,
                    external_ref=command.external_ref,
                    ledger=self._ledger,
                    working=self._working,
                )
            case _ if row.source in (Status.TRANSFERRED, Status.EXTERNAL):
                return self._with_receiver(tx, case, command, doing)
            case _:
                return None

    def _with_receiver(
        self, tx: Transaction, case: CaseRow, command: Command, doing: Doing
    ) -> Mapping[str, Any] | None:
        """What the lead writes down of a case that is not with us, as the receiver told him."""
        working = self._working
        match command.action:
            case Action.ACCEPT:
                reference = command.external_ref or ""
                return transfers.accept(tx, case, doing, external_ref=reference, working=working)
            case Action.RETURN:
                return transfers.take_back(tx, case, doing, working=working)
            case Action.RESOLVE:
                return transfers.resolve(tx, case, doing, photos=command.photos, working=working)
            case _:
                return None
