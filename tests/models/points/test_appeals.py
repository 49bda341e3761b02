"""A rider's word against what was taken from him: once, in time, decided by others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from models.base.ids import derived_id, seq_text
from models.base.paging import Cursors
from models.base.store import get
from models.base.tables import Database
from models.people.entities import Actor
from models.people.withdrawals import Withdrawn
from models.points.appeals import DISMISSED, Verdict
from models.points.checking import check_member
from models.points.forgetting import PointsForgetting
from models.points.proposal_rules import Decision
from models.points.proposal_tables import EntryAppealRow
from models.points.reading import Statements, balances
from tests.support.faults import Killed, counting, killed_at, lost_reply
from tests.support.people import a_request_id
from tests.support.points import COUNTY, NOW, award, hold
from tests.support.proposals import CHECKER, MAKER, Office, proposal, told

JUDGE, SECOND = "district-judge", "district-second"


@pytest.fixture
def office(database: Database, clock: FixedClock) -> Office:
    return Office(clock)


@pytest.fixture
def rider(office: Office) -> Iterator[Actor]:
    """A member from whom ten points were taken back by his second entry, all of them spent."""
    actor = office.rider()
    paid = award(actor.member_id, 10).transfer_id
    hold(actor.member_id, 4)
    office.post(actor.member_id, kind="claw_back", reason="staged", reference=paid)
    assert has(actor) == (0, 4)
    yield actor
    assert check_member(actor.member_id) == ()


def has(actor: Actor) -> tuple[int, int]:
    found = balances(actor.member_id, NOW)
    return found.available, found.debt


def state(actor: Actor, seq: int = 3) -> str:
    row = get(EntryAppealRow, actor.member_id, seq_text(seq))
    assert row is not None
    return str(row.state)


def waiting(office: Office, actor: Actor) -> list[str]:
    """The proposals about a member that wait."""
    return [
        str(one["proposal_id"])
        for one in office.proposals.open(COUNTY)
        if one["member_id"] == actor.member_id
    ]


def test_an_appeal_that_two_people_uphold_gives_back_just_what_was_taken(
    office: Office, rider: Actor
) -> None:
    office.appeal(rider, 3)

    first = office.judge(rider, 3, Verdict.UPHOLD, by=JUDGE)
    between, (proposal_id,) = has(rider), waiting(office, rider)
    with pytest.raises(Forbidden, match=r"proposal\.own$"):
        office.decide(proposal_id, by=JUDGE)
    office.decide(proposal_id, by=SECOND)

    assert (first["state"], state(rider)) == ("upholding", "upheld")
    assert (between, has(rider)) == ((0, 4), (6, 0))
    row = told(proposal_id)
    assert row is not None
    assert (row.payload["upheld"], row.payload["points"]) == (True, 10)
    assert office.judge(rider, 3, Verdict.UPHOLD, by=JUDGE)["state"] == "upheld"


def test_where_the_second_person_disagrees_the_appeal_is_open_again(
    office: Office, rider: Actor
) -> None:
    office.appeal(rider, 3)
    office.judge(rider, 3, Verdict.UPHOLD, by=JUDGE)
    (first,) = waiting(office, rider)
    office.decide(first, Decision.DECLINE, by=SECOND)
    assert state(rider) == "open"

    office.judge(rider, 3, Verdict.UPHOLD, by=SECOND)
    (again,) = waiting(office, rider)
    office.decide(again, by=JUDGE)

    assert again != first
    assert (state(rider), has(rider)) == ("upheld", (6, 0))


def test_a_dismissed_appeal_moves_nothing_and_the_rider_is_to_be_told(
    office: Office, rider: Actor
) -> None:
    office.appeal(rider, 3)

    with lost_reply():
        answer = office.judge(rider, 3, Verdict.DISMISS, by=JUDGE)

    again = office.judge(rider, 3, Verdict.DISMISS, by=JUDGE)
    key = f"{rider.member_id}#{seq_text(3)}"
    assert answer == again
    assert (answer["state"], has(rider)) == ("dismissed", (0, 4))
    assert get(OutboxRow, derived_id("out", DISMISSED, key)) is not None
    with pytest.raises(Conflict, match=r"appeal\.decided_before"):
        office.judge(rider, 3, Verdict.UPHOLD, by=JUDGE)
    with pytest.raises(Conflict, match=r"appeal\.decided_before"):
        office.judge(rider, 3, Verdict.DISMISS, by=SECOND)


@pytest.mark.parametrize("who", [MAKER, CHECKER])
def test_who_took_the_points_does_not_decide_the_appeal(
    office: Office, rider: Actor, who: str
) -> None:
    office.appeal(rider, 3)

    with pytest.raises(Forbidden, match=r"appeal\.own_decision"):
        office.judge(rider, 3, Verdict.DISMISS, by=who)

    assert state(rider) == "open"


@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.DECLINE])
def test_who_took_the_points_does_not_decide_whether_they_go_back(
    office: Office, rider: Actor, decision: Decision
) -> None:
    office.appeal(rider, 3)
    office.judge(rider, 3, Verdict.UPHOLD, by=JUDGE)
    (proposal_id,) = waiting(office, rider)

    for who in (MAKER, CHECKER):
        with pytest.raises(Forbidden, match=r"appeal\.own_decision"):
            office.decide(proposal_id, decision, by=who)

    assert state(rider) == "upholding"


def test_nobody_decides_his_own_appeal(office: Office, rider: Actor) -> None:
    office.appeal(rider, 3)

    with pytest.raises(Forbidden, match=r"proposal\.own_account"):
        office.judge(rider, 3, Verdict.UPHOLD, by=rider.member_id)


def test_an_appeal_is_unknown_in_another_county(office: Office, rider: Actor) -> None:
    office.appeal(rider, 3)

    with pytest.raises(NotFound, match=r"appeal\.not_found"):
        office.appeals.decide(rider.member_id, 3, Verdict.DISMISS, county="411503", actor=JUDGE)
    with pytest.raises(NotFound, match=r"appeal\.not_found"):
        office.judge(rider, 2, Verdict.DISMISS, by=JUDGE)


def test_two_judges_at_once_are_one(office: Office, rider: Actor) -> None:
    office.appeal(rider, 3)

    def judge(number: int) -> str:
        verdict = (Verdict.UPHOLD, Verdict.DISMISS)[number % 2]
        try:
            return str(office.judge(rider, 3, verdict, by=f"judge-{number}")["state"])
        except DomainError as refused:
            return refused.code

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(judge, range(4)))

    assert outcomes.count("appeal.decided_before") == 3
    assert len(waiting(office, rider)) == outcomes.count("upholding")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_wherever_the_process_dies_a_verdict_is_given_once(
    office: Office, verdict: Verdict
) -> None:
    def appealed() -> Actor:
        actor = office.rider()
        office.post(actor.member_id, kind="adjustment", points=-5, reason="doubled")
        office.appeal(actor, 1)
        return actor

    def end(actor: Actor) -> tuple[object, ...]:
        answer = office.judge(actor, 1, verdict, by=JUDGE)
        return answer["state"], state(actor, 1), len(waiting(office, actor))

    actor = appealed()
    with counting() as calls:
        expected = end(actor)

    for number in range(calls.index("TransactWriteItems") + 1):
        for applied in (False, True):
            actor = appealed()
            with pytest.raises(Killed), killed_at(number, applied=applied):
                office.judge(actor, 1, verdict, by=JUDGE)
            assert end(actor) == expected


def test_the_same_appeal_repeated_answers_the_same_also_when_it_was_decided(
    office: Office, rider: Actor, clock: FixedClock
) -> None:
    request_id = a_request_id()
    with lost_reply("PutItem"):
        first = office.appeals.appeal(rider, "3", "我在现场", request_id)
    office.judge(rider, 3, Verdict.DISMISS, by=JUDGE)
    clock.advance(timedelta(days=40))

    again = office.appeals.appeal(rider, "3", "我在现场", request_id)

    assert (first["state"], again["state"], again["at"]) == ("open", "dismissed", first["at"])
    with pytest.raises(Conflict, match=r"request\.reused"):
        office.appeals.appeal(rider, "3", "别的话", request_id)
    with pytest.raises(Conflict, match=r"points\.appealed_before"):
        office.appeals.appeal(rider, "3", "我在现场", a_request_id())


def test_an_appeal_comes_within_thirty_days(
    office: Office, rider: Actor, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=30, seconds=1))

    with pytest.raises(Conflict, match=r"points\.appeal_too_late"):
        office.appeal(rider, 3)

    clock.advance(timedelta(seconds=-1))
    office.appeal(rider, 3)


def test_only_what_took_points_can_be_appealed_against(office: Office, rider: Actor) -> None:
    office.post(rider.member_id, kind="adjustment", points=3, reason="missing")
    office.post(rider.member_id, kind="adjustment", points=-3, reason="doubled")

    for seq in (1, 2, 4):
        with pytest.raises(Conflict, match=r"points\.not_appealable"):
            office.appeal(rider, seq)
    for strange in ("6", "0", "-3", "３", "three", "99999999999"):
        with pytest.raises(NotFound, match=r"points\.entry_not_found"):
            office.appeals.appeal(rider, strange, "我在现场", a_request_id())
    office.appeal(rider, 5)
    with pytest.raises(NotFound, match=r"points\.entry_not_found"):
        office.appeal(office.rider(), 3)


def test_a_member_sees_until_when_he_can_appeal_and_page_by_page_what_became_of_it(
    office: Office, rider: Actor, clock: FixedClock
) -> None:
    office.post(rider.member_id, kind="adjustment", points=-3, reason="doubled")
    for seq in (3, 4):
        office.appeal(rider, seq)
    office.judge(rider, 3, Verdict.DISMISS, by=JUDGE)

    lines = Statements(Cursors(b"k" * 32)).page(rider.member_id, limit=10).items
    first = office.appeals.mine(rider, limit=1)
    second = office.appeals.mine(rider, limit=1, cursor=first.next_cursor)

    until = clock.now() + timedelta(days=30)
    assert [(line.seq, line.appeal_until) for line in lines] == [
        (4, until),
        (3, NOW + timedelta(days=30)),
        (2, None),
        (1, None),
    ]
    assert [(one["seq"], one["state"]) for one in (*first.items, *second.items)] == [
        (4, "open"),
        (3, "dismissed"),
    ]
    assert office.appeals.mine(office.rider(), limit=5).items == []


def test_an_appeal_that_waits_for_a_week_is_heard_until_both_have_decided(
    office: Office, rider: Actor, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    before = office.appeals.overdue(COUNTY)
    office.appeal(rider, 3)
    week = timedelta(days=7, seconds=1)

    early = office.appeals.overdue(COUNTY)
    clock.advance(week)
    first = office.appeals.overdue(COUNTY)
    office.judge(rider, 3, Verdict.UPHOLD, by=JUDGE)
    clock.advance(week)
    second = office.appeals.overdue(COUNTY)
    office.decide(waiting(office, rider)[0], by=SECOND)

    assert (early, first - second) == (before, 0)
    assert first > before
    assert office.appeals.overdue(COUNTY) == second - 1
    assert "points.appeals_waiting" in caplog.messages


def test_an_appeal_says_something_and_no_phone_number_is_kept(office: Office, rider: Actor) -> None:
    with pytest.raises(Invalid):
        office.appeal(rider, 3, text=" \u200b ")

    office.appeal(rider, 3, text="打 138 1234 5678 问我")

    (mine,) = [one for one in office.appeals.open(COUNTY) if one["member_id"] == rider.member_id]
    assert mine["text"] == "打 *** 问我"


def test_what_was_written_off_at_once_is_not_given_back(office: Office) -> None:
    actor = office.rider()
    office.post(actor.member_id, kind="adjustment", points=-495, reason="doubled")
    office.post(actor.member_id, kind="adjustment", points=-8, reason="doubled")
    office.post(actor.member_id, kind="adjustment", points=-8, reason="doubled")
    office.appeal(actor, 2)

    office.judge(actor, 2, Verdict.UPHOLD, by=JUDGE)
    with pytest.raises(Conflict, match=r"points\.not_appealable"):
        office.appeal(actor, 3)

    (proposal_id,) = waiting(office, actor)
    assert proposal(proposal_id).amount == 5
    office.decide(proposal_id, by=SECOND)
    assert has(actor) == (0, 495)


@pytest.mark.parametrize("what", list(Withdrawn))
def test_his_words_go_with_his_account_and_the_appeal_stays(
    office: Office, rider: Actor, what: Withdrawn
) -> None:
    office.appeal(rider, 3)
    forgetting = PointsForgetting()

    first = forgetting.forget(rider.member_id, what)
    again = forgetting.forget(rider.member_id, what)

    row = get(EntryAppealRow, rider.member_id, seq_text(3))
    assert row is not None
    is_all = what is Withdrawn.ACCOUNT
    assert (first, again) == (("appeals",) if is_all else (), ())
    assert (row.text is None, row.state) == (is_all, "open")
    assert office.judge(rider, 3, Verdict.DISMISS, by=JUDGE)["state"] == "dismissed"
