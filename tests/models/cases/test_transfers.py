"""A case is handed over, and is ours until the receiver has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.base.errors import Conflict, DomainError
from models.base.ids import new_id
from models.cases.entities import Action, Receiver
from models.cases.tables import CaseRow
from models.people.entities import Actor
from models.points.reading import balances
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply


def hand_over(town: Town, case: CaseRow, actor: Actor | None = None, **values: Any) -> CaseRow:
    values = {"reason": "other_department", "receiver": Receiver.HOTLINE_12345, **values}
    town.act(actor or town.lead, case, Action.TRANSFER, **values)
    return town.case(case.case_id)


def accept(town: Town, case: CaseRow, external_ref: str | None = None) -> CaseRow:
    town.act(town.lead, case, Action.ACCEPT, external_ref=external_ref or new_id("ref"))
    return town.case(case.case_id)


def test_until_the_receiver_accepts_our_clock_and_ladder_run_on(town: Town) -> None:
    case = town.claimed(category="E0505")

    handed = hand_over(town, case)
    town.clock.advance(timedelta(hours=2, minutes=1))
    steps = [step.value for step in town.escalation.catch_up(case.case_id, town.clock.now())]

    assert (handed.status, handed.receiver) == ("transferred", "12345")
    assert handed.due_at == case.due_at
    assert steps == ["remind", "lead"]


def test_with_the_receiver_the_clock_stands_still_and_goes_on_when_it_comes_back(
    town: Town,
) -> None:
    case = town.claimed(category="E0505")
    handed = hand_over(town, case)
    town.clock.advance(timedelta(minutes=30))

    away = accept(town, handed, "WH-1")
    town.clock.advance(timedelta(days=3))
    steps = town.escalation.catch_up(case.case_id, town.clock.now())
    town.act(town.lead, away, Action.RETURN, reason="not_accepted")

    back = town.case(case.case_id)
    assert (away.status, away.external_ref, away.wake_at) == ("external", "WH-1", None)
    assert steps == []
    assert (back.status, back.receiver, back.external_ref) == ("assigned", None, None)
    assert (back.claimer_id, back.paused_at) == (None, None)
    assert back.due_at - town.clock.now() == timedelta(hours=1, minutes=30)
    assert back.wake_at is not None


def test_a_receiver_that_refuses_at_once_gives_it_back_with_its_clock(town: Town) -> None:
    case = town.claimed(category="E0505")
    handed = hand_over(town, case)
    town.clock.advance(timedelta(minutes=30))

    town.act(town.lead, handed, Action.RETURN, reason="not_accepted")

    back = town.case(case.case_id)
    assert (back.status, back.due_at) == ("assigned", case.due_at)


def test_handing_over_what_nobody_claimed_accepts_it_and_pays(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)

    handed = hand_over(town, case)

    assert handed.claimed_at == town.clock.now()
    assert balances(rider.member_id, town.clock.now()).pending == 10


def test_what_the_receiver_fixed_is_judged_by_the_reporter_as_ever(town: Town) -> None:
    rider = a_rider()
    away = accept(town, hand_over(town, town.filed(rider)))

    town.act(town.lead, away, Action.RESOLVE, reason="gone_on_arrival")
    answer = town.closing.verdict(
        rider, away.report_id, satisfied=True, comment=None, client_request_id="1"
    )

    assert answer["status"] == "closed"
    assert balances(rider.member_id, town.clock.now()).available == 10


def test_an_unhappy_reporter_brings_it_back_to_us(town: Town) -> None:
    rider = a_rider()
    away = accept(town, hand_over(town, town.claimed(rider)))
    town.act(town.lead, away, Action.RESOLVE, reason="gone_on_arrival")

    town.closing.verdict(
        rider, away.report_id, satisfied=False, comment=None, client_request_id="1"
    )

    back = town.case(away.case_id)
    assert (back.status, back.claimer_id) == ("claimed", town.officer.member_id)
    assert back.wake_at is not None


def test_a_reference_belongs_to_one_case_of_a_receiver_and_county(town: Town) -> None:
    reference = new_id("WH")
    accept(town, hand_over(town, town.filed()), reference)
    other = hand_over(town, town.filed())
    to_police = hand_over(town, town.filed(), receiver=Receiver.POLICE)
    foreign = Town(town.clock, county="411502")
    abroad = hand_over(foreign, foreign.filed())

    with pytest.raises(Conflict) as refusal:
        accept(town, other, reference)

    assert refusal.value.code == "hand_over.reference_taken"
    assert accept(town, to_police, reference).status == "external"
    assert accept(foreign, abroad, reference).status == "external"


def test_the_same_case_keeps_its_reference_when_it_goes_again(town: Town) -> None:
    reference = new_id("WH")
    handed = hand_over(town, town.filed(), external_ref=reference)
    away = accept(town, handed, reference)
    town.act(town.lead, away, Action.RETURN, reason="not_accepted")

    again = accept(town, hand_over(town, town.case(away.case_id)), reference)

    assert (again.status, again.external_ref) == ("external", reference)


def test_an_officer_hands_over_what_he_holds_and_a_lead_anything(town: Town) -> None:
    case = town.filed()

    with pytest.raises(DomainError) as refusal:
        hand_over(town, case, town.officer)
    held = town.claimed()

    assert refusal.value.code == "case.not_possible"
    assert hand_over(town, held, town.officer).status == "transferred"


@pytest.mark.parametrize("missing", ["receiver", "reason"])
def test_a_hand_over_says_to_whom_and_why(town: Town, missing: str) -> None:
    with pytest.raises(DomainError) as refusal:
        hand_over(town, town.filed(), **{missing: None})

    assert refusal.value.code == "request.invalid"


def test_a_lost_reply_to_a_hand_over_or_an_acceptance_is_a_success(town: Town) -> None:
    case = town.filed()

    with lost_reply() as first:
        handed = hand_over(town, case)
    with lost_reply() as second:
        away = accept(town, handed, new_id("WH"))

    assert first
    assert second
    assert (away.status, away.version) == ("external", case.version + 2)
