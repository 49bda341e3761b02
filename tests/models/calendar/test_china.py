import json
from datetime import date
from pathlib import Path

import pytest

from models.calendar.china import TABLE, read_year, working_time

YEARS = [read_year(row) for row in json.loads(TABLE.read_text(encoding="utf-8"))["years"]]
SOURCE = Path(__file__).parents[3] / "infra" / "local" / "seed" / "xinyang.json"


def test_the_calendar_is_built_once():
    assert working_time() is working_time()
    assert working_time().years == (2025, 2026)


@pytest.mark.parametrize("table", YEARS, ids=lambda table: str(table.year))
def test_each_year_is_as_the_published_tables_have_it(table):
    published = json.loads(SOURCE.read_text(encoding="utf-8"))["calendar"]
    year = str(table.year)

    holidays = [[one.first.isoformat(), one.last.isoformat(), one.name] for one in table.holidays]
    assert holidays == published["holidays"][year]
    assert sorted(table.swap_days) == [
        date.fromisoformat(day) for day in published["swap_workdays"][year]
    ]
    assert table.source in published["source"]


@pytest.mark.parametrize("table", YEARS, ids=lambda table: str(table.year))
def test_only_weekends_are_swapped(table):
    assert all(day.weekday() >= 5 for day in table.swap_days)
