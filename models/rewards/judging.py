"""Judge what an admin wants to publish against what stands: names, money, life and solvency."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from models.base.store import get_many
from models.rewards import publication_rules, reward_sheets
from models.rewards.entities import Fund, Reward
from models.rewards.publishing import class_row, row_of
from models.rewards.reward_sheets import FIRST_ROW, FUNDS, REWARDS, Row, SheetError
from models.rewards.shelving import Plan, Shelf
from models.rewards.solvency import Judgement
from models.rewards.solvency_entities import Verdict
from models.rewards.tables import ClassRow, MerchantRow, RewardRow

MERCHANT, STATION = "merchant:", "station:"


class Guard(Protocol):
    """Whether points stay worth something with rewards and funds as they would stand."""

    def of_rewards(
        self, rewards: Sequence[Reward], funds: Sequence[Fund], now: datetime
    ) -> Judgement:
        """Judge the year with them; what it violates is not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be published. ``actor`` names the post that does it.

    ``counties`` and ``stations`` are those that there are: rows may name no others.
    """

    actor: str
    rewards: Sequence[Row] = ()
    funds: Sequence[Row] = ()
    classes: Sequence[Row] = ()
    counties: Collection[str] = ()
    stations: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What publishing did or would do; with anything ``wrong`` nothing was written.

    ``changed`` has for each reward the columns that differ; ``states`` where every reward of the
    sheet stands then; ``clauses`` are what the guard found violated, ``year`` what it saw (None:
    there was nothing to judge).
    """

    added: tuple[str, ...] = ()
    changed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[SheetError, ...] = ()
    clauses: tuple[Mapping[str, Any], ...] = ()
    year: Verdict | None = None


def judged(draft: Draft, shelf: Shelf, now: datetime, guard: Guard | None) -> tuple[Plan, Report]:
    """What publishing a draft without errors of its own would write, and what it is told.

    With anything wrong nothing is to be written. One read, for the merchants that it names.
    """
    classes = [class_row(reward_sheets.class_of(row)) for row in draft.classes]
    named = {row["fund_id"]: reward_sheets.fund_of(row) for row in draft.funds}
    funds = {**shelf.funds, **{key: _as_fund(shelf, fund) for key, fund in named.items()}}
    wanted = [reward_sheets.reward_of(row) for row in draft.rewards]
    wrong = [*_unknown(draft, wanted, shelf, funds, {row.class_id for row in classes})]
    for number, reward in enumerate(wanted, FIRST_ROW):
        found = publication_rules.wrongs(shelf.rewards.get(reward.reward_id), reward, now=now)
        wrong += [_error(number, each.column, each.code, each.limit) for each in found]
    if wrong:
        return _NOTHING, Report(wrong=tuple(sorted(wrong, key=lambda error: error.row)))
    afters = {
        reward.reward_id: publication_rules.published(
            shelf.rewards.get(reward.reward_id), reward, now=now
        )
        for reward in wanted
    }
    more = publication_rules.drawn(shelf.rewards, afters)
    funds = {
        key: replace(fund, committed=fund.committed + more.get(key, 0))
        for key, fund in funds.items()
    }
    wrong = [*_overdrawn(wanted, funds, named, more)]
    if wrong:
        return _NOTHING, Report(wrong=tuple(wrong))
    report, plan = _difference(shelf, afters, funds, classes)
    judgement = _judgement(guard, shelf, afters, funds, now)
    if judgement is not None:
        report = replace(report, clauses=judgement.details, year=judgement.verdict)
    if report.clauses:
        refused = SheetError(sheet=REWARDS.name, row=0, column="price", code="solvency.refused")
        return _NOTHING, replace(report, wrong=(refused,))
    return plan, report


_NOTHING = Plan(rewards={}, funds={}, classes=())


def _as_fund(shelf: Shelf, fund: Fund) -> Fund:
    standing = shelf.funds.get(fund.fund_id)
    if standing is None:
        return fund
    return replace(fund, committed=standing.committed, synthetic=standing.synthetic)


def _error(row: int, column: str, code: str, limit: str | int | None = None) -> SheetError:
    return SheetError(sheet=REWARDS.name, row=row, column=column, code=code, limit=limit)


def _unknown(
    draft: Draft,
    wanted: Sequence[Reward],
    shelf: Shelf,
    funds: Mapping[str, Fund],
    new_classes: Collection[str],
) -> Iterator[SheetError]:
    """Names in the sheet that lead nowhere."""
    merchants = _merchants(wanted)
    for number, reward in enumerate(wanted, FIRST_ROW):
        if reward.class_id not in shelf.classes and reward.class_id not in new_classes:
            yield _error(number, "class_id", "class.unknown")
        if reward.fund_id is not None and reward.fund_id not in funds:
            yield _error(number, "fund_id", "fund.unknown")
        if reward.county not in draft.counties:
            yield _error(number, "county", "county.unknown")
        for county in sorted(set(reward.supply.quotas) - set(draft.counties)):
            yield _error(number, "quotas", "county.unknown", county)
        for place in reward.fulfillers:
            known = draft.stations if place.startswith(STATION) else merchants
            if place.partition(":")[2] not in known:
                yield _error(number, "fulfillers", "fulfiller.unknown", place)
    for number, row in enumerate(draft.funds, FIRST_ROW):
        if row["county"] not in draft.counties:
            yield SheetError(sheet=FUNDS.name, row=number, column="county", code="county.unknown")


def _merchants(rewards: Sequence[Reward]) -> frozenset[str]:
    ids = {
        place.removeprefix(MERCHANT)
        for reward in rewards
        for place in reward.fulfillers
        if place.startswith(MERCHANT)
    }
    rows = get_many([(MerchantRow, (each,)) for each in sorted(ids)]) if ids else []
    known = [row for row in rows if isinstance(row, MerchantRow)]
    return frozenset(row.merchant_id for row in known if row.closed_at is None)


def _overdrawn(
    wanted: Sequence[Reward],
    funds: Mapping[str, Fund],
    named: Mapping[str, Fund],
    more: Mapping[str, int],
) -> Iterator[SheetError]:
    short = {key: -publication_rules.room(fund) for key, fund in funds.items()}
    for number, key in enumerate(named, FIRST_ROW):
        if short[key] > 0 and more.get(key, 0) <= 0:
            limit = funds[key].committed
            yield SheetError(
                sheet=FUNDS.name, row=number, column="points_cap", code="fund.promised", limit=limit
            )
    for number, reward in enumerate(wanted, FIRST_ROW):
        key = reward.fund_id or ""
        if more.get(key, 0) > 0 and short[key] > 0:
            yield _error(number, "fund_id", "fund.exhausted", more[key] - short[key])


def _difference(
    shelf: Shelf,
    afters: Mapping[str, Reward],
    funds: Mapping[str, Fund],
    classes: Sequence[ClassRow],
) -> tuple[Report, Plan]:
    changed = {
        key: columns
        for key, after in afters.items()
        if key in shelf.rows and (columns := _columns(shelf.rows[key], row_of(after)))
    }
    added = tuple(key for key in afters if key not in shelf.rows)
    report = Report(
        added=added,
        changed=changed,
        states={key: after.state.value for key, after in afters.items()},
    )
    plan = Plan(
        rewards={key: afters[key] for key in (*added, *changed)},
        funds={key: fund for key, fund in funds.items() if fund != shelf.funds.get(key)},
        classes=[
            row
            for row in classes
            if row.class_id not in shelf.classes or _columns(shelf.classes[row.class_id], row)
        ],
    )
    return report, plan


def _columns(before: RewardRow | ClassRow, after: RewardRow | ClassRow) -> list[str]:
    """The columns that differ, but for those that only count changes."""
    names = {*before.attribute_values, *after.attribute_values} - {"version", "changed_by"}
    return sorted(
        name
        for name in names
        if before.attribute_values.get(name) != after.attribute_values.get(name)
    )


def _judgement(
    guard: Guard | None,
    shelf: Shelf,
    afters: Mapping[str, Reward],
    funds: Mapping[str, Fund],
    now: datetime,
) -> Judgement | None:
    moved = any(
        publication_rules.moves_value(shelf.rewards.get(key), after)
        for key, after in afters.items()
    )
    lowered = any(
        key in funds and funds[key].points_cap < fund.points_cap
        for key, fund in shelf.funds.items()
    )
    if guard is None or not (moved or lowered):
        return None
    rewards = list({**shelf.rewards, **afters}.values())
    return guard.of_rewards(rewards, list(funds.values()), now)
