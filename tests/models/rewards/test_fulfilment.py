"""A merchant hands over: once, only what is his, and what he takes back within five minutes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.bench.trace import Trace
from models.base.clock import FixedClock, business_day
from models.base.errors import Conflict, DomainError, Forbidden, NotFound
from models.base.tables import Database, connection
from models.people import links
from models.people.entities import Actor, Role, RoleName
from models.points.checking import check_member
from models.points.reading import balances
from models.rewards.entities import State
from tests.support.faults import lost_reply
from tests.support.people import a_phone, a_role, an_actor
from tests.support.rewards import Shop, a_request_id

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock).opened()


def _points(shop: Shop, rider: Actor) -> tuple[int, int]:
    found = balances(rider.member_id, shop.now)
    return found.available, found.held


def test_a_merchant_sees_what_he_would_hand_over_and_nothing_is_written(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())

    seen = shop.fulfilment.preview(shop.merchant(), voucher.code or "")

    assert (seen.reward_name.zh, seen.points, seen.state) == ("理发", 10, State.RESERVED)
    assert shop.row(voucher).version == 1


@pytest.mark.parametrize("shown", ["code", "qr"])
def test_handing_over_spends_the_points(shop: Shop, shown: str) -> None:
    rider = shop.rider(25)
    voucher = shop.redeem(rider)

    outcome = shop.fulfil(shop.merchant(), getattr(voucher, shown))

    assert outcome.state is State.FULFILLED
    assert outcome.undo_until == shop.now + 5 * MINUTE
    assert _points(shop, rider) == (15, 0)
    assert shop.left() == 4
    assert check_member(rider.member_id) == ()


def test_a_code_may_be_typed_in_lower_case_with_dashes(shop: Shop) -> None:
    code = shop.redeem(shop.rider()).code or ""

    outcome = shop.fulfil(shop.merchant(), f"{code[:5]}-{code[5:]}".lower())

    assert outcome.state is State.FULFILLED


def test_a_keeper_hands_over_what_his_station_may(shop: Shop) -> None:
    outcome = shop.fulfil(shop.keeper(), shop.redeem(shop.rider()).code)

    assert outcome.state is State.FULFILLED


def test_a_second_fulfilment_is_refused(shop: Shop) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.fulfil(shop.merchant(), voucher.code)

    with pytest.raises(Conflict, match=r"redemption\.already_fulfilled"):
        shop.fulfil(shop.merchant(), voucher.code)
    with pytest.raises(Conflict, match=r"redemption\.already_fulfilled"):
        shop.fulfilment.preview(shop.merchant(), voucher.code or "")
    assert check_member(rider.member_id) == ()


def test_a_repeated_request_is_told_the_same_even_after_it_was_undone(shop: Shop) -> None:
    voucher, merchant, request = shop.redeem(shop.rider()), shop.merchant(), a_request_id()
    with lost_reply():
        first = shop.fulfil(merchant, voucher.code, request)
    shop.clock.advance(MINUTE)
    again = shop.fulfil(merchant, voucher.code, request)
    shop.undo(merchant, voucher)

    last = shop.fulfil(merchant, voucher.code, request)

    assert [(o.state, o.at) for o in (again, last)] == [(first.state, first.at)] * 2
    assert shop.row(voucher).state == State.RESERVED.value


def test_a_repeated_request_with_a_qr_that_has_gone_stale_is_told_the_same(shop: Shop) -> None:
    voucher, merchant, request = shop.redeem(shop.rider()), shop.merchant(), a_request_id()
    first = shop.fulfil(merchant, voucher.qr, request)
    shop.clock.advance(10 * MINUTE)

    assert shop.fulfil(merchant, voucher.qr, request).at == first.at


def test_one_request_does_not_fulfil_two_vouchers(shop: Shop) -> None:
    merchant, request = shop.merchant(), a_request_id()
    shop.fulfil(merchant, shop.redeem(shop.rider()).code, request)

    with pytest.raises(Conflict, match=r"request\.reused"):
        shop.fulfil(merchant, shop.redeem(shop.rider()).code, request)


def test_eight_scans_at_once_hand_over_once(shop: Shop) -> None:
    rider, merchant = shop.rider(), shop.merchant()
    voucher = shop.redeem(rider)

    def attempt(_: int) -> str:
        try:
            return shop.fulfil(merchant, voucher.qr).state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(attempt, range(8)))

    assert sorted(outcomes) == ["fulfilled"] + ["redemption.already_fulfilled"] * 7
    assert check_member(rider.member_id) == ()


def test_a_foreign_merchant_learns_nothing(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    strangers = [
        an_actor(a_role(RoleName.MERCHANT, "other")),
        an_actor(Role(role=RoleName.MERCHANT, scope=f"merchant:{shop.merchant_id}", county="x")),
        an_actor(Role(role=RoleName.OFFICER, scope=f"merchant:{shop.merchant_id}", county="x")),
        an_actor(),
    ]

    for stranger in strangers:
        for shown in (voucher.code, voucher.qr):
            with pytest.raises(NotFound, match=r"redemption\.not_found"):
                shop.fulfil(stranger, shown)
            with pytest.raises(NotFound, match=r"redemption\.not_found"):
                shop.fulfilment.preview(stranger, shown or "")


@pytest.mark.parametrize("shown", ["0000000000", "nonsense", "", "R1.red_1.1.x"])
def test_a_wrong_code_is_unknown(shop: Shop, shown: str) -> None:
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.fulfil(shop.merchant(), shown)


def test_a_screenshot_of_an_old_qr_is_refused(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.clock.advance(2 * MINUTE)

    with pytest.raises(Conflict, match=r"redemption\.qr_stale"):
        shop.fulfil(shop.merchant(), voucher.qr)
    with pytest.raises(Conflict, match=r"redemption\.qr_stale"):
        shop.fulfilment.preview(shop.merchant(), voucher.qr or "")


def test_a_cancelled_or_expired_voucher_is_refused(shop: Shop) -> None:
    rider = shop.rider(20)
    cancelled, expired = shop.redeem(rider), shop.redeem(rider)
    shop.cancel(rider, cancelled)
    shop.clock.advance(timedelta(days=30))

    with pytest.raises(Conflict, match=r"redemption\.cancelled"):
        shop.fulfil(shop.merchant(), cancelled.code)
    with pytest.raises(Conflict, match=r"redemption\.expired"):
        shop.fulfil(shop.merchant(), expired.code)


def test_nobody_hands_over_to_himself(shop: Shop) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)

    with pytest.raises(Forbidden, match=r"redemption\.own"):
        shop.fulfil(shop.merchant(rider.member_id), voucher.code)


def test_nobody_hands_over_to_another_account_of_his_own_phone(shop: Shop) -> None:
    rider, merchant = shop.rider(), shop.merchant()
    voucher = shop.redeem(rider)
    phone = a_phone()
    for member_id in (rider.member_id, merchant.member_id):
        links.record_phone(phone, member_id, shop.clock.now())

    with pytest.raises(Forbidden, match=r"redemption\.own"):
        shop.fulfil(merchant, voucher.code)

    assert shop.fulfil(shop.merchant(), voucher.code).state is State.FULFILLED


def test_an_undo_within_five_minutes_makes_the_voucher_good_again(shop: Shop) -> None:
    rider, merchant = shop.rider(25), shop.merchant()
    voucher = shop.redeem(rider)
    shop.fulfil(merchant, voucher.code)
    shop.clock.advance(5 * MINUTE)

    outcome = shop.undo(merchant, voucher)

    assert outcome.state is State.RESERVED
    assert _points(shop, rider) == (15, 10)
    assert shop.fulfil(merchant, voucher.code).state is State.FULFILLED
    assert _points(shop, rider) == (15, 0)
    assert shop.left() == 4
    assert check_member(rider.member_id) == ()


def test_after_five_minutes_it_is_too_late_to_undo(shop: Shop) -> None:
    merchant, voucher = shop.merchant(), shop.redeem(shop.rider())
    shop.fulfil(merchant, voucher.code)
    shop.clock.advance(5 * MINUTE + timedelta(seconds=1))

    with pytest.raises(Conflict, match=r"redemption\.undo_too_late"):
        shop.undo(merchant, voucher)


def test_an_undo_past_the_end_gives_points_and_stock_back(shop: Shop) -> None:
    rider, merchant = shop.rider(), shop.merchant()
    voucher = shop.redeem(rider)
    shop.clock.advance(timedelta(days=30) - MINUTE)
    shop.fulfil(merchant, voucher.code)
    shop.clock.advance(2 * MINUTE)

    outcome = shop.undo(merchant, voucher)

    assert outcome.state is State.EXPIRED
    assert _points(shop, rider) == (10, 0)
    assert shop.left() == 5
    assert check_member(rider.member_id) == ()


def test_a_repeated_undo_is_told_the_same(shop: Shop) -> None:
    rider, merchant, request = shop.rider(), shop.merchant(), a_request_id()
    voucher = shop.redeem(rider)
    shop.fulfil(merchant, voucher.code)
    with lost_reply():
        first = shop.undo(merchant, voucher, request)
    shop.clock.advance(10 * MINUTE)

    again = shop.undo(merchant, voucher, request)

    assert (again.state, again.at) == (first.state, first.at)
    assert _points(shop, rider) == (0, 10)


def test_only_who_handed_over_may_undo(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.fulfil(shop.merchant(), voucher.code)

    for stranger in (shop.keeper(), an_actor(a_role(RoleName.MERCHANT, "other"))):
        with pytest.raises(NotFound, match=r"redemption\.not_found"):
            shop.undo(stranger, voucher)


def test_what_was_not_handed_over_cannot_be_undone(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())

    with pytest.raises(Conflict, match=r"redemption\.not_fulfilled"):
        shop.undo(shop.merchant(), voucher)
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.fulfilment.undo(
            shop.merchant(), redemption_id="red_none", client_request_id=a_request_id()
        )


def test_the_days_totals_count_what_was_handed_over_and_not_undone(shop: Shop) -> None:
    merchant = shop.merchant()
    vouchers = [shop.redeem(shop.rider()) for _ in range(3)]
    for voucher in vouchers:
        shop.fulfil(merchant, voucher.code)
    shop.undo(merchant, vouchers[0])

    totals = shop.fulfilment.day(merchant)

    assert (totals.day, totals.count, totals.points) == (business_day(shop.now), 2, 20)
    (line,) = totals.lines
    assert (line.scope, line.reward_name.zh) == (f"merchant:{shop.merchant_id}", "理发")
    assert (line.count, line.points) == (2, 20)


def test_the_days_totals_are_each_places_own_and_of_the_day_asked_for(shop: Shop) -> None:
    shop.fulfil(shop.merchant(), shop.redeem(shop.rider()).code)
    yesterday = business_day(shop.now)
    shop.clock.advance(timedelta(days=1))

    assert shop.fulfilment.day(shop.keeper()).count == 0
    assert shop.fulfilment.day(shop.merchant()).count == 0
    assert shop.fulfilment.day(shop.merchant(), yesterday).count == 1


def test_handing_over_costs_at_most_ten_write_units_with_its_indexes(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    trace = Trace(connection())

    shop.fulfil(shop.merchant(), voucher.qr)

    (transaction,) = [call for call in trace.take() if call.write_units]
    assert transaction.operation == "TransactWriteItems"
    assert transaction.write_units <= 10
