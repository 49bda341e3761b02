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
from models.points.reading import balances
from models.rewards import rules
from models.rewards.changes import ID
from models.rewards.entities import (
    EntitlementClass,
    Merchant,
    Name,
    Offer,
    Reward,
)
from models.rewards.tables import (
    ONLY_SHARD,
    PUBLISHED,
    ClassRow,
    MerchantRow,
    RewardRow,
    StockRow,
)

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
        """The offers of the member's county by class, cheapest first; two reads.

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
        reward = published(reward_id)
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
        left = _stock_left([reward.reward_id for reward in rewards])
        available = balances(actor.member_id, now).available
        return [
            Offer(
                reward=reward,
                entitlement=shelf.entitlement(reward),
                stock_left=left[reward.reward_id],
                missing=rules.missing(
                    reward,
                    available=available,
                    stock_left=left[reward.reward_id],
                    may_spend=actor.may_spend(now),
                ),
                missing_points=max(0, reward.price - available),
            )
            for reward in rewards
        ]

    def _fresh(self) -> _Shelf:
        now = self._clock.now()
        shelf = self._shelf
        if shelf is None or not shelf.read_at <= now < shelf.read_at + KEPT_FOR:
            shelf = self._shelf = _read_shelf(now)
        return shelf


def published(reward_id: str) -> Reward | None:
    """A reward that can be redeemed, read strongly; None for others."""
    row = get(RewardRow, reward_id) if ID.fullmatch(reward_id) else None
    return row.entity() if row is not None and row.status == PUBLISHED else None


def is_offered_to(actor: Actor, reward: Reward) -> bool:
    """Whether the reward belongs to the member's county."""
    return actor.county in (None, reward.county)


def _read_shelf(now: datetime) -> _Shelf:
    # Both tables hold a few dozen rows and have no key to list them by: a scan, once in 30 s.
    rewards = [row.entity() for row in scan(RewardRow) if row.status == PUBLISHED]
    shelf = _Shelf(
        read_at=now,
        class_by_id={row.class_id: row.entity() for row in scan(ClassRow)},
        rewards=(),
    )
    return replace(shelf, rewards=tuple(sorted(rewards, key=shelf.rank)))


def _stock_left(reward_ids: Sequence[str]) -> Mapping[str, int]:
    left = dict.fromkeys(reward_ids, 0)
    for start in range(0, len(reward_ids), 100):
        some = reward_ids[start : start + 100]
        for row in get_many([(StockRow, (reward_id, ONLY_SHARD)) for reward_id in some]):
            if isinstance(row, StockRow):
                left[row.reward_id] = row.rem
    return left
