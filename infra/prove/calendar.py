"""Working time against a brute-force minute counter that shares nothing with the quick one.

Every minute of three years is judged by itself, in the plainest way there is, from the published
table read anew; a running count of those judgements then says what any limit must give. Half the
cases run on the city's own hours, half on a table with summer hours, so that seasons are met too.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from infra.prove.figures import Figure, Show, at_least, at_most, complain
from models.base.clock import CHINA
from models.calendar.china import TABLE, read_season, read_year
from models.calendar.rules import WorkingTime

CASES = 200_000
SEED = 20260318

FIRST = datetime(2024, 7, 1, tzinfo=CHINA)
DAY_MINUTES = 24 * 60
MINUTES = 3 * 365 * DAY_MINUTES
"""From half a year before the first table to half a year after the last."""
LONGEST = 40 * 7 * 60
"""The longest limit tried, in working minutes: eight weeks."""
MINUTE = timedelta(minutes=1)

SUMMER = {"from": "06-01", "hours": [["08:00", "12:00"], ["15:00", "18:00"]]}
AUTUMN = {"from": "09-16", "hours": [["08:30", "12:00"], ["14:30", "18:00"]]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How many cases were compared, and those that differed, in words."""

    cases: int
    violations: tuple[str, ...]


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 100,000 cases."""
    show("every minute of three years by itself")
    checked = check(max(100_000, round(CASES * scale)), SEED)
    complain(checked.violations)
    return (
        at_least("calendar.cases", checked.cases, "cases", 100_000),
        at_most("calendar.violations", len(checked.violations), "violations", 0),
    )


def check(cases: int, seed: int, calendar: Callable[..., WorkingTime] = WorkingTime) -> Checked:
    """Compare ``cases`` random limits, spans and starting points on two calendars."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    summer = {**table, "seasons": [*table["seasons"], SUMMER, AUTUMN]}
    found: list[str] = []
    for number, rows in enumerate((table, summer)):
        found += _compare(calendar, rows, cases // 2, random.Random(f"{seed}:{number}"))
    return Checked(cases=cases // 2 * 2, violations=tuple(found))


def _compare(
    calendar: Callable[..., WorkingTime],
    rows: Mapping[str, Any],
    cases: int,
    chance: random.Random,
) -> Iterator[str]:
    quick = calendar(
        years=[read_year(row) for row in rows["years"]],
        seasons=[read_season(row) for row in rows["seasons"]],
        zone=CHINA,
    )
    flags = list(judged_minutes(rows))
    yield from _differences(quick, flags, cases, chance)


def _differences(
    quick: WorkingTime, flags: Sequence[bool], cases: int, chance: random.Random
) -> Iterator[str]:
    counted_before = list(accumulate(flags, initial=0))
    counted_minutes = [minute for minute, is_counted in enumerate(flags) if is_counted]
    for _ in range(cases):
        start, limit = chance.randrange(MINUTES - 100 * DAY_MINUTES), chance.randrange(1, LONGEST)
        # The limit ends with the last of the minutes it takes.
        end = counted_minutes[counted_before[start] + limit - 1] + 1
        at, due = FIRST + start * MINUTE, FIRST + end * MINUTE
        if quick.add(at, limit * MINUTE) != due:
            yield f"{at} + {limit} min is not {due}"
        other = chance.randrange(MINUTES)
        span = (counted_before[other] - counted_before[start]) * MINUTE
        if quick.between(at, FIRST + other * MINUTE) != span:
            yield f"{at} to {FIRST + other * MINUTE} is not {span}"
        back = quick.back(due, limit * MINUTE, "working")
        if quick.between(back, due) != limit * MINUTE:
            yield f"{limit} min back from {due} is not {back}"


def judged_minutes(rows: Mapping[str, Any]) -> Iterator[bool]:
    """Judge every minute from ``FIRST`` on by itself."""
    for number in range(MINUTES // DAY_MINUTES):
        day = (FIRST + timedelta(days=number)).date()
        spans = _spans_of(day, rows)
        for minute in range(DAY_MINUTES):
            yield any(opens <= minute < closes for opens, closes in spans)


def _spans_of(day: date, rows: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The minutes of a day that count, as pairs; a day of a year without a table is whole."""
    text = day.isoformat()
    year = next((row for row in rows["years"] if row["year"] == day.year), None)
    if year is None:
        return [(0, DAY_MINUTES)]
    is_off = any(one["from"] <= text <= one["to"] for one in year["holidays"])
    if text not in year["swap_days"] and (is_off or day.isoweekday() > 5):
        return []
    begun = [season for season in rows["seasons"] if season["from"] <= text[5:]]
    season = max(begun or rows["seasons"], key=lambda one: str(one["from"]))
    return [(_minute(opens), _minute(closes)) for opens, closes in season["hours"]]


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
