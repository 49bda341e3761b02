"""A photo from a moving bike: the rider is told to stop, the case is handled, nobody is paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict
from models.base.tables import Database
from models.cases import awards, crediting, rules
from models.cases.crediting import Finding, credits_of
from models.cases.entities import Action, Status
from models.cases.followers import followers_of
from models.people.entities import Actor
from models.points.ledger import transfer
from models.points.reading import balances
from tests.support.cases import Town, a_rider


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    return Town(clock)


def pending(rider: Actor, town: Town) -> int:
    return balances(rider.member_id, town.clock.now()).pending


@pytest.mark.parametrize(("speed_mps", "advice"), [(2.0, "report.stop_first"), (1.9, None)])
def test_from_two_metres_a_second_a_rider_is_told_to_stop(
    town: Town, speed_mps: float, advice: str | None
) -> None:
    rider = a_rider()

    receipt = town.intake.submit(rider, town.a_report(rider, speed_mps=speed_mps))

    assert receipt.get("advice") == advice


def test_what_was_captured_while_moving_is_handled_and_not_paid(town: Town) -> None:
    rider = a_rider()

    case = town.claimed(rider, speed_mps=8.0)

    assert case.status == Status.CLAIMED
    assert pending(rider, town) == 0
    award = transfer(awards.award_id(case.report_id))
    assert award is not None
    assert award.points == 0


def test_it_closes_like_any_other(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider, speed_mps=8.0)

    town.closing.verdict(rider, case.report_id, satisfied=True, comment=None, client_request_id="1")

    assert town.case(case.case_id).status == Status.CLOSED
    assert balances(rider.member_id, town.clock.now()).available == 0


def test_one_who_joined_while_moving_takes_nobodys_paid_place(town: Town) -> None:
    case = town.filed()
    town.clock.advance(timedelta(hours=1))
    riders = [a_rider() for _ in range(5)]
    for number, rider in enumerate(riders):
        speed = 9.0 if number == 0 else 0.0
        town.intake.submit(rider, town.a_report(rider, same_as=case.case_id, speed_mps=speed))
    town.act(town.officer, town.case(case.case_id), Action.CLAIM)

    claimed = town.case(case.case_id)
    assert len(followers_of(claimed)) == 6
    crediting.award_others(town.ledger, claimed, town.clock.now())

    assert [pending(rider, town) for rider in riders] == [0, 2, 2, 2, 0]


def test_in_a_merged_case_it_is_worth_nothing_either(clock: FixedClock) -> None:
    def found(name: str, *, is_moving: bool) -> Finding:
        return Finding(
            report_id=name,
            member_id=name,
            case_id=name,
            is_own=True,
            at=clock.now(),
            is_moving=is_moving,
        )

    worth = credits_of([found("a", is_moving=True), found("b", is_moving=False)], clock.now())

    assert (worth["a"].units, worth["a"].rule) == (0, rules.MOVING_RULE)
    assert (worth["b"].units, worth["b"].rule) == (1, rules.FIRST_RULE)


def test_sent_again_after_stopping_it_makes_no_second_case(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider, speed_mps=8.0)
    town.clock.advance(timedelta(minutes=2))

    with pytest.raises(Conflict) as refused:
        town.filed(rider, **town.at(east_m=30), speed_mps=0.0)

    assert refused.value.code == "report.own_case"
    assert refused.value.details["case_id"] == case.case_id


@pytest.mark.parametrize(
    ("minutes", "east_m", "category"), [(11, 0, "E0493a"), (2, 60, "E0493a"), (2, 0, "E0113")]
)
def test_another_time_place_or_kind_is_another_problem(
    town: Town, minutes: int, east_m: float, category: str
) -> None:
    rider = a_rider()
    case = town.filed(rider, speed_mps=8.0)
    town.clock.advance(timedelta(minutes=minutes))

    other = town.filed(rider, **town.at(east_m=east_m), category=category)

    assert other.case_id != case.case_id


def test_who_stood_still_may_report_the_next_thing_at_once(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider, speed_mps=0.5)

    assert town.filed(rider, **town.at(east_m=20)).case_id != case.case_id
