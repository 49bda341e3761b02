"""What alerts forget of a member who leaves: what he accepted, and all that was written to him."""

from __future__ import annotations

from collections.abc import Sequence

from models.alerts.tables import HeldRow, InboxRow, QuotaRow
from models.base.store import delete, query
from models.base.tables import Table
from models.people.withdrawals import Withdrawn


class AlertsForgetting:
    """Forgets quotas, held alerts and the inbox."""

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]:
        """Forget everything when the account goes, and nothing for less.

        A message that is just being sent is not put back: its record needs its row.
        """
        if withdrawn is not Withdrawn.ACCOUNT:
            return ()
        kept: dict[str, list[Table]] = {
            "quotas": [QuotaRow(member_id, row.template_id) for row in query(QuotaRow, member_id)],
            "held_alerts": [
                HeldRow(member_id, row.held_id)
                for row in query(HeldRow, member_id, attributes_to_get=["held_id"])
            ],
            "inbox": [InboxRow(member_id, row.message_id) for row in query(InboxRow, member_id)],
        }
        for rows in kept.values():
            for row in rows:
                delete(row)
        return tuple(name for name, rows in kept.items() if rows)
