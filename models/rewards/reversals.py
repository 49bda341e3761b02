"""What a handover that does not stand leaves behind in its place's books."""

from __future__ import annotations

from datetime import datetime

from models.base.clock import business_day
from models.rewards.entities import State
from models.rewards.settlement_tables import ReversalRow
from models.rewards.tables import RedemptionRow

UNDONE = "undone"
REFUNDED = "refunded"


def reversal(row: RedemptionRow, state: State, transfer_id: str, now: datetime) -> ReversalRow:
    """The row for a fulfilled redemption that goes on to ``state`` by a transfer.

    An undo is booked in the month of its handover, even when midnight lies between: no sheet is
    final before the last undo could have come. A refund is booked in the month in which it is
    decided, for the handover's month may have been paid long ago.
    """
    assert row.fulfilled_by is not None
    assert row.fulfilled_at is not None
    is_refund = state is State.REFUNDED
    month = business_day(now if is_refund else row.fulfilled_at)[:7]
    return ReversalRow(
        f"{row.fulfilled_by}#{month}",
        transfer_id,
        county=row.county,
        kind=REFUNDED if is_refund else UNDONE,
        redemption_id=row.redemption_id,
        reward_id=row.reward_id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        points=row.points,
        fulfilled_at=row.fulfilled_at,
        at=now,
    )
