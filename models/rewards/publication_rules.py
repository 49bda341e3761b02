"""What publishing makes of a reward that stands, and why it may not. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from models.base.clock import utc_text
from models.base.errors import Conflict
from models.rewards import life_rules, supply_rules
from models.rewards.entities import ON_OFFER, Fund, Reward, RewardState, Supply
from models.rewards.life_rules import PRICE_LOCKED_FOR, RewardAction

FURTHEST_MONTHS = 36
"""A fund can promise no longer than this ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Why a row cannot be published: its column, a stable code, and what would be right."""

    column: str
    code: str
    limit: str | int | None = None


def wrongs(before: Reward | None, wanted: Reward, *, now: datetime) -> Iterator[Wrong]:
    """Everything that keeps ``wanted`` from becoming what stands as ``before`` (None: nothing)."""
    state = before.state if before else RewardState.DRAFT
    try:
        life_rules.towards(state, wanted.state)
    except Conflict as refused:
        yield Wrong(column="status", code=refused.code, limit=state.value)
        return
    if wanted.supply.funded_until is not None:
        month = supply_rules.month_of(now)
        furthest = supply_rules.month_after(month, FURTHEST_MONTHS)
        if not month <= wanted.supply.funded_until <= furthest:
            yield Wrong(
                column="funded_until", code="field.out_of_range", limit=f"{month}-{furthest}"
            )
    if before is None:
        return
    if wanted.county != before.county:
        yield Wrong(column="county", code="reward.county_fixed", limit=before.county)
    if before.state in ON_OFFER:
        yield from _wrongs_on_offer(before, wanted, now)


def published(before: Reward | None, wanted: Reward, *, now: datetime) -> Reward:
    """The reward as it stands after publishing a row without ``wrongs``."""
    state = life_rules.towards(before.state if before else RewardState.DRAFT, wanted.state)
    if before is None or before.state not in ON_OFFER:
        is_new = state is RewardState.PUBLISHED
        after = replace(
            wanted,
            state=state,
            published_at=now if is_new else None,
            price_locked_until=now + PRICE_LOCKED_FOR if is_new else None,
        )
    else:
        locked_until = before.price_locked_until
        if wanted.price != before.price:
            locked_until = now + PRICE_LOCKED_FOR
        after = replace(
            wanted,
            state=_restocked(before, wanted, now),
            supply=_supply(before.supply, wanted.supply, now),
            published_at=before.published_at,
            price_locked_until=locked_until,
        )
    synthetic = before.synthetic if before else False
    promised = life_rules.committed(before, after, now=now)
    return replace(after, committed=promised, synthetic=synthetic)


def moves_value(before: Reward | None, after: Reward) -> bool:
    """Whether what points are worth changes: a price, a quota, who may have it, or what is new."""
    if after.state not in ON_OFFER:
        return False
    if before is None or before.state not in ON_OFFER:
        return True
    return _worth(before) != _worth(after)


def _worth(reward: Reward) -> tuple[object, ...]:
    return (
        reward.price,
        reward.supply,
        reward.fund_id,
        reward.limit,
        reward.eligibility,
        reward.needs_approval,
    )


def drawn(befores: Mapping[str, Reward], afters: Mapping[str, Reward]) -> Mapping[str, int]:
    """How many more points each fund promises, by fund; negative: fewer."""
    more: dict[str, int] = {}
    for reward_id, after in afters.items():
        before = befores.get(reward_id)
        if before is not None and before.fund_id is not None:
            more[before.fund_id] = more.get(before.fund_id, 0) - before.committed
        if after.fund_id is not None:
            more[after.fund_id] = more.get(after.fund_id, 0) + after.committed
    return {fund_id: points for fund_id, points in more.items() if points}


def room(fund: Fund) -> int:
    """How many points a fund can still promise."""
    return fund.points_cap - fund.committed


def _wrongs_on_offer(before: Reward, wanted: Reward, now: datetime) -> Iterator[Wrong]:
    if not life_rules.may_cost(before, wanted.price, now=now):
        until = before.price_locked_until
        assert until is not None
        yield Wrong(column="price", code="reward.price_locked", limit=utc_text(until))
    if before.fund_id is not None and wanted.fund_id != before.fund_id:
        yield Wrong(column="fund_id", code="reward.fund_fixed", limit=before.fund_id)
    turns = supply_rules.month_of(now + supply_rules.LEAD) != supply_rules.month_of(now)
    if turns and before.supply.following and _differ(before.supply, wanted.supply):
        # What was to count from the coming month on may have been read for it already.
        yield Wrong(column="quotas", code="reward.month_turns")


def _restocked(before: Reward, wanted: Reward, now: datetime) -> RewardState:
    last = wanted.supply.funded_until
    has_months = last is None or last >= supply_rules.month_of(now)
    if before.state is RewardState.SOLD_OUT and has_months:
        return life_rules.after(before.state, RewardAction.RESTOCK)
    return before.state


def _supply(before: Supply, wanted: Supply, now: datetime) -> Supply:
    if not _differ(before, wanted):
        return replace(before, funded_until=wanted.funded_until)
    holding = supply_rules.in_month(before, supply_rules.month_of(now))
    return Supply(
        quotas=holding.quotas,
        shards=holding.shards,
        following=Supply(quotas=wanted.quotas, shards=wanted.shards),
        following_from=supply_rules.changes_from(now),
        funded_until=wanted.funded_until,
    )


def _differ(before: Supply, wanted: Supply) -> bool:
    last = before.following or before
    return (dict(last.quotas), last.shards) != (dict(wanted.quotas), wanted.shards)
