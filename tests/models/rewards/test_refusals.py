"""A refusal stands in the place of a transfer, and is none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict
from models.base.ids import derived_id
from models.base.store import get
from models.base.tables import Database
from models.points.tables import TransferRow
from models.rewards.changes import hold_transfer
from tests.support.rewards import Shop, a_request_id


def test_a_refusal_names_no_entry_moves_nothing_and_stands_for_a_week(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock).opened()
    rider, request = shop.rider(3), a_request_id()

    with pytest.raises(Conflict, match=r"points\.insufficient"):
        shop.redeem(rider, request)

    row = get(TransferRow, hold_transfer(derived_id("red", rider.member_id, request)))
    assert row is not None
    assert (row.kind, row.seq, row.points, dict(row.own_legs)) == ("refused", 0, 0, {})
    assert row.ttl == int((shop.now + timedelta(days=7)).timestamp())
