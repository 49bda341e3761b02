"""Who hears of questions, more time, other categories and appeals, and what each may read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.cases.asking import Reply
from models.cases.entities import Action, Status
from models.cases.photos import PhotoAddresses
from models.cases.reading import Reading
from models.people.entities import RoleName
from tests.models.cases.test_notices import World, inbox, kinds
from tests.support.cases import Town, a_rider

FIRE_LANE, E_BIKES, COLLAPSE = "E0496", "E0493a", "E0505"


@pytest.fixture
def reading(town: Town) -> Reading:
    return Reading(
        clock=town.clock,
        working=town.working,
        categories=town.categories,
        handling=town.handling,
        addresses=PhotoAddresses(base_url="https://photos.example"),
        pseudonym_key=b"k" * 32,
    )


@pytest.fixture
def world(town: Town) -> World:
    return World(town)


@pytest.mark.parametrize(("says", "is_shown"), [("pass", True), ("risky", False)])
def test_what_is_asked_and_replied_is_read_when_wechat_lets_it_pass(
    town: Town, reading: Reading, says: str, is_shown: bool
) -> None:
    rider, world = a_rider(), World(town, says=says)
    case = town.claimed(rider)
    town.act(town.officer, case, Action.ASK, text="车在哪一侧？")
    before = reading.report(rider, case.report_id)["history"][-1]
    world.deliver(case)
    asked = reading.report(rider, case.report_id)["history"][-1]
    town.answering.reply(rider, case.report_id, Reply(text="在东侧"), "one")
    world.deliver(case)
    replied = reading.case(town.officer, case.case_id)["history"][-1]

    assert (before["action"], before["text"]) == ("ask", None)
    assert (asked["text"], replied["text"]) == (
        ("车在哪一侧？", "在东侧") if is_shown else (None, None)
    )
    assert "case.asked" in kinds(rider)
    assert all("哪一侧" not in str(row.body) for row in inbox(rider))


def test_a_reply_is_told_to_who_asked(world: World) -> None:
    rider, town = a_rider(), world.town
    case = town.claimed(rider)
    town.act(town.officer, case, Action.ASK, text="车在哪一侧？")
    world.deliver(case)

    town.answering.reply(rider, case.report_id, Reply(text="在东侧"), "one")
    world.deliver(case)

    assert "case.replied" in kinds(town.officer)


def test_who_decides_is_told_of_a_proposal_and_who_proposed_of_the_decision(world: World) -> None:
    rider, town = a_rider(), world.town
    case = town.claimed(rider)
    town.act(town.officer, case, Action.EXTEND, reason="weather")
    world.deliver(case)
    asked = kinds(town.lead)

    town.act(town.lead, town.case(case.case_id), Action.APPROVE)
    world.deliver(case)

    assert "case.proposed" in asked
    assert "case.proposed" not in kinds(town.officer)
    assert "case.extended" in kinds(town.officer)
    assert "case.extended" in kinds(rider), "the deadline he sees has moved"


def test_a_decline_is_told_to_who_proposed_only(world: World) -> None:
    rider, town = a_rider(), world.town
    case = town.claimed(rider)
    town.act(town.officer, case, Action.EXTEND, reason="weather")

    town.act(town.lead, town.case(case.case_id), Action.DECLINE, reason="reason_not_shown")
    world.deliver(case)

    assert "case.declined" in kinds(town.officer)
    assert "case.declined" not in kinds(rider)


def test_what_a_lead_proposes_is_told_to_the_community(world: World) -> None:
    town = world.town
    case = town.filed()
    scope = f"community:{case.community_id}"
    community = town.an_official(RoleName.COMMUNITY, "社区", scope)
    town.act(town.lead, case, Action.CLAIM)

    town.act(town.lead, town.case(case.case_id), Action.EXTEND, reason="weather")
    world.deliver(case)

    assert "case.proposed" in kinds(community)
    assert "case.proposed" not in kinds(town.lead)


def test_what_turns_out_a_danger_is_told_at_once_to_everybody_on_duty(world: World) -> None:
    town = world.town
    second = town.an_official(RoleName.OFFICER, "网格员二")
    case = town.claimed(category=E_BIKES)
    world.deliver(case)

    town.act(town.officer, case, Action.CORRECT, reason="wrong_category", category=COLLAPSE)
    world.deliver(case)

    for officer in (town.officer, second):
        told = next(row for row in inbox(officer) if row.kind == "case.corrected")
        assert told.delivered_by == "service"


def test_the_lead_hears_that_a_case_is_no_longer_urgent(world: World) -> None:
    town = world.town
    case = town.claimed(category=FIRE_LANE)

    town.act(town.officer, case, Action.CORRECT, reason="wrong_category", category=E_BIKES)
    world.deliver(case)

    assert "case.corrected" in kinds(town.lead)


def test_an_appeal_is_told_to_the_lead_unless_he_refused_the_case(world: World) -> None:
    rider, town = a_rider(), world.town
    case = town.filed(rider)
    scope = f"community:{case.community_id}"
    community = town.an_official(RoleName.COMMUNITY, "社区", scope)
    other = town.filed(rider)
    town.act(town.officer, case, Action.REJECT, reason="not_visible")
    town.act(town.lead, other, Action.REJECT, reason="not_visible")

    for refused in (case, other):
        town.answering.appeal(rider, refused.report_id, "看得清", refused.case_id)
        world.deliver(refused)

    told = {
        (who, row.case_id)
        for who, actor in (("lead", town.lead), ("community", community))
        for row in inbox(actor)
        if row.kind == "case.appealed"
    }
    assert told == {("lead", case.case_id), ("community", other.case_id)}


def test_when_the_clock_goes_on_by_itself_both_sides_hear_of_it(world: World) -> None:
    rider, town = a_rider(), world.town
    case = town.claimed(rider, category=FIRE_LANE)
    town.act(town.officer, case, Action.ASK, text="车在哪一侧？")
    town.clock.advance(timedelta(hours=48))

    town.escalation.catch_up(case.case_id, town.clock.now())
    world.deliver(case)

    assert town.case(case.case_id).status == Status.CLAIMED
    assert "case.resumed" in kinds(town.officer)
    assert "case.resumed" in kinds(rider)


def test_a_case_shows_its_clock_and_what_waits_for_a_decision(town: Town, reading: Reading) -> None:
    case = town.claimed(category=FIRE_LANE)
    town.clock.advance(timedelta(minutes=20))
    running = reading.case(town.officer, case.case_id)
    town.act(town.officer, case, Action.EXTEND, reason="weather")
    proposed = reading.case(town.lead, case.case_id)
    town.act(town.officer, town.case(case.case_id), Action.ASK, text="车在哪一侧？")
    town.clock.advance(timedelta(hours=3))
    paused = reading.case(town.officer, case.case_id)

    assert (running["clock"], running["remaining_seconds"]) == ("running", 6000)
    assert (paused["clock"], paused["remaining_seconds"]) == ("paused", 6000)
    assert proposed["proposal"]["kind"] == "extension"
    assert {"approve", "decline"} <= {one["action"] for one in proposed["allowed_actions"]}
    assert paused["proposal"] is None
