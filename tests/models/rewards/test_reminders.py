"""Who has a voucher that will soon end is told once, by day, while he can still use it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.ids import derived_id
from models.base.store import get
from models.base.tables import Database
from models.rewards.entities import State, Voucher
from models.rewards.notices import notice_of
from models.rewards.reminders import TOPIC, remind
from tests.support.faults import lost_reply
from tests.support.rewards import Shop

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, valid_days=30).opened()


def told(voucher: Voucher) -> OutboxRow | None:
    return get(OutboxRow, derived_id("out", TOPIC, voucher.redemption.redemption_id))


def test_an_owner_is_told_three_days_before_the_end_and_once(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.clock.advance(27 * DAY - HOUR)
    remind(shop.now)
    early = told(voucher)

    shop.clock.advance(HOUR)
    remind(shop.now)
    row = told(voucher)
    assert row is not None
    row.delete()
    remind(shop.now)

    assert early is None
    assert told(voucher) is None
    assert shop.row(voucher).reminded_at == shop.now
    assert shop.fulfil(shop.merchant(), voucher.code).state is State.FULFILLED


def _id(voucher: Voucher) -> str:
    return voucher.redemption.redemption_id


def test_he_reads_what_ends_and_when(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.clock.advance(28 * DAY)
    remind(shop.now)
    row = told(voucher)
    assert row is not None
    event = Event(
        outbox_id="o", topic=TOPIC, county="411503", payload=row.payload, at=shop.now, attempts=1
    )

    notice = notice_of(event)

    assert notice.body.zh == "“理发”将于 4月17日 10:00 到期，请尽快使用。"
    assert notice.body.en == "“Haircut” ends on 2026-04-17 10:00; use it in time."
    assert len(notice.fields["phrase2"]) <= 5


@pytest.mark.parametrize("hours", [10, 23])
def test_nobody_is_woken(shop: Shop, hours: int) -> None:
    voucher = shop.redeem(shop.rider())
    shop.clock.advance(27 * DAY + hours * HOUR)  # 20:00 and 9:00 in China

    remind(shop.now)

    assert (told(voucher) is not None) == (hours == 23)


def test_who_has_just_reserved_or_used_one_is_not_told(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock, valid_days=4).opened()
    used, fresh = shop.redeem(shop.rider()), shop.redeem(shop.rider())
    shop.fulfil(shop.merchant(), used.qr)
    shop.clock.advance(DAY)
    remind(shop.now)
    early = told(fresh)
    shop.clock.advance(DAY)

    remind(shop.now)

    assert (told(used), early) == (None, None)
    assert told(fresh) is not None


def test_runs_beside_each_other_or_with_a_lost_reply_tell_once(shop: Shop) -> None:
    voucher = shop.redeem(shop.rider())
    shop.clock.advance(28 * DAY)
    with lost_reply():
        remind(shop.now)
    other = shop.redeem(shop.rider())
    shop.clock.advance(29 * DAY)

    with ThreadPoolExecutor(3) as threads:
        counts = list(threads.map(lambda _: remind(shop.now), range(3)))

    assert told(voucher) is not None
    assert told(other) is not None
    assert sum(counts) >= 1
