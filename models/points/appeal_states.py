"""How far an appeal against an entry has come, and what a second person's word does to it."""

from __future__ import annotations

from enum import StrEnum

from models.base.store import Transaction
from models.points.proposal_tables import EntryAppealRow, ProposalRow


class AppealState(StrEnum):
    """``upholding`` waits for a second person; his disagreement opens it again."""

    OPEN = "open"
    UPHOLDING = "upholding"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


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
