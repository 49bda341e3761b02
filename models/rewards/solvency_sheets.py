"""From what is published to what a year is judged from: sheets of acts, items on the shelf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from models.base.clock import CHINA
from models.base.errors import NotFound
from models.points.acts import TOTALS, RuleBook
from models.points.entities import Rule
from models.rewards.entities import Fund, Limit, Reward, RewardState
from models.rewards.solvency_entities import MONTHS, Act, Item, Sheet
from models.rewards.solvency_entities import Fund as Funded
from models.rewards.supply_rules import month_after

ON_OFFER = frozenset({RewardState.PUBLISHED, RewardState.SOLD_OUT})
"""What is sold out has its quota again next month."""
YEAR_DAYS = 365
REACH_DAYS = 60
WITH_GRID = ("report.", "recheck.", "station.")
"""Acts that always name a grid: a campaign's budget bounds no other."""


def months(first: str) -> tuple[str, ...]:
    """The twelve months of a year that begins with one."""
    return tuple(month_after(first, count) for count in range(MONTHS))


def sheets(book: RuleBook, first_month: str) -> tuple[tuple[Sheet, ...], tuple[Sheet, ...]]:
    """The acts of twelve months, as dear as any version in a month, and as poor as any."""
    found = [_versions(book, month) for month in months(first_month)]
    return tuple(map(_dearest, found)), tuple(map(_poorest, found))


def with_drafts(book: RuleBook, drafts: Iterable[Rule]) -> RuleBook:
    """The book as it is once the drafts are published."""
    versions = dict(book.versions)
    for draft in drafts:
        versions[draft.rule] = (*versions.get(draft.rule, ()), draft)
    return RuleBook(versions)


def items(rewards: Iterable[Reward], first_month: str) -> tuple[Item, ...]:
    """What is on offer in each county, with the quotas that will hold."""
    return tuple(
        Item(
            reward_id=reward.reward_id,
            county=county,
            price=reward.price,
            quota=quota,
            fund_id=reward.fund_id or "",
            per_member=_a_year(reward.limit),
            months=_months(reward, first_month),
            is_open=_is_open(reward),
        )
        for reward in rewards
        if reward.state in ON_OFFER
        for county, quota in (reward.supply.following or reward.supply).quotas.items()
    )


def funds(
    put_up: Iterable[Fund], rewards: Iterable[Reward], totals: Mapping[str, int]
) -> tuple[Funded, ...]:
    """What each fund can still carry: its cap without what its rewards have taken so far."""
    taken: dict[str, int] = {}
    for reward in rewards:
        fund_id = reward.fund_id or ""
        taken[fund_id] = taken.get(fund_id, 0) + totals.get(f"red:{reward.reward_id}", 0)
    return tuple(
        Funded(fund_id=fund.fund_id, points=fund.points_cap - taken.get(fund.fund_id, 0))
        for fund in put_up
    )


def _versions(book: RuleBook, month: str) -> Mapping[str, list[Rule | None]]:
    """Each rule's versions that hold at some instant of a month; None: at some none does."""
    start, end = _start(month), _start(month_after(month))
    bounds = {
        bound
        for versions in book.versions.values()
        for one in versions
        for bound in (one.effective_from, one.effective_to)
        if bound is not None and start < bound < end
    }
    return {
        rule: list({_at(book, rule, at): None for at in (start, *sorted(bounds))})
        for rule in book.versions
    }


def _at(book: RuleBook, rule: str, at: datetime) -> Rule | None:
    try:
        return book.at(rule, at)
    except NotFound:
        return None


def _start(month: str) -> datetime:
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=CHINA)


def _dearest(found: Mapping[str, list[Rule | None]]) -> Sheet:
    held = {rule: [one for one in versions if one] for rule, versions in found.items()}
    overall = held.get(TOTALS) or []
    return Sheet(
        acts=tuple(
            Act(
                rule=rule,
                points=max(one.points for one in some),
                urgent_bonus=max(one.urgent_bonus for one in some),
                per_day=_loosest([one.per_day for one in some]),
                per_week=_loosest([one.per_week for one in some]),
                per_month=_loosest([one.per_month for one in some]),
                group=some[-1].group,
                counts=all(one.counts for one in some),
                budget_a_day=_loosest([_budget(one) for one in some]),
            )
            for rule, some in held.items()
            if some and rule != TOTALS
        ),
        per_day=_loosest([one.per_day for one in overall]),
        per_month=_loosest([one.per_month for one in overall]),
    )


def _poorest(found: Mapping[str, list[Rule | None]]) -> Sheet:
    held = {
        rule: [one for one in versions if one]
        for rule, versions in found.items()
        if None not in versions
    }
    overall = held.get(TOTALS) or []
    return Sheet(
        acts=tuple(
            Act(
                rule=rule,
                points=min(one.points for one in some),
                urgent_bonus=min(one.urgent_bonus for one in some),
                per_day=_tightest(one.per_day for one in some),
                per_week=_tightest(one.per_week for one in some),
                per_month=_tightest(one.per_month for one in some),
                group=some[-1].group,
                counts=any(one.counts for one in some),
                budget_a_day=_tightest(one.budget_per_grid_day for one in some),
            )
            for rule, some in held.items()
            if rule != TOTALS
        ),
        per_day=_tightest(one.per_day for one in overall),
        per_month=_tightest(one.per_month for one in overall),
    )


def _budget(rule: Rule) -> int | None:
    is_bound = rule.campaign is not None and rule.rule.startswith(WITH_GRID)
    return rule.budget_per_grid_day if is_bound else None


def _loosest(caps: Sequence[int | None]) -> int | None:
    known = [cap for cap in caps if cap is not None]
    return max(known) if known and len(known) == len(caps) else None


def _tightest(caps: Iterable[int | None]) -> int | None:
    return min((cap for cap in caps if cap is not None), default=None)


def _a_year(limit: Limit | None) -> int | None:
    return None if limit is None else limit.count * max(1, YEAR_DAYS // limit.days)


def _months(reward: Reward, first_month: str) -> int:
    """For how many of the next twelve months its quota is funded."""
    until = reward.supply.funded_until
    return sum(1 for month in months(first_month) if until is None or month <= until)


def _is_open(reward: Reward) -> bool:
    """Whether the member in the middle may simply take it."""
    asked = reward.eligibility
    may_anyone = not asked.occupations and asked.member_days <= REACH_DAYS
    return may_anyone and not reward.needs_approval
