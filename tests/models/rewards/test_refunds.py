"""Two people give a rider back what a merchant failed him for, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from models.base.ids import derived_id
from models.base.store import get
from models.base.tables import Database
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.reading import balances
from models.points.tables import WalletRow
from models.rewards.entities import Limit, RefundReason, State, Voucher
from models.rewards.refunds import TOPIC
from tests.support.faults import lost_reply
from tests.support.rewards import Shop

DAY = timedelta(days=1)
FAILED = RefundReason.NOT_DELIVERED


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock).opened()


@pytest.fixture
def rider(shop: Shop) -> Actor:
    return shop.rider(25)


@pytest.fixture
def voucher(shop: Shop, rider: Actor) -> Voucher:
    """A voucher that was handed in."""
    voucher = shop.redeem(rider)
    shop.fulfil(shop.merchant(), voucher.code)
    return voucher


def _id(voucher: Voucher) -> str:
    return voucher.redemption.redemption_id


def test_two_people_give_the_points_back_and_the_rider_is_told(
    shop: Shop, rider: Actor, voucher: Voucher
) -> None:
    shop.clock.advance(40 * DAY)

    shop.refund(voucher)

    row, now = shop.row(voucher), balances(rider.member_id, shop.now)
    assert (row.state, row.refunded_by, row.ended_at) == ("refunded", "desk-2", shop.now)
    assert (now.available, now.held) == (25, 0)
    told = get(OutboxRow, derived_id("out", TOPIC, _id(voucher)))
    assert told is not None
    assert told.payload["reason"] == "not_delivered"
    assert check_member(rider.member_id) == ()


def test_stock_is_not_given_back(shop: Shop, voucher: Voucher) -> None:
    before = shop.left()

    shop.refund(voucher)

    assert shop.left() == before


def test_the_place_under_the_rewards_limit_is_free_again(shop: Shop, clock: FixedClock) -> None:
    shop = Shop(clock=clock, limit=Limit(count=1, days=30)).opened()
    rider = shop.rider(20)
    voucher = shop.redeem(rider)
    shop.fulfil(shop.merchant(), voucher.qr)
    with pytest.raises(Conflict, match=r"reward\.limit_reached"):
        shop.redeem(rider)

    shop.refund(voucher)

    assert shop.redeem(rider).redemption.state is State.RESERVED


def test_points_go_back_into_the_bucket_they_came_from(
    shop: Shop, rider: Actor, voucher: Voucher
) -> None:
    before = get(WalletRow, rider.member_id)

    shop.refund(voucher)

    after = get(WalletRow, rider.member_id)
    assert before is not None
    assert after is not None
    assert before.available.keys() == after.available.keys()
    assert sum(after.available.values()) == 25


def test_a_bucket_that_is_past_goes_on_for_a_month_of_grace(
    shop: Shop, rider: Actor, voucher: Voucher
) -> None:
    shop.clock.advance(900 * DAY)

    shop.refund(voucher)

    now = balances(rider.member_id, shop.now)
    assert now.available == 10
    assert check_member(rider.member_id) == ()


def test_who_proposed_cannot_approve(shop: Shop, rider: Actor, voucher: Voucher) -> None:
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")

    with pytest.raises(Forbidden, match=r"redemption\.refund_own_proposal"):
        shop.refunds.approve(_id(voucher), actor="desk-1")

    assert balances(rider.member_id, shop.now).available == 15


@pytest.mark.parametrize("spelling", ["Desk-1", " desk-1 ", "ｄｅｓｋ-1"])
def test_nobody_is_two_people_by_another_spelling(
    shop: Shop, rider: Actor, voucher: Voucher, spelling: str
) -> None:
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")

    with pytest.raises(Forbidden, match=r"redemption\.refund_own_proposal"):
        shop.refunds.approve(_id(voucher), actor=spelling)

    assert balances(rider.member_id, shop.now).available == 15


def test_nobody_proposes_or_approves_a_refund_for_himself(
    shop: Shop, rider: Actor, voucher: Voucher
) -> None:
    with pytest.raises(Forbidden, match=r"proposal\.own_account"):
        shop.refunds.propose(_id(voucher), reason=FAILED, actor=rider.member_id)
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")
    with pytest.raises(Forbidden, match=r"proposal\.own_account"):
        shop.refunds.approve(_id(voucher), actor=rider.member_id)

    assert shop.row(voucher).state == "fulfilled"


def test_a_phone_is_nobodys_name(shop: Shop, voucher: Voucher) -> None:
    with pytest.raises(Invalid):
        shop.refunds.propose(_id(voucher), reason=FAILED, actor="13812345678")


def test_nothing_is_refunded_without_a_proposal(shop: Shop, voucher: Voucher) -> None:
    with pytest.raises(Conflict, match=r"redemption\.refund_not_proposed"):
        shop.refunds.approve(_id(voucher), actor="desk-2")


def test_a_declined_proposal_is_gone(shop: Shop, voucher: Voucher) -> None:
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")
    shop.refunds.decline(_id(voucher), actor="desk-2")
    shop.refunds.decline(_id(voucher), actor="desk-2")

    with pytest.raises(Conflict, match=r"redemption\.refund_not_proposed"):
        shop.refunds.approve(_id(voucher), actor="desk-2")


def test_another_proposal_is_refused_while_one_stands(shop: Shop, voucher: Voucher) -> None:
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")

    with pytest.raises(Conflict, match=r"redemption\.refund_proposed"):
        shop.refunds.propose(_id(voucher), reason=RefundReason.DEFECTIVE, actor="desk-1")


def test_only_what_was_handed_over_can_be_refunded(shop: Shop, rider: Actor) -> None:
    open_one = shop.redeem(rider)

    with pytest.raises(Conflict, match=r"redemption\.not_fulfilled"):
        shop.refunds.propose(_id(open_one), reason=FAILED, actor="desk-1")
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.refunds.propose("red_none", reason=FAILED, actor="desk-1")


def test_an_undo_takes_the_proposal_with_it(shop: Shop, rider: Actor, voucher: Voucher) -> None:
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")
    shop.undo(shop.merchant(), voucher)
    shop.fulfil(shop.merchant(), voucher.code)

    with pytest.raises(Conflict, match=r"redemption\.refund_not_proposed"):
        shop.refunds.approve(_id(voucher), actor="desk-2")


def test_what_is_refunded_stays_so(shop: Shop, voucher: Voucher) -> None:
    shop.refund(voucher)

    with pytest.raises(Conflict, match=r"redemption\.refunded"):
        shop.undo(shop.merchant(), voucher)
    with pytest.raises(Conflict, match=r"redemption\.refunded"):
        shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-3")


def test_replies_that_are_lost_refund_once(shop: Shop, rider: Actor, voucher: Voucher) -> None:
    with lost_reply("UpdateItem"):
        shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")
    with lost_reply():
        first = shop.refunds.approve(_id(voucher), actor="desk-2")

    again = shop.refunds.approve(_id(voucher), actor="desk-2")

    assert (first.state, first.at) == (again.state, again.at)
    assert balances(rider.member_id, shop.now).available == 25


def test_approving_and_undoing_at_once_gives_the_points_back_once(
    shop: Shop, rider: Actor, voucher: Voucher
) -> None:
    shop.refunds.propose(_id(voucher), reason=FAILED, actor="desk-1")

    def act(number: int) -> str:
        try:
            if number % 2:
                return shop.refunds.approve(_id(voucher), actor="desk-2").state.value
            return shop.undo(shop.merchant(), voucher).state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(6) as threads:
        told = list(threads.map(act, range(6)))

    now, state = balances(rider.member_id, shop.now), shop.row(voucher).state
    assert (now.available, now.held) == ((25, 0) if state == State.REFUNDED else (15, 10))
    assert state in told
    assert check_member(rider.member_id) == ()


def test_a_refunded_voucher_is_not_in_the_days_totals(shop: Shop, voucher: Voucher) -> None:
    shop.refund(voucher)

    assert shop.fulfilment.day(shop.merchant()).count == 0
