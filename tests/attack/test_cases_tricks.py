"""What an official, a rider or a late schedule can try on a case's clocks, parts and merges."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.alerts import desk, outbox
from models.alerts.tables import OutboxRow
from models.base.clock import CHINA, FixedClock
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.store import query, scan
from models.base.tables import Database
from models.cases import crediting
from models.cases.entities import Action, Receiver
from models.cases.followers import reports_of
from models.cases.orphans import Orphans
from models.cases.tables import CaseRow
from models.people import links
from models.people.entities import Actor, RoleName
from models.people.tables import RosterRow
from models.points.reading import balances
from tests.models.cases.test_telling import House
from tests.support.cases import Town, a_rider

FIRE_LANE = "E0496"  # serious: two hours, day and night
WASTE = "E0110"
SAME = {"reason": "same_thing"}


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    """A grid with an officer and a lead, where nothing has been reported yet."""
    return Town(clock)


def do(town: Town, actor: Actor, case: CaseRow, action: Action, **values: Any) -> CaseRow:
    town.act(actor, town.case(case.case_id), action, **values)
    return town.case(case.case_id)


def test_a_flooded_street_that_a_hundred_riders_report_can_still_be_read(town: Town) -> None:
    case = town.filed()
    for _ in range(101):
        rider = a_rider()
        town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))

    reports = reports_of(town.case(case.case_id))

    assert [report.ordinal for report in reports] == list(range(1, 103))


def test_a_schedule_that_comes_six_hours_late_lets_nobody_wait_longer(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    do(town, town.officer, case, Action.ASK, text="车在哪一侧？")

    town.clock.advance(timedelta(hours=54))
    town.escalation.catch_up(case.case_id, town.clock.now())

    assert town.case(case.case_id).due_at == case.due_at + timedelta(hours=48)


def test_nobody_waits_for_a_reporter_who_cannot_answer_of_a_part(town: Town) -> None:
    case = town.claimed()
    values = {"reason": "several_problems", "categories": (WASTE,)}
    (part_id,) = do(town, town.officer, case, Action.SPLIT, **values).parts or ()
    part = do(town, town.officer, town.case(part_id), Action.CLAIM)

    with pytest.raises(Conflict) as refusal:
        town.act(town.officer, part, Action.ASK, text="在哪一侧？")

    assert refusal.value.code == "case.is_part"
    assert do(town, town.officer, case, Action.ASK, text="在哪一侧？").status == "waiting"


def told_of(case: CaseRow, topic: str) -> OutboxRow:
    """The row of the outbox that tells of a case under a topic."""
    rows = scan(OutboxRow)
    return next(r for r in rows if (r.topic, r.payload.get("case_id")) == (topic, case.case_id))


def leave_the_roster(town: Town, who: Actor) -> None:
    for row in query(RosterRow.by_scope, f"grid:{town.grid.grid_id}"):
        if row.member_id == who.member_id:
            row.delete()


def link(town: Town, one: Actor, other: Actor) -> None:
    """Both have had one phone."""
    phone_key = new_id("phk")
    for actor in (one, other):
        links.record_phone(phone_key, actor.member_id, town.clock.now())


def refusal_of(town: Town, actor: Actor, case: CaseRow, action: Action, **values: Any) -> str:
    with pytest.raises(Conflict) as refusal:
        town.act(actor, town.case(case.case_id), action, **values)
    return refusal.value.code


def test_a_relatives_report_does_not_reach_an_officer_by_way_of_a_merge(town: Town) -> None:
    relative = a_rider()
    link(town, relative, town.officer)
    his, held = town.filed(relative), town.claimed()

    into_held = refusal_of(town, town.lead, his, Action.MERGE, into=held.case_id, **SAME)
    by_himself = refusal_of(town, town.officer, held, Action.MERGE, into=his.case_id, **SAME)

    assert into_held == by_himself == "case.linked_report"


def test_a_lead_does_not_accept_a_relatives_report_by_handing_it_over(town: Town) -> None:
    relative = a_rider()
    link(town, relative, town.lead)
    case = town.filed(relative)

    values = {"reason": "police_matter", "receiver": Receiver.POLICE}
    refusal = refusal_of(town, town.lead, case, Action.TRANSFER, **values)

    assert refusal == "case.linked_report"
    assert balances(relative.member_id, town.clock.now()).pending == 0


def test_a_case_told_apart_is_not_left_with_an_officer_who_has_gone(town: Town) -> None:
    case, parent = town.claimed(), town.filed()
    do(town, town.lead, case, Action.MERGE, into=parent.case_id, **SAME)
    leave_the_roster(town, town.officer)
    successor = town.an_official(RoleName.OFFICER, "网格员二")
    town.clock.advance(timedelta(hours=1))
    do(town, town.lead, case, Action.UNMERGE, reason="not_the_same")

    parts = {"clock": town.clock, "working": town.working}
    orphans = Orphans(roster=town.roster, places=town.places, **parts)
    unmerged = told_of(case, "case.unmerged")
    told: list[str] = []
    handlers = orphans.around({"case.unmerged": lambda event: told.append(event.topic)})
    event = outbox.lease(unmerged.outbox_id, town.clock.now())
    assert event is not None
    handlers["case.unmerged"](event)

    released = town.case(case.case_id)
    assert (released.status, released.assigned_to) == ("assigned", successor.member_id)
    assert told == ["case.unmerged"]


def test_a_report_merged_and_told_apart_twice_loses_none_of_its_points(town: Town) -> None:
    rider = a_rider()
    early = town.filed()
    town.clock.advance(timedelta(minutes=1))
    his_first = town.filed(rider)
    town.clock.advance(timedelta(hours=1))
    late = town.filed()
    town.clock.advance(timedelta(minutes=30))
    his_second = town.filed(rider)
    for case in (early, late):
        do(town, town.officer, case, Action.CLAIM)

    for case, into in ((his_first, early), (his_second, early), (his_second, late)):
        do(town, town.lead, case, Action.MERGE, into=into.case_id, **SAME)
        crediting.award_whole(town.ledger, town.case(into.case_id), town.clock.now())
        if case is his_second:
            do(town, town.lead, case, Action.UNMERGE, reason="not_the_same")
    do(town, town.officer, his_second, Action.CLAIM)

    assert balances(rider.member_id, town.clock.now()).pending == 20


def test_what_is_released_is_not_told_to_who_may_not_handle_it(town: Town) -> None:
    relative, leaver = a_rider(), town.an_official(RoleName.OFFICER, "网格员二")
    link(town, relative, town.officer)
    case = town.filed(relative)
    assert case.assigned_to == leaver.member_id
    leave_the_roster(town, leaver)
    town.clock.advance(timedelta(hours=1))

    parts = {"clock": town.clock, "working": town.working}
    Orphans(roster=town.roster, places=town.places, **parts).look(case.case_id)
    house = House(town)
    house.deliver(case, "case.released")

    assert house.inbox(town.officer) == []
    assert [row.title["zh"] for row in house.inbox(town.lead)]


def test_a_digest_to_who_had_it_before_starts_nobody_elses_clock(town: Town) -> None:
    second = town.an_official(RoleName.OFFICER, "网格员二", starts_at=town.clock.now())
    town.clock.set(datetime(2026, 3, 18, 13, 0, tzinfo=CHINA))
    house = House(town)
    house.has_used(town.officer, sent=3)
    house.has_used(second, sent=5)
    case = town.filed()
    house.deliver(case, "case.submitted")
    (reference,) = (
        key for key, post in town.handling.officers(case).items() if post.display == "网格员二"
    )
    town.clock.advance(timedelta(minutes=30))
    do(town, town.lead, case, Action.ASSIGN, officer=reference)
    house.deliver(case, "case.assigned")

    town.clock.set(datetime(2026, 3, 18, 14, 35, tzinfo=CHINA))
    rang = house.desk.release(town.officer.member_id)
    house.deliver(case, desk.TOLD)

    after = town.case(case.case_id)
    assert rang == 1
    assert house.rang(second) == []
    assert (after.told_at, after.clock_from) == (None, None)


def test_a_relative_of_the_reporter_is_nobodys_deputy(town: Town) -> None:
    relative = a_rider()
    link(town, relative, town.lead)
    house = House(town)
    house.has_used(town.officer)
    case = town.filed(relative)

    house.deliver(case, "case.submitted")

    assert len(house.inbox(town.officer)) == 1
    assert house.inbox(town.lead) == []


def test_who_hands_over_what_nobody_was_told_of_starts_the_clock_that_is_ours(town: Town) -> None:
    case = town.filed()

    values = {"reason": "platform_matter", "receiver": Receiver.PLATFORM}
    handed = do(town, town.lead, case, Action.TRANSFER, **values)
    town.clock.advance(timedelta(hours=7))
    steps = town.escalation.catch_up(case.case_id, town.clock.now())

    assert (handed.clock_from, handed.told_id) == (case.created_at, town.lead.member_id)
    assert [step.value for step in steps][:2] == ["remind", "lead"]
