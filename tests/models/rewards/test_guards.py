"""Each condition of redemption holds by itself, also where another would refuse the same."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.base.clock import FixedClock
from models.base.errors import DomainError, Exhausted
from models.base.ids import new_id
from models.base.store import Refused, Stale, Transaction, get, query, update_if
from models.base.tables import Database
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.ledger import Ledger, transfer
from models.points.reading import balances
from models.rewards import (
    expiry,
    limits,
    pools,
    queue_rules,
    refunds,
    refusals,
    reserving,
    stocks,
    tries,
)
from models.rewards.changes import hold_transfer
from models.rewards.entities import CodeSource, Limit, RefundReason, State
from models.rewards.expiry import Expiry, Swept
from models.rewards.pool_tables import PoolUnitRow
from models.rewards.reserving import Reserving, redemption_of
from models.rewards.tables import LimitRow, RedemptionRow, RewardRow, StockRow
from models.rewards.tries import Tries
from models.rewards.try_tables import TryRow
from tests.support.people import COUNTY
from tests.support.points import award
from tests.support.rewards import Shop, a_request_id

DAY = timedelta(days=1)
MONTH = 30 * DAY


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, stock=20, limit=Limit(count=5, days=30)).opened()


@pytest.fixture
def pool(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, code_source=CodeSource.POOL).opened()


def place(shop: Shop, rider: Actor) -> LimitRow:
    row = get(LimitRow, rider.member_id, shop.reward_id)
    assert row is not None
    return row


def told(shop: Shop, rider: Actor, request: str) -> str:
    try:
        return shop.redeem(rider, request).redemption.state.value
    except DomainError as refused:
        return refused.code


# the place under a limit ------------------------------------------------------------------------


def test_a_place_is_taken_from_the_row_as_it_was_read(shop: Shop) -> None:
    rider = shop.rider(100)
    voucher = shop.redeem(rider)
    read, reward = place(shop, rider), get(RewardRow, shop.reward_id)
    shop.redeem(rider)
    assert reward is not None

    tx = Transaction()
    limits.taking(tx, reward.entity(), read, shop.row(voucher), shop.now)

    with pytest.raises(Refused) as refused:
        tx.commit()
    assert refused.value.names == {"limit"}


def test_a_place_is_given_back_to_the_row_as_it_was_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rider = shop.rider(100)
    voucher = shop.redeem(rider)
    read = place(shop, rider)
    shop.redeem(rider)
    monkeypatch.setattr(limits, "get", lambda *_: read)

    tx = Transaction()
    limits.giving_back(tx, shop.row(voucher))

    with pytest.raises(Refused) as refused:
        tx.commit()
    assert refused.value.names == {"limit"}


def test_a_row_of_places_is_kept_until_the_last_of_them_is_free(shop: Shop) -> None:
    rider = shop.rider(100)
    shop.redeem(rider)
    shop.clock.advance(10 * DAY)
    shop.redeem(rider)
    last = int((shop.now + MONTH).timestamp())

    assert place(shop, rider).ttl == last

    shop.clock.advance(-DAY)  # another machine's clock is behind
    shop.redeem(rider)
    assert place(shop, rider).ttl == last


def test_stock_names_its_county_and_is_marked_as_made_up_when_its_reward_is(shop: Shop) -> None:
    made_up = Shop(clock=shop.clock).opened()
    RewardRow(made_up.reward_id).update([RewardRow.synthetic.set(True)])

    for each in (shop, made_up):
        each.redeem(each.rider(10))

    rows = [row for each in (shop, made_up) for row in query(StockRow, each.reward_id)]
    kept = [(row.schema, row.county, row.synthetic) for row in rows]
    assert kept == [(1, COUNTY, None), (1, COUNTY, True)]


# the codes of a pool ----------------------------------------------------------------------------


def test_a_code_that_the_index_still_names_though_it_was_given_is_given_to_nobody(
    pool: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.import_codes(*(new_id("code") for _ in range(4)))
    named = query(PoolUnitRow.by_free, pool.reward_id)
    given = pool.row(pool.redeem(pool.rider(10))).pool_unit
    monkeypatch.setattr(pools, "page_of", lambda *_, **__: (named, None))

    rows = [pool.row(pool.redeem(pool.rider(10))) for _ in range(3)]

    units = {row.pool_unit for row in rows}
    assert units | {given} == {row.unit_id for row in named}
    assert given not in units
    assert told(pool, pool.rider(10), a_request_id()) == "reward.sold_out"


def test_another_redemptions_code_stays_where_it_is(pool: Shop) -> None:
    pool.import_codes(new_id("code"))
    row = pool.row(pool.redeem(pool.rider(10)))
    row.redemption_id = "red_another"

    tx = Transaction()
    pools.give_back(tx, row)

    with pytest.raises(Refused) as refused:
        tx.commit()
    assert refused.value.names == {"unit"}


def test_a_code_is_sealed_as_it_always_was(pool: Shop) -> None:
    """Twelve bytes of nonce, the code, sixteen of tag: what is in the table must go on opening."""
    sealed = pool.pools.seal("unit_1", "ABCDE")

    assert len(base64.b64decode(sealed)) == 12 + 5 + 16


def test_what_is_left_of_a_quota_of_none_or_one(pool: Shop) -> None:
    pool.import_codes(new_id("code"), new_id("code"))

    assert [pools.left(pool.reward_id, quota) for quota in (0, 1, 2, 3)] == [0, 1, 2, 2]


# reserving --------------------------------------------------------------------------------------


def test_who_read_before_his_twin_was_refused_is_refused_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin's refusal stands in place of the hold: going on would give the thing for nothing."""
    rider, request = shop.rider(3), a_request_id()
    assert told(shop, rider, request) == "points.insufficient"
    award(rider.member_id, 50)
    read = reserving._read

    def earlier(*asked: str) -> Any:
        monkeypatch.undo()
        return replace(read(*asked), transfer=None)

    monkeypatch.setattr(reserving, "_read", earlier)

    assert told(shop, rider, request) == "points.insufficient"
    assert get(RedemptionRow, redemption_of(rider, request)) is None
    assert (balances(rider.member_id, shop.now).held, shop.left()) == (0, 20)


def test_a_twin_that_took_the_last_piece_is_no_reason_to_say_sold_out(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(clock=clock, stock=1).opened()
    rider, request = shop.rider(50), a_request_id()
    commit, answers = Reserving._commit, []

    def late(*asked: Any) -> bool:
        monkeypatch.undo()
        answers.append(told(shop, rider, request))
        with pytest.raises(Stale):  # not False, which says that the shard was empty
            commit(*asked)
        raise Stale

    monkeypatch.setattr(Reserving, "_commit", late)
    answers.append(told(shop, rider, request))

    assert answers == ["reserved"] * 2
    assert shop.left() == 0
    assert refusals.standing(transfer(hold_transfer(redemption_of(rider, request)))) is None
    assert check_member(rider.member_id) == ()


def test_who_read_the_twins_points_and_not_yet_its_voucher_reads_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are read together are not of one moment."""
    rider, request = shop.rider(50), a_request_id()
    assert told(shop, rider, request) == "reserved"
    read = reserving._read

    def halfway(*asked: str) -> Any:
        monkeypatch.undo()
        return replace(read(*asked), redemption=None)

    monkeypatch.setattr(reserving, "_read", halfway)

    assert told(shop, rider, request) == "reserved"
    assert (balances(rider.member_id, shop.now).held, shop.left()) == (10, 19)


def test_a_refusal_that_names_the_code_alone_may_still_be_the_twins_doing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody promises that every failed condition is named: another code would be tried in vain."""
    rider, request = shop.rider(50), a_request_id()
    reserve = Reserving(clock=shop.clock, ledger=Ledger(), codes=shop.codes).reserve

    def late(_: Transaction) -> None:
        monkeypatch.undo()
        shop.redeem(rider, request)
        raise Refused({"code": None})

    monkeypatch.setattr(Transaction, "commit", late)

    with pytest.raises(Stale):
        reserve(rider, shop.reward_id, request, turn=0)


def test_a_voucher_under_the_requests_id_is_never_written_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rider, other, request = shop.rider(50), shop.rider(50), a_request_id()
    standing = shop.row(shop.redeem(other))
    standing.redemption_id = redemption_of(rider, request)
    standing.save()
    read = reserving._read

    def before(*asked: str) -> Any:
        monkeypatch.undo()
        return replace(read(*asked), redemption=None)

    monkeypatch.setattr(reserving, "_read", before)
    told(shop, rider, request)

    row = get(RedemptionRow, standing.redemption_id)
    assert row is not None
    assert row.member_id == other.member_id
    assert balances(rider.member_id, shop.now).held == 0


def test_the_first_answer_is_told_again_whatever_became_of_it(shop: Shop) -> None:
    rider, request = shop.rider(50), a_request_id()
    first = shop.redeem(rider, request)
    shop.fulfil(shop.merchant(), first.code)

    again = shop.redeem(rider, request)

    assert again.redemption == first.redemption
    assert first.redemption.version == 1


def test_who_found_stock_and_was_never_quick_enough_is_not_told_that_there_is_none(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock, shards=2).opened()
    reward = get(RewardRow, shop.reward_id)
    assert reward is not None
    shards = stocks.shards_of(reward.entity(), COUNTY, shop.now)

    with pytest.raises(Stale):
        stocks.take_one(reward.entity(), shards, lambda _: False)


def test_what_is_held_for_other_things_counts_in_the_queue(
    database: Database, clock: FixedClock
) -> None:
    shop, other = Shop(clock=clock, needs_approval=True).opened(), Shop(clock=clock).opened()
    rider = shop.rider(50)
    other.redeem(rider)

    row = shop.row(shop.redeem(rider))

    claim = queue_rules.Claim(county=COUNTY, is_hardship=False, points=50, asked_at=shop.now)
    assert row.queue_rank == queue_rules.rank(claim)


# ending -----------------------------------------------------------------------------------------


def test_the_index_only_proposes_what_is_to_expire(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rider = shop.rider(100)
    ended, standing = shop.redeem(rider), shop.redeem(rider)
    shop.cancel(rider, ended)
    named = [voucher.redemption.redemption_id for voucher in (ended, standing)]
    monkeypatch.setattr(expiry, "_due", lambda *_: iter([*named, "red_gone"]))

    assert Expiry(ledger=Ledger()).expire_due(shop.now) == Swept(expired=0, failed=0)
    assert [shop.row(voucher).state for voucher in (ended, standing)] == ["cancelled", "reserved"]


def test_a_proposal_that_changed_meanwhile_is_read_again_and_dropped(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    voucher = shop.redeem(shop.rider(100))
    shop.fulfil(shop.merchant(), voucher.code)
    redemption_id = voucher.redemption.redemption_id
    shop.refunds.propose(redemption_id, reason=RefundReason.DEFECTIVE, actor="desk-1")
    asked: list[object] = []

    def slow(row: RedemptionRow, *how: Any) -> bool:
        asked.append(row)
        if len(asked) == 1:
            update_if(row, [RedemptionRow.version.add(1)], RedemptionRow.version.exists())
        return update_if(row, *how)

    monkeypatch.setattr(refunds, "update_if", slow)
    shop.refunds.decline(redemption_id, actor="desk-2")

    assert len(asked) == 2
    assert shop.row(voucher).refund_asked_by is None


def test_declining_touches_nothing_that_is_no_open_proposal(shop: Shop) -> None:
    vouchers = [shop.redeem(shop.rider(100)) for _ in range(2)]
    for voucher in vouchers:
        shop.fulfil(shop.merchant(), voucher.code)
    shop.refund(vouchers[1])
    before = [shop.row(voucher).attribute_values for voucher in vouchers]

    for voucher in vouchers:
        shop.refunds.decline(voucher.redemption.redemption_id, actor="desk-3")

    after = [shop.row(voucher) for voucher in vouchers]
    assert [row.attribute_values for row in after] == before
    assert (after[1].state, after[1].refund_reason is None) == (State.REFUNDED.value, False)


def test_a_try_frees_again_in_no_less_than_a_second(shop: Shop) -> None:
    merchant = shop.merchant()
    for _ in range(5):
        with pytest.raises(DomainError):
            shop.fulfilment.preview(merchant, "0000000000")

    shop.clock.advance(timedelta(seconds=59, milliseconds=900))

    with pytest.raises(Exhausted) as refused:
        shop.fulfilment.preview(merchant, "0000000000")
    assert refused.value.retry_after_s == 1


def test_a_try_that_met_another_is_counted_all_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Tries().count(["session:1"], shop.now)
    (key,) = counted.who
    met: list[object] = []

    def slow(row: TryRow, *how: Any) -> bool:
        met.append(row)
        if len(met) == 1:
            update_if(row, [TryRow.version.add(1)], TryRow.version.exists())
        return update_if(row, *how)

    monkeypatch.setattr(tries, "update_if", slow)
    Tries().count(["session:1"], shop.now)

    row = get(TryRow, key)
    assert row is not None
    assert (len(met), len(row.tries or ())) == (2, 2)
    assert row.ttl == int((shop.now + timedelta(hours=1)).timestamp())
