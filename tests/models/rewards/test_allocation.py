"""What is allotted rather than sold: who waits is served in a fair order, once, or told why not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from infra.local.meter import Meter
from models.alerts import feed
from models.alerts.delivery import Messenger
from models.alerts.entities import Event
from models.base.clock import CHINA, FixedClock
from models.base.errors import Conflict, NotFound
from models.base.store import get, query
from models.base.tables import Database, connection
from models.people.entities import Actor
from models.points.cap_tables import CapRow
from models.points.checking import check_member
from models.points.ledger import Ledger
from models.points.reading import balances
from models.rewards.allocation import ALLOTTED, DECLINED, Allocation
from models.rewards.codes import Codes
from models.rewards.entities import (
    DeclineReason,
    Limit,
    Place,
    QueueReason,
    RewardState,
    State,
    Voucher,
)
from models.rewards.notices import Notices, notice_of
from models.rewards.payloads import payload_of
from models.rewards.tables import CodeRow, RedemptionRow, RewardRow, StockRow
from tests.conftest import NOW
from tests.support.alerts import inbox_row_of
from tests.support.faults import lost_reply, never_sent
from tests.support.people import COUNTY
from tests.support.rewards import Shop, a_request_id

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(clock=clock, stock=2, needs_approval=True).opened()


@pytest.fixture
def rider(shop: Shop) -> Iterator[Actor]:
    actor = shop.rider(25)
    yield actor
    assert check_member(actor.member_id) == ()


def allot(shop: Shop) -> None:
    """Serve the queues as the schedule does; strangers' too."""
    Allocation(ledger=Ledger(), codes=shop.codes).run(shop.now)


def in_need(shop: Shop, rider: Actor) -> None:
    """The ledger has counted a hardship grant this month."""
    CapRow(
        rider.member_id, "2026-03", version=1, points={}, acts={"hardship.grant": {"02": 1}}, ttl=1
    ).save()


def state(shop: Shop, voucher: Voucher) -> str:
    return shop.row(voucher).state


def has(shop: Shop, rider: Actor) -> tuple[int, int]:
    found = balances(rider.member_id, shop.now)
    return found.available, found.held


def test_who_asks_waits_with_his_points_held_and_nothing_taken(shop: Shop, rider: Actor) -> None:
    voucher = shop.redeem(rider)

    assert (voucher.redemption.state, voucher.code, voucher.qr) == (State.QUEUED, None, None)
    assert voucher.redemption.expires_at == shop.now + 90 * DAY
    assert has(shop, rider) == (15, 10)
    assert shop.left() == 2


def test_what_waits_cannot_be_handed_over(shop: Shop, rider: Actor) -> None:
    voucher = shop.redeem(rider)
    qr, _ = shop.codes.qr(voucher.redemption.redemption_id, shop.now)

    with pytest.raises(Conflict, match=r"redemption\.queued"):
        shop.fulfil(shop.merchant(), qr)


def test_whose_turn_it_is_gets_a_voucher_for_its_whole_time(shop: Shop, rider: Actor) -> None:
    request = a_request_id()
    asked = shop.redeem(rider, request)
    shop.clock.advance(3 * DAY)

    allot(shop)

    voucher = shop.redemptions.voucher(rider, asked.redemption.redemption_id)
    assert voucher.redemption.state is State.RESERVED
    assert voucher.redemption.expires_at == shop.now + 30 * DAY
    assert (voucher.place, shop.left(), has(shop, rider)) == (None, 1, (15, 10))
    assert shop.fulfil(shop.merchant(), voucher.code).state is State.FULFILLED
    assert shop.redeem(rider, request) == asked  # the first answer stands


def test_each_is_told_his_place_and_why(shop: Shop) -> None:
    poor, rich, needy = shop.rider(10), shop.rider(300), shop.rider(10)
    in_need(shop, needy)
    asked = [shop.redeem(rider) for rider in (poor, rich, needy)]

    def place(rider: Actor, voucher: Voucher) -> Place | None:
        return shop.redemptions.voucher(rider, voucher.redemption.redemption_id).place

    waiting, hardship = QueueReason.WAITING, QueueReason.HARDSHIP
    assert place(needy, asked[2]) == Place(position=1, reason=hardship)
    assert place(rich, asked[1]) == Place(position=2, reason=waiting)
    assert place(poor, asked[0]) == Place(position=3, reason=waiting)
    shop.cancel(rich, asked[1])
    assert place(poor, asked[0]) == Place(position=2, reason=waiting)


def test_the_months_quota_goes_to_those_in_front_and_the_next_months_to_the_next(
    shop: Shop,
) -> None:
    riders = [shop.rider(10) for _ in range(5)]
    in_need(shop, riders[4])
    asked = []
    for rider in riders:
        asked.append(shop.redeem(rider))
        shop.clock.advance(MINUTE)

    allot(shop)
    first = [state(shop, voucher) for voucher in asked]
    shop.clock.advance(30 * DAY)
    allot(shop)

    assert first == ["reserved", "queued", "queued", "queued", "reserved"]
    assert [state(shop, voucher) for voucher in asked[1:4]] == ["reserved", "reserved", "queued"]


@pytest.mark.parametrize("seed", [1, 2])
def test_whoever_asks_when_the_first_in_a_fair_order_are_served(shop: Shop, seed: int) -> None:
    dice = random.Random(seed)
    order: list[tuple[tuple[bool, int, int, int], str]] = []
    for number in range(7):
        points, needy = dice.choice([10, 40, 70]), dice.random() < 0.3
        rider = shop.rider(points)
        if needy:
            in_need(shop, rider)
        asked = shop.redeem(rider)
        day = (shop.now - NOW).days
        order.append(((not needy, day, -points, number), asked.redemption.redemption_id))
        shop.clock.advance(dice.choice([MINUTE, DAY]))
    assert shop.now.astimezone(CHINA).month == NOW.month
    shop.clock.advance(MINUTE)

    allot(shop)

    served = {each for _, each in sorted(order)[:2]}
    states = {each: get(RedemptionRow, each) for _, each in order}
    assert {each for each, row in states.items() if row and row.state == "reserved"} == served


def test_who_asked_a_moment_ago_is_not_served_before_the_index_has_settled(
    shop: Shop, rider: Actor
) -> None:
    asked = shop.redeem(rider)
    shop.clock.advance(MINUTE - timedelta(seconds=1))

    allot(shop)

    assert state(shop, asked) == "queued"


@pytest.mark.parametrize("fault", [lost_reply, never_sent])
def test_a_network_fault_allots_once(shop: Shop, rider: Actor, fault: Any) -> None:
    asked = shop.redeem(rider)
    shop.clock.advance(MINUTE)

    with fault():
        allot(shop)
    allot(shop)

    assert (state(shop, asked), shop.left()) == ("reserved", 1)
    assert query(RedemptionRow.by_queue, shop.reward_id) == []


def test_four_runs_at_once_allot_what_there_is(shop: Shop) -> None:
    asked = [shop.redeem(shop.rider(10)) for _ in range(4)]
    shop.clock.advance(MINUTE)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: allot(shop), range(4)))

    assert sorted(state(shop, voucher) for voucher in asked) == ["queued"] * 2 + ["reserved"] * 2
    assert shop.left() == 0
    stock = query(StockRow, shop.reward_id)
    assert [row.rem for row in stock] == [0]


def test_cancelling_while_it_is_allotted_has_one_outcome(shop: Shop) -> None:
    for _ in range(3):
        rider = shop.rider(10)
        asked = shop.redeem(rider)
        shop.clock.advance(MINUTE)
        before = shop.left()

        with ThreadPoolExecutor(2) as threads:
            cancelled = threads.submit(shop.cancel, rider, asked)
            threads.submit(allot, shop).result()

        assert cancelled.result().state is State.CANCELLED
        assert (state(shop, asked), shop.left(), has(shop, rider)) == ("cancelled", before, (10, 0))


def test_whose_turn_fails_is_not_passed_over(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, real = shop.codes.code("red_other"), Codes.code
    first = shop.redeem(shop.rider(10))
    shop.clock.advance(MINUTE)
    second = shop.redeem(shop.rider(10))
    row = shop.row(first)
    key = shop.codes.code_key(taken)
    assert key is not None
    CodeRow(key, county=COUNTY, redemption_id="red_other").save()
    shop.clock.advance(MINUTE)

    def code(self: Codes, redemption_id: str, turn: int = 0) -> str:
        return taken if redemption_id == row.redemption_id else real(self, redemption_id, turn)

    monkeypatch.setattr(Codes, "code", code)
    allot(shop)

    assert [state(shop, each) for each in (first, second)] == ["queued", "queued"]
    monkeypatch.undo()
    allot(shop)
    assert [state(shop, each) for each in (first, second)] == ["reserved", "reserved"]


def test_a_code_that_another_has_is_replaced(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real, taken = Codes.code, shop.codes.code("red_another")
    key = shop.codes.code_key(taken)
    assert key is not None
    CodeRow(key, county=COUNTY, redemption_id="red_another").save()
    asked = shop.redeem(shop.rider(10))
    shop.clock.advance(MINUTE)
    monkeypatch.setattr(
        Codes, "code", lambda self, rid, turn=0: taken if turn == 0 else real(self, rid, turn)
    )

    allot(shop)

    assert (state(shop, asked), shop.row(asked).code_turn) == ("reserved", 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ([RewardRow.status.set("retired")], DeclineReason.RETIRED),
        ([RewardRow.quotas.set({"411502": 1})], DeclineReason.NO_QUOTA),
    ],
)
def test_who_waits_in_vain_gets_his_points_back_and_is_told_why(
    shop: Shop, rider: Actor, change: list[Any], reason: DeclineReason
) -> None:
    asked = shop.redeem(rider)
    RewardRow(shop.reward_id).update(actions=change)

    with lost_reply():
        allot(shop)
    allot(shop)

    voucher = shop.redemptions.voucher(rider, asked.redemption.redemption_id)
    assert voucher.redemption.state is State.DECLINED
    assert voucher.redemption.decline_reason is reason
    assert (voucher.redemption.ended_at, voucher.place) == (shop.now, None)
    assert has(shop, rider) == (25, 0)


def test_after_ninety_days_nobody_waits_any_longer(shop: Shop, rider: Actor) -> None:
    asked = shop.redeem(rider)
    RewardRow(shop.reward_id).update(actions=[RewardRow.status.set("paused")])
    shop.clock.advance(90 * DAY)

    allot(shop)

    assert shop.row(asked).decline_reason == DeclineReason.WAITED_TOO_LONG.value
    assert has(shop, rider) == (25, 0)


def test_an_admin_sees_the_queue_and_refuses_one_who_waits(shop: Shop, rider: Actor) -> None:
    other = shop.rider(300)
    asked, before = shop.redeem(rider), shop.redeem(other)
    desk = Allocation(ledger=Ledger(), codes=shop.codes)

    seen = desk.waiting(shop.reward_id, COUNTY)
    for _ in range(2):
        ended = desk.decline(
            asked.redemption.redemption_id,
            DeclineReason.NOT_GRANTED,
            actor="district",
            now=shop.now,
        )

    assert [each.redemption_id for each in seen] == [
        before.redemption.redemption_id,
        asked.redemption.redemption_id,
    ]
    assert [each.points for each in seen] == [300, 25]
    assert ended is State.DECLINED
    assert has(shop, rider) == (25, 0)
    assert desk.waiting("no such", COUNTY) == []
    with pytest.raises(NotFound, match=r"redemption\.not_found"):
        desk.decline("none", DeclineReason.NOT_GRANTED, actor="district", now=shop.now)


def test_waiting_takes_a_place_of_the_limit_and_ending_it_frees_it(
    database: Database, clock: FixedClock
) -> None:
    shop = Shop(clock=clock, stock=2, needs_approval=True, limit=Limit(count=1, days=30)).opened()
    rider = shop.rider(30)
    asked = shop.redeem(rider)

    with pytest.raises(Conflict, match=r"reward\.limit_reached"):
        shop.redeem(rider)
    shop.cancel(rider, asked)
    assert shop.redeem(rider).redemption.state is State.QUEUED


def test_nobody_waits_for_what_is_funded_no_longer(shop: Shop) -> None:
    RewardRow(shop.reward_id).update(actions=[RewardRow.status.set(RewardState.SOLD_OUT.value)])

    with pytest.raises(Conflict, match=r"reward\.sold_out"):
        shop.redeem(shop.rider(10))


def test_waiting_costs_less_than_a_voucher(shop: Shop, rider: Actor) -> None:
    meter = Meter().watch(connection())

    shop.redeem(rider)

    assert meter.read().write_units <= 12


def test_whose_turn_it_is_finds_it_in_what_changed_for_him_and_in_his_inbox(
    shop: Shop, rider: Actor, clock: FixedClock
) -> None:
    asked = shop.redeem(rider)
    shop.clock.advance(MINUTE)
    allot(shop)
    messenger = Messenger(
        channels={"rider": (), "officer": ()}, recipient=lambda _: None, clock=clock
    )
    event = Event(
        outbox_id="out_1",
        topic=ALLOTTED,
        county=COUNTY,
        payload=payload_of(shop.row(asked), shop.now),
        at=shop.now,
        attempts=1,
    )

    for _ in range(2):
        Notices(messenger).handlers()[ALLOTTED](event)

    logged = feed.since(rider.member_id, None, limit=9, now=shop.now).items
    assert [(each.kind, each.change) for each in logged if each.kind == "redemption"] == [
        ("redemption", "allot")
    ]
    assert inbox_row_of(notice_of(event)).title["zh"] == "排队的权益已轮到您"


def test_why_he_waited_in_vain_stands_in_the_notice(shop: Shop, rider: Actor) -> None:
    payload = payload_of(shop.row(shop.redeem(rider)), shop.now)
    event = Event(
        outbox_id="out_2",
        topic=DECLINED,
        county=COUNTY,
        payload={**payload, "reason": DeclineReason.NO_QUOTA.value},
        at=shop.now,
        attempts=1,
    )

    assert notice_of(event).body.zh == "“理发”：本地已无名额，10 积分已退回您的账户。"
