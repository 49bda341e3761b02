"""Shards, months, and refusals that stand: what reserving promises in every race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.meter import Meter
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Forbidden, NotFound
from models.base.store import Transaction, get, query
from models.base.tables import Database, connection
from models.people.entities import Actor, Occupation, Standing
from models.points.checking import check_member
from models.points.ledger import transfer
from models.points.reading import balances
from models.rewards import refusals, stocks
from models.rewards.changes import hold_transfer
from models.rewards.entities import Limit, Missing, State
from models.rewards.reserving import redemption_of
from models.rewards.tables import RedemptionRow, RewardRow, StockRow
from tests.support.faults import lost_reply
from tests.support.people import COUNTY, an_actor
from tests.support.points import award
from tests.support.rewards import Shop, a_request_id

EAST = "411502"
LAST_MOMENT = datetime.fromisoformat("2026-03-31T23:59:59.999+08:00")


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock).opened()


def told(shop: Shop, rider: Actor, request: str | None = None) -> str:
    """What asking for the reward is answered: the state, or the refusal's code."""
    try:
        return shop.redeem(rider, request).redemption.state.value
    except DomainError as refused:
        return refused.code


def rems(shop: Shop) -> list[int]:
    return [row.rem for row in query(StockRow, shop.reward_id)]


def transfer_kind(rider: Actor, request: str) -> str | None:
    row = transfer(hold_transfer(redemption_of(rider, request)))
    return row.kind if row else None


# shards -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stock", "shards"), [(5, 3), (2, 4)])
def test_twelve_riders_get_all_that_the_shards_hold_and_no_more(
    database: Database, clock: FixedClock, stock: int, shards: int
) -> None:
    shop = Shop(clock=clock, stock=stock, shards=shards).opened()
    riders = [shop.rider(10) for _ in range(12)]

    with ThreadPoolExecutor(12) as threads:
        outcomes = list(threads.map(lambda rider: told(shop, rider), riders))

    assert sorted(outcomes) == ["reserved"] * stock + ["reward.sold_out"] * (12 - stock)
    assert set(rems(shop)) == {0}
    assert len(rems(shop)) == min(stock, shards)


def test_one_after_another_empty_every_shard_before_anybody_is_told_sold_out(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock, stock=7, shards=4).opened()

    outcomes = [told(shop, shop.rider(10)) for _ in range(8)]

    assert outcomes == ["reserved"] * 7 + ["reward.sold_out"]


def test_what_is_given_back_goes_to_its_own_shard_and_is_found_there(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock, stock=4, shards=4).opened()
    riders = [shop.rider(10) for _ in range(4)]
    vouchers = [shop.redeem(rider) for rider in riders]
    shop.cancel(riders[2], vouchers[2])

    given_back = shop.row(vouchers[2]).stock_shard
    found = shop.redeem(shop.rider(10))

    assert shop.row(found).stock_shard == given_back
    assert rems(shop) == [0, 0, 0, 0]


def test_sold_out_is_not_told_on_glimpses_of_different_moments(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is given back in the shard that was found empty, the other shard is bought empty."""
    shop = Shop(clock=clock, stock=2, shards=2).opened()
    first, other = shop.rider(10), shop.rider(10)
    voucher = shop.redeem(first)
    row = get(RewardRow, shop.reward_id)
    assert row is not None
    shards = stocks.shards_of(row.entity(), COUNTY, shop.now)
    taken = next(each for each in shards if each.name == shop.row(voucher).stock_shard)
    left = next(each for each in shards if each != taken)
    real, seen = stocks.with_some, []

    def meanwhile(reward: Any, found: Any) -> Any:
        if not seen:
            shop.cancel(first, voucher)
            shop.redeem(other)
        seen.append(found)
        return real(reward, found)

    monkeypatch.setattr("models.rewards.stocks.with_some", meanwhile)
    monkeypatch.setattr("models.rewards.supply_rules.in_turn", lambda found, key: (taken, left))

    assert shop.redeem(shop.rider(10)).redemption.state is State.RESERVED
    assert rems(shop) == [0, 0]


# months and counties ----------------------------------------------------------------------------


def test_a_months_quota_ends_at_midnight_in_china_and_the_next_is_whole(
    database: Database, clock: FixedClock
) -> None:
    clock.set(LAST_MOMENT)
    shop = Shop(clock=clock, stock=1).opened()

    before = [told(shop, shop.rider(10)) for _ in range(2)]
    shown = shop.catalogue.offer(shop.rider(10), shop.reward_id).stock_left
    clock.advance(timedelta(milliseconds=1))
    after = [told(shop, shop.rider(10)) for _ in range(2)]

    assert before == after == ["reserved", "reward.sold_out"]
    assert shown == 0
    assert [row.shard for row in query(StockRow, shop.reward_id)] == [
        f"2026-03#{COUNTY}#0",
        f"2026-04#{COUNTY}#0",
    ]


def test_what_last_month_gives_back_is_last_months(database: Database, clock: FixedClock) -> None:
    clock.set(LAST_MOMENT)
    shop = Shop(clock=clock, stock=1).opened()
    rider = shop.rider(20)
    voucher = shop.redeem(rider)
    clock.advance(timedelta(milliseconds=1))
    shop.redeem(rider)

    shop.cancel(rider, voucher)

    assert rems(shop) == [1, 0]
    assert told(shop, shop.rider(10)) == "reward.sold_out"


def test_each_county_takes_from_its_own_quota(shop: Shop) -> None:
    RewardRow(shop.reward_id).update(actions=[RewardRow.quotas.set({COUNTY: 1, EAST: 1})])

    def from_(county: str | None) -> Actor:
        until = shop.now + timedelta(days=1)
        actor = an_actor(county=county, confirmed_until=until)
        award(actor.member_id, 10, now=shop.now)
        return actor

    riders = [from_(EAST), from_(EAST), from_(COUNTY), from_(None)]
    outcomes = [told(shop, rider) for rider in riders]

    assert outcomes == ["reserved", "reward.sold_out", "reserved", "reward.sold_out"]


# who may ----------------------------------------------------------------------------------------


def test_a_paused_reward_is_shown_and_gives_nothing_and_the_same_request_may_ask_again(
    shop: Shop,
) -> None:
    rider, request = shop.rider(10), a_request_id()
    RewardRow(shop.reward_id).update(actions=[RewardRow.status.set("paused")])

    assert shop.catalogue.offer(rider, shop.reward_id).missing == (Missing.PAUSED,)
    assert told(shop, rider, request) == "reward.paused"
    RewardRow(shop.reward_id).update(actions=[RewardRow.status.set("published")])
    assert told(shop, rider, request) == "reserved"


def test_a_status_that_nobody_knows_sells_nothing_and_hides_no_other_reward(shop: Shop) -> None:
    other = Shop(clock=shop.clock).opened()
    RewardRow(shop.reward_id).update(actions=[RewardRow.status.set("publishd")])
    rider = shop.rider(10)

    assert told(shop, rider) == "reward.paused"
    assert told(other, rider) == "reserved"
    assert shop.catalogue.page(rider, limit=1).items != []


def test_a_reward_for_couriers_asks_who_the_member_is(shop: Shop) -> None:
    RewardRow(shop.reward_id).update(
        actions=[RewardRow.occupations.set({Occupation.COURIER.value})]
    )
    rider = shop.rider(10)

    with pytest.raises(Forbidden, match=r"reward\.not_eligible") as refusal:
        shop.redeem(rider)

    assert refusal.value.details["missing"] == ["kind"]
    assert shop.catalogue.offer(rider, shop.reward_id).missing == (Missing.KIND,)


def test_what_asks_for_a_phone_alone_is_given_to_who_is_not_confirmed(shop: Shop) -> None:
    RewardRow(shop.reward_id).update(actions=[RewardRow.standing.set("phone")])
    guest = shop.rider(10, is_confirmed=False)

    assert told(shop, guest) == "reward.not_eligible"
    known = replace(guest, standing=Standing.PHONE)
    assert told(shop, known) == "reserved"


# refusals that stand ----------------------------------------------------------------------------


def test_the_same_request_is_told_the_same_again_though_he_has_the_points_by_now(
    shop: Shop,
) -> None:
    rider, request = shop.rider(7), a_request_id()
    refused = [told(shop, rider, request)]
    award(rider.member_id, 10, now=shop.now)

    refused.append(told(shop, rider, request))

    assert refused == ["points.insufficient"] * 2
    with pytest.raises(Conflict, match=r"points\.insufficient") as again:
        shop.redemptions.voucher_by_key(rider, request)
    assert again.value.details["missing"] == 3
    assert told(shop, rider) == "reserved"
    assert check_member(rider.member_id) == ()


def test_the_class_of_a_refusal_stands_too(shop: Shop) -> None:
    guest, request = shop.rider(10, is_confirmed=False), a_request_id()

    for _ in range(2):
        with pytest.raises(Forbidden, match=r"occupation\.unconfirmed"):
            shop.redeem(guest, request)


def test_a_refused_request_cannot_ask_for_something_else(shop: Shop) -> None:
    rider, request, other = shop.rider(7), a_request_id(), Shop(clock=shop.clock).opened()
    told(shop, rider, request)

    with pytest.raises(Conflict, match=r"request\.reused"):
        other.redeem(rider, request)


def test_a_refusal_whose_own_answer_was_lost_is_told_again(shop: Shop) -> None:
    rider, request = shop.rider(7), a_request_id()

    with lost_reply(operation="PutItem"):
        assert told(shop, rider, request) == "points.insufficient"
    assert transfer_kind(rider, request) == refusals.REFUSED


def test_a_twin_that_is_late_does_not_succeed_after_the_refusal(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The late twin has read that all is well; the other is refused before it commits."""
    shop = Shop(clock=clock, stock=1).opened()
    rider, buyer, request = shop.rider(10), shop.rider(10), a_request_id()
    commit, answers = Transaction.commit, []

    def late(self: Transaction) -> None:
        monkeypatch.undo()
        voucher = shop.redeem(buyer)
        answers.append(told(shop, rider, request))
        shop.cancel(buyer, voucher)  # the stock that the late one wants is there again
        commit(self)

    monkeypatch.setattr(Transaction, "commit", late)
    answers.append(told(shop, rider, request))

    assert answers == ["reward.sold_out"] * 2
    found = balances(rider.member_id, shop.now)
    assert (found.available, found.held, shop.left()) == (10, 0, 1)


def test_no_twin_is_told_no_once_the_other_has_succeeded(
    database: Database, clock: FixedClock
) -> None:
    for _ in range(4):
        shop = Shop(clock=clock, stock=1, limit=Limit(count=1, days=30)).opened()
        rider, request = shop.rider(10), a_request_id()

        with ThreadPoolExecutor(4) as threads:
            outcomes = set(threads.map(told, [shop] * 4, [rider] * 4, [request] * 4))

        assert outcomes == {"reserved"}


def test_a_request_that_nobody_knows_is_unknown(shop: Shop) -> None:
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.redemptions.voucher_by_key(shop.rider(0), a_request_id())


# cost -------------------------------------------------------------------------------------------


def test_a_limited_voucher_costs_at_most_eighteen_units_and_three_calls(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock, stock=40, shards=4, limit=Limit(count=2, days=30)).opened()
    rider = shop.rider(20)
    shop.redeem(rider)
    meter = Meter().watch(connection())

    shop.redeem(rider)

    cost = meter.read()
    assert cost.write_units <= 18
    assert cost.calls == 3


def test_a_page_of_offers_costs_two_reads_with_limits_and_eligibility(
    database: Database, clock: FixedClock
) -> None:
    shops = [Shop(clock=clock, shards=4, limit=Limit(count=2, days=30)).opened() for _ in range(5)]
    for shop in shops:
        RewardRow(shop.reward_id).update(actions=[RewardRow.member_days.set(30)])
    rider, catalogue = shops[0].rider(20), shops[0].catalogue
    catalogue.page(rider, limit=1)  # classes and rewards are kept from here on
    shelf, ours = catalogue._shelf, {shop.reward_id for shop in shops}
    assert shelf is not None
    # Those of other tests may be pooled, and ask for their codes.
    rewards = tuple(reward for reward in shelf.rewards if reward.reward_id in ours)
    catalogue._shelf = replace(shelf, rewards=rewards)
    meter = Meter().watch(connection())

    page = catalogue.page(rider, limit=5)

    assert len(page.items) == 5
    assert meter.read().calls <= 2


def test_the_offer_tells_how_many_points_and_days_are_missing(shop: Shop) -> None:
    RewardRow(shop.reward_id).update(
        actions=[RewardRow.member_days.set(30), RewardRow.price.set(25)]
    )
    rider = shop.rider(7)

    offer = shop.catalogue.offer(rider, shop.reward_id)

    assert offer.missing == (Missing.MEMBER_DAYS, Missing.POINTS)
    assert (offer.missing_points, offer.missing_days) == (18, 30)


def test_no_reservation_is_left_behind_by_a_refusal(shop: Shop) -> None:
    rider, request = shop.rider(7), a_request_id()
    told(shop, rider, request)

    assert get(RedemptionRow, redemption_of(rider, request)) is None
    assert shop.redemptions.page(rider, limit=5).items == []
