"""An admin takes in codes that somebody else made."""

from __future__ import annotations

import logging

import pytest

from handlers.console import codes
from models.base.ids import new_id
from tests.support.world import World, done


def test_imported_codes_reach_a_voucher(world: World) -> None:
    rider, reward_id, code = world.redeemer(), world.pooled(), new_id("code")

    answer = codes.on_invoke(
        {"reward_id": reward_id, "batch": "spring", "csv": f"code\n{code}", "actor": "desk-1"}
    )

    taken = [done(rider.app.post("/v1/redemptions", {"reward_id": reward_id})).body["redemption"]]
    shown = [done(rider.app.post(f"/v1/redemptions/{each['id']}/reveal", {})) for each in taken]
    assert answer == {"added": 1, "changed": 0, "removed": 0, "refused": []}
    assert [each["code"] for each in taken] == [None]
    assert all(each.body["redemption"]["code"] for each in shown)
    assert all(each.body["redemption"]["code_source"] == "pool" for each in shown)


def test_what_is_wrong_is_told_without_a_code(world: World) -> None:
    asked = {"reward_id": world.pooled(), "batch": "x", "csv": "code\nsecret\nsecret", "actor": "d"}

    nothing, double = codes.on_invoke({}), codes.on_invoke(asked)
    foreign = codes.on_invoke({**asked, "reward_id": "rwd_none"})

    assert {bad["field"] for bad in nothing["fields"]} == {"reward_id", "batch", "csv", "actor"}
    assert double["refused"] == [{"line": 3, "code": "pool.code_repeated"}]
    assert foreign["code"] == "reward.not_found"
    assert "secret" not in f"{double}{foreign}"


def test_a_code_is_in_its_owners_answer_and_in_no_list_and_no_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rider, reward_id = world.redeemer(), world.pooled()
    since = done(rider.app.get("/v1/changes")).body["next_cursor"]
    taken = done(rider.app.post("/v1/redemptions", {"reward_id": reward_id})).body["redemption"]
    path = f"/v1/redemptions/{taken['id']}"

    shown = done(rider.app.post(f"{path}/reveal", {})).body["redemption"]
    world.work()

    again = done(rider.app.get(path)).body["redemption"]
    lists = [rider.app.get("/v1/redemptions"), rider.app.get("/v1/changes", cursor=since)]
    lists += [rider.app.get("/v1/points/entries"), rider.app.get("/v1/inbox")]
    assert shown["code"] == again["code"]
    assert taken["id"] in str(lists[0].body)
    assert not [each for each in lists if shown["code"] in str(done(each).body)]
    assert shown["code"] not in caplog.text
