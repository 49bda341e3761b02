"""Two admins let a frozen wallet go; what is wrong with a command is said, all at once."""

from __future__ import annotations

import pytest

from handlers.console import thaws
from models.points.freezing import freeze
from tests.support.world import World, done


def test_two_admins_let_a_rider_spend_again(world: World) -> None:
    rider = world.redeemer(points=10)
    freeze(rider.member_id, [], now=world.clock.now())
    order = {"reward_id": world.haircut}

    shown = done(rider.app.get("/v1/points")).body["frozen"]
    refused = rider.app.post("/v1/redemptions", order)
    asked = thaws.on_invoke({"member_id": rider.member_id, "actor": "District-1"})
    same = thaws.on_invoke({"member_id": rider.member_id, "actor": " district-1"})
    thawed = thaws.on_invoke({"member_id": rider.member_id, "actor": "district-2"})

    assert shown is True
    assert (refused.status, refused.body["code"]) == (409, "points.frozen")
    assert [each["outcome"] for each in (asked, same, thawed)] == ["asked", "asked", "thawed"]
    done(rider.app.post("/v1/redemptions", order))
    assert done(rider.app.get("/v1/points")).body["frozen"] is False


@pytest.mark.parametrize(
    ("event", "code", "fields"),
    [
        ({}, "request.invalid", {"member_id": "field.missing", "actor": "field.missing"}),
        ({"member_id": 7, "actor": "a"}, "request.invalid", {"member_id": "field.wrong_type"}),
        ({"member_id": "m", "actor": "13800138000"}, "request.invalid", {"actor": "field.invalid"}),
        ({"member_id": "mem_nobody", "actor": "district-1"}, "not_found", {}),
    ],
)
def test_a_command_that_cannot_be_is_told_what_is_wrong(
    world: World, event: dict[str, object], code: str, fields: dict[str, str]
) -> None:
    answer = thaws.on_invoke(event)

    assert answer["code"] == code
    assert {bad["field"]: bad["code"] for bad in answer["fields"]} == fields
