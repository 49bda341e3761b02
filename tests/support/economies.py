"""Builders for a simulated year: the shipped rules, a county with a sound shelf, and changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.rewards.population_rules import TYPICAL
from models.rewards.solvency_entities import (
    MONTHS,
    Act,
    Claims,
    County,
    Economy,
    Fund,
    Item,
    Sheet,
)

WEST, EAST = "411502", "411503"
SHELF = (("haircut", 10, 200), ("reading", 20, 100), ("aid", 50, 100), ("health", 200, 50))


def acts(**changed: dict[str, Any]) -> tuple[Act, ...]:
    """The acts of domain.md §4.3; ``changed`` by rule, dots written as two underscores."""
    shipped = (
        Act(rule="report.first", points=10, urgent_bonus=10, per_day=5, group="report"),
        Act(rule="report.early", points=10, urgent_bonus=10, per_day=5, group="report"),
        Act(rule="report.joiner", points=2),
        Act(rule="recheck.passed", points=3, per_day=5),
        Act(rule="station.check_in", points=1, per_day=1, per_month=20),
        Act(rule="correction.accepted", points=5, per_day=5),
        Act(rule="service.hour", points=10, per_day=4),
        Act(rule="activity.attended", points=5, per_week=2),
        Act(rule="hardship.grant", points=60, per_month=1, counts=False),
    )
    changes = {rule.replace("__", "."): change for rule, change in changed.items()}
    return tuple(replace(act, **changes.get(act.rule, {})) for act in shipped)


def a_sheet(
    per_day: int | None = 60, per_month: int | None = 600, **changed: dict[str, Any]
) -> Sheet:
    return Sheet(acts=acts(**changed), per_day=per_day, per_month=per_month)


def items(
    county: str = WEST, fund_id: str | None = None, shelf: tuple[tuple[str, int, int], ...] = SHELF
) -> tuple[Item, ...]:
    return tuple(
        Item(
            reward_id=f"{county}-{name}",
            county=county,
            price=price,
            quota=quota,
            fund_id=fund_id or f"fund-{county}",
        )
        for name, price, quota in shelf
    )


def an_economy(
    *,
    sheet: Sheet | None = None,
    sheets: tuple[Sheet, ...] | None = None,
    members: int = 600,
    on_offer: tuple[Item, ...] | None = None,
    fund: int = 250_000,
    claims: Claims | None = None,
) -> Economy:
    """One county that passes, but for what is said otherwise."""
    return Economy(
        months=tuple(f"{2026 + n // 12}-{n % 12 + 1:02d}" for n in range(11, 23)),
        sheets=sheets or (sheet or a_sheet(),) * MONTHS,
        population=TYPICAL,
        counties=(County(county=WEST, members=members),),
        items=items() if on_offer is None else on_offer,
        funds=(Fund(fund_id=f"fund-{WEST}", points=fund),),
        claims={WEST: claims or Claims()},
    )


def two_counties(
    *, east: tuple[Item, ...] | None = None, funds: tuple[Fund, ...] | None = None
) -> Economy:
    """Two counties that pass, each with a fund of its own, but for what is said otherwise."""
    economy = an_economy()
    return replace(
        economy,
        counties=(County(county=WEST, members=600), County(county=EAST, members=600)),
        items=(*items(), *(items(EAST) if east is None else east)),
        funds=funds or tuple(Fund(fund_id=f"fund-{c}", points=250_000) for c in (WEST, EAST)),
    )
