"""How many points a population earns in a month, from above; and one member, from below.

Amounts inside are thousandths of a point, so that a bonus for one report in five stays whole.
From above means: rounded up, the best paid act first, in a month of 31 days that six weeks touch.
From below means: rounded down, in a month of four weeks. So a verdict errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.rewards.solvency_entities import MONTHS, Act, County, Population, Sheet

THOUSANDTHS = 1_000
REACH_MONTHS = 2
"""60 days. *Source:* domain.md §4.3, reachability."""


class Span(NamedTuple):
    """How often a month lets caps of a day and of a week begin anew."""

    days: int
    weeks: int


LONGEST, SHORTEST = Span(31, 6), Span(28, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """What one of each group, and last a hunter, earns in a month, in thousandths.

    ``free`` leaves out the acts that a budget bounds; ``budgeted`` has those by rule.
    """

    full: tuple[int, ...]
    free: tuple[int, ...]
    budgeted: Mapping[str, tuple[int, ...]]


def earnings(sheet: Sheet, population: Population, month: int) -> Earnings:
    """What everybody earns at most in the ``month``-th month (1 to 12)."""
    wishes = [
        *(_wished(sheet, population, group, month) for group in range(len(population.groups))),
        _hunted(sheet, population),
    ]
    full = [_capped(sheet, population, wished, LONGEST) for wished in wishes]
    bounded = [act for act in sheet.acts if act.budget_a_day is not None]
    in_full = tuple(_amount(sheet, units, population) for units in full)
    free = replace(sheet, acts=tuple(act for act in sheet.acts if act.budget_a_day is None))
    return Earnings(
        full=in_full,
        free=in_full
        if not bounded
        else tuple(
            _amount(free, _capped(free, population, wished, LONGEST), population)
            for wished in wishes
        ),
        budgeted={
            act.rule: tuple(units[act.rule] * _worth(act, population) for units in full)
            for act in bounded
        },
    )


def issued(month: Earnings, sheet: Sheet, county: County, population: Population) -> int:
    """Points that a county's members earn at most in a month."""
    heads = heads_of(county, population)
    bounded = sum(
        min(act.budget_a_day * county.grids * LONGEST.days * THOUSANDTHS, _sum(heads, each))
        for act in sheet.acts
        if act.budget_a_day is not None and (each := month.budgeted[act.rule])
    )
    earned = min(_sum(heads, month.full), _sum(heads, month.free) + bounded)
    return whole(earned + _granted(sheet, county, population))


def whole(thousandths: int) -> int:
    """Points, rounded up."""
    return -(-thousandths // THOUSANDTHS)


def reached(two_months: Sequence[Sheet], population: Population) -> int:
    """Points that the member in the middle surely has after two months that are paid like these.

    Only what he decides himself and no budget ends; no bonus, no report that he makes but seldom.
    """
    return sum(_surely(sheet, population, month) for month, sheet in enumerate(two_months, start=1))


def heads_of(county: County, population: Population) -> tuple[int, ...]:
    """How many of a county's members are in each group, and beside them the hunters."""
    count = len(population.groups)
    return (
        *(
            county.members * (group + 1) // count - county.members * group // count
            for group in range(count)
        ),
        -(-county.members * population.hunters_permille // 1_000),
    )


def most(act: Act, span: Span) -> int | None:
    """How many units of an act are paid in a month at most; None: no cap."""
    caps = (
        None if act.per_day is None else act.per_day * span.days,
        None if act.per_week is None else act.per_week * span.weeks,
        act.per_month,
    )
    return min((cap for cap in caps if cap is not None), default=None)


def _surely(sheet: Sheet, population: Population, month: int) -> int:
    wished = {
        act.rule: _by(population, act, month) - _by(population, act, month - 1)
        for act in sheet.acts
        if act.budget_a_day is None and act.rule not in population.grants_permille
    }
    units = _capped(sheet, population, wished, SHORTEST)
    counted = sum(units[a.rule] * _at_most(sheet, a.points) for a in sheet.acts if a.counts)
    rest = sum(units[a.rule] * a.points for a in sheet.acts if not a.counts)
    return _under_total(sheet, counted, SHORTEST) + rest


def _by(population: Population, act: Act, month: int) -> int:
    """How often the member in the middle has surely done an act by the end of a month."""
    return _times(population, population.median, act.rule) * month // MONTHS


def _granted(sheet: Sheet, county: County, population: Population) -> int:
    """What an authority gives: to so many members, as often a month as the cap allows."""
    return sum(
        -(-county.members * population.grants_permille[act.rule] // 1_000)
        * (most(act, LONGEST) or 1)
        * act.points
        * THOUSANDTHS
        for act in sheet.acts
        if act.rule in population.grants_permille
    )


def _wished(sheet: Sheet, population: Population, group: int, month: int) -> Mapping[str, int]:
    """How often one of a group does each act in a month; what is rare comes early in the year."""
    times = {act.rule: _times(population, group, act.rule) for act in sheet.acts}
    return {
        rule: -(-often * month // MONTHS) - -(-often * (month - 1) // MONTHS)
        for rule, often in times.items()
    }


def _hunted(sheet: Sheet, population: Population) -> Mapping[str, int]:
    """What a hunter does in a month: everything, as often as it can be done."""
    default = population.otherwise_feasible
    return {
        act.rule: LONGEST.days * population.feasible.get(act.rule, default) for act in sheet.acts
    }


def _times(population: Population, group: int, rule: str) -> int:
    return population.groups[group].get(rule, population.otherwise)


def _capped(
    sheet: Sheet, population: Population, wished: Mapping[str, int], span: Span
) -> Mapping[str, int]:
    """Units that are paid; acts of one group use up one cap, the best paid first."""
    used: dict[str, int] = {}
    paid = {}
    for act in sorted(sheet.acts, key=lambda act: (-_worth(act, population), act.rule)):
        group, cap, units = act.group or act.rule, most(act, span), wished.get(act.rule, 0)
        if cap is not None:
            units = max(0, min(units, cap - used.get(group, 0)))
        used[group] = used.get(group, 0) + units
        paid[act.rule] = units
    return paid


def _amount(sheet: Sheet, units: Mapping[str, int], population: Population) -> int:
    """What units are worth to one member, in thousandths, under the overall caps."""
    worth = {a.rule: _at_most(sheet, _worth(a, population), THOUSANDTHS) for a in sheet.acts}
    counted = sum(units[a.rule] * worth[a.rule] for a in sheet.acts if a.counts)
    rest = sum(units[a.rule] * _worth(a, population) for a in sheet.acts if not a.counts)
    return _under_total(sheet, counted, LONGEST, THOUSANDTHS) + rest


def _worth(act: Act, population: Population) -> int:
    return act.points * THOUSANDTHS + act.urgent_bonus * population.urgent_permille


def _at_most(sheet: Sheet, amount: int, scale: int = 1) -> int:
    """What is granted for one unit: the overall cap of its day reduces it."""
    return amount if sheet.per_day is None else min(amount, sheet.per_day * scale)


def _under_total(sheet: Sheet, amount: int, span: Span, scale: int = 1) -> int:
    caps = (sheet.per_month, None if sheet.per_day is None else sheet.per_day * span.days)
    return min([amount, *(cap * scale for cap in caps if cap is not None)])


def _sum(heads: Sequence[int], each: Sequence[int]) -> int:
    return sum(count * amount for count, amount in zip(heads, each, strict=True))
