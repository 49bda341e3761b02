"""What is on offer: rewards by class, what is left, and what a member still misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.base.clock import Clock
from models.base.errors import NotFound
from models.base.paging import Cursors, Page
from models.base.store import get, get_many, scan
from models.people.entities import Actor
from models.points.posting import accounts_of
from models.points.reading import balances_of
from models.points.tables import WalletRow
from models.rewards import limits, pools, rules, stocks
from models.rewards import supply_rules as supply
from models.rewards.candidates import candidate_of
from models.rewards.changes import ID
from models.rewards.entities import (
    Candidate,
    CodeSource,
    EntitlementClass,
    Merchant,
    Name,
    Offer,
    Reward,
    RewardState,
)
from models.rewards.supply_rules import Shard
from models.rewards.tables import ClassRow, LimitRow, MerchantRow, RewardRow, StockRow

KEPT_FOR = timedelta(seconds=30)
SCOPE = "rewards"
LAST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """Classes and rewards as they were read; a few dozen rows that admins change."""

    read_at: datetime
    class_by_id: Mapping[str, EntitlementClass]
    rewards: tuple[Reward, ...]

    def entitlement(self, reward: Reward) -> EntitlementClass:
        """The reward's class; one without a row goes last, under its id."""
        unnamed = Name(zh=reward.class_id, en=reward.class_id)
        return self.class_by_id.get(reward.class_id) or EntitlementClass(
            class_id=reward.class_id, name=unnamed, position=LAST
        )

    def rank(self, reward: Reward) -> tuple[int, str, int, str]:
        """Where the reward stands in the list."""
        position = self.entitlement(reward).position
        return position, reward.class_id, reward.price, reward.reward_id


class Catalogue:
    """Reads the offers. Classes and rewards are kept for 30 s; stock and points are read anew."""

    def __init__(self, *, clock: Clock, cursors: Cursors) -> None:
        self._clock = clock
        self._cursors = cursors
        self._shelf: _Shelf | None = None

    def page(self, actor: Actor, *, limit: int, cursor: str | None = None) -> Page[Offer]:
        """The offers of the member's county by class, cheapest first; at most two reads
        and a query for each reward whose codes are imported.

        A member without a county sees every county's. Raises ``Invalid`` for a foreign cursor.
        """
        after = self._cursors.open(SCOPE, cursor)
        shelf = self._fresh()
        left = [
            reward
            for reward in shelf.rewards
            if is_offered_to(actor, reward)
            and (after is None or shelf.rank(reward) > tuple(after["rank"]))
        ]
        shown = left[:limit]
        last = {"rank": shelf.rank(shown[-1])} if len(left) > len(shown) else None
        return Page(
            items=self._offers(actor, shown, shelf), next_cursor=self._cursors.seal(SCOPE, last)
        )

    def offer(self, actor: Actor, reward_id: str) -> Offer:
        """One offer. Raises ``NotFound("reward.not_found")``, also for another county's."""
        reward = _shown(reward_id)
        if reward is None or not is_offered_to(actor, reward):
            raise NotFound("reward.not_found")
        return self._offers(actor, [reward], self._fresh())[0]

    def fulfillers(self, reward: Reward) -> tuple[Merchant, ...]:
        """The merchants that hand the reward over; stations are found in their own directory."""
        kind = "merchant:"
        ids = [scope.removeprefix(kind) for scope in reward.fulfillers if scope.startswith(kind)]
        rows = get_many([(MerchantRow, (merchant_id,)) for merchant_id in ids]) if ids else []
        return tuple(row.entity() for row in rows if isinstance(row, MerchantRow))

    def _offers(self, actor: Actor, rewards: Sequence[Reward], shelf: _Shelf) -> list[Offer]:
        if not rewards:
            return []
        now = self._clock.now()
        candidate = candidate_of(actor, rewards, now)
        standing = _read_standing(actor, rewards, now)
        return [
            _offer(reward, candidate, standing, shelf.entitlement(reward), now)
            for reward in rewards
        ]

    def _fresh(self) -> _Shelf:
        now = self._clock.now()
        shelf = self._shelf
        if shelf is None or not shelf.read_at <= now < shelf.read_at + KEPT_FOR:
            shelf = self._shelf = _read_shelf(now)
        return shelf


def is_offered_to(actor: Actor, reward: Reward) -> bool:
    """Whether the member's county has the reward; one without a county sees every county's."""
    return actor.county is None or _county(actor, reward) is not None


def _county(actor: Actor, reward: Reward) -> str | None:
    return supply.county_for(reward.supply, own=actor.county, home=reward.county)


def _shown(reward_id: str) -> Reward | None:
    row = get(RewardRow, reward_id) if ID.fullmatch(reward_id) else None
    reward = row.entity() if row is not None else None
    return reward if reward is not None and rules.is_shown(reward) else None


def _read_shelf(now: datetime) -> _Shelf:
    # Both tables hold a few dozen rows and have no key to list them by: a scan, once in 30 s.
    rewards = [reward for row in scan(RewardRow) if rules.is_shown(reward := row.entity())]
    shelf = _Shelf(
        read_at=now,
        class_by_id={row.class_id: row.entity() for row in scan(ClassRow)},
        rewards=(),
    )
    return replace(shelf, rewards=tuple(sorted(rewards, key=shelf.rank)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What is left of each reward for the member's county, and what the member has, now."""

    stock_left: Mapping[str, int]
    limit_by_reward: Mapping[str, LimitRow]
    available: int


def _read_standing(actor: Actor, rewards: Sequence[Reward], now: datetime) -> _Standing:
    """One read, for up to a hundred rows of stock and limits; a query for each reward's pool."""
    places = [(reward, shard) for reward in rewards for shard in _shards(actor, reward, now)]
    limited = [reward for reward in rewards if reward.limit is not None]
    rows = get_many(
        [
            (WalletRow, (actor.member_id,)),
            *((LimitRow, (actor.member_id, reward.reward_id)) for reward in limited),
            *((StockRow, (reward.reward_id, shard.name)) for reward, shard in places),
        ]
    )
    left = dict.fromkeys((reward.reward_id for reward in rewards), 0)
    for (reward, shard), row in zip(places, rows[1 + len(limited) :], strict=True):
        left[reward.reward_id] += stocks.rem_of(row, shard)
    for reward in rewards:
        if reward.codes is CodeSource.POOL:
            left[reward.reward_id] = pools.left(reward.reward_id, left[reward.reward_id])
    wallet = rows[0] if isinstance(rows[0], WalletRow) else None
    return _Standing(
        stock_left=left,
        limit_by_reward={row.reward_id: row for row in rows if isinstance(row, LimitRow)},
        available=balances_of(accounts_of(wallet), now).available,
    )


def _shards(actor: Actor, reward: Reward, now: datetime) -> Sequence[Shard]:
    county = _county(actor, reward)
    if county is None or reward.state is RewardState.SOLD_OUT:
        return ()
    return stocks.shards_of(reward, county, now)


def _offer(
    reward: Reward,
    candidate: Candidate,
    standing: _Standing,
    entitlement: EntitlementClass,
    now: datetime,
) -> Offer:
    left = standing.stock_left[reward.reward_id]
    row = standing.limit_by_reward.get(reward.reward_id)
    again_at = limits.again_at(reward.limit, row, now) if reward.limit else None
    return Offer(
        reward=reward,
        entitlement=entitlement,
        stock_left=left,
        missing=rules.missing(
            reward,
            candidate,
            available=standing.available,
            stock_left=left,
            has_room=again_at is None,
            now=now,
        ),
        missing_points=max(0, reward.price - standing.available),
        missing_days=rules.days_to_wait(reward, candidate, now=now),
        again_at=again_at,
    )
