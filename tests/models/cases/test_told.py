"""The officer's clock starts when he was told; the public one never waits for that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from models.cases.entities import Action
from models.cases.tables import CaseRow
from models.cases.told import first_told
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply
from tests.support.steps import catch_up, steps_of

FIRE_LANE = "E0496"  # serious: two hours, day and night
E_BIKES = "E0493a"  # ordinary: two working hours


def tell(town: Town, case: CaseRow, member_id: str | None = None) -> None:
    who = member_id or town.officer.member_id
    first_told(case.case_id, who, town.clock.now(), town.working)


def test_nobody_is_escalated_for_an_alert_that_was_withheld(town: Town) -> None:
    case = town.filed(category=E_BIKES)

    early = catch_up(town, case, after=timedelta(hours=23, minutes=59))

    assert early == 0
    assert town.case(case.case_id).due_at == case.due_at


def test_the_steps_are_measured_from_when_the_officer_was_told(town: Town) -> None:
    case = town.filed(category=E_BIKES)
    town.clock.advance(timedelta(minutes=15))
    tell(town, case)  # at a quarter past ten

    told = town.case(case.case_id)
    early = catch_up(town, case, after=timedelta(minutes=95))
    remind = catch_up(town, case, after=timedelta(minutes=2))
    overdue = catch_up(town, case, after=timedelta(hours=2, minutes=53))

    assert town.working.between(told.told_at, told.claim_due_at) == timedelta(hours=2)
    assert (told.due_at, told.started_at) == (case.due_at, case.started_at)
    assert (early, remind, overdue) == (0, 1, 2)
    assert sorted(steps_of(town, case)) == ["lead", "remind", "unclaimed"]


def test_only_the_first_telling_counts_also_when_its_reply_is_lost(town: Town) -> None:
    case = town.filed(category=E_BIKES)

    with lost_reply("UpdateItem"):
        tell(town, case)
    first = town.case(case.case_id)
    town.clock.advance(timedelta(minutes=10))
    tell(town, case, town.lead.member_id)

    again = town.case(case.case_id)
    assert first.told_at is not None
    assert (again.told_at, again.told_id) == (first.told_at, town.officer.member_id)
    assert again.version == case.version


def test_two_tellings_at_once_start_one_clock(town: Town) -> None:
    case = town.filed(category=E_BIKES)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda who: tell(town, case, who), [f"mbr_{n}" for n in range(4)]))

    told = town.case(case.case_id)
    assert told.told_at == told.clock_from == town.clock.now()
    assert told.wake_at > town.clock.now()


def test_a_case_withheld_for_a_day_goes_to_the_lead(town: Town) -> None:
    case = town.filed(category=E_BIKES)

    catch_up(town, case, after=timedelta(hours=24))

    assert steps_of(town, case) == ["unclaimed"]


def test_an_urgent_case_waits_for_no_telling(town: Town) -> None:
    case = town.filed(category=FIRE_LANE)

    taken = catch_up(town, case, after=timedelta(minutes=30))
    tell(town, case)

    told = town.case(case.case_id)
    assert taken == 1
    assert (told.clock_from, told.claim_due_at) == (case.created_at, case.claim_due_at)
    assert told.told_at == town.clock.now()


def test_a_claim_tells_the_officer_as_nothing_else_can(town: Town) -> None:
    case = town.filed(category=E_BIKES)
    town.clock.advance(timedelta(minutes=40))

    town.act(town.officer, case, Action.CLAIM)

    claimed = town.case(case.case_id)
    assert claimed.clock_from == claimed.told_at == town.clock.now()


def test_whoever_gets_a_case_next_has_a_clock_of_his_own(town: Town) -> None:
    case = town.claimed(category=E_BIKES)
    town.clock.advance(timedelta(minutes=100))
    town.act(town.officer, case, Action.RETURN, reason="off_duty")
    before = town.clock.now() - timedelta(minutes=1)

    first_told(case.case_id, town.officer.member_id, before, town.working)
    untold = town.case(case.case_id)
    tell(town, case, town.lead.member_id)

    told = town.case(case.case_id)
    assert (untold.told_at, untold.clock_from) == (None, None)
    assert told.clock_from == town.clock.now()
    assert told.due_at == case.due_at


def test_a_case_assigned_to_who_knows_it_already_keeps_its_clock(town: Town) -> None:
    case = town.filed(category=E_BIKES)
    tell(town, case)
    town.clock.advance(timedelta(minutes=10))
    reference = next(iter(town.handling.officers(case)))

    town.act(town.lead, case, Action.ASSIGN, officer=reference)

    assert town.case(case.case_id).told_at == town.clock.now() - timedelta(minutes=10)


def test_a_row_from_before_there_was_such_a_clock_is_escalated_as_before(town: Town) -> None:
    case = town.filed(a_rider(), category=E_BIKES)
    case.update(actions=[CaseRow.claim_limit_s.remove()])

    catch_up(town, case, after=timedelta(days=3))

    assert len(steps_of(town, case)) == 7


def test_an_unclaimed_case_walks_on_to_community_and_duty(town: Town) -> None:
    case = town.filed(category=FIRE_LANE)

    for minutes in (59, 1, 59, 1):
        catch_up(town, case, after=timedelta(minutes=minutes))

    taken = {e.action: e.at - case.created_at for e in town.events(case.case_id)[:-1]}
    assert taken["unclaimed"] == timedelta(minutes=59)
    assert taken["unclaimed_community"] == timedelta(minutes=60)
    assert taken["unclaimed_duty"] == timedelta(minutes=120)
