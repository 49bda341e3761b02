"""A version counts every change: one that came back would let an old reading win a race."""

from __future__ import annotations

from typing import Any

import pytest

from models.base.clock import FixedClock
from models.base.ids import derived_id, new_id
from models.base.store import get
from models.base.tables import Database
from models.rewards import refunds
from models.rewards.entities import Limit, RefundReason, Voucher
from models.rewards.tables import LimitRow
from models.rewards.tries import Tries
from models.rewards.try_tables import TryRow
from tests.support.rewards import Shop


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, limit=Limit(count=3, days=30)).opened()


def _version(shop: Shop, voucher: Voucher) -> int:
    return shop.row(voucher).version


def test_a_members_limit_counts_its_takings_and_givings_back(shop: Shop) -> None:
    rider, versions = shop.rider(40), []
    for _ in range(2):
        last = shop.redeem(rider)
        row = get(LimitRow, rider.member_id, shop.reward_id)
        assert row is not None
        versions.append(row.version)
    shop.cancel(rider, last)
    row = get(LimitRow, rider.member_id, shop.reward_id)

    assert row is not None
    assert [*versions, row.version] == [1, 2, 3]


def test_a_redemption_counts_each_of_its_changes(shop: Shop) -> None:
    rider, merchant = shop.rider(10), shop.merchant()
    voucher = shop.redeem(rider)
    versions = [_version(shop, voucher)]

    shop.fulfil(merchant, voucher.qr)
    versions.append(_version(shop, voucher))
    redemption_id = voucher.redemption.redemption_id
    shop.refunds.propose(redemption_id, reason=RefundReason.NOT_DELIVERED, actor="desk-1")
    versions.append(_version(shop, voucher))
    shop.refunds.decline(redemption_id, actor="desk-2")
    versions.append(_version(shop, voucher))
    shop.undo(merchant, voucher)
    versions.append(_version(shop, voucher))

    assert versions == [1, 2, 3, 4, 5]


def test_tries_count_each_try(shop: Shop) -> None:
    name = f"session:{new_id('s')}"
    tries, versions = Tries(), []
    for _ in range(3):
        tries.count([name], shop.now)
        row = get(TryRow, derived_id("try", name))
        assert row is not None
        versions.append(row.version)

    assert versions == [1, 2, 3]


def test_a_proposal_that_lost_a_race_is_made_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    voucher, tried = shop.redeem(shop.rider(10)), list[bool]()
    shop.fulfil(shop.merchant(), voucher.qr)
    write = refunds.update_if

    def lose_first(*asked: Any) -> bool:
        tried.append(len(tried) > 0 and write(*asked))
        return tried[-1]

    monkeypatch.setattr(refunds, "update_if", lose_first)
    redemption_id = voucher.redemption.redemption_id
    shop.refunds.propose(redemption_id, reason=RefundReason.NOT_DELIVERED, actor="desk-1")

    assert tried == [False, True]
    assert shop.row(voucher).refund_asked_by == "desk-1"
