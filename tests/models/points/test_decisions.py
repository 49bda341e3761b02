"""Two people move points together: never one alone, never twice, never other than proposed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Forbidden, NotFound
from models.base.ids import derived_id, seq_text
from models.base.store import get
from models.base.tables import Database
from models.people.links import import_links
from models.points.appeals import Verdict
from models.points.checking import check_member
from models.points.proposal_rules import Decision
from models.points.proposal_tables import EntryAppealRow, ProposalRow
from models.points.reading import balances
from models.points.tables import EntryRow
from tests.support.faults import Killed, counting, killed_at, lost_at, lost_reply
from tests.support.people import PSEUDONYMS, a_phone
from tests.support.points import COUNTY, NOW, award, hold, mature
from tests.support.proposals import CHECKER, MAKER, Office, a_reference, proposal, told

WEEK = timedelta(days=7)


@pytest.fixture
def office(database: Database, clock: FixedClock) -> Office:
    return Office(clock)


@pytest.fixture
def rider(office: Office) -> Iterator[str]:
    """A member whose ledger must be sound whatever the test did."""
    member_id = office.rider().member_id
    yield member_id
    assert check_member(member_id) == ()


def entries(member_id: str) -> list[EntryRow]:
    return list(EntryRow.query(member_id, page_size=100))


def has(member_id: str) -> tuple[int, int, int, int]:
    found = balances(member_id, NOW)
    return found.available, found.pending, found.held, found.debt


def missing(office: Office, rider: str, points: int = 7) -> str:
    return office.propose(rider, kind="adjustment", points=points, reason="missing")


# who -----------------------------------------------------------------------------------------


def test_what_another_approves_is_posted_with_reason_and_reference(
    office: Office, rider: str
) -> None:
    proposal_id = missing(office, rider)

    told_checker = office.decide(proposal_id)

    row = proposal(proposal_id)
    (entry,) = entries(rider)
    assert (row.state, row.checker, row.points, row.open_county) == ("posted", CHECKER, 7, None)
    assert (told_checker["state"], told_checker["points"]) == ("posted", 7)
    assert (entry.kind, entry.transfer_id) == ("adjustment", row.transfer_id)
    assert entry.source == {
        "proposal": proposal_id,
        "reason": "missing",
        "reference": row.reference,
    }
    assert has(rider) == (7, 0, 0, 0)


@pytest.mark.parametrize("same", [MAKER, MAKER.upper(), f" {MAKER} "])
@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.DECLINE])
def test_nobody_decides_on_his_own_proposal_however_he_writes_his_name(
    office: Office, rider: str, same: str, decision: Decision
) -> None:
    proposal_id = missing(office, rider)

    with pytest.raises(Forbidden, match=r"proposal\.own$"):
        office.decide(proposal_id, decision, by=same)

    assert entries(rider) == []


def test_nobody_approves_for_himself_or_for_somebody_close_to_him(
    office: Office, clock: FixedClock
) -> None:
    phone, relatives, openid = a_phone(), a_phone(), derived_id("o", a_reference())
    actor = office.people.sign_in(openid).actor
    office.people.bind(actor, openid, phone)
    line = {
        "phone_key": PSEUDONYMS.phone(phone),
        "other_phone_key": PSEUDONYMS.phone(relatives),
        "why": "relative",
    }
    import_links([line], now=clock.now(), actor="district")
    other_openid = derived_id("o", a_reference())
    other = office.people.sign_in(other_openid).actor
    office.people.bind(other, other_openid, relatives)
    proposal_id = missing(office, actor.member_id)

    for who in (actor.member_id, PSEUDONYMS.phone(phone), other.member_id):
        with pytest.raises(Forbidden, match=r"proposal\.own_account"):
            office.decide(proposal_id, by=who)
    with pytest.raises(Forbidden, match=r"proposal\.own_account"):
        office.decide(proposal_id, by=PSEUDONYMS.phone(relatives))


def test_another_county_does_not_know_the_proposal(office: Office, rider: str) -> None:
    proposal_id = missing(office, rider)

    for known, county in ((proposal_id, "411503"), ("prp_none", COUNTY), ("no id!", COUNTY)):
        with pytest.raises(NotFound, match=r"proposal\.not_found"):
            office.decisions.decide(known, Decision.APPROVE, county=county, actor=CHECKER)


def test_only_its_maker_withdraws_a_proposal_and_then_it_cannot_be_approved(
    office: Office, rider: str
) -> None:
    proposal_id = missing(office, rider)

    with pytest.raises(Forbidden, match=r"proposal\.not_own"):
        office.decide(proposal_id, Decision.WITHDRAW)
    office.decide(proposal_id, Decision.WITHDRAW, by=MAKER)

    with pytest.raises(Conflict) as late:
        office.decide(proposal_id)
    assert (late.value.code, late.value.details) == (
        "proposal.decided_before",
        {"state": "withdrawn"},
    )
    assert entries(rider) == []


def test_what_was_declined_can_be_asked_for_again_and_only_then_is_posted(
    office: Office, rider: str
) -> None:
    said = {"kind": "adjustment", "points": 7, "reason": "missing", "reference": a_reference()}
    first = office.propose(rider, **said)
    office.decide(first, Decision.DECLINE)

    assert office.propose(rider, **said) == first
    second = office.propose(rider, **said, attempt=2)
    office.decide(second)

    assert has(rider) == (7, 0, 0, 0)


# once ------------------------------------------------------------------------------------------


def test_an_approval_repeated_answers_the_same_and_posts_once(office: Office, rider: str) -> None:
    proposal_id = missing(office, rider)

    first, again = office.decide(proposal_id), office.decide(proposal_id)

    assert first == again
    assert len(entries(rider)) == 1


def test_an_approval_whose_reply_was_lost_is_told_what_it_led_to(
    office: Office, rider: str
) -> None:
    proposal_id = missing(office, rider)

    with lost_reply():
        answer = office.decide(proposal_id)

    assert answer["state"] == "posted"
    assert len(entries(rider)) == 1


def test_of_two_checkers_at_once_one_posts_and_the_other_is_told(
    office: Office, rider: str
) -> None:
    proposal_id = missing(office, rider)

    def decide(number: int) -> str:
        try:
            return str(office.decide(proposal_id, by=f"checker-{number % 2}")["state"])
        except Conflict as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(decide, range(8)))

    assert sorted(outcomes) == ["posted"] * 4 + ["proposal.decided_before"] * 4
    assert len(entries(rider)) == 1


def test_an_approval_and_a_withdrawal_at_once_are_one_of_them(office: Office, rider: str) -> None:
    proposal_ids = [missing(office, rider, points) for points in range(1, 5)]
    steps = [
        (proposal_id, decision, who)
        for proposal_id in proposal_ids
        for decision, who in ((Decision.APPROVE, CHECKER), (Decision.WITHDRAW, MAKER))
    ]

    def decide(step: tuple[str, Decision, str]) -> str:
        try:
            return str(office.decide(step[0], step[1], by=step[2])["state"])
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(decide, steps))

    rows = [proposal(proposal_id) for proposal_id in proposal_ids]
    assert outcomes.count("proposal.decided_before") == 4
    assert sum(row.amount for row in rows if row.state == "posted") == has(rider)[0]


def test_a_reference_posts_once_however_many_proposals_name_it(office: Office, rider: str) -> None:
    reference = a_reference()
    said = {"kind": "adjustment", "reason": "missing", "reference": reference}
    first = office.propose(rider, points=7, **said)
    second = office.propose(rider, points=9, **said)
    office.decide(first)

    with pytest.raises(Conflict, match=r"proposal\.reference_posted"):
        office.decide(second)

    assert has(rider) == (7, 0, 0, 0)
    assert office.decide(second, Decision.DECLINE)["state"] == "declined"


@pytest.mark.parametrize(
    "change",
    [ProposalRow.amount.set(700), ProposalRow.reason.set("defect"), ProposalRow.attempt.set(2)],
)
def test_what_was_changed_after_it_was_proposed_is_not_approved(
    office: Office, rider: str, change: object
) -> None:
    proposal_id = missing(office, rider)
    ProposalRow(proposal_id).update(actions=[change])

    with pytest.raises(Conflict, match=r"proposal\.changed"):
        office.decide(proposal_id)

    assert entries(rider) == []
    office.decide(proposal_id, Decision.DECLINE)


def test_an_amount_that_changes_between_reading_and_writing_stops_the_approval(
    office: Office, rider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.points import decisions as module

    proposal_id = missing(office, rider)
    plan = module.decided.plan

    def slow(*args: object) -> object:
        planned = plan(*args)  # type: ignore[arg-type]
        ProposalRow(proposal_id).update(actions=[ProposalRow.amount.set(700)])
        return planned

    monkeypatch.setattr(module.decided, "plan", slow)

    with pytest.raises(Conflict, match=r"proposal\.changed"):
        office.decide(proposal_id)

    assert entries(rider) == []


@pytest.mark.parametrize("kind", ["claw_back", "activity", "appeal"])
def test_wherever_the_process_dies_or_a_reply_is_lost_the_end_is_the_same(
    office: Office, kind: str
) -> None:
    def prepared() -> tuple[str, str]:
        actor = office.rider()
        rider = actor.member_id
        paid = award(rider, 10, matures_at=NOW + WEEK).transfer_id
        if kind == "activity":
            return rider, office.propose(rider, kind=kind, reason="meeting")
        back = office.propose(rider, kind="claw_back", reason="staged", reference=paid)
        if kind == "claw_back":
            return rider, back
        office.decide(back)
        office.appeal(actor, 2)
        office.judge(actor, 2, Verdict.UPHOLD, by="judge")
        (restoring,) = [
            one["proposal_id"] for one in office.proposals.open(COUNTY) if one["member_id"] == rider
        ]
        return rider, str(restoring)

    def end(rider: str, proposal_id: str) -> tuple[object, ...]:
        office.decide(proposal_id, by="second")
        assert check_member(rider) == ()
        row = proposal(proposal_id)
        appeal = get(EntryAppealRow, rider, seq_text(2))
        said = appeal.state if appeal else None
        return has(rider), row.state, row.points, said, told(proposal_id) is not None

    rider, proposal_id = prepared()
    with counting() as calls:
        expected = end(rider, proposal_id)

    for number in range(calls.index("TransactWriteItems") + 1):
        for applied in (False, True):
            rider, proposal_id = prepared()
            with pytest.raises(Killed), killed_at(number, applied=applied):
                office.decide(proposal_id, by="second")
            assert end(rider, proposal_id) == expected
        rider, proposal_id = prepared()
        with lost_at(number):
            office.decide(proposal_id, by="second")
        assert end(rider, proposal_id) == expected


# what ------------------------------------------------------------------------------------------


def test_points_given_twice_are_taken_from_available_ones_and_then_owed(
    office: Office, rider: str
) -> None:
    award(rider, 5)
    award(rider, 4, matures_at=NOW + WEEK)

    office.post(rider, kind="adjustment", points=-9, reason="doubled")

    assert has(rider) == (0, 4, 0, 4)


def test_no_more_debt_is_written_off_than_is_left_and_the_proposal_says_how_much(
    office: Office, rider: str
) -> None:
    office.post(rider, kind="adjustment", points=-9, reason="doubled")
    proposal_id = office.propose(rider, kind="write_off", points=9, reason="error")
    award(rider, 8)

    office.decide(proposal_id)

    assert has(rider) == (4, 0, 0, 0)
    assert proposal(proposal_id).points == 5
    assert entries(rider)[-1].legs == {"d": 5, "wo:error": -5}


def test_for_its_age_debt_is_written_off_only_when_it_is_old_and_the_oldest_is_repaid_first(
    office: Office, rider: str, clock: FixedClock
) -> None:
    office.post(rider, kind="adjustment", points=-30, reason="doubled")
    clock.advance(timedelta(days=365, seconds=-1))
    office.post(rider, kind="adjustment", points=-10, reason="doubled")
    early = office.post(rider, kind="write_off", points=40, reason="old")
    clock.advance(timedelta(seconds=1))
    award(rider, 10, now=clock.now())

    late = office.post(rider, kind="write_off", points=40, reason="old")

    assert (proposal(early).points, proposal(late).points) == (0, 25)
    assert balances(rider, clock.now()).debt == 10


def test_nobody_owes_more_than_the_cap(office: Office, rider: str) -> None:
    office.post(rider, kind="adjustment", points=-490, reason="doubled")
    office.post(rider, kind="adjustment", points=-25, reason="doubled")

    assert has(rider) == (0, 0, 0, 500)
    assert entries(rider)[-1].legs == {"adj:doubled": 25, "d": -10, "wo:cap": -15}


def test_a_claw_back_takes_pending_points_first_and_never_held_ones(
    office: Office, rider: str
) -> None:
    award(rider, 6)
    hold(rider, 6)
    paid = award(rider, 10, matures_at=NOW + WEEK).transfer_id
    award(rider, 3, matures_at=NOW + 2 * WEEK)

    office.post(rider, kind="claw_back", reason="old_photo", reference=paid)

    assert has(rider) == (0, 3, 6, 0)


def test_an_award_is_taken_back_once(office: Office, rider: str) -> None:
    paid = award(rider, 10).transfer_id
    one = office.propose(rider, kind="claw_back", reason="staged", reference=paid)
    other = office.propose(rider, kind="claw_back", reason="not_there", reference=paid)
    office.decide(one)

    with pytest.raises(Conflict, match=r"proposal\.reference_posted"):
        office.decide(other)

    assert has(rider) == (0, 0, 0, 0)


def test_an_award_taken_back_while_pending_does_not_mature_and_leaves_others_of_its_day(
    office: Office, rider: str
) -> None:
    paid = award(rider, 10, matures_at=NOW + WEEK).transfer_id
    award(rider, 2, matures_at=NOW + WEEK)
    office.post(rider, kind="claw_back", reason="staged", reference=paid)

    mature(rider, paid)

    assert has(rider) == (0, 2, 0, 0)


def test_of_an_award_taken_back_in_part_the_rest_matures(office: Office, rider: str) -> None:
    paid = award(rider, 10, matures_at=NOW + WEEK).transfer_id
    award(rider, 2, matures_at=NOW + WEEK)
    office.post(rider, kind="claw_back", reason="staged", reference=paid, points=4)

    mature(rider, paid)

    assert has(rider) == (6, 2, 0, 0)


def test_of_an_award_that_repaid_debt_only_the_rest_is_taken_back(
    office: Office, rider: str
) -> None:
    office.post(rider, kind="adjustment", points=-9, reason="doubled")
    paid = award(rider, 10).transfer_id

    office.post(rider, kind="claw_back", reason="staged", reference=paid)

    assert has(rider) == (0, 0, 0, 4)


def test_a_claw_back_of_what_was_spent_is_owed_and_later_awards_repay_it_by_half(
    office: Office, rider: str
) -> None:
    paid = award(rider, 10).transfer_id
    hold(rider, 10)
    office.post(rider, kind="claw_back", reason="staged", reference=paid)

    award(rider, 5)

    assert has(rider) == (3, 0, 10, 8)


def test_a_credit_repays_debt_by_half(office: Office, rider: str) -> None:
    office.post(rider, kind="adjustment", points=-9, reason="doubled")

    office.post(rider, kind="adjustment", points=6, reason="missing")

    assert has(rider) == (3, 0, 0, 6)


def test_the_member_is_to_be_told_of_what_moved_and_of_nothing_else(
    office: Office, rider: str
) -> None:
    taken = office.propose(rider, kind="adjustment", points=-3, reason="doubled")
    declined = missing(office, rider, 4)
    nothing = office.propose(rider, kind="write_off", points=9, reason="relief")
    office.decide(taken)
    office.decide(declined, Decision.DECLINE)
    award(rider, 20)
    office.decide(nothing)

    row = told(taken)
    assert row is not None
    assert (row.payload["points"], row.payload["seq"], row.payload["why_zh"]) == (
        -3,
        1,
        "更正重复发放的积分",
    )
    assert told(declined) is told(nothing) is None


@pytest.mark.parametrize(
    ("columns", "points", "rule"),
    [
        ({"kind": "hardship", "reason": "applied"}, 60, "hardship.grant@1"),
        ({"kind": "service_hours", "reason": "patrol", "quantity": 3}, 30, "service.hour@1"),
        ({"kind": "activity", "reason": "meeting"}, 5, "activity.attended@1"),
        ({"kind": "correction", "reason": "map"}, 5, "correction.accepted@1"),
    ],
)
def test_an_act_is_paid_by_its_rule_and_at_once(
    office: Office, rider: str, columns: dict[str, object], points: int, rule: str
) -> None:
    proposal_id = office.post(rider, **columns, day="2026-03-10")

    (entry,) = entries(rider)
    assert has(rider) == (points, 0, 0, 0)
    assert (proposal(proposal_id).points, entry.rule) == (points, rule)
    assert entry.source["proposal"] == proposal_id


def test_an_act_is_paid_once_whoever_proposes_it(office: Office, rider: str) -> None:
    said = {"kind": "activity", "reference": a_reference()}
    first = office.propose(rider, reason="meeting", **said)
    second = office.propose(rider, reason="event", maker="another", **said)
    office.decide(first)

    with pytest.raises(Conflict, match=r"proposal\.reference_posted"):
        office.decide(second)

    assert has(rider) == (5, 0, 0, 0)


def test_an_act_beyond_its_cap_posts_nothing_and_the_checker_reads_why(
    office: Office, rider: str
) -> None:
    first = [office.post(rider, kind="activity", reason="event") for _ in range(2)]

    third = office.propose(rider, kind="activity", reason="event")
    answer = office.decide(third)

    assert (answer["points"], answer["limit"]) == (0, "act_week")
    assert [proposal(each).limit for each in first] == [None, None]
    assert has(rider) == (10, 0, 0, 0)
    assert told(third) is None
    assert office.decide(third) == answer


def test_hours_are_paid_as_far_as_the_days_cap_goes(office: Office, rider: str) -> None:
    served = {"kind": "service_hours", "reason": "service", "day": "2026-03-10"}
    office.post(rider, **served, quantity=3)
    proposal_id = office.post(rider, **served, quantity=3)

    assert (proposal(proposal_id).points, proposal(proposal_id).limit) == (10, "act_day")
    assert has(rider) == (40, 0, 0, 0)


def test_an_act_is_approved_while_the_caps_of_its_day_are_known(
    office: Office, rider: str, clock: FixedClock
) -> None:
    waits = office.propose(rider, kind="activity", reason="event")
    set_right = missing(office, rider)

    clock.advance(timedelta(days=60, seconds=1))

    with pytest.raises(Conflict, match=r"proposal\.too_old$"):
        office.decide(waits)
    assert office.decide(waits, Decision.DECLINE)["state"] == "declined"
    assert office.decide(set_right)["points"] == 7


def test_what_is_taken_back_gives_no_cap_back(office: Office, rider: str) -> None:
    posted = [office.post(rider, kind="activity", reason="event") for _ in range(2)]
    paid = proposal(posted[0]).transfer_id
    office.post(rider, kind="claw_back", reason="given_by_mistake", reference=paid)

    third = office.post(rider, kind="activity", reason="event")

    assert (proposal(third).points, proposal(third).limit) == (0, "act_week")
    assert has(rider) == (5, 0, 0, 0)


def test_a_hardship_grant_comes_once_a_month_and_uses_no_overall_cap_up(
    office: Office, rider: str
) -> None:
    grant = {"kind": "hardship", "reason": "applied"}
    office.post(rider, **grant)
    again = office.post(rider, **grant)
    served = office.post(rider, kind="service_hours", reason="patrol", quantity=4)

    assert (proposal(again).points, proposal(again).limit) == (0, "act_month")
    assert (proposal(served).points, proposal(served).limit) == (40, None)


# many ------------------------------------------------------------------------------------------


def test_a_batch_is_decided_at_once_and_what_is_refused_harms_no_other(office: Office) -> None:
    riders = [office.rider().member_id for _ in range(3)]
    reference = a_reference()
    lines = [
        {
            "member_id": rider,
            "kind": "adjustment",
            "points": 5,
            "reason": "missing",
            "reference": reference,
        }
        for rider in riders
    ]
    proposed = office.proposals.propose_all(lines, county=COUNTY, actor=MAKER)
    refused_id = str(proposed.proposals[1]["proposal_id"])
    ProposalRow(refused_id).update(actions=[ProposalRow.amount.set(500)])

    own = office.decisions.decide_batch(
        proposed.batch, Decision.APPROVE, county=COUNTY, actor=MAKER
    )
    batch = office.decisions.decide_batch(
        proposed.batch, Decision.APPROVE, county=COUNTY, actor=CHECKER
    )

    assert {code for _, code in own.refused} == {"proposal.own"}
    assert len(own.refused) == 3
    assert {one["member_id"] for one in batch.decided} == {riders[0], riders[2]}
    assert batch.refused == ((refused_id, "proposal.changed"),)
    assert [has(rider)[0] for rider in riders] == [5, 0, 5]
    assert get(ProposalRow, refused_id).state == "proposed"  # type: ignore[union-attr]
