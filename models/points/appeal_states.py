"""What can be appealed against, how far an appeal has come, and what a second person does to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from models.base.store import Transaction, get
from models.points import rules
from models.points.entities import EntryKind, Legs
from models.points.proposal_tables import EntryAppealRow, ProposalRow
from models.points.tables import EntryRow

APPEAL_WITHIN = timedelta(days=30)
_TAKING = (EntryKind.CLAW_BACK, EntryKind.ADJUSTMENT)


class AppealState(StrEnum):
    """``upholding`` waits for a second person; his disagreement opens it again."""

    OPEN = "open"
    UPHOLDING = "upholding"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


def appeal_until(kind: str, legs: Legs, posted_at: datetime) -> datetime | None:
    """Until when its member may appeal against an entry; None for one that took nothing from him.

    What was written off at once was never his to lose.

    >>> appeal_until("adjustment", {"adj:doubled": 7, "wo:cap": -7}, datetime(2026, 3, 18))
    """
    if kind not in _TAKING:
        return None
    counter = (rules.adjusted(""), rules.issued(""))
    taken = sum(points for account, points in legs.items() if account.startswith(counter))
    is_taken = taken + legs.get(rules.written_off("cap"), 0) > 0
    return posted_at + APPEAL_WITHIN if is_taken else None


def takers(member_id: str, seq: str) -> frozenset[str]:
    """Who decided on an entry; they decide nothing about the appeal against it. Two reads."""
    entry = get(EntryRow, member_id, seq)
    name = entry.source.get("proposal") if entry is not None else None
    taking = get(ProposalRow, str(name)) if name else None
    return frozenset({taking.maker, taking.checker or ""}) if taking is not None else frozenset()


def add_outcome(tx: Transaction, proposal: ProposalRow, *, is_upheld: bool) -> None:
    """Let it join the decision on a proposal what that means for the appeal behind it."""
    row = EntryAppealRow(proposal.member_id, proposal.appeal_seq)
    actions = [EntryAppealRow.state.set(AppealState.UPHELD.value)]
    if not is_upheld:
        actions = [
            EntryAppealRow.state.set(AppealState.OPEN.value),
            EntryAppealRow.open_county.set(proposal.county),
            EntryAppealRow.decided_by.remove(),
            EntryAppealRow.decided_at.remove(),
        ]
    same = (EntryAppealRow.state == AppealState.UPHOLDING.value) & (
        EntryAppealRow.attempt == proposal.attempt
    )
    tx.update("appeal", row, actions, same)
