"""What a member has had is read from his months, and written back with one award more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from models.points import budgets, caps
from models.points.acts import Grant, Used
from models.points.cap_tables import BudgetRow, CapRow
from models.points.entities import Act, Rule

NOW = datetime(2026, 3, 31, 4, tzinfo=UTC)
RULE = Rule(rule="r", version=1, points=5, cap_group="g")
WEEKLY = Rule(rule="r", version=1, points=5, per_week=2)
ACT = Act(rule="r", at=NOW)
TEN = Grant(gross=10, units=2, granted=10)


def a_month(
    month: str, points: Mapping[str, int], acts: Mapping[str, Mapping[str, int]], version: int = 7
) -> CapRow:
    return CapRow("mbr_1", month, version=version, points=points, acts=acts, ttl=1)


@pytest.mark.parametrize(
    ("rule", "day", "months"),
    [
        (RULE, "2026-04-01", ["2026-04"]),
        (WEEKLY, "2026-04-01", ["2026-04", "2026-03"]),
        (WEEKLY, "2026-03-31", ["2026-03", "2026-04"]),
        (WEEKLY, "2026-04-05", ["2026-04", "2026-03"]),  # a Sunday
        (WEEKLY, "2026-04-06", ["2026-04"]),
        (WEEKLY, "2026-12-31", ["2026-12", "2027-01"]),
        (WEEKLY, "2027-01-03", ["2027-01", "2026-12"]),
    ],
)
def test_a_week_that_lies_in_two_months_needs_both_rows(
    rule: Rule, day: str, months: list[str]
) -> None:
    assert caps.months_of(rule, day) == months


def test_who_has_no_row_has_had_nothing() -> None:
    assert caps.used([None, None], "g", "2026-03-31") == Used()
    assert caps.used([], "g", "2026-03-31") == Used()


def test_days_weeks_and_months_are_told_apart() -> None:
    march = a_month("2026-03", {"29": 1, "30": 2, "31": 4}, {"g": {"29": 1, "30": 2, "31": 3}})
    april = a_month("2026-04", {"01": 50}, {"g": {"05": 10, "06": 99}, "h": {"31": 7}})

    assert caps.used([march, april], "g", "2026-03-31") == Used(
        day=3, week=2 + 3 + 10, month=6, points_day=4, points_month=7
    )
    assert caps.used([march, april], "h", "2026-03-31") == Used(points_day=4, points_month=7)


def test_a_first_award_makes_the_row_and_a_later_one_adds_to_its_day() -> None:
    first = caps.counted(None, "mbr_1", ACT, RULE, TEN, "2026-03-31")
    row = a_month("2026-03", {"30": 1, "31": 2}, {"g": {"31": 1}, "h": {"31": 9}})
    later = caps.counted(row, "mbr_1", ACT, RULE, TEN, "2026-03-31")

    assert first is not None
    assert (first.version, first.points, first.acts) == (1, {"31": 10}, {"g": {"31": 2}})
    assert later is not None
    assert (later.month, later.version) == ("2026-03", 8)
    assert later.points == {"30": 1, "31": 12}
    assert later.acts == {"g": {"31": 3}, "h": {"31": 9}}


def test_what_brought_nothing_changes_no_row() -> None:
    nothing = Grant(gross=10, units=1, granted=0, limit="total_day", room=0)

    assert caps.counted(None, "mbr_1", ACT, RULE, nothing, "2026-03-31") is None


def test_what_does_not_count_leaves_the_points_alone_and_a_rest_the_units() -> None:
    grant = Rule(rule="r", version=1, points=60, counts=False)
    rest = Act(rule="r", at=NOW, paid=2, counted=True)

    uncounted = caps.counted(None, "mbr_1", ACT, grant, TEN, "2026-03-31")
    completed = caps.counted(None, "mbr_1", rest, RULE, TEN, "2026-03-31")

    assert uncounted is not None
    assert (uncounted.points, uncounted.acts) == ({}, {"r": {"31": 2}})
    assert completed is not None
    assert (completed.points, completed.acts) == ({"31": 10}, {})


def test_a_row_reads_back_as_it_was_written() -> None:
    row = a_month("2026-03", {"31": 2}, {"g": {"31": 1}, "h": {"01": 9}})

    again = CapRow.from_raw_data(row.serialize())

    assert (again.points, again.acts, again.version) == (row.points, row.acts, 7)


@pytest.mark.parametrize(
    ("campaign", "budget", "grid", "key"),
    [
        ("c", 50, "G1", ("c", "G1#2026-03-31")),
        ("c", 0, "G1", ("c", "G1#2026-03-31")),
        ("c", 50, None, ("c", "-#2026-03-31")),
        (None, 50, "G1", None),
        ("c", None, "G1", None),
    ],
)
def test_a_budget_is_a_campaigns_for_a_grid_and_a_day(
    campaign: str | None, budget: int | None, grid: str | None, key: tuple[str, str] | None
) -> None:
    rule = Rule(rule="r", version=1, points=5, campaign=campaign, budget_per_grid_day=budget)

    assert budgets.key_of(rule, Act(rule="r", at=NOW, grid_id=grid), "2026-03-31") == key


def test_what_is_left_of_a_budget_is_its_rows_or_all_of_it() -> None:
    rule = Rule(rule="r", version=1, points=5, campaign="c", budget_per_grid_day=50)
    row = BudgetRow("c", "G1#2026-03-31", rem=3, cap=40, ttl=1)

    assert (budgets.left(None, rule), budgets.left(row, rule)) == (50, 3)
    taken = budgets.taken(("c", "G1#2026-03-31"), rule, 5)
    assert taken is not None
    assert (taken.points, taken.cap) == (5, 50)
    assert budgets.taken(("c", "G1#2026-03-31"), rule, 0) is None
