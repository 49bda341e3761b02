"""The story costs what its budgets allow: counted on a whole stack, engine and simulator real."""

from __future__ import annotations

import os
from unittest.mock import patch

import pytest

from handlers import wiring
from infra.bench import points
from infra.bench.budgets import BUDGETS
from infra.bench.costs import Costs
from infra.local.seed import plant
from infra.local.stack import temporary_stack

COUNTED = [
    budget
    for budget in BUDGETS
    if budget.unit in ("calls", "queries", "write units") and budget.name not in points.COUNTED
]


@pytest.fixture(scope="module")
def costs() -> dict[str, float]:
    """Every counted figure, by name."""
    quiet = frozenset({"pump", "photos", "api"})
    with patch.dict(os.environ), temporary_stack(in_memory=True, without=quiet) as stack:
        plant.in_stack(stack)
        try:
            return Costs(stack).measure()
        finally:
            wiring.use_services(None)


@pytest.mark.slow
@pytest.mark.parametrize("budget", COUNTED, ids=lambda budget: str(budget.name))
def test_what_is_counted_stays_within_its_budget(budget: object, costs: dict[str, float]) -> None:
    assert budget.holds(costs[budget.name])  # type: ignore[attr-defined]


def test_every_counted_budget_is_counted(costs: dict[str, float]) -> None:
    assert set(costs) == {budget.name for budget in COUNTED}
