"""What points forget of a member who leaves: what he wrote in his appeals.

The ledger itself holds nothing personal and is never edited; nor do proposals.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.base.store import query, update_if
from models.people.withdrawals import Withdrawn
from models.points.proposal_tables import EntryAppealRow


class PointsForgetting:
    """Forgets a member's words."""

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]:
        """Forget the texts of his appeals when the account goes. One query, a write of each."""
        if withdrawn is not Withdrawn.ACCOUNT:
            return ()
        written = EntryAppealRow.text.exists()
        erased = [
            update_if(EntryAppealRow(member_id, row.seq), [EntryAppealRow.text.remove()], written)
            for row in query(EntryAppealRow, member_id, filter_condition=written)
        ]
        return ("appeals",) if any(erased) else ()
