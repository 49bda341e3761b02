"""The budgets of the performance figures, and how a figure is written down.

*Source:* the product's performance budget. ``make bench`` counts or measures each; one over its
budget is written as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a figure may be at most; for a rate, ``is_floor``, what it must be at least."""

    name: str
    limit: float
    unit: str
    is_floor: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value is within the budget."""
        return value >= self.limit if self.is_floor else value <= self.limit


DIGITS_BY_UNIT = {"share": 4}

RUSH_MS = 500
"""Sixteen riders at once on two cores. A tap that is answered within half a second needs no waiting
sign; measured were 340 ms while the machine had five times its load to do."""

BUDGETS = (
    Budget(name="auth.sequential_calls", limit=1, unit="calls"),
    Budget(name="submit.sequential_calls", limit=2, unit="calls"),
    Budget(name="submit.write_units_1_photo", limit=18, unit="write units"),
    Budget(name="submit.write_units_9_photos", limit=34, unit="write units"),
    Budget(name="check_in.write_units", limit=16, unit="write units"),
    Budget(name="redeem.write_units", limit=18, unit="write units"),
    Budget(name="earn.write_units", limit=14, unit="write units"),
    Budget(name="earn.sequential_calls", limit=2, unit="calls"),
    Budget(name="reserve.write_units", limit=18, unit="write units"),
    Budget(name="settle.write_units", limit=10, unit="write units"),
    Budget(name="claim.write_units", limit=24, unit="write units"),
    Budget(name="close.write_units", limit=24, unit="write units"),
    Budget(name="escalate.write_units_per_case", limit=14, unit="write units"),
    Budget(name="nearby.queries", limit=4, unit="queries"),
    Budget(name="list100.calls", limit=2, unit="calls"),
    Budget(name="submit.cpu_ms", limit=8, unit="ms"),
    Budget(name="list100.cpu_ms", limit=25, unit="ms"),
    Budget(name="http.submit_per_s_8_clients", limit=100, unit="1/s", is_floor=True),
    Budget(name="http.submit_p50_ms_1_client", limit=25, unit="ms"),
    Budget(name="redeem.p95_ms_rush", limit=RUSH_MS, unit="ms"),
    Budget(name="nearby.growth", limit=1.2, unit="×"),
    Budget(name="nearby.p95_ms_200k", limit=50, unit="ms"),
    Budget(name="escalate.growth", limit=1.2, unit="×"),
    Budget(name="calendar.us", limit=50, unit="µs"),
    Budget(name="duplicates.precision", limit=0.97, unit="share", is_floor=True),
    Budget(name="duplicates.recall", limit=0.92, unit="share", is_floor=True),
    Budget(name="ledger.verify_1m_s", limit=30, unit="s"),
    Budget(name="ledger.read_50k_s", limit=30, unit="s"),
    Budget(name="wallet.bytes_25_buckets", limit=1024, unit="bytes"),
)


def figures(value_by_name: Mapping[str, float]) -> list[dict[str, Any]]:
    """Write every budgeted figure as ``build/bench.json`` holds it.

    Raises ValueError for a value without a budget, or a budget without a value.
    """
    strays = set(value_by_name) ^ {budget.name for budget in BUDGETS}
    if strays:
        raise ValueError(f"figures and budgets differ: {sorted(strays)}")
    return [
        {
            "name": budget.name,
            "value": round(value_by_name[budget.name], DIGITS_BY_UNIT.get(budget.unit, 2)),
            "unit": budget.unit,
            "budget": budget.limit,
            "ok": budget.holds(value_by_name[budget.name]),
        }
        for budget in BUDGETS
    ]


def write(found: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Keep the figures in the form that `make prove` uses too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"figures": list(found)}, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """The figures as text, one a line; what is over its budget is marked."""
    return "\n".join(
        f"{'' if figure['ok'] else '超出 over':<10}{figure['name']:<34}"
        f"{figure['value']:>10g} {figure['unit']:<12}(budget {figure['budget']:g})"
        for figure in found
    )
