"""What the guard takes a month to give, held against the rules that really grant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.clock import CHINA
from models.points import acts
from models.points.acts import TOTALS, RuleBook, Used
from models.points.entities import Act
from models.points.rule_sheets import first_book
from models.rewards import solvency_sheets
from models.rewards.issue_rules import THOUSANDTHS, earnings, reached
from models.rewards.population_rules import CHECK_INS, TYPICAL

LONGEST = date(2026, 8, 1)
"""A Saturday: a month of 31 days that six weeks touch."""
SHORTEST = date(2027, 2, 1)
RULES = [rule for rule in first_book().versions if rule != TOTALS]
CAPS = st.one_of(st.none(), st.integers(1, 12))


def granted(book: RuleBook, done: Sequence[tuple[str, int, str | None]], month: date) -> int:
    """The points of acts (rule, day, severity), one after another, under all caps."""
    units: dict[tuple[str, date], int] = {}
    points: dict[date, int] = {}
    total = 0
    for name, number, severity in done:
        day = month + timedelta(days=number)
        at = datetime(day.year, day.month, day.day, 12, tzinfo=CHINA)
        rule, totals = book.at(name, at), book.at(TOTALS, at)
        monday = day - timedelta(days=day.weekday())
        of_group = {on: n for (group, on), n in units.items() if group == rule.group}
        used = Used(
            day=of_group.get(day, 0),
            week=sum(n for on, n in of_group.items() if monday <= on < monday + timedelta(days=7)),
            month=sum(of_group.values()),
            points_day=points.get(day, 0),
            points_month=sum(points.values()),
        )
        act = Act(rule=name, at=at, severity=severity)
        grant = acts.grant(rule, totals, act, used)
        units[rule.group, day] = units.get((rule.group, day), 0) + grant.uses(act)
        if rule.counts:
            points[day] = points.get(day, 0) + grant.granted
        total += grant.granted
    return total


@st.composite
def books(draw: st.DrawFn) -> RuleBook:
    """The rules that come with the code, some of them with other caps."""
    versions = dict(first_book().versions)
    for name in draw(st.sets(st.sampled_from(RULES), max_size=4)):
        (rule,) = versions[name]
        caps: dict[str, Any] = {cap: draw(CAPS) for cap in ("per_day", "per_week", "per_month")}
        versions[name] = (replace(rule, points=draw(st.integers(0, 90)), **caps),)
    (totals,) = versions[TOTALS]
    versions[TOTALS] = (replace(totals, per_month=draw(st.integers(10, 900))),)
    return RuleBook(versions)


DONE = st.lists(
    st.tuples(st.sampled_from(RULES), st.integers(0, 30), st.sampled_from([None, "A"])),
    max_size=60,
)


@settings(max_examples=150)
@given(books(), DONE)
def test_no_member_is_given_more_than_the_guard_takes_him_to_be(
    book: RuleBook, done: list[tuple[str, int, str | None]]
) -> None:
    times = {rule: 12 * sum(1 for name, *_ in done if name == rule) for rule in RULES}
    everybody_urgent = replace(TYPICAL, groups=(times,), urgent_permille=1_000)
    dearest, _ = solvency_sheets.sheets(book, "2026-08")

    taken = earnings(dearest[0], everybody_urgent, 1).full[0]

    assert granted(book, done, LONGEST) * THOUSANDTHS <= taken


def test_the_member_in_the_middle_is_given_no_less_than_he_is_taken_to_reach() -> None:
    check_ins = CHECK_INS[TYPICAL.median]
    done: list[tuple[str, int, str | None]] = [
        ("station.check_in", 2 * number, None) for number in range(check_ins)
    ]
    _, poorest = solvency_sheets.sheets(first_book(), "2027-02")

    months = [granted(first_book(), done, SHORTEST), granted(first_book(), done, LONGEST)]

    assert sum(months) == reached(poorest[:2], TYPICAL) == 20


def test_a_hunter_gets_all_that_the_overall_caps_let_through() -> None:
    dearest, _ = solvency_sheets.sheets(first_book(), "2026-08")

    assert earnings(dearest[0], TYPICAL, 1).full[-1] == 600 * THOUSANDTHS


def test_every_rule_that_comes_with_the_code_is_known_to_the_population() -> None:
    assert all(set(RULES) == set(group) for group in TYPICAL.groups)
    assert set(TYPICAL.feasible) == set(RULES)


def test_a_month_that_six_weeks_touch_has_room_for_six_weeks_of_activities() -> None:
    days = [0, 2, 9, 16, 23, 30]  # Saturday the 1st, then a Monday of each later week
    done: list[tuple[str, int, str | None]] = [
        ("activity.attended", day, None) for day in days for _ in range(2)
    ]
    dearest, _ = solvency_sheets.sheets(first_book(), "2026-08")
    active = replace(TYPICAL, groups=({"activity.attended": 12 * len(done)},), otherwise=0)

    taken = earnings(dearest[0], active, 1).full[0]

    assert granted(first_book(), done, LONGEST) * THOUSANDTHS == taken == 60 * THOUSANDTHS
