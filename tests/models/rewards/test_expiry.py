"""A voucher that nobody took ends once, gives everything back, and its rider is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts import outbox
from models.alerts.entities import Event, Template
from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.errors import Conflict
from models.base.ids import derived_id
from models.base.store import get
from models.base.tables import Database
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.ledger import Ledger
from models.points.reading import balances
from models.rewards.entities import State, Voucher
from models.rewards.expiry import TOPIC, Expiry
from models.rewards.notices import notice_of
from tests.support.faults import lost_reply, never_sent
from tests.support.rewards import Shop

MONTH = timedelta(days=30)
GRACE = timedelta(minutes=5)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock).opened()


@pytest.fixture
def expiry() -> Expiry:
    return Expiry(ledger=Ledger())


def _points(shop: Shop, rider: Actor) -> tuple[int, int]:
    found = balances(rider.member_id, shop.now)
    return found.available, found.held


def _told(voucher: Voucher) -> OutboxRow | None:
    return get(OutboxRow, derived_id("out", TOPIC, voucher.redemption.redemption_id))


def test_five_minutes_after_its_end_a_voucher_gives_everything_back(
    shop: Shop, expiry: Expiry
) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.clock.advance(MONTH + GRACE)

    swept = expiry.expire_due(shop.now)

    assert swept.expired >= 1
    assert shop.row(voucher).state == State.EXPIRED.value
    assert shop.row(voucher).due_shard is None
    assert _points(shop, rider) == (10, 0)
    assert shop.left() == 5
    assert _told(voucher) is not None
    assert check_member(rider.member_id) == ()


def test_before_that_nothing_ends(shop: Shop, expiry: Expiry) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.clock.advance(MONTH + GRACE - timedelta(seconds=1))

    expiry.expire_due(shop.now)

    assert shop.row(voucher).state == State.RESERVED.value
    assert _told(voucher) is None


def test_what_was_handed_over_or_cancelled_does_not_end(shop: Shop, expiry: Expiry) -> None:
    rider = shop.rider(20)
    taken, cancelled = shop.redeem(rider), shop.redeem(rider)
    shop.fulfil(shop.merchant(), taken.code)
    shop.cancel(rider, cancelled)
    shop.clock.advance(2 * MONTH)

    expiry.expire_due(shop.now)

    states = [shop.row(voucher).state for voucher in (taken, cancelled)]
    assert states == [State.FULFILLED.value, State.CANCELLED.value]
    assert _points(shop, rider) == (10, 0)
    assert shop.left() == 4


def test_what_was_undone_ends_like_any_other(shop: Shop, expiry: Expiry) -> None:
    rider, merchant = shop.rider(), shop.merchant()
    voucher = shop.redeem(rider)
    shop.fulfil(merchant, voucher.code)
    shop.undo(merchant, voucher)
    shop.clock.advance(MONTH + GRACE)

    expiry.expire_due(shop.now)

    assert shop.row(voucher).state == State.EXPIRED.value
    assert _points(shop, rider) == (10, 0)
    assert shop.left() == 5


def test_four_schedules_at_once_give_back_once(shop: Shop, expiry: Expiry) -> None:
    riders = [shop.rider() for _ in range(4)]
    for rider in riders:
        shop.redeem(rider)
    shop.clock.advance(MONTH + GRACE)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: expiry.expire_due(shop.now), range(4)))

    assert [_points(shop, rider) for rider in riders] == [(10, 0)] * 4
    assert shop.left() == 5
    assert all(check_member(rider.member_id) == () for rider in riders)


@pytest.mark.parametrize("fault", [lost_reply, never_sent])
def test_a_network_fault_gives_back_once(shop: Shop, expiry: Expiry, fault: object) -> None:
    rider = shop.rider()
    shop.redeem(rider)
    shop.clock.advance(MONTH + GRACE)

    with fault():  # type: ignore[operator]
        expiry.expire_due(shop.now)
    expiry.expire_due(shop.now)

    assert _points(shop, rider) == (10, 0)
    assert shop.left() == 5


def test_one_that_cannot_be_ended_now_does_not_stop_the_others(
    shop: Shop, expiry: Expiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    riders = [shop.rider() for _ in range(2)]
    vouchers = [shop.redeem(rider) for rider in riders]
    shop.clock.advance(MONTH + GRACE)
    real = Expiry._expire

    def fails_for_the_first(self: Expiry, redemption_id: str, now: object) -> bool:
        if redemption_id == vouchers[0].redemption.redemption_id:
            raise Conflict("points.insufficient")
        return real(self, redemption_id, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Expiry, "_expire", fails_for_the_first)

    swept = expiry.expire_due(shop.now)

    assert swept.failed == 1
    states = [shop.row(voucher).state for voucher in vouchers]
    assert states == [State.RESERVED.value, State.EXPIRED.value]


def test_after_the_end_the_rider_is_refused_by_name(shop: Shop, expiry: Expiry) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.clock.advance(MONTH + GRACE)
    expiry.expire_due(shop.now)

    with pytest.raises(Conflict, match=r"redemption\.expired"):
        shop.cancel(rider, voucher)


def test_the_rider_is_told_what_ended_and_what_he_has_back(shop: Shop, expiry: Expiry) -> None:
    rider = shop.rider()
    voucher = shop.redeem(rider)
    shop.clock.advance(MONTH + GRACE)
    expiry.expire_due(shop.now)
    row = _told(voucher)
    assert row is not None
    event = outbox.lease(row.outbox_id, shop.now)
    assert isinstance(event, Event)

    notice = notice_of(event)

    assert notice.member_id == rider.member_id
    assert notice.template is Template.RIDER_PROGRESS
    assert notice.body.zh == "“理发”未在有效期内使用，10 积分已退回您的账户。"
    assert notice.body.en == "“Haircut” was not used in time; 10 points are back."
    assert notice == notice_of(event)
