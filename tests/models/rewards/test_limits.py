"""At most so many of a reward for one member, on as many phones as he likes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.base.clock import FixedClock, parse_utc
from models.base.errors import Conflict, DomainError
from models.base.store import get
from models.base.tables import Database
from models.rewards.entities import Limit, Missing
from models.rewards.tables import LimitRow
from tests.support.faults import lost_reply
from tests.support.rewards import Shop, a_request_id

DAY = timedelta(days=1)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, stock=20, limit=Limit(count=2, days=30)).opened()


def test_the_third_within_thirty_days_is_refused_with_when_it_can_be_had(shop: Shop) -> None:
    rider, first_at = shop.rider(100), shop.now
    shop.redeem(rider)
    shop.clock.advance(10 * DAY)
    shop.redeem(rider)

    with pytest.raises(Conflict, match=r"reward\.limit_reached") as refusal:
        shop.redeem(rider)

    again_at = parse_utc(refusal.value.details["again_at"])
    assert again_at == first_at + 30 * DAY
    assert (refusal.value.details["count"], refusal.value.details["days"]) == (2, 30)
    offer = shop.catalogue.offer(rider, shop.reward_id)
    assert (offer.missing, offer.again_at) == ((Missing.LIMIT,), again_at)
    shop.clock.set(again_at)
    assert shop.catalogue.offer(rider, shop.reward_id).missing == ()
    shop.redeem(rider)


def test_another_member_has_his_own_limit(shop: Shop) -> None:
    rider, other = shop.rider(100), shop.rider(100)
    for _ in range(2):
        shop.redeem(rider)

    assert shop.redeem(other).code is not None


def test_a_cancelled_one_does_not_count_and_a_used_one_does(shop: Shop) -> None:
    rider = shop.rider(100)
    used, cancelled = shop.redeem(rider), shop.redeem(rider)
    shop.fulfil(shop.merchant(), used.code)
    with lost_reply():
        shop.cancel(rider, cancelled)

    shop.redeem(rider)
    with pytest.raises(Conflict, match=r"reward\.limit_reached"):
        shop.redeem(rider)


def test_a_lost_reply_takes_one_place(shop: Shop) -> None:
    rider = shop.rider(100)

    with lost_reply():
        voucher = shop.redeem(rider)

    row = get(LimitRow, rider.member_id, shop.reward_id)
    assert row is not None
    assert list(row.taken) == [voucher.redemption.redemption_id]
    assert row.ttl == int((shop.now + 30 * DAY).timestamp())


def test_a_place_whose_row_has_ended_does_not_keep_a_voucher_from_being_cancelled(
    shop: Shop,
) -> None:
    rider = shop.rider(100)
    voucher = shop.redeem(rider)
    LimitRow(rider.member_id, shop.reward_id).delete()

    shop.cancel(rider, voucher)

    assert shop.left() == 20


def test_six_phones_of_one_rider_take_two(shop: Shop) -> None:
    rider = shop.rider(100)

    def attempt(_: int) -> str:
        try:
            return shop.redeem(rider, a_request_id()).redemption.state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(6) as threads:
        outcomes = sorted(threads.map(attempt, range(6)))

    assert outcomes == ["reserved"] * 2 + ["reward.limit_reached"] * 4
    assert shop.left() == 18


def test_a_place_is_freed_while_another_is_taken(shop: Shop) -> None:
    for _ in range(3):
        rider = shop.rider(100)
        voucher = shop.redeem(rider)
        with ThreadPoolExecutor(2) as threads:
            cancelled = threads.submit(shop.cancel, rider, voucher)
            taken = threads.submit(shop.redeem, rider)
        cancelled.result()

        row = get(LimitRow, rider.member_id, shop.reward_id)
        assert row is not None
        assert list(row.taken) == [taken.result().redemption.redemption_id]
