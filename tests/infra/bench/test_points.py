"""An award, a reservation and a handover write what their budgets allow, and no less is counted."""

from __future__ import annotations

import pytest

from infra.bench import points
from infra.bench.budgets import BUDGETS
from models.base.tables import Database

LEAST = {
    "earn.write_units": 6,
    "earn.sequential_calls": 2,
    "reserve.write_units": 12,
    "settle.write_units": 8,
}
"""Wallet, entry and transfer alone are six units: a figure below its own would count nothing."""


@pytest.fixture
def counted(database: Database) -> dict[str, float]:
    return points.count()


def test_points_and_rewards_write_no_more_than_their_budgets(counted: dict[str, float]) -> None:
    limits = {budget.name: budget for budget in BUDGETS if budget.name in points.COUNTED}

    assert set(counted) == set(limits) == set(points.COUNTED)
    assert [name for name, value in counted.items() if not limits[name].holds(value)] == []
    assert [name for name, value in counted.items() if value < LEAST[name]] == []
