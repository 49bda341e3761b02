"""What an act is worth, what limits leave of it, and that both follow from what is kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.errors import NotFound
from models.points import acts
from models.points.acts import TOTALS, RuleBook, Used
from models.points.entities import Act, Rule
from models.points.rule_sheets import first_book

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
TOTAL = Rule(rule=TOTALS, version=1, points=0, per_day=60, per_month=600)
FIRST = first_book().at("report.first", NOW)


def an_act(rule: Rule = FIRST, **changes: object) -> Act:
    return replace(Act(rule=rule.rule, at=NOW), **changes)  # type: ignore[arg-type]


def test_the_rules_that_come_with_the_code_are_those_of_the_rule_table() -> None:
    book = first_book()

    told = {
        rule: (one.points, one.urgent_bonus, one.per_day, one.per_week, one.per_month, one.counts)
        for rule, (one,) in book.versions.items()
    }
    assert told == {
        "report.first": (10, 10, 5, None, None, True),
        "report.early": (10, 10, 5, None, None, True),
        "report.joiner": (2, 0, None, None, None, True),
        "report.moving": (0, 0, None, None, None, True),
        "recheck.passed": (3, 0, 5, None, None, True),
        "station.check_in": (1, 0, 1, None, 20, True),
        "correction.accepted": (5, 0, 5, None, None, True),
        "service.hour": (10, 0, 4, None, None, True),
        "activity.attended": (5, 0, None, 2, None, True),
        "hardship.grant": (60, 0, None, None, 1, False),
        "totals": (0, 0, 60, None, 600, False),
    }
    assert book.at("report.first", NOW).group == book.at("report.early", NOW).group == "report"


@pytest.mark.parametrize(("severity", "points"), [("A", 20), ("B", 20), ("C", 10), (None, 10)])
def test_an_urgent_case_brings_its_reporter_ten_more(severity: str | None, points: int) -> None:
    granted = acts.grant(FIRST, TOTAL, an_act(severity=severity), Used())

    assert (granted.gross, granted.granted, granted.limit) == (points, points, None)


def test_who_has_had_nothing_has_used_nothing() -> None:
    assert Used() == Used(day=0, week=0, month=0, points_day=0, points_month=0)
    assert acts.gross(FIRST, quantity=1) == acts.gross(FIRST, quantity=1, paid=0) == 10


@pytest.mark.parametrize(
    ("rule", "act", "kept"),
    [
        (FIRST, {"severity": "A"}, {"severity": "A", "gross": 20, "granted": 20}),
        (FIRST, {"severity": None}, {}),
        (replace(FIRST, urgent_bonus=0), {"severity": "A"}, {}),
        (replace(FIRST, campaign="c"), {"grid_id": "G1"}, {}),
        (replace(FIRST, budget_per_grid_day=50), {"grid_id": "G1"}, {}),
        (
            replace(FIRST, campaign="c", budget_per_grid_day=50),
            {"grid_id": "G1"},
            {"campaign": "c", "grid": "G1"},
        ),
        (FIRST, {"paid": 4}, {"paid": 4, "gross": 6, "granted": 6}),
        (
            FIRST,
            {"paid": 4, "counted": True},
            {"paid": 4, "counted": True, "gross": 6, "granted": 6},
        ),
        (FIRST, {"quantity": 2}, {"quantity": 2, "gross": 20, "granted": 20}),
    ],
)
def test_an_entry_keeps_what_its_amount_follows_from_and_nothing_else(
    rule: Rule, act: dict[str, object], kept: dict[str, object]
) -> None:
    done = an_act(rule, **act)
    granted = acts.grant(rule, TOTAL, done, Used())

    assert acts.inputs_of(done, rule, TOTAL, granted, "2026-03-18") == {
        "day": "2026-03-18",
        "quantity": 1,
        "gross": 10,
        "totals": "totals@1",
        "granted": 10,
        **kept,
    }


def test_what_does_not_count_keeps_no_overall_caps() -> None:
    grant = first_book().at("hardship.grant", NOW)
    granted = acts.grant(grant, TOTAL, an_act(grant), Used())

    assert "totals" not in acts.inputs_of(an_act(grant), grant, TOTAL, granted, "2026-03-18")


def test_nothing_is_no_act_and_brings_no_bonus() -> None:
    assert acts.gross(FIRST, quantity=0, severity="A") == 0
    with pytest.raises(ValueError, match="negative"):
        acts.gross(FIRST, quantity=-1)


@pytest.mark.parametrize(
    ("used", "limit"),
    [
        (Used(day=5), "act_day"),
        (Used(week=2), "act_week"),
        (Used(month=1), "act_month"),
        (Used(day=9, week=9, month=9), "act_day"),
    ],
)
def test_a_cap_on_acts_refuses_an_act(used: Used, limit: str) -> None:
    rule = Rule(rule="r", version=1, points=10, per_day=5, per_week=2, per_month=1)

    granted = acts.grant(rule, TOTAL, an_act(rule), used)

    assert (granted.gross, granted.granted, granted.limit, granted.room) == (10, 0, limit, None)
    assert granted.uses(an_act(rule)) == 0


def test_of_several_units_those_are_granted_that_the_cap_has_left() -> None:
    hour = first_book().at("service.hour", NOW)

    granted = acts.grant(hour, TOTAL, an_act(hour, quantity=3), Used(day=2))

    assert (granted.gross, granted.units, granted.granted, granted.limit) == (30, 2, 20, "act_day")


@pytest.mark.parametrize(
    ("used", "granted", "limit", "room"),
    [
        (Used(points_day=50), 10, None, None),
        (Used(points_day=51), 9, "total_day", 9),
        (Used(points_day=60), 0, "total_day", 0),
        (Used(points_month=597), 3, "total_month", 3),
        (Used(points_day=55, points_month=595), 5, "total_day", 5),
        (Used(points_day=70), 0, "total_day", 0),
    ],
)
def test_the_overall_caps_reduce(
    used: Used, granted: int, limit: str | None, room: int | None
) -> None:
    found = acts.grant(FIRST, TOTAL, an_act(), used)

    assert (found.granted, found.limit, found.room) == (granted, limit, room)


def test_a_grant_is_not_held_against_the_overall_caps() -> None:
    grant = first_book().at("hardship.grant", NOW)

    found = acts.grant(grant, TOTAL, an_act(grant), Used(points_day=60, points_month=600))

    assert (found.granted, found.limit) == (60, None)


@pytest.mark.parametrize(("left", "granted"), [(11, 10), (10, 10), (9, 9), (0, 0)])
def test_a_budget_reduces_to_what_is_left_of_it(left: int, granted: int) -> None:
    found = acts.grant(FIRST, TOTAL, an_act(), Used(), left)

    assert found.granted == granted
    assert found.limit == ("budget" if left < 10 else None)


def test_what_completes_an_award_is_no_new_act() -> None:
    rest, other = an_act(paid=2, counted=True), an_act(paid=2)

    found = acts.grant(FIRST, TOTAL, rest, Used(day=5))
    of_another_kind = acts.grant(FIRST, TOTAL, other, Used(day=5))
    in_time = acts.grant(FIRST, TOTAL, other, Used(day=4))

    assert (found.gross, found.granted, found.uses(rest)) == (8, 8, 0)
    assert (of_another_kind.granted, of_another_kind.limit) == (0, "act_day")
    assert (in_time.granted, in_time.uses(other)) == (8, 1)
    assert acts.grant(FIRST, TOTAL, an_act(paid=12), Used()).granted == 0


def test_the_version_is_that_of_the_acts_instant() -> None:
    later = replace(FIRST, version=2, points=15, effective_from=NOW)
    book = RuleBook({"report.first": (FIRST, later)})

    assert book.at("report.first", NOW - timedelta(milliseconds=1)).version == 1
    assert book.at("report.first", NOW).version == 2


def test_a_campaign_ends_and_what_held_before_holds_again() -> None:
    week = timedelta(days=7)
    campaign = replace(
        FIRST, version=2, points=15, effective_from=NOW, effective_to=NOW + week, campaign="spring"
    )
    book = RuleBook({"report.first": (FIRST, campaign)})

    held = [book.at("report.first", NOW + step).version for step in (week / 2, week)]
    assert held == [2, 1]


def test_of_two_versions_in_force_the_one_published_last_holds() -> None:
    second = replace(FIRST, version=2, effective_from=NOW + timedelta(days=1))
    third = replace(FIRST, version=3, effective_from=NOW)
    book = RuleBook({"report.first": (FIRST, second, third)})

    assert book.at("report.first", NOW + timedelta(days=2)).version == 3


def test_an_unknown_rule_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"rule\.not_found"):
        first_book().at("report.last", NOW)
    assert first_book().version("report.first@1") == FIRST
    assert first_book().version("report.first@2") is None
    assert first_book().version("nonsense") is None


CAP = st.none() | st.integers(0, 7)
RULES = st.builds(
    Rule,
    rule=st.just("r"),
    version=st.just(1),
    points=st.integers(0, 61),
    urgent_bonus=st.integers(0, 13),
    per_day=CAP,
    per_week=CAP,
    per_month=CAP,
    counts=st.booleans(),
    campaign=st.none() | st.just("spring"),
    budget_per_grid_day=st.none() | st.integers(0, 99),
)
ACTS = st.builds(
    Act,
    rule=st.just("r"),
    at=st.just(NOW),
    grid_id=st.just("G1"),
    quantity=st.integers(0, 9),
    severity=st.sampled_from([None, "A", "B", "C"]),
    paid=st.integers(0, 30) | st.just(0),
    counted=st.booleans(),
)
USED = st.builds(
    Used,
    day=st.integers(0, 9),
    week=st.integers(0, 9),
    month=st.integers(0, 30),
    points_day=st.integers(0, 70),
    points_month=st.integers(0, 650),
)


@given(rule=RULES, act=ACTS, used=USED, budget=st.none() | st.integers(0, 99))
def test_every_amount_follows_from_its_rule_and_what_is_kept(
    rule: Rule, act: Act, used: Used, budget: int | None
) -> None:
    granted = acts.grant(rule, TOTAL, act, used, budget)
    inputs = acts.inputs_of(act, rule, TOTAL, granted, "2026-03-18")

    assert acts.derive(rule, inputs) == granted.granted == inputs["granted"]
    assert 0 <= granted.granted <= granted.gross
    assert (granted.granted < granted.gross) <= (granted.limit is not None)


@given(rule=RULES, act=ACTS, used=USED, budget=st.none() | st.integers(0, 99))
def test_no_grant_goes_past_a_cap(rule: Rule, act: Act, used: Used, budget: int | None) -> None:
    granted = acts.grant(rule, TOTAL, act, used, budget)

    units = granted.uses(act)
    for cap, had in ((rule.per_day, used.day), (rule.per_week, used.week)):
        assert cap is None or had + units <= max(cap, had)
    assert rule.per_month is None or used.month + units <= max(rule.per_month, used.month)
    if rule.counts:
        assert used.points_day + granted.granted <= max(60, used.points_day)
        assert used.points_month + granted.granted <= max(600, used.points_month)
    assert budget is None or granted.granted <= budget


@given(worths=st.lists(st.integers(0, 25), max_size=12), order=st.randoms(use_true_random=False))
def test_the_order_of_a_days_acts_changes_nothing_of_its_total(
    worths: list[int], order: object
) -> None:
    def total(of: list[int]) -> int:
        points = 0
        for worth in of:
            rule = Rule(rule="r", version=1, points=worth)
            points += acts.grant(rule, TOTAL, an_act(rule), Used(points_day=points)).granted
        return points

    shuffled = list(worths)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    assert total(shuffled) == total(worths) == min(60, sum(worths))


DAILY = ("report.first", "report.joiner", "recheck.passed", "station.check_in", "service.hour")


@given(done=st.lists(st.sampled_from(DAILY), max_size=25))
def test_a_days_total_is_what_its_acts_are_worth_under_their_caps_in_any_order(
    done: list[str],
) -> None:
    units: Counter[str] = Counter()
    points = 0
    for name in done:
        rule = first_book().at(name, NOW)
        used = Used(day=units[name], month=units[name], points_day=points, points_month=points)
        granted = acts.grant(rule, TOTAL, an_act(rule), used)
        units[name] += granted.uses(an_act(rule))
        points += granted.granted

    worth = 0
    for name in DAILY:
        rule, asked = first_book().at(name, NOW), done.count(name)
        worth += rule.points * (asked if rule.per_day is None else min(asked, rule.per_day))
    assert points == min(60, worth)


@given(days=st.lists(st.integers(0, 30), max_size=60))
def test_a_month_brings_what_its_days_bring_and_no_more_than_its_cap(days: list[int]) -> None:
    """Acts of 7 points on days in any order."""
    rule = Rule(rule="r", version=1, points=7)
    by_day: dict[int, int] = {}
    for day in days:
        used = Used(points_day=by_day.get(day, 0), points_month=sum(by_day.values()))
        granted = acts.grant(rule, TOTAL, an_act(rule), used).granted
        by_day[day] = by_day.get(day, 0) + granted

    worth = sum(min(60, 7 * days.count(day)) for day in set(days))
    assert sum(by_day.values()) == min(600, worth)


@pytest.mark.parametrize(
    "changes",
    [
        {"gross": 11},
        {"units": 2},
        {"units": 0},
        {"room": 3},
        {"limit": "act_day"},
        {"room": 10, "limit": "total_day"},
        {"room": -1, "limit": "total_day"},
        {"paid": 1},
        {"severity": "A"},
    ],
)
def test_inputs_that_contradict_their_rule_are_found_out(changes: dict[str, object]) -> None:
    inputs = {"day": "2026-03-18", "quantity": 1, "gross": 10, "granted": 10}

    assert acts.derive(FIRST, inputs) == 10
    with pytest.raises(ValueError, match=r"another gross|met nothing"):
        acts.derive(FIRST, {**inputs, **changes})
