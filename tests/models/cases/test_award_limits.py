"""A limit of points never stops a case, never pays twice, and counts the day of the report."""

from __future__ import annotations

from datetime import timedelta

from models.base.ids import new_id
from models.base.store import query
from models.cases import awards, crediting
from models.cases.entities import Action, Status
from models.cases.tables import CaseRow
from models.people.entities import Actor
from models.points.ledger import transfer
from models.points.reading import balances
from models.points.tables import EntryRow, TransferRow
from tests.support.cases import Town, a_rider

FIRE_LANE = "E0496"


def award_of(case: CaseRow) -> TransferRow:
    row = transfer(awards.award_id(case.report_id))
    assert row is not None
    return row


def limits(rider: Actor) -> list[str | None]:
    return [row.source["inputs"].get("limit") for row in query(EntryRow, rider.member_id)]


def claim(town: Town, case: CaseRow) -> CaseRow:
    town.act(town.officer, town.case(case.case_id), Action.CLAIM)
    return town.case(case.case_id)


def six_reports(town: Town, rider: Actor) -> list[CaseRow]:
    """Sent within two hours of one day."""
    cases = []
    for _ in range(6):
        cases.append(town.filed(rider))
        town.clock.advance(timedelta(minutes=20))
    return cases


def test_who_reports_what_is_urgent_has_ten_more(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)

    assert (case.severity, award_of(case).points) == ("B", 20)


def test_a_sixth_report_is_handled_like_any_and_says_why_it_brought_nothing(town: Town) -> None:
    rider = a_rider()

    claimed = [claim(town, case) for case in six_reports(town, rider)]

    assert {case.status for case in claimed} == {Status.CLAIMED}
    assert [award_of(case).points for case in claimed] == [10, 10, 10, 10, 10, 0]
    assert limits(rider) == [None] * 5 + ["act_day"]
    assert (award_of(claimed[5]).gross, award_of(claimed[5]).limit) == (10, "act_day")


def test_a_report_counts_to_the_day_it_was_sent_however_late_it_is_claimed(town: Town) -> None:
    rider = a_rider()
    cases = six_reports(town, rider)
    town.clock.advance(timedelta(days=1))
    cases.append(town.filed(rider))

    points = [award_of(claim(town, case)).points for case in reversed(cases)]

    assert points == [10, 10, 10, 10, 10, 10, 0]


def test_what_a_limit_kept_back_is_not_paid_by_a_merge(town: Town) -> None:
    rider, other = a_rider(), a_rider()
    cases = six_reports(town, rider)
    for case in cases:
        claim(town, case)
    later = claim(town, town.filed(other))
    merged = town.case(cases[5].case_id)
    town.act(town.lead, merged, Action.MERGE, reason="same_thing", into=later.case_id)

    for _ in range(2):
        crediting.award_others(town.ledger, town.case(later.case_id), town.clock.now())

    found = balances(rider.member_id, town.clock.now())
    assert (found.available, found.pending) == (0, 50)
    assert len(limits(rider)) == 6


def test_a_sixth_report_that_was_an_echo_first_is_still_the_sixth(town: Town) -> None:
    rider = a_rider()
    older = town.claimed(a_rider())
    town.clock.advance(timedelta(hours=1))
    cases = six_reports(town, rider)
    for case in cases[:5]:
        claim(town, case)
    sixth = town.case(cases[5].case_id)
    town.act(town.lead, sixth, Action.MERGE, reason="same_thing", into=older.case_id)
    crediting.award_others(town.ledger, town.case(older.case_id), town.clock.now())

    town.act(town.lead, town.case(sixth.case_id), Action.UNMERGE, reason="not_the_same")
    claim(town, sixth)
    crediting.award_others(town.ledger, town.case(sixth.case_id), town.clock.now())

    assert balances(rider.member_id, town.clock.now()).pending == 50 + 2
    assert limits(rider) == [None] * 6 + ["act_day"]


def test_of_a_report_that_was_an_echo_first_the_rest_is_one_act(town: Town) -> None:
    rider = a_rider()
    older = town.claimed(a_rider())
    town.clock.advance(timedelta(hours=1))
    cases = six_reports(town, rider)
    first = town.case(cases[0].case_id)
    town.act(town.lead, first, Action.MERGE, reason="same_thing", into=older.case_id)
    crediting.award_others(town.ledger, town.case(older.case_id), town.clock.now())
    town.act(town.lead, town.case(first.case_id), Action.UNMERGE, reason="not_the_same")

    for case in cases:
        claim(town, case)
        crediting.award_others(town.ledger, town.case(case.case_id), town.clock.now())

    assert balances(rider.member_id, town.clock.now()).pending == 50
    assert limits(rider) == [None] * 6 + ["act_day"]


def test_what_was_counted_with_another_report_is_an_act_of_its_own_once_they_are_told_apart(
    town: Town,
) -> None:
    """The same rider's sixth report is worth more than the fifth, which is merged into it."""
    rider = a_rider()
    cases = six_reports(town, rider)
    for case in cases[:4]:
        claim(town, case)
    fifth = claim(town, town.filed(rider, category="E0113"))
    town.clock.advance(timedelta(minutes=1))
    sixth = town.filed(rider, category="E0505")
    whole = town.case(fifth.case_id)
    town.act(town.lead, whole, Action.MERGE, reason="same_thing", into=sixth.case_id)
    claim(town, sixth)
    crediting.award_others(town.ledger, town.case(sixth.case_id), town.clock.now())
    as_one = [award_of(case).points for case in (fifth, sixth)]

    town.act(town.lead, town.case(fifth.case_id), Action.UNMERGE, reason="not_the_same")
    for case in (fifth, sixth):
        crediting.award_others(town.ledger, town.case(case.case_id), town.clock.now())
        crediting.award_whole(town.ledger, town.case(case.case_id), town.clock.now())

    assert as_one == [10, 10]
    assert award_of(sixth).counted
    assert not award_of(fifth).counted
    assert limits(rider)[-1] == "act_day"
    assert balances(rider.member_id, town.clock.now()).pending == 60


def test_a_case_closes_whose_report_brought_nothing(town: Town) -> None:
    rider = a_rider()
    case = [claim(town, case) for case in six_reports(town, rider)][5]
    town.resolve(case)

    town.closing.verdict(
        rider, case.report_id, client_request_id=new_id("crid"), satisfied=True, comment=None
    )

    assert town.case(case.case_id).status == Status.CLOSED
    found = balances(rider.member_id, town.clock.now())
    assert (found.available, found.pending) == (0, 50)
