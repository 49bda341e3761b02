"""The reporter has the last word, in time; silence closes; the lead decides disputes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.base.errors import Conflict, NotFound
from models.base.ids import new_id
from models.cases import awards
from models.cases.entities import Action, Status
from models.cases.tables import CaseRow
from models.people.entities import Actor
from models.points.ledger import transfer
from models.points.reading import balances
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply


def verdict(town: Town, rider: Actor, report_id: str, **values: Any) -> Mapping[str, Any]:
    values = {
        "satisfied": True,
        "comment": None,
        "client_request_id": new_id("crid"),
        **values,
    }
    return town.closing.verdict(rider, report_id, **values)


def joined(town: Town, case: CaseRow) -> tuple[Actor, str]:
    rider = a_rider()
    receipt = town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))
    return rider, receipt["report"]["id"]


def disputed(town: Town, rider: Actor) -> CaseRow:
    """A case that its reporter was unhappy with for the third time."""
    case = town.resolved(rider)
    for _ in range(2):
        verdict(town, rider, case.report_id, satisfied=False)
        case = town.resolve(town.case(case.case_id))
    verdict(town, rider, case.report_id, satisfied=False)
    return town.case(case.case_id)


def test_a_satisfied_reporter_closes_the_case_and_his_points_are_available(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)
    pending = balances(rider.member_id, town.clock.now())

    answer = verdict(town, rider, case.report_id)

    closed = town.case(case.case_id)
    after = balances(rider.member_id, town.clock.now())
    assert answer["status"] == "closed"
    assert (closed.closed_as, closed.closed_at) == ("confirmed", town.clock.now())
    assert (pending.available, pending.pending) == (0, 10)
    assert (after.available, after.pending) == (10, 0)


def test_a_lost_reply_to_a_verdict_closes_once(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)

    with lost_reply() as lost:
        answer = verdict(town, rider, case.report_id, client_request_id="same")

    assert lost
    assert verdict(town, rider, case.report_id, client_request_id="same") == answer
    assert balances(rider.member_id, town.clock.now()).available == 10


def test_the_same_verdict_at_once_is_one_and_two_different_ones_are_not_both(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)

    def say(satisfied: bool) -> str:
        try:
            answer = verdict(
                town,
                rider,
                case.report_id,
                satisfied=satisfied,
                client_request_id=str(satisfied),
            )
        except Conflict as refusal:
            return refusal.code
        return str(answer["status"])

    with ThreadPoolExecutor(4) as pool:
        outcomes = set(pool.map(say, (True, False, True, False)))

    assert outcomes in ({"closed", "case.not_reopenable"}, {"claimed", "case.not_possible"})


def test_an_unhappy_reporter_sends_it_back_to_the_same_officer_with_a_new_limit(
    town: Town,
) -> None:
    rider = a_rider()
    case = town.resolved(rider)
    town.clock.advance(timedelta(hours=20))

    verdict(town, rider, case.report_id, satisfied=False, comment="还有两辆")

    reopened = town.case(case.case_id)
    assert (reopened.status, reopened.claimer_id) == ("claimed", town.officer.member_id)
    assert reopened.due_at > town.clock.now()
    assert (reopened.rounds, reopened.reopened) == (1, 1)
    assert (reopened.resolved_at, reopened.after) == (None, None)


def test_the_third_time_the_lead_decides(town: Town) -> None:
    case = disputed(town, a_rider())

    town.act(town.lead, case, Action.VERIFY)

    closed = town.case(case.case_id)
    assert case.status == Status.DISPUTED
    assert (closed.status, closed.closed_as) == ("closed", "lead")
    maturity = transfer(awards.maturity_id(case.report_id))
    assert maturity is not None


def test_the_lead_may_find_the_reporter_right_but_not_judge_his_own_work(town: Town) -> None:
    rider = a_rider()
    case = disputed(town, rider)

    reopened = town.act(town.lead, case, Action.REOPEN, reason="reporter_is_right")

    assert reopened["status"] == "claimed"
    own = town.filed(rider)
    town.act(town.lead, own, Action.CLAIM)
    own = town.resolve(town.case(own.case_id), town.lead)
    for _ in range(2):
        verdict(town, rider, own.report_id, satisfied=False)
        own = town.resolve(town.case(own.case_id), town.lead)
    verdict(town, rider, own.report_id, satisfied=False)
    with pytest.raises(Conflict) as refusal:
        town.act(town.lead, town.case(own.case_id), Action.VERIFY)
    assert refusal.value.code == "case.own_resolution"


@pytest.mark.parametrize(
    ("waited", "in_time"), [(timedelta(hours=71, minutes=59), True), (timedelta(hours=72), False)]
)
def test_a_verdict_comes_within_72_hours(town: Town, waited: timedelta, in_time: bool) -> None:
    rider = a_rider()
    case = town.resolved(rider)
    town.clock.advance(waited)

    try:
        verdict(town, rider, case.report_id)
    except Conflict as refusal:
        assert not in_time
        assert refusal.code == "report.verdict_too_late"  # noqa: PT017
    else:
        assert in_time


def test_a_verdict_before_there_is_a_fix_is_not_possible(town: Town) -> None:
    rider = a_rider()
    case = town.claimed(rider)

    with pytest.raises(Conflict) as refusal:
        verdict(town, rider, case.report_id)

    assert refusal.value.code == "case.not_possible"


def test_another_riders_report_is_unknown(town: Town) -> None:
    case = town.resolved()

    with pytest.raises(NotFound):
        verdict(town, a_rider(), case.report_id)


def test_a_joiners_word_is_recorded_and_changes_no_state(town: Town) -> None:
    case = town.claimed()
    joiner, report_id = joined(town, case)
    resolved = town.resolve(town.case(case.case_id))

    answer = verdict(
        town, joiner, report_id, satisfied=False, comment="还在", client_request_id="1"
    )
    again = verdict(town, joiner, report_id, satisfied=False, comment="还在", client_request_id="1")

    said = [e for e in town.events(case.case_id) if e.action == Action.JOINER_VERDICT]
    assert answer == again
    assert [event.reason for event in said] == ["not_fixed"]
    assert town.case(case.case_id).version == resolved.version
    with pytest.raises(Conflict) as refusal:
        verdict(town, joiner, report_id)
    assert refusal.value.code == "report.verdict_given"


def test_a_joiner_is_heard_only_when_there_is_a_fix_and_in_time(town: Town) -> None:
    case = town.claimed()
    joiner, report_id = joined(town, case)

    with pytest.raises(Conflict) as early:
        verdict(town, joiner, report_id)
    town.resolve(town.case(case.case_id))
    town.clock.advance(timedelta(hours=72))
    with pytest.raises(Conflict) as late:
        verdict(town, joiner, report_id)

    assert early.value.code == "case.not_possible"
    assert late.value.code == "report.verdict_too_late"


def test_a_report_can_be_taken_back_before_anybody_accepted_it(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)

    answer = town.closing.withdraw(rider, case.report_id, "1")

    assert answer["status"] == "withdrawn"
    assert town.closing.withdraw(rider, case.report_id, "1") == answer
    assert town.case(case.case_id).wake_at is None


def test_a_report_is_not_taken_back_once_accepted_or_joined(town: Town) -> None:
    rider, other = a_rider(), a_rider()
    accepted, shared = town.claimed(rider), town.filed(other)
    joiner, joiners_report = joined(town, shared)

    codes = []
    for who, report_id in (
        (rider, accepted.report_id),
        (other, shared.report_id),
        (joiner, joiners_report),
    ):
        with pytest.raises(Conflict) as refusal:
            town.closing.withdraw(who, report_id, new_id("crid"))
        codes.append(refusal.value.code)

    assert codes == ["case.not_possible", "report.joined_by_others", "report.joined"]


def test_taking_back_and_claiming_at_once_never_both_happen(town: Town) -> None:
    for _ in range(5):
        rider = a_rider()
        case = town.filed(rider)

        def claim(case: CaseRow = case) -> str:
            try:
                town.act(town.officer, case, Action.CLAIM)
            except Conflict as refusal:
                return refusal.code
            return "done"

        def take_back(case: CaseRow = case, rider: Actor = rider) -> str:
            try:
                town.closing.withdraw(rider, case.report_id, "1")
            except Conflict as refusal:
                return refusal.code
            return "done"

        with ThreadPoolExecutor(2) as pool:
            outcomes = [pool.submit(claim), pool.submit(take_back)]

        assert [outcome.result() for outcome in outcomes].count("done") == 1
        assert town.case(case.case_id).version == 2
