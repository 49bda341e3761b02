"""An admin sees a year of points in figures and sentences, and plans for the members he has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.console import solvency as handler
from infra.local.engine import Engine
from infra.local.seed import geography, rewards
from models.base.tables import Database, _shared, use_database
from tests.support.categories import own_tables
from tests.support.world import World

WEST, EAST = geography.WEST_COUNTY, geography.EAST_COUNTY


@pytest.fixture
def city(world: World, engine: Engine) -> Iterator[World]:
    """The seeded city, whose shelf, ledger and plan are this test's alone."""
    database = _shared.database
    assert isinstance(database, Database)
    world.services.places.grids()
    own_tables(
        engine.url,
        "entitlement-classes",
        "merchants",
        "rewards",
        "funds",
        "entries",
        "point-rules",
        "point-roots",
        "solvency-plan",
    )
    world.services.__dict__.pop("point_rules", None)
    rewards.plant(world.services)
    yield world
    use_database(database)
    world.services.__dict__.pop("point_rules", None)


def invoke(**event: Any) -> dict[str, Any]:
    return handler.on_invoke(event)


def test_the_planted_city_passes_and_shows_every_month_of_each_county(city: World) -> None:
    answer = invoke()

    assert (answer["passes"], answer["violated"]) == (True, [])
    assert answer["members"] == {WEST: 600, EAST: 600}
    assert len(answer["months"]) == 24
    assert {line["county"] for line in answer["reach"]} == {WEST, EAST}
    assert answer["reach"][0]["points_in_60_days"] == 20


def test_a_plan_for_more_members_shows_what_is_short_in_words_of_both_languages(
    city: World,
) -> None:
    answer = invoke(members={EAST: 2_000}, actor="finance")

    assert answer["passes"] is False
    assert answer["members"][EAST] == 2_000
    short, scarce = answer["violated"]
    assert (short["code"], scarce["code"]) == ("solvency.uncovered", "solvency.scarce")
    assert short["zh"].startswith(f"按此规则，平桥区（{EAST}） 从 {short['month']} 月末起")
    assert f"{short['short']} short" in short["en"]
    assert "1120" in scarce["zh"]
    assert invoke() == answer


def test_a_plan_names_what_is_wrong_with_it_and_plans_nothing(city: World) -> None:
    answer = invoke(members={"999999": 5, WEST: -1, EAST: "many"})

    assert answer == {
        "refused": [
            {"field": "members.999999", "code": "county.unknown"},
            {"field": f"members.{WEST}", "code": "field.invalid"},
            {"field": f"members.{EAST}", "code": "field.invalid"},
            {"field": "actor", "code": "field.missing"},
        ]
    }
    assert invoke(members=7, actor="a")["refused"] == [
        {"field": "members", "code": "field.invalid"}
    ]
    assert invoke()["members"] == {WEST: 600, EAST: 600}
