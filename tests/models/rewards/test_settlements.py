"""A merchant's month agrees with the ledger, and what was taken back stands apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from models.base.clock import FixedClock, business_day
from models.base.errors import Invalid, NotFound
from models.base.store import query
from models.base.tables import Database
from models.people.entities import Actor
from models.points.tables import EntryRow
from models.rewards.entities import Voucher
from models.rewards.settlements import Settlements, Sheet, Tally
from tests.support.rewards import Shop

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EDGE = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
"""Midnight in China between March and April."""


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, stock=50, price=7).opened()


@pytest.fixture
def rider(shop: Shop) -> Actor:
    return shop.rider(100)


def handed_over(shop: Shop, rider: Actor) -> Voucher:
    voucher = shop.redeem(rider)
    shop.fulfil(shop.merchant(), voucher.qr)
    return voucher


def sheet(shop: Shop, month: str) -> Sheet:
    return Settlements(clock=shop.clock).sheet(shop.merchant_id, month)


def ledgers(shop: Shop, riders: Iterable[Actor]) -> Counter[str]:
    """What the ledger says the merchant took, by the month of the posting."""
    place, account = shop.place, f"red:{shop.reward_id}"
    found: Counter[str] = Counter()
    for rider in riders:
        for row in query(EntryRow, rider.member_id):
            if row.source.get("place") == place:
                found[business_day(row.posted_at)[:7]] += row.legs.get(account, 0)
    return found


def test_a_month_counts_what_was_handed_over_with_its_points(shop: Shop, rider: Actor) -> None:
    for _ in range(3):
        handed_over(shop, rider)
    shop.redeem(rider)

    march = sheet(shop, "2026-03")

    (line,) = march.lines
    assert (march.place_name, line.reward_name.zh) == ("剪刀手", "理发")
    assert line.handed_over == line.net == Tally(count=3, points=21)


def test_what_was_undone_and_what_was_refunded_stand_apart(shop: Shop, rider: Actor) -> None:
    kept, undone, refunded = (handed_over(shop, rider) for _ in range(3))
    shop.undo(shop.merchant(), undone)
    shop.refund(refunded)

    (line,) = sheet(shop, "2026-03").lines

    assert shop.row(kept).state == "fulfilled"
    assert line.handed_over == Tally(count=3, points=21)
    assert line.undone == line.refunded == line.net == Tally(count=1, points=7)
    assert ledgers(shop, [rider]) == {"2026-03": 7}


def test_what_was_undone_and_handed_over_again_counts_both_times(shop: Shop, rider: Actor) -> None:
    voucher = handed_over(shop, rider)
    shop.undo(shop.merchant(), voucher)
    shop.fulfil(shop.merchant(), voucher.qr)

    (line,) = sheet(shop, "2026-03").lines

    assert (line.handed_over.count, line.undone.count, line.net.count) == (2, 1, 1)


def test_what_the_station_handed_over_is_not_the_merchants(shop: Shop, rider: Actor) -> None:
    shop.fulfil(shop.keeper(), shop.redeem(rider).qr)

    assert sheet(shop, "2026-03").lines == ()


def test_midnight_in_china_parts_the_months(shop: Shop, rider: Actor) -> None:
    shop.clock.set(EDGE - timedelta(milliseconds=1))
    handed_over(shop, rider)
    shop.clock.set(EDGE)
    handed_over(shop, rider)
    handed_over(shop, rider)

    march, april = sheet(shop, "2026-03"), sheet(shop, "2026-04")

    assert (march.total.net.count, april.total.net.count) == (1, 2)
    assert ledgers(shop, [rider]) == {"2026-03": 7, "2026-04": 14}


def test_a_late_undo_belongs_to_the_month_of_its_handover(shop: Shop, rider: Actor) -> None:
    shop.clock.set(EDGE - MINUTE)
    voucher = handed_over(shop, rider)
    shop.clock.set(EDGE + 3 * MINUTE)
    shop.undo(shop.merchant(), voucher)

    march, april = sheet(shop, "2026-03"), sheet(shop, "2026-04")

    assert (march.total.handed_over.count, march.total.undone.count) == (1, 1)
    assert march.total.net == Tally()
    assert april.lines == ()


def test_a_month_is_final_only_after_the_last_undo_could_have_come(shop: Shop) -> None:
    shop.clock.set(EDGE + 14 * MINUTE)
    early = sheet(shop, "2026-03")
    shop.clock.advance(MINUTE)

    assert (early.is_final, sheet(shop, "2026-03").is_final) == (False, True)


def test_a_refund_changes_no_month_that_was_final(shop: Shop, rider: Actor) -> None:
    voucher = handed_over(shop, rider)
    shop.clock.set(EDGE + 5 * DAY)
    before = sheet(shop, "2026-03")
    shop.refund(voucher)

    after, april = sheet(shop, "2026-03"), sheet(shop, "2026-04")

    assert after == before
    assert april.total.refunded == Tally(count=1, points=7)
    assert april.total.net == Tally(count=-1, points=-7)


def test_over_time_the_sheets_add_up_to_the_ledger(shop: Shop) -> None:
    riders = [shop.rider(100) for _ in range(4)]
    shop.clock.set(EDGE - 4 * MINUTE)
    vouchers = []
    for number in range(12):
        vouchers.append(handed_over(shop, riders[number % 4]))
        if number % 3 == 1:
            shop.undo(shop.merchant(), vouchers[-1])
        shop.clock.advance(MINUTE)
    shop.clock.advance(9 * DAY)
    for number in (0, 3, 9):
        shop.refund(vouchers[number])

    nets = [sheet(shop, month).total.net for month in ("2026-03", "2026-04")]

    assert sum(net.points for net in nets) == sum(ledgers(shop, riders).values()) == 5 * 7
    assert sum(net.count for net in nets) == 5


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "March", "2027-01", "", "2026-03-01"])
def test_what_is_no_month_or_has_not_begun_is_refused(shop: Shop, month: str) -> None:
    with pytest.raises(Invalid) as refused:
        sheet(shop, month)

    assert [bad.field for bad in refused.value.fields] == ["month"]


@pytest.mark.parametrize("merchant_id", ["mch_none", "", "a b"])
def test_an_unknown_merchant_has_no_sheet(shop: Shop, merchant_id: str) -> None:
    with pytest.raises(NotFound, match=r"merchant\.not_found"):
        Settlements(clock=shop.clock).sheet(merchant_id, "2026-03")
