"""An admin publishes the city's list, and each county's changes to it, from the console."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers.console import categories as handler
from infra.local.engine import Engine
from infra.local.seed import geography
from models.base.clock import utc_text
from models.base.tables import Database, _shared, use_database
from tests.support.categories import own_tables
from tests.support.world import World, done, path_with

EAST, WEST = geography.EAST_COUNTY, geography.WEST_COUNTY


@pytest.fixture
def city(world: World, engine: Engine) -> Iterator[World]:
    """The seeded city, whose lists are this test's alone."""
    database = _shared.database
    assert isinstance(database, Database)
    world.services.places.grids()
    assert world.bystander.member_id  # has signed in
    own_tables(engine.url, "category-versions")
    world.services.__dict__.pop("categories", None)
    yield world
    use_database(database)
    world.services.__dict__.pop("categories", None)


def invoke(**event: Any) -> dict[str, Any]:
    return handler.on_invoke({"actor": "district", **event})


def limits(city: World, county: str) -> dict[str, int]:
    path = path_with("/v1/categories", {"county": county})
    items = done(city.bystander.app.get(path)).body["items"]
    return {item["code"]: item["resolve_within"] for item in items}


def changed(sheet: str, code: str, **cells: str) -> str:
    rows = list(csv.DictReader(io.StringIO(sheet)))
    file = io.StringIO()
    lines = csv.DictWriter(file, rows[0])
    lines.writeheader()
    lines.writerows({**row, **(cells if row["code"] == code else {})} for row in rows)
    return file.getvalue()


def test_a_county_gets_limits_of_its_own_and_its_neighbour_none(city: World) -> None:
    answer = invoke(county=EAST, content="code,limit\nE0493a,4 wh\n")

    assert answer == {
        "version": 1,
        "published": True,
        "added": ["E0493a"],
        "changed": {},
        "removed": [],
        "refused": [],
    }
    assert limits(city, EAST)["E0493a"] == 4 * 3600
    assert limits(city, WEST)["E0493a"] == 2 * 3600


def test_the_newest_sheet_comes_out_and_goes_in_again_with_a_cell_changed(city: World) -> None:
    taken = invoke()

    answer = invoke(
        content=changed(taken["csv"], "E0493a", limit="3 wh"), based_on=taken["version"]
    )

    assert (answer["version"], answer["published"]) == (2, True)
    assert answer["changed"] == {"E0493a": ["limit"]}
    assert limits(city, WEST)["E0493a"] == 3 * 3600


def test_a_dry_run_publishes_nothing(city: World) -> None:
    answer = invoke(county=EAST, content=[{"code": "E0410", "enabled": False}], dry_run=True)

    assert (answer["published"], answer["version"]) == (False, 1)
    assert "E0410" in limits(city, EAST)


def test_every_error_is_told_with_its_row_and_column(city: World) -> None:
    answer = invoke(county=EAST, content="code,limit,zh\nE0410,soon,\nE0493a,,单车\n")

    assert answer["published"] is False
    assert answer["refused"] == [
        {"row": 3, "column": "zh", "code": "column.not_local", "county": None}
    ]
    again = invoke(county=EAST, content="code,limit\nE0410,soon\n")["refused"]
    assert [(one["row"], one["column"], one["code"]) for one in again] == [
        (2, "limit", "field.not_allowed")
    ]


@pytest.mark.parametrize(
    ("event", "column", "code"),
    [
        ({"county": "999999", "content": "code\n"}, "county", "county.unknown"),
        ({"content": "[nonsense"}, "content", "sheet.unreadable"),
        ({"content": "", "effective_from": "tomorrow"}, "effective_from", "field.invalid"),
        ({"content": "", "based_on": 7}, "based_on", "category.published_meanwhile"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_as_such(
    city: World, event: dict[str, Any], column: str, code: str
) -> None:
    answer = invoke(**event)

    assert answer["published"] is False
    assert [(one["row"], one["column"], one["code"]) for one in answer["refused"]] == [
        (0, column, code)
    ]


def test_a_list_holds_from_the_instant_that_was_asked_for_and_never_before_now(
    city: World,
) -> None:
    later = utc_text(city.clock.now() + timedelta(hours=2))
    invoke(county=EAST, content="code,limit\nE0493a,4 wh\n", effective_from=later)
    past = utc_text(city.clock.now() - timedelta(days=9))
    invoke(county=WEST, content="code,limit\nE0493a,5 wh\n", effective_from=past)

    assert limits(city, EAST)["E0493a"] == 2 * 3600
    assert limits(city, WEST)["E0493a"] == 5 * 3600
    city.clock.advance(timedelta(hours=2))
    assert limits(city, EAST)["E0493a"] == 4 * 3600


def test_the_start_up_values_change_with_any_countys_list(city: World) -> None:
    before = done(city.bystander.app.get("/v1/bootstrap")).body["category_version"]

    invoke(county=EAST, content="code,limit\nE0493a,4 wh\n")

    after = done(city.bystander.app.get("/v1/bootstrap")).body["category_version"]
    assert (before, after) == ("1", f"1+{EAST}.1")
