"""What can be reported, as clients see it."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.seed import geography
from tests.support.world import World, done, path_with


def listed(world: World, **query: Any) -> Any:
    return done(world.bystander.app.get(path_with("/v1/categories", query))).body


def test_the_big_icons_come_first_then_danger(world: World) -> None:
    items = listed(world)["items"]

    assert [item["featured"] for item in items[:10]] == [True] * 9 + [False]
    assert items[8]["code"] == "X9901"
    levels = [item["level"] for item in items[9:]]
    assert levels == sorted(levels)
    assert len(items) == 47


def test_every_category_stands_in_one_group(world: World) -> None:
    answer = listed(world)

    grouped = [code for group in answer["groups"] for code in group["categories"]]
    assert sorted(grouped) == sorted(item["code"] for item in answer["items"])
    assert answer["groups"][0]["name"] == "街面秩序"


def test_a_category_says_when_it_is_one_and_what_is_asked_for(world: World) -> None:
    bikes = listed(world)["items"][0]

    assert bikes["conditions"] == [{"code": "1", "text": "停在划定区域以外"}]
    assert bikes["closing_condition"] == "已摆放整齐"
    assert (bikes["object_id"], bikes["near_and_far"]) == ("plate", True)
    assert (bikes["clock"], bikes["resolve_within"]) == ("working", 7200)
    assert "gxdcdpcltf" in bikes["keywords"]


def test_several_conditions_are_one_sentence_for_old_clients(world: World) -> None:
    english = {"Accept-Language": "en"}

    reply = world.bystander.app.send("GET", "/v1/categories?q=E0502", headers=english)

    assert done(reply).body["items"][0]["condition"] == "Smell of gas; or Sound of escaping gas"


def test_a_search_finds_by_letters_and_lists_nothing_else(world: World) -> None:
    answer = listed(world, q="ltf")

    assert [item["code"] for item in answer["items"]] == ["E0493a", "E0410"]
    assert [group["code"] for group in answer["groups"]] == ["street_order"]


def test_a_client_that_has_the_version_gets_no_list_again(world: World) -> None:
    version = listed(world)["version"]

    again = listed(world, version=version)

    assert (again["changed"], again["items"], again["groups"]) == (False, [], [])
    assert listed(world, version="0")["changed"] is True
    assert listed(world, version=version, q="井盖")["items"] != []


def test_the_start_up_values_tell_the_same_version(world: World) -> None:
    started = done(world.bystander.app.get("/v1/bootstrap")).body

    assert started["category_version"] == listed(world)["version"]


@pytest.mark.parametrize("given", [{"lon": 114.08}, {"lat": 32.12}, {"county": "4115"}])
def test_half_a_position_and_half_a_county_are_refused(world: World, given: dict[str, Any]) -> None:
    reply = world.bystander.app.get(path_with("/v1/categories", given))

    assert reply.status == 422


def test_a_position_outside_the_city_gets_the_citys_list(world: World) -> None:
    answer = listed(world, lon=0, lat=0)

    assert answer["version"] == listed(world)["version"]


def test_a_position_gets_its_countys_list(world: World) -> None:
    east = world.posts()["officer"]

    answer = listed(world, lon=east.lon, lat=east.lat)

    assert answer["items"] == listed(world, county=geography.EAST_COUNTY)["items"]


def test_an_officer_sees_when_a_case_is_one_and_when_it_is_closed(world: World) -> None:
    filed = world.filed()

    shown = done(world.officer.app.get(f"/v1/cases/{filed.case_id}")).body

    assert shown["conditions"] == [{"code": "1", "text": "停在划定区域以外"}]
    assert shown["closing_conditions"] == [{"code": "1", "text": "已摆放整齐"}]
