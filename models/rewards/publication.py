"""Publish rewards, their funds and classes: a sheet is judged whole, and written at once.

Publishers race for one row: who loses reads again and is judged against what the winner wrote, so
that neither a fund nor the solvency of the year is promised twice.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from pynamodb.expressions.update import Action as Change

from models.base.errors import NotFound
from models.base.store import Refused, Stale, Transaction, get, get_many, retrying, scan
from models.rewards import life_rules, publication_rules, reward_sheets
from models.rewards.changes import ID
from models.rewards.entities import Fund, Reward, RewardState
from models.rewards.life_rules import By, RewardAction
from models.rewards.publishing import class_row, fund_row, row_of
from models.rewards.reward_sheets import CLASSES, FIRST_ROW, FUNDS, REWARDS, Row, SheetError
from models.rewards.solvency import Judgement
from models.rewards.solvency_entities import Verdict
from models.rewards.tables import (
    SHELF,
    ClassRow,
    FundRow,
    MerchantRow,
    RewardRow,
    ShelfRow,
)

log = logging.getLogger(__name__)

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


class Publication:
    """What admins do with the shelf."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._guard = guard

    def publish(self, draft: Draft, now: datetime, *, dry_run: bool) -> Report:
        """Make the shelf what a draft says, or say what that would change. Safe to repeat.

        Reads the whole shelf, a few dozen rows: an admin's command, never a request's.
        """
        wrong = tuple(
            error
            for kind, rows in (
                (CLASSES, draft.classes),
                (FUNDS, draft.funds),
                (REWARDS, draft.rewards),
            )
            for error in reward_sheets.errors(kind, rows)
        )
        if wrong:
            return Report(wrong=wrong)
        told: list[Report] = []

        def decide() -> Report:
            shelf = _read_shelf()
            plan, report = _judged(draft, shelf, now, self._guard)
            if report.wrong or dry_run:
                return report
            if not plan.is_empty:
                told.append(report)
                plan.commit(shelf, draft.actor)
            return told[-1] if told else report  # also when its reply was lost

        report = retrying(decide)
        if not (report.wrong or dry_run):
            facts = {"actor": draft.actor, "added": report.added, "changed": list(report.changed)}
            log.info("rewards.published", extra=facts)
        return report

    def rewards(self) -> list[Reward]:
        """Every reward that is not retired, by county and id; for an admin, never for a request."""
        found = [row.entity() for row in scan(RewardRow)]
        left = [reward for reward in found if reward.state is not RewardState.RETIRED]
        return sorted(left, key=lambda reward: (reward.county, reward.reward_id))

    def change(
        self, reward_id: str, action: RewardAction, *, actor: str, now: datetime, by: By = By.ADMIN
    ) -> RewardState:
        """Pause, resume or retire a reward; answers where it stands. Safe to repeat.

        Raises ``NotFound("reward.not_found")``, ``Conflict("reward.not_possible")``.
        """
        state = retrying(lambda: _change(reward_id, action, actor=actor, now=now, by=by))
        facts = {"reward_id": reward_id, "action": action.value, "actor": actor}
        log.info("reward.changed", extra=facts)
        return state

    def sell_out(self, now: datetime) -> int:
        """Mark what was funded up to a month that is over; answers how many. For the schedule."""
        spent = [row.reward_id for row in scan(RewardRow) if life_rules.is_spent(row.entity(), now)]
        for reward_id in spent:
            action, by = RewardAction.SELL_OUT, By.SCHEDULE
            self.change(reward_id, action, actor=by.value, now=now, by=by)
        return len(spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """Everything as it stood when it was read; ``version`` counts publications."""

    version: int
    rows: Mapping[str, RewardRow]
    rewards: Mapping[str, Reward]
    funds: Mapping[str, Fund]
    classes: Mapping[str, ClassRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be written; ``funds`` are as they stand afterwards."""

    rewards: Mapping[str, Reward]
    funds: Mapping[str, Fund]
    classes: Sequence[ClassRow]

    @property
    def is_empty(self) -> bool:
        return not (self.rewards or self.funds or self.classes)

    def commit(self, shelf: _Shelf, actor: str) -> None:
        """Write everything, if nobody has published meanwhile. Raises ``Stale``."""
        tx = Transaction()
        if shelf.version:
            counted = [ShelfRow.version.set(shelf.version + 1)]
            tx.update("shelf", ShelfRow(SHELF), counted, ShelfRow.version == shelf.version)
        else:
            tx.guard("shelf", ShelfRow(SHELF, version=1))
        for row in self.classes:
            tx.put(f"class.{row.class_id}", row)
        for fund in self.funds.values():
            tx.put(f"fund.{fund.fund_id}", fund_row(fund))
        for reward in self.rewards.values():
            _put_reward(tx, reward, shelf.rows.get(reward.reward_id), actor)
        try:
            tx.commit()
        except Refused as refused:
            raise Stale from refused


def _read_shelf() -> _Shelf:
    # The version first: what is published while the rest is read refuses the commit.
    version = get(ShelfRow, SHELF)
    rows = {row.reward_id: row for row in scan(RewardRow)}
    return _Shelf(
        version=version.version if version else 0,
        rows=rows,
        rewards={reward_id: row.entity() for reward_id, row in rows.items()},
        funds={row.fund_id: row.entity() for row in scan(FundRow) if row.fund_id != SHELF},
        classes={row.class_id: row for row in scan(ClassRow)},
    )


def _judged(
    draft: Draft, shelf: _Shelf, now: datetime, guard: Guard | None
) -> tuple[_Plan, Report]:
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


_NOTHING = _Plan(rewards={}, funds={}, classes=())


def _as_fund(shelf: _Shelf, fund: Fund) -> Fund:
    standing = shelf.funds.get(fund.fund_id)
    if standing is None:
        return fund
    return replace(fund, committed=standing.committed, synthetic=standing.synthetic)


def _error(row: int, column: str, code: str, limit: str | int | None = None) -> SheetError:
    return SheetError(sheet=REWARDS.name, row=row, column=column, code=code, limit=limit)


def _unknown(
    draft: Draft,
    wanted: Sequence[Reward],
    shelf: _Shelf,
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
    shelf: _Shelf,
    afters: Mapping[str, Reward],
    funds: Mapping[str, Fund],
    classes: Sequence[ClassRow],
) -> tuple[Report, _Plan]:
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
    plan = _Plan(
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
    shelf: _Shelf,
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


def _put_reward(tx: Transaction, reward: Reward, before: RewardRow | None, actor: str) -> None:
    row = row_of(reward)
    row.changed_by = actor
    if before is None:
        row.version = 1
        tx.guard(f"reward.{reward.reward_id}", row)
        return
    row.version = (before.version or 0) + 1
    values = row.attribute_values
    changes: list[Change] = [
        attribute.remove() if values.get(name) is None else attribute.set(values[name])
        for name, attribute in RewardRow.get_attributes().items()
        if name != "reward_id"
    ]
    tx.update(f"reward.{reward.reward_id}", row, changes, _unchanged(before))


def _unchanged(row: RewardRow) -> Any:
    if row.version is None:
        return RewardRow.version.does_not_exist()
    return RewardRow.version == row.version


def _change(
    reward_id: str, action: RewardAction, *, actor: str, now: datetime, by: By
) -> RewardState:
    row = get(RewardRow, reward_id) if ID.fullmatch(reward_id) else None
    if row is None:
        raise NotFound("reward.not_found")
    before = row.entity()
    if before.state in {step.target for step in life_rules.STEPS if step.action is action}:
        return before.state
    state = life_rules.after(before.state, action, by=by)
    after = replace(before, state=state)
    promised = before.committed
    if action is RewardAction.RETIRE:
        promised = life_rules.committed(before, after, now=now)
    tx = Transaction()
    changes = [
        RewardRow.status.set(state.value),
        RewardRow.committed.set(promised),
        RewardRow.version.set((row.version or 0) + 1),
        RewardRow.changed_by.set(actor),
    ]
    tx.update("reward", row, changes, _unchanged(row))
    if promised != before.committed and before.fund_id is not None:
        fewer = promised - before.committed
        tx.update("fund", FundRow(before.fund_id), [FundRow.committed.add(fewer)])
        # Who is publishing now has read the fund as it was.
        tx.update("shelf", ShelfRow(SHELF), [ShelfRow.schema.set(1), ShelfRow.version.add(1)])
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused
    return state
