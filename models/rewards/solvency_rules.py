"""Whether points stay worth something: a simulated year, judged by five clauses.

Nobody redeems in the simulated year. That is the worst case and needs no guess about who redeems:
a redemption takes as many points from the liability as from its fund, and leaves the quotas of
later months untouched; so who keeps his points is the one that makes the year fail.
Points that are given now live longer than the year, so only what stands already can lapse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from models.rewards.flow_rules import uncarried
from models.rewards.issue_rules import (
    REACH_MONTHS,
    Earnings,
    earnings,
    heads_of,
    issued,
    reached,
    whole,
)
from models.rewards.solvency_entities import (
    Broken,
    Claims,
    Clause,
    County,
    Economy,
    Item,
    MonthEnd,
    Reach,
    Verdict,
)

LIFETIME_YEARS = 2
"""Points live 24 months: more than two years' earnings nobody can ever hold."""


def judge(economy: Economy) -> Verdict:
    """What the year shows: every violated clause, each month's end, and each county's reach."""
    year = tuple(
        earnings(sheet, economy.population, month)
        for month, sheet in enumerate(economy.sheets, start=1)
    )
    months = tuple(end for county in economy.counties for end in _months(economy, county, year))
    reaches = tuple(_reach(economy, county) for county in economy.counties)
    clauses = (
        *_uncovered(months),
        *_underfunded(economy, months),
        *(clause for reach in reaches for clause in _unreached(reach)),
        *(clause for county in economy.counties for clause in _stranded(economy, county, year)),
    )
    return Verdict(clauses=clauses, months=months, reaches=reaches)


def worsened(before: Verdict, after: Verdict) -> tuple[Clause, ...]:
    """The clauses that a change violates: those that it breaks, or breaks further than they were.

    What was broken already and gets no worse does not hold up a change, or nothing could be healed
    step by step.
    """
    lacked = {(clause.code, clause.county): clause.lack for clause in before.clauses}
    return tuple(
        clause
        for clause in after.clauses
        if clause.lack > lacked.get((clause.code, clause.county), 0)
    )


def told(clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """Clauses without those that only echo another one."""
    said = {(clause.code, clause.county) for clause in clauses}
    return tuple(c for c in clauses if c.echoes is None or (c.echoes, c.county) not in said)


def stock_points(economy: Economy, items: Sequence[Item], members: int) -> int:
    """Points that twelve months' quotas of items take in, as far as their funds carry it.

    ``members`` may take no more than the items' limits let them.
    """
    by_fund: dict[str, int] = {}
    for item in items:
        by_fund[item.fund_id] = by_fund.get(item.fund_id, 0) + _year_of(item, members)
    carried = {fund.fund_id: max(0, fund.points) for fund in economy.funds}
    return sum(min(points, carried.get(fund_id, 0)) for fund_id, points in by_fund.items())


def _months(economy: Economy, county: County, year: Sequence[Earnings]) -> Iterator[MonthEnd]:
    claims = economy.claims.get(county.county, Claims())
    stock = stock_points(economy, _of(economy, county), sum(heads_of(county, economy.population)))
    liability = claims.points
    months = zip(economy.months, economy.sheets, year, strict=True)
    for number, (month, sheet, earned) in enumerate(months, start=1):
        gained = issued(earned, sheet, county, economy.population)
        lapsed = min(claims.lapsing.get(number, 0), liability)
        liability += gained - lapsed
        yield MonthEnd(
            month=month,
            county=county.county,
            issued=gained,
            lapsed=lapsed,
            liability=liability,
            stock=stock,
        )


def _uncovered(months: Sequence[MonthEnd]) -> Iterator[Clause]:
    """A county owes more at a month's end than its own stock takes in."""
    for county in dict.fromkeys(end.county for end in months):
        short = [end for end in months if end.county == county and end.liability > end.stock]
        if short:
            worst = max(short, key=lambda end: end.liability)
            yield Clause(
                code=Broken.UNCOVERED,
                county=county,
                lack=worst.liability - worst.stock,
                figures={
                    "month": short[0].month,
                    "worst_month": worst.month,
                    "liability": worst.liability,
                    "stock": worst.stock,
                    "short": worst.liability - worst.stock,
                },
            )


def _underfunded(economy: Economy, months: Sequence[MonthEnd]) -> Iterator[Clause]:
    """Counties that share funds are covered each, but not all of them together."""
    stock = {
        (county.county, fund.fund_id): _edge(economy, county, fund.fund_id)
        for county in economy.counties
        for fund in economy.funds
    }
    funds = {fund.fund_id: max(0, fund.points) for fund in economy.funds}
    first = ""
    worst: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    for month in dict.fromkeys(end.month for end in months):
        # What a county lacks by itself is said of the county already.
        claims = {e.county: min(e.liability, e.stock) for e in months if e.month == month}
        short, blamed = uncarried(claims, stock, funds)
        first = first or (month if short else "")
        worst = max(worst, (short, sum(claims.values()), blamed), key=lambda one: one[0])
    short, owed, blamed = worst
    if short:
        figures: dict[str, int | str] = {
            "month": first,
            "funds": ", ".join(blamed),
            "liability": owed,
        }
        yield Clause(
            code=Broken.UNDERFUNDED,
            county=None,
            lack=short,
            figures={**figures, "stock": owed - short, "short": short},
        )


def _edge(economy: Economy, county: County, fund_id: str) -> int:
    heads = sum(heads_of(county, economy.population))
    return sum(_year_of(item, heads) for item in _of(economy, county) if item.fund_id == fund_id)


def _reach(economy: Economy, county: County) -> Reach:
    """The worst 60 days of the year; those who are busier take an item each before him."""
    population = economy.population
    months = economy.floors or economy.sheets
    points = min(reached(pair, population) for pair in pairwise(months))
    open_items = [
        item for item in _of(economy, county) if item.is_open and item.quota * item.months
    ]
    heads = heads_of(county, population)
    return Reach(
        county=county.county,
        points=points,
        cheapest=min((item.price for item in open_items), default=None),
        units=_units(economy, [item for item in open_items if item.price <= points]),
        needed=sum(heads[population.median :]),
    )


def _units(economy: Economy, items: Sequence[Item]) -> int:
    """How many items 60 days have in stock, the cheapest first where a fund does not carry all."""
    carried = {fund.fund_id: max(0, fund.points) for fund in economy.funds}
    units = 0
    for item in sorted(items, key=lambda item: item.price):
        payable = carried.get(item.fund_id, 0) // item.price
        taken = min(min(REACH_MONTHS, item.months) * item.quota, payable)
        carried[item.fund_id] = carried.get(item.fund_id, 0) - taken * item.price
        units += taken
    return units


def _unreached(reach: Reach) -> Iterator[Clause]:
    if reach.cheapest is None:
        yield Clause(code=Broken.EMPTY, county=reach.county, lack=1, figures={})
    elif reach.cheapest > reach.points:
        yield Clause(
            code=Broken.UNREACHABLE,
            county=reach.county,
            lack=reach.cheapest - reach.points,
            figures={"points": reach.points, "cheapest": reach.cheapest},
        )
    elif reach.units < reach.needed:
        yield Clause(
            code=Broken.SCARCE,
            county=reach.county,
            lack=reach.needed - reach.units,
            figures={"points": reach.points, "units": reach.units, "needed": reach.needed},
        )


def _stranded(economy: Economy, county: County, year: Sequence[Earnings]) -> Iterator[Clause]:
    """Members up to some group hold more than is in stock at prices that they can ever pay.

    Dear items cover nothing for those who never reach them. Stock is nested by price as groups are
    by earnings, so each group, from the middle one on, is looked at together with all idler ones.
    What stands already belongs to no known group and is left out.
    """
    items, population = _of(economy, county), economy.population
    worst: Clause | None = None
    points = heads = 0
    for group, members in enumerate(heads_of(county, population)[:-1]):
        lifetime = LIFETIME_YEARS * sum(whole(earned.free[group]) for earned in year)
        heads += members
        points += members * lifetime // LIFETIME_YEARS
        within = [item for item in items if item.price <= lifetime]
        stock = stock_points(economy, within, heads)
        lack = points - stock
        if group >= population.median and lack > (worst.lack if worst else 0):
            share = 100 * (group + 1) // len(population.groups)
            figures = {"share": share, "points": points, "stock": stock}
            is_by_price = stock < stock_points(economy, items, heads)
            worst = Clause(
                code=Broken.STRANDED,
                county=county.county,
                lack=lack,
                figures={**figures, "lifetime": lifetime},
                echoes=None if is_by_price else Broken.UNCOVERED,
            )
    if worst:
        yield worst


def _of(economy: Economy, county: County) -> list[Item]:
    return [item for item in economy.items if item.county == county.county]


def _year_of(item: Item, members: int) -> int:
    """Points that its funded quotas of a year take in, as far as members may take them."""
    units = item.months * item.quota
    if item.per_member is not None:
        units = min(units, members * item.per_member)
    return units * item.price
