"""Nobody handles, or looks again at, what somebody close to him reported or fixed."""

from __future__ import annotations

from typing import Any

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.tables import Database
from models.cases.entities import Action
from models.cases.rechecks import AnswerRecheck, Rechecks
from models.people import links
from models.people.entities import Actor, RoleName
from tests.models.cases.test_rechecks import an_answer, id_of, opened
from tests.support.cases import Town, a_rider
from tests.support.meter import metered


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    return Town(clock)


def link(town: Town, one: Actor, other: Actor) -> None:
    """Both have had one phone."""
    phone_key = new_id("phk")
    for actor in (one, other):
        links.record_phone(phone_key, actor.member_id, town.clock.now())


def refusal(call: Any) -> str:
    with pytest.raises(Conflict) as refused:
        call()
    return refused.value.code


def test_an_officer_may_not_claim_what_a_relative_reported(town: Town) -> None:
    rider = a_rider()
    link(town, rider, town.officer)
    case = town.filed(rider)

    assert refusal(lambda: town.act(town.officer, case, Action.CLAIM)) == "case.linked_report"


def test_nor_what_a_relative_joined(town: Town) -> None:
    case, joiner = town.filed(), a_rider()
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    link(town, joiner, town.officer)

    assert refusal(lambda: town.act(town.officer, case, Action.CLAIM)) == "case.linked_report"


def test_whoever_is_close_to_others_handles_what_strangers_reported(town: Town) -> None:
    link(town, a_rider(), town.officer)

    case = town.claimed()

    assert case.claimer_id == town.officer.member_id


def test_a_linked_officer_is_passed_over_and_the_routing_says_so(town: Town) -> None:
    rider = a_rider()
    second = town.an_official(RoleName.OFFICER, "网格员二", starts_at=town.clock.now())
    link(town, rider, town.officer)

    case = town.filed(rider)

    assert case.assigned_to == second.member_id
    assert case.routing["why"] == ["first_on_duty", "not_close_to_the_reporter"]
    assert town.filed().assigned_to == town.officer.member_id


def test_asking_for_links_costs_a_report_no_call(town: Town) -> None:
    rider = a_rider()
    link(town, rider, town.officer)
    town.filed(rider)
    command = town.a_report(rider, **town.at(east_m=90))

    with metered() as cost:
        town.intake.submit(rider, command)

    assert cost.calls == ["BatchGetItem", "TransactWriteItems"]


@pytest.mark.parametrize("whose", ["reporter", "resolver"])
def test_a_recheck_is_not_for_who_is_close_to_reporter_or_resolver(town: Town, whose: str) -> None:
    rechecks, rider, looker = (
        Rechecks(clock=town.clock, ledger=town.ledger, key=b"k"),
        a_rider(),
        a_rider(),
    )
    link(town, looker, rider if whose == "reporter" else town.officer)
    case = opened(town, rechecks, rider=rider)
    here = {"lon": town.centre.lon, "lat": town.centre.lat}

    assert rechecks.near(looker, **here) == []
    assert [item["id"] for item in rechecks.near(a_rider(), **here)] == [id_of(case)]
    answer: AnswerRecheck = an_answer(town, looker)
    assert refusal(lambda: rechecks.answer(looker, id_of(case), answer)) == "recheck.own_case"
