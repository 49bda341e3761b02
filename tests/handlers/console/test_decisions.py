"""Admins propose, decide and hear of appeals about points by invoking functions with JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.console import decisions
from models.base.ids import new_id
from models.points.proposal_rules import ACTS, REASONS, Kind
from tests.support.world import Person, World, done

HEADING = "kind,member_id,points,quantity,reason,reference,day"


def county(world: World) -> str:
    return world.posts()["officer"].county


def command(world: World, **event: object) -> dict[str, object]:
    return {"county": county(world), "actor": "maker", **event}


def by_another(world: World, **event: object) -> dict[str, object]:
    return command(world, **{"actor": "checker", **event})


def available(rider: Person) -> int:
    return int(done(rider.app.get("/v1/points")).body["available"])


def told(rider: Person) -> list[str]:
    return [one["title"] for one in done(rider.app.get("/v1/inbox")).body["items"]]


def test_a_file_of_many_is_proposed_listed_and_approved_as_one_and_all_are_told(
    world: World,
) -> None:
    riders = [world.rider() for _ in range(3)]
    reference = new_id("act")
    lines = [f"adjustment,{rider.member_id},4,,missing,{reference}," for rider in riders]
    event = command(world, csv="\n".join([HEADING, *lines]))

    proposed, again = decisions.on_propose(event), decisions.on_propose(event)
    listed = decisions.on_list(command(world, batch=proposed["batch"]))
    decided = decisions.on_decide(by_another(world, batch=proposed["batch"], decision="approve"))
    world.work()

    assert (proposed["refused"], again) == ([], proposed)
    assert len(listed["proposals"]) == len(decided["decided"]) == 3
    assert [available(rider) for rider in riders] == [4, 4, 4]
    assert all("积分已补记" in told(rider) for rider in riders)
    assert json.dumps([proposed, listed, decided])


def test_every_bad_line_of_a_file_is_named_in_chinese_and_nothing_is_written(
    world: World,
) -> None:
    good = f"adjustment,{world.rider().member_id},4,,missing,{new_id('act')},"
    bad = [f"adjustment,{new_id('mbr')},4,,missing,act-1,", "write_off,,0,,old,,"]

    answer = decisions.on_propose(command(world, csv="\n".join([HEADING, good, *bad])))

    assert answer["proposals"] == []
    assert [(one["line"], one["column"], one["code"]) for one in answer["refused"]] == [
        (3, "member_id", "proposal.unknown_member"),
        (4, "member_id", "proposal.unknown_member"),
        (4, "points", "field.too_small"),
        (4, "reference", "field.missing"),
    ]
    assert answer["refused"][0]["message"] == "没有找到这位成员"


def test_a_decision_that_is_no_text_is_refused(world: World) -> None:
    answer = decisions.on_decide(by_another(world, proposal_id="prp_1", decision=["approve"]))

    assert [one["code"] for one in answer["refused"]] == ["field.not_allowed"]


def test_one_person_alone_moves_nothing(world: World) -> None:
    rider = world.rider()
    columns = {"kind": "adjustment", "points": 4, "reason": "missing", "reference": new_id("act")}
    proposed = decisions.on_propose(command(world, member_id=rider.member_id, **columns))
    proposal_id = proposed["proposals"][0]["proposal_id"]

    own = decisions.on_decide(command(world, proposal_id=proposal_id, decision="approve"))
    declined = decisions.on_decide(by_another(world, proposal_id=proposal_id, decision="decline"))
    late = decisions.on_decide(by_another(world, proposal_id=proposal_id, decision="approve"))

    assert [one["code"] for one in own["refused"]] == ["proposal.own"]
    assert declined["decided"][0]["state"] == "declined"
    assert late["refused"] == [
        {"code": "proposal.decided_before", "message": "这项申请已有结论：declined"}
    ]
    assert available(rider) == 0


def test_a_rider_hears_of_a_taking_appeals_and_hears_what_became_of_it(world: World) -> None:
    rider = world.rider()
    world.take(rider, 3)
    world.work()
    assert "收回 3 积分" in told(rider)
    body = {"text": "没有重复发放"}
    appealed = done(rider.app.post("/v1/points/entries/1/appeal", body)).body

    listed = decisions.on_list(command(world))["appeals"]
    mine = next(one for one in listed if one["member_id"] == rider.member_id)
    which = {"member_id": rider.member_id, "seq": mine["seq"]}
    first = decisions.on_appeal(command(world, decision="dismiss", **which))
    upheld = decisions.on_appeal(command(world, actor="judge", decision="uphold", **which))
    waiting = next(
        one
        for one in decisions.on_list(command(world))["proposals"]
        if one["member_id"] == rider.member_id
    )
    approval = {"proposal_id": waiting["proposal_id"], "decision": "approve"}
    decisions.on_decide(command(world, actor="second", **approval))
    world.work()

    assert (appealed["state"], appealed["text"]) == ("open", "申诉已收到，等待人工复核")
    assert mine["text"] == "没有重复发放"
    assert [one["code"] for one in first["refused"]] == ["appeal.own_decision"]
    assert (upheld["appeal"]["state"], waiting["why"]) == ("upholding", "申诉成立")
    assert "申诉成立，积分已退回" in told(rider)
    debt = done(rider.app.get("/v1/points")).body["debt"]
    assert (debt, available(rider)) == (0, 0)


@pytest.mark.parametrize(
    ("call", "event", "wrong"),
    [
        (decisions.on_list, {"county": "000000"}, ("county", "county.unknown")),
        (decisions.on_propose, {"actor": ""}, ("actor", "field.invalid")),
        (decisions.on_propose, {"csv": HEADING}, ("csv", "field.missing")),
        (decisions.on_propose, {"csv": "kind\n" + "x" * 140_000}, ("csv", "field.invalid")),
        (decisions.on_decide, {"decision": "maybe"}, ("decision", "field.not_allowed")),
        (decisions.on_decide, {}, ("decision", "field.missing")),
        (decisions.on_appeal, {"decision": "uphold", "seq": "1"}, ("seq", "field.invalid")),
    ],
)
def test_a_command_that_is_wrong_as_a_whole_is_told_why(
    world: World, call: Any, event: dict[str, object], wrong: tuple[str, str]
) -> None:
    answer = call(command(world, **event))

    assert [(one["column"], one["code"]) for one in answer["refused"]] == [wrong]


def test_every_kind_has_reasons_and_every_act_its_rule() -> None:
    assert set(REASONS) == set(Kind)
    assert set(ACTS) < set(Kind)
