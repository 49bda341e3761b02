"""In which month a handover that does not stand is booked, and as what."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.rewards.entities import State
from models.rewards.reversals import reversal
from models.rewards.tables import RedemptionRow

HANDED_OVER = datetime(2026, 3, 31, 15, 59, tzinfo=UTC)
AFTER_MIDNIGHT = datetime(2026, 3, 31, 16, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "kind", "month"),
    [
        (State.RESERVED, "undone", "2026-03"),
        (State.EXPIRED, "undone", "2026-03"),
        (State.REFUNDED, "refunded", "2026-04"),
    ],
)
def test_an_undo_belongs_to_the_handovers_month_and_a_refund_to_its_own(
    state: State, kind: str, month: str
) -> None:
    row = RedemptionRow(
        "red_1", county="411503", reward_id="rwd_1", name_zh="理发", name_en="Haircut", points=10,
        fulfilled_at=HANDED_OVER, fulfilled_by="merchant:m1",
    )  # fmt: skip

    booked = reversal(row, state, "trf_1", AFTER_MIDNIGHT)

    assert (booked.kind, booked.points, booked.at) == (kind, 10, AFTER_MIDNIGHT)
    assert booked.attribute_values[type(booked)._hash_key_attribute().attr_name] == (
        f"merchant:m1#{month}"
    )
