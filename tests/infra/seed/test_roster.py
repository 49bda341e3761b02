"""The demonstration's roster fits the product's own rules and the city it stands on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers import wiring
from handlers.console import roster as console
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local import engine as engines
from infra.local.seed import geography, roster, stations
from models.base.clock import FixedClock
from models.base.geometry import Position
from models.base.ids import new_id
from models.base.tables import Database, use_database
from models.people.pseudonyms import Pseudonyms
from models.people.tables import scan_roster

SPOT = Position(lon=114.0853, lat=32.1462)


@pytest.fixture
def services(engine: engines.Engine, clock: FixedClock, database: Database) -> Iterator[Services]:
    """Services over tables of their own, so that the seed is alone in them."""
    prefix = new_id("seed") + "-"
    engines.create_tables(engine.url, prefix)
    wired = Services(Settings(dynamodb_url=engine.url, table_prefix=prefix))
    wired.__dict__ |= {
        "clock": clock,
        "pseudonyms": Pseudonyms(
            identity_key=b"i" * 32, phone_key=b"p" * 32, session_key=b"s" * 32
        ),
    }
    wiring.use_services(wired)
    yield wired
    wiring.use_services(None)
    use_database(database)


def test_every_grid_has_two_officers_and_a_lead() -> None:
    for grid in geography.grids():
        held = sorted(p.role for p in roster.posts() if p.scope == f"grid:{grid.grid_id}")
        assert held == ["grid_lead", "officer", "officer"]


def test_every_post_is_in_the_county_of_its_grid_or_station() -> None:
    county_by_scope = {f"grid:{grid.grid_id}": grid.county for grid in geography.grids()}
    county_by_scope |= {f"station:{one.station_id}": one.county for one in stations.stations()}

    for post in roster.posts():
        assert post.county == county_by_scope.get(post.scope, post.county)
    assert {post.scope for post in roster.posts()} >= set(county_by_scope)


def test_no_phone_is_one_that_a_network_gives_out() -> None:
    assert {post.phone[:3] for post in roster.posts()} == {"100"}


def test_the_parts_of_the_story_are_played_by_different_phones() -> None:
    parts = roster.demo_posts(SPOT)

    assert len({post.phone for post in parts.values()}) == len(parts) == 7
    assert parts["officer"].scope == parts["other_officer"].scope == parts["lead"].scope


def test_a_spot_outside_the_city_has_no_parts() -> None:
    with pytest.raises(ValueError, match="no grid"):
        roster.demo_posts(Position(lon=0, lat=0))


def test_planting_twice_changes_nothing(services: Services) -> None:
    first, second = roster.plant(services), roster.plant(services)

    assert (first, second) == (len(roster.posts()), 0)
    rows = [row for county in roster.COUNTIES for row in scan_roster(county)]
    assert len(rows) == len(roster.posts())
    assert all(row.synthetic for row in rows)


def test_the_console_takes_a_county_whose_scopes_it_knows_only(services: Services) -> None:
    services.places.put_grids(geography.grids())
    services.stations.put_stations(stations.stations())
    key = services.pseudonyms.phone("10099999999")
    lines = [
        f"{key},{role},{scope},411502,岗位,2026-01-01,"
        for role, scope in (
            ("officer", "grid:411502-0101"),
            ("officer", "grid:411503-0606"),
            ("community", "community:411502001"),
            ("community", "community:411503001"),
            ("keeper", "station:FZ-YANGSHAN-01"),
            ("merchant", "merchant:411502-M1"),
        )
    ]
    heading = "phone_key,role,scope,county,display,from,to"
    file = "\n".join([heading, *lines])

    refused = console.on_invoke({"csv": file, "county": "411502", "actor": "test"})

    assert [(bad["line"], bad["code"]) for bad in refused["refused"]] == [
        (3, "roster.foreign_scope"),
        (5, "roster.foreign_scope"),
        (6, "roster.foreign_scope"),
    ]
    good = "\n".join([heading, lines[0], lines[2], lines[5]])
    taken = console.on_invoke({"csv": good, "county": "411502", "actor": "test"})
    assert (taken["added"], taken["refused"]) == (3, [])
