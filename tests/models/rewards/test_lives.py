"""Whatever is done to vouchers, in whatever order and with replies lost, a plain model agrees.

The model knows no rows, versions or transfers: points, counts and states alone. Each command is
told what the model expects, and told the same when it is sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from models.base.clock import FixedClock
from models.base.errors import DomainError
from models.base.ids import new_id
from models.base.store import get_many, query
from models.base.tables import Database
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.ledger import Ledger
from models.points.posting import accounts_of
from models.points.reading import balances_of
from models.points.tables import WalletRow
from models.rewards.entities import CodeSource, Limit, RefundReason
from models.rewards.entities import Voucher as Shown
from models.rewards.expiry import Expiry
from models.rewards.pool_tables import PoolUnitRow
from models.rewards.settlements import Settlements
from models.rewards.tables import LimitRow, RedemptionRow, StockRow
from tests.conftest import NOW
from tests.support.faults import lost_reply
from tests.support.people import COUNTY
from tests.support.rewards import Shop, a_request_id

PRICE, POINTS, VALID_DAYS, STOCK = 10, 50, 2, 3
SHARD = f"2026-03#{COUNTY}#0"
UNDO, GRACE = timedelta(minutes=5), timedelta(minutes=5)
DONE_BY_STATE = {
    "reserved": "redemption.not_fulfilled",
    "fulfilled": "redemption.already_fulfilled",
    "cancelled": "redemption.cancelled",
    "expired": "redemption.expired",
    "refunded": "redemption.refunded",
}


@dataclass(eq=False)
class Life:
    """One voucher as the model knows it."""

    shown: Shown
    shop: int
    rider: int
    expires_at: datetime
    places: set[str]
    state: str = "reserved"
    by: str | None = None
    fulfilled_at: datetime | None = None
    proposed_by: str | None = None

    @property
    def redemption_id(self) -> str:
        return self.shown.redemption.redemption_id

    @property
    def stage(self) -> str:
        is_proposed = self.state == "fulfilled" and self.proposed_by is not None
        return "proposed" if is_proposed else self.state


@dataclass
class World:
    """Points, counts and states."""

    available: list[int] = field(default_factory=lambda: [POINTS, POINTS])
    left: list[int] = field(default_factory=lambda: [STOCK, STOCK])
    codes: int = 2
    closed: set[int] = field(default_factory=set)
    lives: list[Life] = field(default_factory=list)

    def limited(self, rider: int) -> int:
        ended = ("cancelled", "expired", "refunded")
        mine = [life for life in self.lives if (life.shop, life.rider) == (0, rider)]
        return sum(life.state not in ended for life in mine)

    def held(self, rider: int) -> int:
        return PRICE * sum((life.rider, life.state) == (rider, "reserved") for life in self.lives)

    def give_back(self, life: Life, state: str, *, stock: bool = True) -> None:
        self.available[life.rider] += PRICE
        self.left[life.shop] += stock
        self.codes += stock and life.shop == 1
        life.state = state


class Lives(RuleBasedStateMachine):
    """Two riders; a shop with a station beside it, its vouchers limited; a shop with a pool."""

    seen: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open_shops(self) -> None:
        self.clock, self.world = FixedClock(NOW), World()
        common: dict[str, Any] = {"clock": self.clock, "valid_days": VALID_DAYS, "stock": STOCK}
        self.shops = [
            Shop(**common, limit=Limit(count=2, days=30)).opened(),
            Shop(**common, code_source=CodeSource.POOL, has_station=False).opened(),
        ]
        self.shops[1].import_codes(new_id("code"), new_id("code"))
        self.riders = [self.shops[0].rider(POINTS) for _ in range(2)]
        self.merchants = [shop.merchant() for shop in self.shops]
        self.keeper = self.shops[0].keeper()
        for rider in (0, 1):
            for shop in (0, 1):
                self.reserve(shop=shop, rider=rider, lost=False)
        self.fulfil_at_counter(self.world.lives[0], keeper=False, lost=False)

    @precondition(lambda self: len(self.world.lives) < 10)
    @rule(shop=st.integers(0, 1), rider=st.integers(0, 1), lost=st.booleans())
    def reserve(self, shop: int, rider: int, lost: bool) -> None:
        world, place = self.world, self.shops[shop]
        alone = len(place.places) == 1
        if shop in world.closed and alone:
            expected = "reward.not_found"
        elif shop == 0 and world.limited(rider) >= 2:
            expected = "reward.limit_reached"
        elif world.available[rider] < PRICE:
            expected = "points.insufficient"
        elif not world.left[shop] or (shop == 1 and not world.codes):
            expected = "reward.sold_out"
        else:
            expected = "reserved"
        request = a_request_id()
        made = self.told(
            lambda: place.redeem(self.riders[rider], request),
            expected,
            lost=lost and expected == "reserved",
        )
        if made is None:
            return
        closed = {place.place} if shop in world.closed else set()
        expires_at = self.clock.now() + timedelta(days=VALID_DAYS)
        world.lives.append(Life(made, shop, rider, expires_at, place.places - closed))
        world.available[rider] -= PRICE
        world.left[shop] -= 1
        world.codes -= shop == 1

    @rule(data=st.data(), keeper=st.booleans(), lost=st.booleans())
    def fulfil(self, data: st.DataObject, keeper: bool, lost: bool) -> None:
        self.fulfil_at_counter(self.pick(data, "reserved", shop=0), keeper=keeper, lost=lost)

    def fulfil_at_counter(self, life: Life, *, keeper: bool, lost: bool) -> None:
        now = self.clock.now()
        actor, scope = self.behind_counter(life, keeper=keeper)
        if life.shop == 1 or scope not in life.places:
            expected = "redemption.not_found"
        elif life.state != "reserved":
            expected = DONE_BY_STATE[life.state]
        else:
            expected = "fulfilled" if now < life.expires_at else "redemption.expired"
        shop, request = self.shops[life.shop], a_request_id()
        qr, _ = shop.codes.qr(life.redemption_id, now)
        self.told(lambda: shop.fulfil(actor, qr, request), expected, lost=lost)
        if expected == "fulfilled":
            life.state, life.by, life.fulfilled_at = "fulfilled", scope, now

    @rule(data=st.data(), keeper=st.booleans(), lost=st.booleans())
    def undo(self, data: st.DataObject, keeper: bool, lost: bool) -> None:
        life = self.pick(data, "fulfilled", "proposed", shop=0)
        self.undo_at_counter(life, keeper=keeper, lost=lost)

    def undo_at_counter(self, life: Life, *, keeper: bool, lost: bool) -> None:
        now = self.clock.now()
        actor, scope = self.behind_counter(life, keeper=keeper)
        known = life.shop == 0 and scope in life.places
        if not known or life.by not in (None, scope):
            expected = "redemption.not_found"
        elif life.state != "fulfilled" or life.fulfilled_at is None:
            expected = DONE_BY_STATE[life.state]
        elif now > life.fulfilled_at + UNDO:
            expected = "redemption.undo_too_late"
        else:
            expected = "reserved" if now < life.expires_at else "expired"
        request = a_request_id()
        shop = self.shops[life.shop]
        self.told(lambda: shop.undo(actor, life.shown, request), expected, lost=lost)
        if expected in ("reserved", "expired"):
            life.by = life.fulfilled_at = life.proposed_by = None
            life.state = "reserved"
            if expected == "expired":
                self.world.give_back(life, "expired")

    @rule(data=st.data(), lost=st.booleans())
    def cancel(self, data: st.DataObject, lost: bool) -> None:
        life = self.pick(data, "reserved")
        is_open = life.state == "reserved"
        expected = "cancelled" if is_open else DONE_BY_STATE[life.state]
        shop, request = self.shops[life.shop], a_request_id()
        rider = self.riders[life.rider]
        self.told(lambda: shop.cancel(rider, life.shown, request), expected, lost=lost and is_open)
        if is_open:
            self.world.give_back(life, "cancelled")

    @rule(data=st.data(), lost=st.booleans())
    def reveal(self, data: st.DataObject, lost: bool) -> None:
        life, now = self.pick(data, "reserved", shop=1), self.clock.now()
        if life.shop == 0:
            expected = "redemption.not_pooled"
        elif life.state == "reserved":
            expected = "shown" if now < life.expires_at else "redemption.expired"
        else:
            expected = "shown" if life.state == "fulfilled" else DONE_BY_STATE[life.state]
        shop, request, rider = self.shops[life.shop], a_request_id(), self.riders[life.rider]
        lost = lost and expected == "shown" and life.state == "reserved"
        self.told(lambda: shop.reveal(rider, life.shown, request), expected, lost=lost)
        if expected == "shown" and life.state == "reserved":
            life.state, life.by, life.fulfilled_at = "fulfilled", shop.place, now

    @rule(data=st.data(), actor=st.sampled_from(["desk-1", "desk-2"]))
    def propose_refund(self, data: st.DataObject, actor: str) -> None:
        life = self.pick(data, "fulfilled")
        if life.state != "fulfilled":
            expected = DONE_BY_STATE[life.state]
        elif life.proposed_by not in (None, actor):
            expected = "redemption.refund_proposed"
        else:
            expected, life.proposed_by = "proposed", actor
        refunds, reason = self.shops[0].refunds, RefundReason.DEFECTIVE
        self.told(lambda: refunds.propose(life.redemption_id, reason=reason, actor=actor), expected)
        if expected == "proposed":
            own = "redemption.refund_own_proposal"
            self.told(lambda: refunds.approve(life.redemption_id, actor=actor), own)

    @rule(data=st.data(), actor=st.sampled_from(["desk-1", "desk-2"]), lost=st.booleans())
    def approve_refund(self, data: st.DataObject, actor: str, lost: bool) -> None:
        life = self.pick(data, "proposed", "fulfilled")
        if life.stage == "fulfilled" and data.draw(st.booleans(), label="proposed"):
            reason, life.proposed_by = RefundReason.DEFECTIVE, "desk-3"
            self.shops[0].refunds.propose(life.redemption_id, reason=reason, actor="desk-3")
        if life.state == "refunded":
            expected = "refunded"
        elif life.state != "fulfilled":
            expected = DONE_BY_STATE[life.state]
        elif life.proposed_by is None:
            expected = "redemption.refund_not_proposed"
        elif life.proposed_by == actor:
            expected = "redemption.refund_own_proposal"
        else:
            expected = "refunded"
        refunds, is_new = self.shops[0].refunds, life.state == "fulfilled"
        lost = lost and is_new and expected == "refunded"
        self.told(lambda: refunds.approve(life.redemption_id, actor=actor), expected, lost=lost)
        if expected == "refunded" and is_new:
            self.world.give_back(life, "refunded", stock=False)

    @precondition(lambda self: len(self.world.lives) > 3)
    @rule(shop=st.integers(0, 1))
    def close(self, shop: int) -> None:
        place = self.shops[shop].place
        made = self.shops[shop].closings.close(self.shops[shop].merchant_id, actor="desk-1")
        self.world.closed.add(shop)
        fates = {result.redemption_id: result.fate.value for result in made.results}
        expected = {}
        for life in self.world.lives:
            if life.state == "reserved" and place in life.places:
                if life.places == {place}:
                    self.world.give_back(life, "cancelled")
                    expected[life.redemption_id] = "cancelled"
                else:
                    life.places = life.places - {place}
                    expected[life.redemption_id] = "kept"
        assert fates == expected
        self.seen.update(f"close.{fate}" for fate in fates.values())
        self.reserve(shop=shop, rider=0, lost=False)  # nothing that only a closed shop gives

    @rule(late=st.booleans())
    def expire(self, late: bool) -> None:
        if late:
            self.wait(3 * 24 * 60)
        now = self.clock.now()
        Expiry(ledger=Ledger()).expire_due(now)
        for life in self.world.lives:
            if life.state == "reserved" and life.expires_at + GRACE <= now:
                self.world.give_back(life, "expired")
                self.seen["expire"] += 1

    @rule(minutes=st.sampled_from([1, 4, 6, 2 * 24 * 60 - 3, 3 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.wait(minutes)

    def wait(self, minutes: int) -> None:
        if self.clock.now() < NOW + timedelta(days=9):
            self.clock.advance(timedelta(minutes=minutes))

    @invariant()
    def agrees(self) -> None:
        """The rows say what the model says; one read and one query."""
        if not hasattr(self, "world"):
            return
        world, limited = self.world, self.shops[0].reward_id
        members = [rider.member_id for rider in self.riders]
        rows = get_many(
            [
                *((WalletRow, (member_id,)) for member_id in members),
                *((LimitRow, (member_id, limited)) for member_id in members),
                *((StockRow, (shop.reward_id, SHARD)) for shop in self.shops),
                *((RedemptionRow, (life.redemption_id,)) for life in world.lives),
            ]
        )
        wallets, limits, stock, lives = rows[:2], rows[2:4], rows[4:6], rows[6:]
        for rider, wallet in enumerate(wallets):
            assert isinstance(wallet, WalletRow)
            found = balances_of(accounts_of(wallet), self.clock.now())
            assert (found.available, found.held) == (world.available[rider], world.held(rider))
        for rider, limit in enumerate(limits):
            taken = limit.taken if isinstance(limit, LimitRow) else ()
            assert len(taken) == world.limited(rider)
        for shop, row in enumerate(stock):
            assert (row.rem if isinstance(row, StockRow) else STOCK) == world.left[shop]
        states = [row.state for row in lives if isinstance(row, RedemptionRow)]
        assert states == [life.state for life in world.lives]
        assert len(query(PoolUnitRow.by_free, self.shops[1].reward_id)) == world.codes

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.clock.advance(UNDO + timedelta(seconds=1))
        for life in self.world.lives:
            if life.state == "fulfilled" and life.by is not None:
                self.undo_at_counter(life, keeper=life.by.startswith("station:"), lost=False)
        for rider in self.riders:
            assert check_member(rider.member_id) == ()
        for shop in self.shops:
            sheet = Settlements(clock=self.clock).sheet(shop.merchant_id, "2026-03")
            good = [
                life
                for life in self.world.lives
                if (life.state, life.by) == ("fulfilled", shop.place)
            ]
            assert sheet.total.net.count == len(good)

    def told(self, act: Callable[[], Any], expected: str, *, lost: bool = False) -> Any:
        """Do a command twice, its first reply lost when asked; both times as expected."""
        self.seen[expected] += 1
        is_refusal = "." in expected
        network: AbstractContextManager[Any] = (
            lost_reply() if lost and not is_refusal else nullcontext()
        )
        first, again = _answer(act, network), _answer(act, nullcontext())
        if is_refusal:
            assert (first, again) == (expected, expected)
            return None
        assert not isinstance(first, str), (first, expected)
        assert not isinstance(again, str), (again, expected)
        states = {getattr(answer, "state", expected) for answer in (first, again)}
        assert states == {expected}
        return first

    def pick(self, data: st.DataObject, *states: str, shop: int | None = None) -> Life:
        """Any voucher, or (three times in four) one of those that the command is meant for."""
        meant = [
            life for life in self.world.lives if life.stage in states and shop in (None, life.shop)
        ]
        is_meant = data.draw(st.integers(0, 3), label="whom") and meant
        return data.draw(st.sampled_from(meant if is_meant else self.world.lives), label="voucher")

    def behind_counter(self, life: Life, *, keeper: bool) -> tuple[Actor, str]:
        if keeper:
            return self.keeper, f"station:{self.shops[0].station_id}"
        return self.merchants[life.shop], self.shops[life.shop].place


def _answer(act: Callable[[], Any], network: AbstractContextManager[Any]) -> Any:
    try:
        with network:
            return act()
    except DomainError as refused:
        return refused.code


def test_any_lives_of_vouchers_end_as_a_plain_model_says(database: Database) -> None:
    Lives.seen.clear()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Lives,
        settings=settings(
            max_examples=16,
            stateful_step_count=40,
            phases=[Phase.generate],  # on a real engine shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )

    rare = {"expire", "refunded", "shown", "cancelled", "close.cancelled", "close.kept"}
    told = {"redemption.undo_too_late", "redemption.refund_own_proposal", "redemption.expired"}
    limits = {"reward.limit_reached", "reward.sold_out", "reward.not_found"}
    missed = {each for each in rare | told | limits if not Lives.seen[each]}
    assert missed == set(), Lives.seen
