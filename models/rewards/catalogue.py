"""What is on offer: rewards by class, what is left, and what a member still misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.base.clock import Clock
from models.base.errors import NotFound
from models.base.store import get, get_many, scan
from models.people.entities import Actor
from models.points.reading import balances
from models.rewards import rules
from models.rewards.entities import (
    CatalogueSection,
    EntitlementClass,
    Merchant,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """Classes and rewards as they were read; a few dozen rows that admins change."""

    read_at: datetime
    classes: tuple[EntitlementClass, ...]
    rewards: tuple[Reward, ...]


class Catalogue:
    """Reads the offers. Classes and rewards are kept for 30 s; stock and points are read anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shelf: _Shelf | None = None

    def sections(self, actor: Actor) -> tuple[CatalogueSection, ...]:
        """The offers of the member's county, by class, cheapest first; two reads.

        A member without a county sees every county's.
        """
        shelf = self._fresh()
        rewards = [reward for reward in shelf.rewards if is_offered_to(actor, reward)]
        offers = self._offers(actor, rewards)
        sections = (
            CatalogueSection(
                entitlement=entitlement,
                offers=tuple(o for o in offers if o.reward.class_id == entitlement.class_id),
            )
            for entitlement in shelf.classes
        )
        return tuple(section for section in sections if section.offers)

    def offer(self, actor: Actor, reward_id: str) -> Offer:
        """One offer. Raises ``NotFound("reward.not_found")``, also for another county's."""
        reward = published(reward_id)
        if reward is None or not is_offered_to(actor, reward):
            raise NotFound("reward.not_found")
        return self._offers(actor, [reward])[0]

    def fulfillers(self, reward: Reward) -> tuple[Merchant, ...]:
        """The merchants that hand the reward over; stations are found in their own directory."""
        kind = "merchant:"
        ids = [scope.removeprefix(kind) for scope in reward.fulfillers if scope.startswith(kind)]
        rows = get_many([(MerchantRow, (merchant_id,)) for merchant_id in ids]) if ids else []
        return tuple(row.entity() for row in rows if isinstance(row, MerchantRow))

    def _offers(self, actor: Actor, rewards: Sequence[Reward]) -> list[Offer]:
        if not rewards:
            return []
        now = self._clock.now()
        left = _stock_left([reward.reward_id for reward in rewards])
        available = balances(actor.member_id, now).available
        may_spend = actor.may_spend(now)
        ordered = sorted(rewards, key=lambda reward: (reward.price, reward.reward_id))
        return [
            Offer(
                reward=reward,
                stock_left=left[reward.reward_id],
                missing=rules.missing(
                    reward,
                    available=available,
                    stock_left=left[reward.reward_id],
                    may_spend=may_spend,
                ),
                missing_points=max(0, reward.price - available),
            )
            for reward in ordered
        ]

    def _fresh(self) -> _Shelf:
        now = self._clock.now()
        shelf = self._shelf
        if shelf is None or not shelf.read_at <= now < shelf.read_at + KEPT_FOR:
            shelf = self._shelf = _read_shelf(now)
        return shelf


def published(reward_id: str) -> Reward | None:
    """A reward that can be redeemed, read strongly; None for others."""
    row = get(RewardRow, reward_id)
    return row.entity() if row is not None and row.status == PUBLISHED else None


def is_offered_to(actor: Actor, reward: Reward) -> bool:
    """Whether the reward belongs to the member's county."""
    return actor.county in (None, reward.county)


def _read_shelf(now: datetime) -> _Shelf:
    # Both tables hold a few dozen rows and have no key to list them by: a scan, once in 30 s.
    classes = sorted(scan(ClassRow), key=lambda row: (row.position, row.class_id))
    rewards = [row for row in scan(RewardRow) if row.status == PUBLISHED]
    return _Shelf(
        read_at=now,
        classes=tuple(row.entity() for row in classes),
        rewards=tuple(row.entity() for row in rewards),
    )


def _stock_left(reward_ids: Sequence[str]) -> Mapping[str, int]:
    left = dict.fromkeys(reward_ids, 0)
    for start in range(0, len(reward_ids), 100):
        some = reward_ids[start : start + 100]
        for row in get_many([(StockRow, (reward_id, ONLY_SHARD)) for reward_id in some]):
            if isinstance(row, StockRow):
                left[row.reward_id] = row.rem
    return left
