"""``make bench``: count and measure the figures of the performance budget.

Writes ``build/bench.json`` and prints a table. A figure over its budget is written as it is, and
the command succeeds all the same: it reports, the README explains.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from infra.bench import calendar, growth, ledger, points, rush
from infra.bench.budgets import figures, table, write
from infra.bench.costs import Costs
from infra.bench.duplicates import scoring
from infra.bench.speed import Speed
from infra.local.seed import plant
from infra.local.stack import ROOT, temporary_stack

OUTPUT = ROOT / "build" / "bench.json"


def measure() -> list[dict[str, Any]]:
    """Every figure: what needs no stack, speed on a stack of its own, costs on another."""
    values = {"calendar.us": calendar.cost_us(), **scoring.measure(), **growth.measure()}
    values |= ledger.verify_1m() | points.measure()
    with temporary_stack(in_memory=True, without=frozenset({"pump", "photos"})) as stack:
        plant.in_stack(stack)
        values |= Speed(stack, Path(stack.home)).measure()
        values |= rush.measure(stack, Path(stack.home))
    with temporary_stack(in_memory=True, without=frozenset({"pump", "photos", "api"})) as stack:
        plant.in_stack(stack)
        values |= Costs(stack).measure()
    print(values, file=sys.stderr)  # also when a figure turns out to have no budget
    return figures(values)


def main() -> int:
    """Measure, write, print."""
    found = measure()
    write(found, OUTPUT)
    print(table(found))
    print(_machine())
    return 0


def _machine() -> str:
    """What the times were measured on, and how busy it was with other things too."""
    return f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
