"""`GET /v1/routing`: those who answer for grids ask where a report would go, in their county."""

from __future__ import annotations

import pytest

from models.base.geometry import Position
from tests.support.world import EAST, WEST, World, done, path_with

EDGE = Position(lon=114.0895, lat=32.1354)
"""Some metres inside a grid of the east, beside the next one."""


def test_a_secretary_sees_the_whole_explanation(world: World) -> None:
    shown = done(
        world.community.app.get("/v1/routing", lon=EAST.lon, lat=EAST.lat, accuracy_m=12)
    ).body

    assert shown["grid"]["id"] == world.posts()["officer"].scope.removeprefix("grid:")
    assert shown["grid"]["version"] == 1
    assert shown["reason"].startswith("位于“")
    assert shown["on_duty"][0]["role"] == "officer"
    assert next(one["id"] for one in shown["candidates"]) == shown["grid"]["id"]


def test_the_reason_is_told_in_the_language_asked(world: World) -> None:
    path = path_with("/v1/routing", {"lon": EAST.lon, "lat": EAST.lat})

    reply = world.community.app.send("GET", path, headers={"Accept-Language": "en"})

    assert reply.body["reason"].startswith("inside ")


def test_another_countys_land_is_nowhere(world: World) -> None:
    asked = {"lon": WEST.lon, "lat": WEST.lat}

    foreign = world.community.app.get("/v1/routing", **asked)
    nowhere = world.community.app.get("/v1/routing", lon=115.9, lat=32.6)

    assert foreign.status == nowhere.status == 404
    assert foreign.body["code"] == nowhere.body["code"] == "routing.nowhere"


@pytest.mark.parametrize(
    ("asked", "bad"),
    [
        ({"category": "nonsense"}, ("category", "category.unknown")),
        ({"at": "0001-01-01T00:00:00Z"}, ("at", "field.invalid")),
        ({"at": "9999-12-31T23:59:59Z"}, ("at", "field.invalid")),
        ({"at": "2026-01-01T00:00:00"}, ("at", "field.invalid")),
    ],
)
def test_what_cannot_be_asked_is_named(
    world: World, asked: dict[str, str], bad: tuple[str, str]
) -> None:
    reply = world.community.app.get("/v1/routing", lon=EAST.lon, lat=EAST.lat, **asked)

    assert reply.status == 422
    assert (reply.body["fields"][0]["field"], reply.body["fields"][0]["code"]) == bad


def test_an_officer_has_no_dry_runs(world: World) -> None:
    reply = world.officer.app.get("/v1/routing", lon=EAST.lon, lat=EAST.lat)

    assert (reply.status, reply.body["code"]) == (403, "role.lacks_action")


def test_a_report_at_the_edge_says_whom_it_informs_and_the_neighbour_finds_a_note(
    world: World,
) -> None:
    rider = world.rider()
    photo = rider.upload("DSCN0021.jpg", waits=True)
    body = world.report_body([photo], lon=EDGE.lon, lat=EDGE.lat, accuracy_m=49.0)
    explained = done(
        world.community.app.get("/v1/routing", lon=EDGE.lon, lat=EDGE.lat, accuracy_m=49.0)
    ).body

    receipt = done(rider.app.post("/v1/reports", body)).body

    routing = receipt["case"]["routing"]
    assert routing["neighbour"] is not None
    assert routing["neighbour_m"] < 49
    assert {name: explained[name] for name in routing} == routing
    report = done(rider.app.get(f"/v1/reports/{receipt['report']['id']}")).body
    assert report["routing"] == routing
