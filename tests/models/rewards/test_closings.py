"""A merchant closes: what only he could hand over is paid back, once, whatever overlaps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, NotFound
from models.base.ids import derived_id
from models.base.store import Stale, get
from models.base.tables import Database
from models.points.checking import check_member
from models.points.reading import balances
from models.rewards import closings
from models.rewards.closings import TOPIC, Fate, Progress
from models.rewards.entities import CodeSource, Limit, State, Voucher
from models.rewards.tables import MerchantRow, RewardRow
from tests.support.faults import Killed, killed_at, lost_reply
from tests.support.rewards import Shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    """A merchant whose reward nobody else hands over."""
    return Shop(clock=clock, has_station=False, limit=Limit(count=1, days=30)).opened()


def close(shop: Shop) -> Progress:
    return shop.closings.close(shop.merchant_id, actor="desk-1")


def fates(shop: Shop, made: Progress) -> list[Fate]:
    return [result.fate for result in made.results]


def _id(voucher: Voucher) -> str:
    return voucher.redemption.redemption_id


def test_open_vouchers_are_cancelled_with_everything_given_back(shop: Shop) -> None:
    riders = [shop.rider() for _ in range(3)]
    vouchers = [shop.redeem(rider) for rider in riders]

    made = close(shop)

    assert {result.redemption_id for result in made.results} == set(map(_id, vouchers))
    assert fates(shop, made) == [Fate.CANCELLED] * 3
    assert made.rewards == (shop.reward_id,)
    for rider, voucher in zip(riders, vouchers, strict=True):
        found = balances(rider.member_id, shop.now)
        assert (found.available, found.held, shop.row(voucher).state) == (10, 0, "cancelled")
        assert get(OutboxRow, derived_id("out", TOPIC, _id(voucher))) is not None
        assert check_member(rider.member_id) == ()
    other = Shop(clock=shop.clock, limit=shop.limit, reward_id=shop.reward_id)
    assert other.left() == shop.stock


def test_a_place_under_the_limit_and_an_unseen_code_are_free_again(
    database: Database, clock: FixedClock
) -> None:
    limit = Limit(count=1, days=30)
    shop = Shop(clock=clock, has_station=False, limit=limit, code_source=CodeSource.POOL).opened()
    shop.import_codes(f"code-{shop.reward_id}")
    rider = shop.rider(20)
    shop.redeem(rider)
    close(shop)

    shop.opened()  # for the test alone: no reward comes back from retirement

    assert shop.redeem(rider).redemption.state is State.RESERVED


def test_nothing_new_is_reserved_in_his_name(shop: Shop) -> None:
    close(shop)

    with pytest.raises((Conflict, NotFound)):
        shop.redeem(shop.rider())


def test_where_others_hand_over_too_he_is_only_taken_out(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock).opened()
    rider = shop.rider(20)
    voucher = shop.redeem(rider)

    made = close(shop)

    row = get(RewardRow, shop.reward_id)
    assert row is not None
    assert fates(shop, made) == [Fate.KEPT]
    assert (row.status, row.fulfillers) == ("published", {f"station:{shop.station_id}"})
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.fulfil(shop.merchant(), voucher.qr)
    assert shop.fulfil(shop.keeper(), voucher.qr).state is State.FULFILLED
    assert shop.fulfil(shop.keeper(), shop.redeem(rider).qr).state is State.FULFILLED


def test_what_was_handed_over_stays_so(shop: Shop) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.fulfil(shop.merchant(), voucher.qr)

    made = close(shop)

    assert made.results == ()
    assert shop.row(voucher).state == State.FULFILLED


def test_a_repeated_closing_does_nothing_more_and_keeps_its_time(shop: Shop) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    first = close(shop)
    shop.clock.advance(MINUTE)

    again = close(shop)

    assert (again.closed_at, again.results, again.rewards) == (first.closed_at, (), ())
    assert balances(rider.member_id, shop.now).available == 10
    assert shop.row(voucher).ended_at == first.closed_at


def test_it_is_finished_when_two_passes_an_undo_apart_found_nothing(shop: Shop) -> None:
    shop.redeem(shop.rider())

    dirty, clean = close(shop), close(shop)
    shop.clock.advance(closings.QUIET - timedelta(seconds=1))
    early = close(shop)
    shop.clock.advance(timedelta(seconds=1))
    last = close(shop)

    assert [made.finished_at for made in (dirty, clean, early)] == [None] * 3
    assert last.finished_at == shop.now


def test_what_is_undone_after_a_pass_is_found_by_the_next(shop: Shop) -> None:
    rider, merchant = shop.rider(), shop.merchant()
    voucher = shop.redeem(rider)
    shop.fulfil(merchant, voucher.qr)
    close(shop)
    shop.clock.advance(4 * MINUTE)
    shop.undo(merchant, voucher)

    mine = [each for each in shop.closings.go_on() if each.merchant_id == shop.merchant_id]

    assert fates(shop, mine[0]) == [Fate.CANCELLED]
    assert balances(rider.member_id, shop.now).available == 10
    row = get(MerchantRow, shop.merchant_id)
    assert row is not None
    assert row.clean_since is None


def test_the_schedule_leaves_alone_what_is_finished_or_open(shop: Shop) -> None:
    open_one = Shop(clock=shop.clock).opened()
    close(shop)
    shop.clock.advance(closings.QUIET)
    close(shop)
    shop.clock.advance(closings.QUIET)
    close(shop)

    passed = {made.merchant_id for made in shop.closings.go_on()}

    assert passed.isdisjoint({shop.merchant_id, open_one.merchant_id})


def test_a_pass_that_is_cut_short_is_gone_on_with(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closings, "AT_ONCE", 2)
    for _ in range(3):
        shop.redeem(shop.rider())

    first, second = close(shop), close(shop)

    assert (len(first.results), first.has_more) == (2, True)
    assert (len(second.results), second.has_more) == (1, False)


@pytest.mark.parametrize("number", [4, 16, 24])
def test_a_pass_that_dies_is_finished_by_another(shop: Shop, number: int) -> None:
    riders = [shop.rider() for _ in range(2)]
    vouchers = [shop.redeem(rider) for rider in riders]
    with pytest.raises(Killed), killed_at(number, applied=True):
        close(shop)

    close(shop)

    assert {shop.row(voucher).state for voucher in vouchers} == {"cancelled"}
    assert [balances(rider.member_id, shop.now).available for rider in riders] == [10, 10]


def test_a_reply_that_is_lost_cancels_once(shop: Shop) -> None:
    rider = shop.rider()
    shop.redeem(rider)
    close(shop)
    other = Shop(clock=shop.clock, has_station=False).opened()
    voucher = other.redeem(rider)

    with lost_reply():
        close(other)  # the reward's retirement loses its reply
    shop.clock.advance(MINUTE)

    assert other.row(voucher).state == "cancelled"
    assert balances(rider.member_id, shop.now).available == 10
    assert check_member(rider.member_id) == ()


def test_closing_and_handing_over_at_once_end_as_one_of_them(shop: Shop) -> None:
    riders, merchant = [shop.rider() for _ in range(4)], shop.merchant()
    vouchers = [shop.redeem(rider) for rider in riders]

    def act(number: int) -> str | None:
        try:
            if number % 2:
                close(shop)
                return None
            return shop.fulfil(merchant, vouchers[number // 2].qr).state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        told = [each for each in threads.map(act, range(8)) if each]
    close(shop)

    assert set(told) <= {"fulfilled", "redemption.cancelled"}
    for rider, voucher in zip(riders, vouchers, strict=True):
        found, state = balances(rider.member_id, shop.now), shop.row(voucher).state
        assert (state, found.available, found.held) in (("fulfilled", 0, 0), ("cancelled", 10, 0))
        assert check_member(rider.member_id) == ()
    assert told.count("fulfilled") == [shop.row(v).state for v in vouchers].count("fulfilled")


def test_two_merchants_who_close_at_once_leave_nobody_without_his_points(
    database: Database, clock: FixedClock
) -> None:
    shop, other = Shop(clock=clock, has_station=False).opened(), Shop(clock=clock).opened()
    RewardRow(shop.reward_id).update(actions=[RewardRow.fulfillers.set({shop.place, other.place})])
    riders = [shop.rider() for _ in range(3)]
    for rider in riders:
        shop.redeem(rider)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(close, [shop, other]))
    for each in (shop, other):
        close(each)

    assert [balances(rider.member_id, shop.now).available for rider in riders] == [10] * 3
    row = get(RewardRow, shop.reward_id)
    assert row is not None
    assert row.status == "retired"


def test_one_voucher_that_fails_holds_no_other_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    vouchers = [shop.redeem(shop.rider()) for _ in range(2)]
    real = closings.flip

    def failing(row: object, *args: object, **how: object) -> None:
        if getattr(row, "redemption_id", "") == _id(vouchers[0]):
            raise Stale
        real(row, *args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(closings, "flip", failing)
    monkeypatch.setattr("models.base.store._pause", lambda _: None)

    made = close(shop)

    told = {result.redemption_id: (result.fate, result.code) for result in made.results}
    assert told[_id(vouchers[0])] == (Fate.FAILED, "store.busy")
    assert told[_id(vouchers[1])] == (Fate.CANCELLED, None)


def test_an_unknown_merchant_cannot_be_closed(database: Database, clock: FixedClock) -> None:
    for merchant_id in ("mch_none", "a b"):
        with pytest.raises(NotFound, match=r"merchant\.not_found"):
            Shop(clock=clock).closings.close(merchant_id, actor="desk-1")
