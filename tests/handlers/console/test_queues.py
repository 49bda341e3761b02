"""An admin looks at a queue and refuses one who waits, from the console."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from handlers.console import queues as handler
from handlers.events import queues as schedule
from models.base.ids import new_id
from models.base.store import get
from models.rewards.tables import RewardRow
from tests.support.world import World, done


@pytest.fixture
def queued(world: World) -> dict[str, Any]:
    """A rider who waits for a haircut that is allotted rather than sold."""
    row = get(RewardRow, world.haircut)
    assert row is not None
    row.reward_id, row.needs_approval = new_id("rwd"), True
    row.save()
    rider = world.redeemer(10)
    reply = done(rider.app.post("/v1/redemptions", {"reward_id": row.reward_id}))
    voucher = reply.body["redemption"]
    path = f"/v1/redemptions/{voucher['id']}"
    return {"voucher": voucher, "reward_id": row.reward_id, "rider": rider, "path": path}


def test_a_rider_sees_his_place_and_the_admin_the_queue(world: World, queued: Any) -> None:
    shown = done(queued["rider"].app.get(queued["path"])).body["redemption"]

    county = world.haircut.partition("-")[0]
    seen = handler.on_invoke({"reward_id": queued["reward_id"], "county": county})

    assert (shown["state"], shown["code"], shown["declined"]) == ("queued", None, None)
    assert shown["queue"] == {
        "place": 1,
        "reason": "waiting",
        "text": "排在第 1 位：先等先得，同日按积分",
    }
    assert [(each["place"], each["redemption_id"]) for each in seen["queue"]] == [
        (1, queued["voucher"]["id"])
    ]
    schedule.on_schedule()


def test_who_is_refused_is_told_why(world: World, queued: Any) -> None:
    redemption_id = queued["voucher"]["id"]
    event = {"redemption_id": redemption_id, "decline": "not_granted", "actor": "district"}

    answer = handler.on_invoke(event)

    assert (
        answer
        == handler.on_invoke(event)
        == {
            "redemption_id": redemption_id,
            "state": "declined",
        }
    )
    shown = done(queued["rider"].app.get(queued["path"])).body["redemption"]
    assert shown["declined"] == {"reason": "not_granted", "text": "未获批准，积分已退回"}


def test_a_command_that_lacks_something_is_refused_whole(world: World) -> None:
    assert handler.on_invoke({})["code"] == "request.invalid"
    answer = handler.on_invoke({"decline": "because"})
    assert {bad["field"] for bad in answer["fields"]} == {"redemption_id", "actor", "decline"}
    unknown = {"redemption_id": "none", "decline": "not_granted", "actor": "district"}
    assert handler.on_invoke(unknown)["code"] == "redemption.not_found"


def test_whose_turn_it_is_is_told_by_what_changed(world: World, queued: Any) -> None:
    cursor = done(queued["rider"].app.get("/v1/changes?start=now")).body["next_cursor"]
    now = world.clock.now() + timedelta(minutes=1)
    world.services.allocation.run(now)
    world.work()

    items = done(queued["rider"].app.get(f"/v1/changes?cursor={cursor}")).body["items"]

    turn = next(item for item in items if item["kind"] == "redemption")
    assert (turn["id"], turn["change"], turn["change_text"]) == (
        queued["voucher"]["id"],
        "allot",
        "排队轮到了",
    )
    assert turn["redemption"]["state"] == "reserved"
