"""The guard before a rule, a price or a quota is published: a simulated year with it and without.

Whoever publishes reads the shelf's version first and everything else after; his own transaction
then requires that version and counts it up. So of two publications that are fine alone and
insolvent together one is judged again, with the other's in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from models.base.errors import Conflict
from models.base.store import Refused, Stale, Transaction, get, retrying, scan
from models.points.acts import RuleBook
from models.points.entities import Rule
from models.rewards import solvency_sheets
from models.rewards.entities import Fund, Reward
from models.rewards.population_rules import MEMBERS_PER_COUNTY, TYPICAL
from models.rewards.solvency_entities import (
    MONTHS,
    Claims,
    Clause,
    County,
    Economy,
    Population,
    Verdict,
)
from models.rewards.solvency_ledger import Ledger
from models.rewards.solvency_rules import judge, told, worsened
from models.rewards.solvency_tables import PLAN, PlanRow
from models.rewards.supply_rules import month_of
from models.rewards.tables import SHELF, FundRow, RewardRow, ShelfRow

WRITE = "shelf"
"""The name of the write with which a judgement joins a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a year shows with a change: ``violated`` are the clauses that the change breaks.

    ``members`` are the active members that each county is judged for, ``version`` the shelf's.
    """

    verdict: Verdict
    violated: tuple[Clause, ...]
    version: int = 0
    members: Mapping[str, int] = field(default_factory=dict)

    @property
    def details(self) -> tuple[Mapping[str, Any], ...]:
        """The violated clauses as an error's details carry them: code, county and figures."""
        return tuple(
            {"code": clause.code.value, "county": clause.county, **clause.figures}
            for clause in self.violated
        )

    def require(self) -> None:
        """Raise ``Conflict("solvency.refused")`` with ``clauses`` if the change breaks any."""
        if self.violated:
            raise Conflict("solvency.refused", clauses=list(self.details))

    def join(self, tx: Transaction) -> None:
        """Publish only if nothing else was published since: the write ``shelf``, 2 write units.

        When that write is refused, read and judge again.
        """
        _count(tx, self.version)


class Solvency:
    """Judges changes before they are published.

    ``book`` reads the rules anew, ``grids`` counts the grids of each county that has begun,
    ``ledger`` is what members have. A judgement reads the shelf and the funds whole, a few dozen
    rows: for an admin's command, never for a rider's request.
    """

    def __init__(
        self,
        *,
        book: Callable[[], RuleBook],
        grids: Callable[[], Mapping[str, int]],
        ledger: Callable[[datetime], Ledger],
        population: Population = TYPICAL,
    ) -> None:
        self._book = book
        self._grids = grids
        self._ledger = ledger
        self._population = population

    def of_rules(self, drafts: Sequence[Rule], now: datetime) -> Judgement:
        """Judge versions of rules; the year begins when the first of them takes effect."""
        begins = max(now, min((d.effective_from or now for d in drafts), default=now))
        return self._judge(now, begins, rules=drafts)

    def of_rewards(
        self, rewards: Sequence[Reward], funds: Sequence[Fund], now: datetime
    ) -> Judgement:
        """Judge rewards and funds as they will be: their state, price, quotas, limits, cap."""
        return self._judge(now, now, rewards=rewards, funds=funds)

    def standing(self, now: datetime) -> Judgement:
        """What the year shows as things are; everything broken counts as violated."""
        judgement = self._judge(now, now)
        return replace(judgement, violated=told(judgement.verdict.clauses))

    def plan(self, members: Mapping[str, int], *, actor: str, now: datetime) -> None:
        """Plan counties for other numbers of active members; those not named stay as they are."""
        retrying(lambda: _plan(members, actor, now))

    def _judge(
        self,
        now: datetime,
        begins: datetime,
        *,
        rules: Sequence[Rule] = (),
        rewards: Sequence[Reward] = (),
        funds: Sequence[Fund] = (),
    ) -> Judgement:
        shelf = get(ShelfRow, SHELF)  # first: whatever is published from here on is noticed
        plan, grids = get(PlanRow, PLAN), self._grids()
        facts = _Facts(
            begins=begins,
            book=self._book(),
            rewards={row.reward_id: row.entity() for row in scan(RewardRow)},
            funds={row.fund_id: row.entity() for row in scan(FundRow) if row.fund_id != SHELF},
            members={**dict.fromkeys(grids, MEMBERS_PER_COUNTY), **(plan.members if plan else {})},
            grids=grids,
            ledger=self._ledger(now),
            population=self._population,
        )
        facts = facts.with_members_who_show(judge(facts.economy()))
        before = judge(facts.economy())
        after = judge(facts.changed(rules, rewards, funds).economy())
        return Judgement(
            verdict=after,
            violated=told(worsened(before, after)),
            version=shelf.version if shelf else 0,
            members=facts.members,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """Everything that stands, as it was read once; a year with and without a change follows."""

    begins: datetime
    book: RuleBook
    rewards: Mapping[str, Reward]
    funds: Mapping[str, Fund]
    members: Mapping[str, int]
    grids: Mapping[str, int]
    ledger: Ledger
    population: Population

    def with_members_who_show(self, year: Verdict) -> _Facts:
        """More members, where the ledger gave more in the last month than the plan explains."""
        explained, given = sum(end.issued for end in year.months), MONTHS * self.ledger.issued
        if not 0 < explained < given:
            return self
        more = {county: -(-count * given // explained) for county, count in self.members.items()}
        return replace(self, members=more)

    def changed(
        self, rules: Sequence[Rule], rewards: Sequence[Reward], funds: Sequence[Fund]
    ) -> _Facts:
        return replace(
            self,
            book=solvency_sheets.with_drafts(self.book, rules),
            rewards={**self.rewards, **{each.reward_id: each for each in rewards}},
            funds={**self.funds, **{each.fund_id: each for each in funds}},
        )

    def economy(self) -> Economy:
        first_month = month_of(self.begins)
        dearest, poorest = solvency_sheets.sheets(self.book, first_month)
        rewards = self.rewards.values()
        return Economy(
            months=solvency_sheets.months(first_month),
            sheets=dearest,
            floors=poorest,
            population=self.population,
            counties=tuple(
                County(county=county, members=count, grids=self.grids.get(county, 0))
                for county, count in sorted(self.members.items())
                if count
            ),
            items=solvency_sheets.items(rewards, first_month),
            funds=solvency_sheets.funds(self.funds.values(), rewards, self.ledger.totals),
            claims=self._claims(),
        )

    def _claims(self) -> Mapping[str, Claims]:
        """The ledger knows no counties: what stands is parted as members are, rounded up."""
        points, everybody = self.ledger.outstanding, sum(self.members.values())
        return {
            county: Claims(points=-(-points * count // everybody))
            for county, count in self.members.items()
            if count
        }


def _count(tx: Transaction, version: int) -> None:
    if version:
        counted = [ShelfRow.version.set(version + 1)]
        tx.update(WRITE, ShelfRow(SHELF), counted, ShelfRow.version == version)
    else:
        tx.guard(WRITE, ShelfRow(SHELF, version=1))


def _plan(members: Mapping[str, int], actor: str, now: datetime) -> None:
    shelf, row = get(ShelfRow, SHELF), get(PlanRow, PLAN)
    planned = {**(row.members if row else {}), **members}
    tx = Transaction()
    _count(tx, shelf.version if shelf else 0)
    tx.put(PLAN, PlanRow(PLAN, members=planned, changed_by=actor, changed_at=now))
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused
