"""Imported codes: one to a voucher, seen by its owner alone, back in the pool when unseen."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.bench.trace import Trace
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Invalid, NotFound
from models.base.ids import new_id
from models.base.store import get, query, scan
from models.base.tables import Database, Table, connection
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.ledger import Ledger
from models.points.reading import balances
from models.rewards.entities import CodeSource, Limit, State
from models.rewards.expiry import Expiry
from models.rewards.pool_tables import PoolBatchRow, PoolUnitRow
from models.rewards.pools import Pools
from models.rewards.settlements import Settlements
from models.rewards.tables import RedemptionRow
from tests.infra.test_template import CLASSES
from tests.support.faults import Killed, counting, killed_at, lost_reply
from tests.support.rewards import Shop


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, code_source=CodeSource.POOL).opened()


def some_codes(count: int) -> list[str]:
    return [new_id("code") for _ in range(count)]


def free(shop: Shop) -> int:
    return len(query(PoolUnitRow.by_free, shop.reward_id))


def agree(shop: Shop, codes: int) -> None:
    """Every code is free or one redemption's, and stock says the same."""
    units = [row for row in scan(PoolUnitRow) if row.reward_id == shop.reward_id]
    given = [row for row in units if row.redemption_id is not None]
    redemptions = [row for row in scan(RedemptionRow) if row.reward_id == shop.reward_id]
    ended = {"cancelled", "expired", "declined"}
    holders = {row.redemption_id: row.pool_unit for row in redemptions if row.state not in ended}
    assert len(units) == codes
    assert free(shop) == codes - len(given)
    assert all((row.free_in is None) == (row.redemption_id is not None) for row in units)
    assert {row.redemption_id: row.unit_id for row in given} == holders
    assert shop.stock - shop.left() == len(given)


def test_a_voucher_shows_its_code_only_once_it_is_revealed(shop: Shop) -> None:
    (code,) = some_codes(1)
    shop.import_codes(code)
    rider = shop.rider(25)

    voucher = shop.redeem(rider)
    shown = shop.reveal(rider, voucher)

    assert (voucher.code, voucher.qr, voucher.redemption.state) == (None, None, State.RESERVED)
    assert (shown.code, shown.redemption.state) == (code, State.FULFILLED)
    assert balances(rider.member_id, shop.now).available == 15
    assert check_member(rider.member_id) == ()
    agree(shop, 1)


def test_a_code_is_shown_again_to_its_owner_and_in_no_list(shop: Shop) -> None:
    (code,) = some_codes(1)
    shop.import_codes(code)
    rider = shop.rider()
    voucher = shop.redeem(rider)
    with lost_reply():
        shop.reveal(rider, voucher, "request-1")

    again, other = shop.reveal(rider, voucher, "request-1"), shop.reveal(rider, voucher)
    read = shop.redemptions.voucher(rider, voucher.redemption.redemption_id)
    (listed,) = shop.redemptions.page(rider, limit=5).items

    assert again.code == other.code == read.code == code
    assert listed.code is None


def test_nobody_else_sees_or_takes_it(shop: Shop) -> None:
    shop.import_codes(*some_codes(1))
    rider, merchant = shop.rider(), shop.merchant()
    voucher = shop.redeem(rider)
    qr, _ = shop.codes.qr(voucher.redemption.redemption_id, shop.now)

    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.reveal(shop.rider(), voucher)
    for shown in (qr, shop.codes.code(voucher.redemption.redemption_id)):
        with pytest.raises(NotFound, match=r"redemption\.not_found"):
            shop.fulfil(merchant, shown)
    shop.reveal(rider, voucher)
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        shop.undo(merchant, voucher)


def test_what_was_shown_is_spent(shop: Shop) -> None:
    shop.import_codes(*some_codes(1))
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.reveal(rider, voucher)

    with pytest.raises(Conflict, match=r"redemption\.already_fulfilled"):
        shop.cancel(rider, voucher)
    shop.clock.advance(timedelta(days=60))
    Expiry(ledger=Ledger()).expire_due(shop.now)

    assert shop.row(voucher).state == State.FULFILLED
    assert free(shop) == 0


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_a_code_that_nobody_saw_goes_back_to_the_pool(shop: Shop, how: str) -> None:
    (code,) = some_codes(1)
    shop.import_codes(code)
    rider = shop.rider()
    voucher = shop.redeem(rider)

    if how == "cancelled":
        shop.cancel(rider, voucher)
    else:
        shop.clock.advance(timedelta(days=31))
        Expiry(ledger=Ledger()).expire_due(shop.now)

    assert shop.row(voucher).state == how
    assert shop.redemptions.voucher(rider, voucher.redemption.redemption_id).code is None
    with pytest.raises(Conflict, match=rf"redemption\.{how}"):
        shop.reveal(rider, voucher)
    other = shop.rider()
    assert shop.reveal(other, shop.redeem(other)).code == code


def test_a_refunded_code_is_shown_no_more_and_given_to_nobody(shop: Shop) -> None:
    shop.import_codes(*some_codes(1))
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.reveal(rider, voucher)
    redemption_id = voucher.redemption.redemption_id
    shop.refund(voucher)

    assert shop.redemptions.voucher(rider, redemption_id).code is None
    with pytest.raises(Conflict, match=r"redemption\.refunded"):
        shop.reveal(rider, voucher)
    agree(shop, 1)


def test_the_first_place_of_the_reward_is_owed_for_it(shop: Shop) -> None:
    shop.import_codes(*some_codes(1))
    rider = shop.rider()
    shop.reveal(rider, shop.redeem(rider))

    sheet = Settlements(clock=shop.clock).sheet(shop.merchant_id, "2026-03")

    assert sheet.total.net.count == 1


def test_an_empty_pool_is_sold_out_whatever_the_quota(shop: Shop) -> None:
    rider = shop.rider()

    with pytest.raises(Conflict, match=r"reward\.sold_out"):
        shop.redeem(rider)

    assert balances(rider.member_id, shop.now).available == 10
    assert shop.left() == shop.stock


def test_what_is_left_is_what_there_are_codes_for(shop: Shop) -> None:
    rider = shop.rider(30)
    seen = []
    for count in (0, 2, 4):
        if count:
            shop.import_codes(*some_codes(count), batch=f"{count}")
        seen.append(shop.catalogue.offer(rider, shop.reward_id).stock_left)
    shop.redeem(rider)
    seen.append(shop.catalogue.offer(rider, shop.reward_id).stock_left)

    assert seen == [0, 2, 5, 4]


def test_of_many_after_the_last_codes_each_code_goes_to_one(shop: Shop) -> None:
    codes = some_codes(3)
    shop.import_codes(*codes)
    riders = [shop.rider() for _ in range(8)]

    def take(rider: Actor) -> str | None:
        try:
            return shop.reveal(rider, shop.redeem(rider)).code
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(take, riders))

    assert sorted(text or "" for text in told) == sorted([*codes, *["reward.sold_out"] * 5])
    agree(shop, 3)


def test_revealing_and_cancelling_at_once_end_as_one_of_them(shop: Shop) -> None:
    shop.import_codes(*some_codes(1))
    rider = shop.rider()
    voucher = shop.redeem(rider)

    def act(number: int) -> str:
        try:
            if number % 2:
                return shop.reveal(rider, voucher).redemption.state.value
            return shop.cancel(rider, voucher).state.value
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(4) as threads:
        told = set(threads.map(act, range(4)))

    state = shop.row(voucher).state
    assert told <= {state, "redemption.already_fulfilled", "redemption.cancelled"}
    agree(shop, 1)
    assert check_member(rider.member_id) == ()


def test_a_voucher_of_ones_own_code_has_nothing_to_reveal(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock).opened()
    rider = shop.rider()

    with pytest.raises(Conflict, match=r"redemption\.not_pooled"):
        shop.reveal(rider, shop.redeem(rider))


def test_reserving_costs_at_most_eighteen_write_units_and_revealing_ten(
    database: Database, clock: FixedClock
) -> None:
    limit = Limit(count=2, days=30)
    shop = Shop(clock=clock, code_source=CodeSource.POOL, limit=limit).opened()
    shop.import_codes(*some_codes(3))
    rider = shop.rider(25)
    shop.redeem(rider)
    trace = Trace(connection())

    voucher = shop.redeem(rider)
    reserved = sum(call.write_units for call in trace.take())
    shop.reveal(rider, voucher)
    revealed = sum(call.write_units for call in trace.take())

    assert (reserved <= 18, revealed <= 10) == (True, True), (reserved, revealed)


def test_no_log_and_no_other_table_holds_a_code(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="models")
    codes = [f"CANARY{number}{new_id('x')}" for number in range(3)]
    shop.import_codes(*codes)
    riders = [shop.rider() for _ in range(3)]
    vouchers = [shop.redeem(rider) for rider in riders]
    shop.reveal(riders[0], vouchers[0])
    shop.cancel(riders[1], vouchers[1])
    shop.clock.advance(timedelta(days=31))
    Expiry(ledger=Ledger()).expire_due(shop.now)

    kept = [text for kind in CLASSES for text in written(kind)]

    assert len(kept) > 10
    assert not [text for text in kept if "CANARY" in text]
    assert "CANARY" not in caplog.text
    assert not [record for record in caplog.records if "CANARY" in str(record.__dict__)]


def written(kind: type[Table]) -> list[str]:
    """Every row of a table as the engine has it, whoever wrote it."""
    texts: list[str] = []
    after = None
    while True:
        page = kind._get_connection().scan(exclusive_start_key=after)
        texts += map(str, page["Items"])
        after = page.get("LastEvaluatedKey")
        if after is None:
            return texts


def test_a_code_that_was_moved_to_another_row_cannot_be_opened(shop: Shop) -> None:
    shop.import_codes(*some_codes(2))
    rider = shop.rider(20)
    mine, other = shop.redeem(rider), shop.redeem(rider)
    stolen = get(PoolUnitRow, shop.row(other).pool_unit)
    unit = get(PoolUnitRow, shop.row(mine).pool_unit)
    assert stolen is not None
    assert unit is not None
    unit.update(actions=[PoolUnitRow.sealed.set(stolen.sealed)])

    with pytest.raises(ValueError, match="not the one of its row"):
        shop.reveal(rider, mine)


def test_another_key_opens_nothing(shop: Shop) -> None:
    shop.import_codes(*some_codes(1))
    row = shop.row(shop.redeem(shop.rider()))

    with pytest.raises(ValueError, match="not the one"):
        Pools(seal_key=b"x" * 32, mark_key=b"m" * 32).code_of(row)
    row.redemption_id = "red_other"
    with pytest.raises(ValueError, match="without its code"):
        shop.pools.code_of(row)


def test_every_bad_line_is_told_at_once_and_nothing_is_written(shop: Shop) -> None:
    known, good, double = some_codes(3)
    shop.import_codes(known)

    report = shop.import_codes(
        good, "ok", known, "x" * 129, "a\tb", double, double, "=1+1", batch="second"
    )

    assert report.refused == (
        (4, "pool.code_known"),
        (5, "pool.code_too_long"),
        (6, "pool.code_unreadable"),
        (8, "pool.code_repeated"),
    )
    assert report.added == 0
    assert free(shop) == 1


def test_a_line_without_a_code_is_a_bad_one(shop: Shop) -> None:
    report = shop.import_codes("a-code", '""', "   ", "another")

    assert report.refused == ((3, "pool.code_missing"), (4, "pool.code_missing"))


def test_a_repeated_file_does_nothing_and_another_under_its_name_is_refused(shop: Shop) -> None:
    codes = some_codes(3)
    first, again = shop.import_codes(*codes), shop.import_codes(*reversed(codes))

    assert (first.added, again.added, again.refused) == (3, 0, ())
    with pytest.raises(Conflict, match=r"pool\.batch_reused"):
        shop.import_codes(*codes, *some_codes(1))
    assert free(shop) == 3


def test_a_repeated_file_goes_on_where_it_stopped(shop: Shop) -> None:
    codes = some_codes(6)
    with pytest.raises(Killed), killed_at(6, applied=True):  # after four codes
        shop.import_codes(*codes)

    with counting() as sent:
        again = shop.import_codes(*codes)

    assert (again.added, again.refused) == (2, ())
    assert [one for one in sent if one == "PutItem"] == ["PutItem"] * 3  # the batch, the two
    agree(shop, 6)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_import_that_died_is_finished_by_repeating_it(shop: Shop, number: int) -> None:
    codes = some_codes(2)
    with pytest.raises(Killed), killed_at(number + 1, applied=True):
        shop.import_codes(*codes)

    shop.import_codes(*codes)

    agree(shop, 2)


def test_a_code_is_in_one_pool_even_of_another_reward(shop: Shop) -> None:
    (code,) = some_codes(1)
    other = Shop(clock=shop.clock, code_source=CodeSource.POOL).opened()
    other.import_codes(code)

    assert shop.import_codes(code).refused == ((2, "pool.code_known"),)


def test_two_files_with_one_code_at_once_put_it_into_one_pool(shop: Shop) -> None:
    (code,) = some_codes(1)
    other = Shop(clock=shop.clock, code_source=CodeSource.POOL).opened()

    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(lambda each: each.import_codes(code), [shop, other]))

    assert sorted(report.added for report in reports) == [0, 1]
    assert free(shop) + free(other) == 1


@pytest.mark.parametrize("text", ["", "number\n1", "code"])
def test_a_file_that_is_none_is_refused(shop: Shop, text: str) -> None:
    with pytest.raises(Invalid):
        shop.import_text(text)


def test_only_a_pooled_reward_takes_codes(database: Database, clock: FixedClock) -> None:
    shop = Shop(clock=clock).opened()

    with pytest.raises(Conflict, match=r"pool\.not_pooled"):
        shop.import_codes("a")
    with pytest.raises(NotFound, match=r"reward\.not_found"):
        Shop(clock=clock).import_codes("a")


def test_a_batch_is_kept_without_its_codes(shop: Shop) -> None:
    shop.import_codes("a-code-of-mine", batch="spring")

    (batch,) = [row for row in scan(PoolBatchRow) if row.reward_id == shop.reward_id]
    assert (batch.batch, batch.units, batch.imported_by) == ("spring", 1, "desk-1")
    assert "a-code-of-mine" not in str(batch.serialize())


@pytest.mark.parametrize(
    "text",
    ["code\nAB,CD", "code,code\nABCD,EFGH", "code\n" + "x" * 200_000],
    ids=["a code with a comma", "a heading twice", "a cell beyond what is read"],
)
def test_a_file_of_which_something_would_be_passed_over_is_refused(shop: Shop, text: str) -> None:
    with pytest.raises(Invalid):
        shop.import_text(text)

    assert free(shop) == 0
