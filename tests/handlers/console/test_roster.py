"""An admin takes in his county's roster, and his county's alone."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.console import roster as handler
from infra.local.seed import geography
from tests.support.world import World

HEADING = "phone_key,role,scope,county,display,from,to"


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch, world: World) -> list[dict[str, Any]]:
    """What the import was asked to do; the seeded roster stays as it is."""
    asked: list[dict[str, Any]] = []
    judge = handler.import_roster

    def note(rows: Any, **how: Any) -> Any:
        asked.append({"rows": rows, **how})
        return judge(rows, **how)

    monkeypatch.setattr(handler, "import_roster", note)
    return asked


def line(world: World, scope: str, *, role: str, county: str) -> str:
    key = world.services.pseudonyms.phone("10088888888")
    return f"{key},{role},{scope},{county},网格员,2026-01-01,"


def refusals(world: World, county: str, *lines: str) -> list[str]:
    event = {"csv": "\n".join([HEADING, *lines]), "county": county, "actor": "district"}
    answer = handler.on_invoke(event)
    assert (answer["added"], answer["changed"], answer["removed"]) == (0, 0, 0)
    return [refused["code"] for refused in answer["refused"]]


def a_grid(county: str) -> Any:
    return next(grid for grid in geography.grids() if grid.county == county)


@pytest.mark.parametrize("kind", ["grid", "community", "station", "zone"])
def test_no_county_gives_out_roles_over_anothers(world: World, kind: str) -> None:
    foreign = a_grid(geography.WEST_COUNTY)
    scope, role = {
        "grid": (f"grid:{foreign.grid_id}", "officer"),
        "community": (f"community:{foreign.community_id}", "community"),
        "station": ("station:nowhere", "keeper"),
        "zone": ("zone:FZ-GAOXIN", "district"),
    }[kind]
    county = geography.EAST_COUNTY

    assert refusals(world, county, line(world, scope, role=role, county=county)) != []


@pytest.mark.parametrize("role", ["district", "duty"])
def test_a_zone_of_the_county_is_a_scope_of_its_upper_posts(world: World, role: str) -> None:
    county = geography.EAST_COUNTY
    good = line(world, f"zone:{geography.ZONE}", role=role, county=county)
    bad = line(world, f"zone:{geography.EAST_COUNTY}004", role=role, county=county)

    assert refusals(world, county, good, bad) == ["roster.foreign_scope"]


def test_one_bad_line_and_nothing_is_written(world: World) -> None:
    county = geography.EAST_COUNTY
    good = line(world, f"grid:{a_grid(county).grid_id}", role="officer", county=county)

    assert refusals(world, county, good, good.replace("officer", "emperor")) == [
        "roster.unknown_role"
    ]


def test_the_import_is_done_in_the_name_of_a_post_at_the_products_time(
    world: World, imported: list[dict[str, Any]]
) -> None:
    refusals(world, geography.EAST_COUNTY, "x,officer,grid:x,411503,x,2026-01-01,")

    assert imported[0]["actor"] == "district"
    assert imported[0]["now"] == world.clock.now()
