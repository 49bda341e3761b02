"""Figures are written as they are, each beside its budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.bench.budgets import BUDGETS, figures, table, write

WITHIN = {budget.name: budget.limit for budget in BUDGETS}


def test_a_figure_at_its_budget_is_within_it() -> None:
    assert all(figure["ok"] for figure in figures(WITHIN))


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.name)
def test_a_figure_beyond_its_budget_is_reported_as_it_is(budget: object) -> None:
    name = budget.name  # type: ignore[attr-defined]
    beyond = WITHIN[name] - 0.01 if budget.is_floor else WITHIN[name] + 1  # type: ignore[attr-defined]

    figure = next(found for found in figures(WITHIN | {name: beyond}) if found["name"] == name)

    assert (figure["value"], figure["ok"]) == (beyond, False)


def test_a_figure_left_out_is_noticed() -> None:
    incomplete = {name: value for name, value in WITHIN.items() if name != "claim.write_units"}

    with pytest.raises(ValueError, match=r"claim\.write_units"):
        figures(incomplete)


def test_the_file_holds_figures_as_the_contract_says(tmp_path: Path) -> None:
    write(figures(WITHIN), tmp_path / "build" / "bench.json")

    written = json.loads((tmp_path / "build" / "bench.json").read_text())

    assert set(written) == {"figures"}
    assert all(
        set(figure) == {"name", "value", "unit", "budget", "ok"} for figure in written["figures"]
    )


def test_the_table_marks_what_is_over() -> None:
    lines = table(figures(WITHIN | {"submit.cpu_ms": 8.1})).splitlines()

    assert [line.split()[2] for line in lines if line.startswith("超出")] == ["submit.cpu_ms"]
