"""What merged reporters have in the end does not hang on the order of things."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.errors import Conflict
from models.base.store import get
from models.cases import crediting, rules
from models.cases.crediting import Finding, credits_of
from models.cases.entities import Action
from models.cases.tables import CaseRow
from models.people.entities import Actor
from models.points.reading import balances
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply
from tests.support.points import FIRST_POINTS, JOINER_POINTS
from tests.support.points import worth as worth_of

NOON = datetime(2026, 3, 18, 4, tzinfo=UTC)


def a_finding(number: int, minutes: int, *, case: int = 0, is_own: bool = False) -> Finding:
    return Finding(
        report_id=f"rpt_{number:02d}",
        member_id=f"mbr_{number:02d}",
        case_id=f"case_{case}",
        is_own=is_own,
        at=NOON + timedelta(minutes=minutes),
    )


@st.composite
def wholes(draw: st.DrawFn) -> list[Finding]:
    """One to four cases, each with the report that made it and up to six that joined."""
    found = []
    for case in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, 60))
        found.append(a_finding(len(found), start, case=case, is_own=True))
        for wait in draw(st.lists(st.integers(0, 60), max_size=6)):
            found.append(a_finding(len(found), start + wait, case=case))
    return found


def points_of(findings: Sequence[Finding]) -> dict[str, int]:
    first_at = min(found.at for found in findings)
    worth = credits_of(findings, first_at)
    return {report_id: worth_of(credit.rule, credit.units) for report_id, credit in worth.items()}


@given(wholes(), st.randoms(use_true_random=False))
def test_credits_do_not_hang_on_the_order_in_which_reports_or_cases_come(
    findings: list[Finding], chance: Random
) -> None:
    shuffled = list(findings)
    chance.shuffle(shuffled)

    assert points_of(shuffled) == points_of(findings)


@given(wholes())
def test_whoever_comes_within_ten_minutes_of_the_earliest_found_it_himself(
    findings: list[Finding],
) -> None:
    worth = points_of(findings)
    first_at = min(found.at for found in findings)

    for found in findings:
        is_early = found.at - first_at <= rules.CO_DISCOVERY
        assert (worth[found.report_id] == FIRST_POINTS) == is_early


@given(wholes())
def test_nobody_has_less_than_a_joiner_for_having_filed_a_case_of_his_own(
    findings: list[Finding],
) -> None:
    worth = points_of(findings)

    own = [worth[found.report_id] for found in findings if found.is_own]
    assert min(own) >= JOINER_POINTS


@given(wholes())
def test_of_those_who_joined_one_case_late_the_first_three_are_paid(
    findings: list[Finding],
) -> None:
    worth, first_at = points_of(findings), min(found.at for found in findings)

    for case_id in {found.case_id for found in findings}:
        late = sorted(
            (found for found in findings if found.case_id == case_id and not found.is_own),
            key=lambda found: (found.at, found.report_id),
        )
        paid = [worth[one.report_id] for one in late if one.at - first_at > rules.CO_DISCOVERY]
        assert paid == [JOINER_POINTS] * min(3, len(paid)) + [0] * (len(paid) - 3)


def have(riders: Sequence[Actor], town: Town) -> list[int]:
    found = [balances(rider.member_id, town.clock.now()) for rider in riders]
    return [balance.available + balance.pending for balance in found]


def settle(town: Town, case_id: str) -> None:
    """What the outbox does after a claim, a merge or a closing."""
    crediting.award_others(town.ledger, town.case(case_id), town.clock.now())


def merge(town: Town, case: CaseRow, into: CaseRow) -> None:
    town.act(
        town.lead,
        town.case(case.case_id),
        Action.MERGE,
        reason="same_thing",
        into=into.case_id,
    )


def three_cases(town: Town) -> tuple[list[Actor], list[CaseRow]]:
    """Filed at 0, 6 and 14 minutes."""
    riders, cases = [a_rider() for _ in range(3)], []
    for rider, wait in zip(riders, (0, 6, 8), strict=True):
        town.clock.advance(timedelta(minutes=wait))
        cases.append(town.filed(rider))
    return riders, cases


@pytest.mark.parametrize("parent", [0, 1, 2])
@pytest.mark.parametrize("claims_first", [False, True])
def test_neither_the_direction_nor_the_order_of_merging_changes_what_three_riders_have(
    town: Town, parent: int, claims_first: bool
) -> None:
    outcomes = set()
    for order in itertools.permutations(set(range(3)) - {parent}):
        riders, cases = three_cases(town)
        if claims_first:
            town.act(town.lead, cases[parent], Action.CLAIM)
        for other in order:
            merge(town, cases[other], cases[parent])
            if claims_first:
                settle(town, cases[parent].case_id)
        if not claims_first:
            town.act(town.lead, town.case(cases[parent].case_id), Action.CLAIM)
        settle(town, cases[parent].case_id)
        settle(town, cases[parent].case_id)
        outcomes.add(tuple(have(riders, town)))

    # A claim freezes how old the whole is: at the parent's own report.
    frozen = {0: (10, 10, 2), 1: (10, 10, 10), 2: (10, 10, 10)}[parent]
    assert outcomes == {frozen if claims_first else (10, 10, 2)}


def test_what_was_paid_before_the_merge_stays_and_is_not_paid_again(town: Town) -> None:
    first, second = a_rider(), a_rider()
    parent = town.filed(first)
    town.clock.advance(timedelta(hours=1))
    case = town.claimed(second)
    merge(town, case, parent)

    town.act(town.lead, town.case(parent.case_id), Action.CLAIM)
    settle(town, parent.case_id)

    assert have([first, second], town) == [10, 10]


def test_two_reports_of_one_member_in_a_whole_count_as_his_best(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)
    town.clock.advance(timedelta(hours=1))
    parent = town.filed(rider)
    merge(town, case, parent)

    town.act(town.lead, town.case(parent.case_id), Action.CLAIM)
    settle(town, parent.case_id)

    assert have([rider], town) == [10]


def test_a_lost_reply_pays_a_merged_report_once(town: Town) -> None:
    first, second = a_rider(), a_rider()
    parent, case = town.claimed(first), town.filed(second)
    merge(town, case, parent)

    with lost_reply() as lost:
        settle(town, parent.case_id)

    assert lost
    assert have([first, second], town) == [10, 10]


def test_told_apart_again_each_has_what_it_would_have_had_alone(town: Town) -> None:
    first, second = a_rider(), a_rider()
    parent = town.claimed(first)
    town.clock.advance(timedelta(hours=1))
    case = town.filed(second)
    merge(town, case, parent)
    settle(town, parent.case_id)
    as_echo = have([second], town)

    town.act(town.lead, town.case(case.case_id), Action.UNMERGE, reason="not_the_same")
    town.act(town.lead, town.case(case.case_id), Action.CLAIM)
    settle(town, case.case_id)
    settle(town, case.case_id)

    assert as_echo == [2]
    assert have([first, second], town) == [10, 10]


def test_the_parents_first_is_made_whole_when_the_older_case_leaves(town: Town) -> None:
    first, second = a_rider(), a_rider()
    case = town.filed(first)
    town.clock.advance(timedelta(hours=1))
    parent = town.filed(second)
    merge(town, case, parent)
    town.act(town.lead, town.case(parent.case_id), Action.CLAIM)
    as_echo = have([second], town)

    town.act(town.lead, town.case(case.case_id), Action.UNMERGE, reason="not_the_same")
    settle(town, parent.case_id)

    assert as_echo == [2]
    assert have([second], town) == [10]


def test_when_the_whole_closes_everybodys_points_are_available(town: Town) -> None:
    first, second, joiner = a_rider(), a_rider(), a_rider()
    parent, case = town.claimed(first), town.filed(second)
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    merge(town, case, parent)
    town.resolve(town.case(parent.case_id))
    town.closing.verdict(
        first, parent.report_id, satisfied=True, comment=None, client_request_id="1"
    )

    closed = get(CaseRow, parent.case_id)
    assert closed is not None
    settle(town, parent.case_id)
    crediting.mature_others(town.ledger, closed, town.clock.now())

    now = town.clock.now()
    found = [balances(rider.member_id, now) for rider in (first, second, joiner)]
    assert [(one.available, one.pending) for one in found] == [(10, 0)] * 3


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_merged_told_apart_and_claimed_the_cases_agree_and_nobody_is_overpaid(
    town: Town, seed: int
) -> None:
    chance = Random(seed)
    riders = [a_rider() for _ in range(5)]
    cases = [town.filed(rider) for rider in riders]

    for _ in range(20):
        town.clock.advance(timedelta(minutes=chance.choice((0, 1, 20))))
        case, other = chance.sample([town.case(each.case_id) for each in cases], 2)
        with suppress(Conflict):
            match chance.randrange(4):
                case 0 | 1:
                    merge(town, case, other)
                case 2:
                    town.act(town.lead, case, Action.UNMERGE, reason="not_the_same")
                case 3:
                    town.act(town.lead, case, Action.CLAIM)
        for each in (town.case(each.case_id) for each in cases):
            if each.claimed_at is not None and each.merged_into is None:
                settle(town, each.case_id)
        stored = {each.case_id: town.case(each.case_id) for each in cases}
        pairs = {(one, each.case_id) for each in stored.values() for one in each.merged or ()}
        assert pairs == {
            (each.case_id, each.merged_into) for each in stored.values() if each.merged_into
        }
        assert not {one for one, _ in pairs} & {parent for _, parent in pairs}, "one level only"
        for each in stored.values():
            assert (each.status == "merged") == (each.merged_into is not None)
            assert (each.wake_at is None) == (each.status == "merged")

    for case in cases:
        stands = town.case(case.case_id)
        if stands.merged_into is not None:
            town.act(town.lead, stands, Action.UNMERGE, reason="not_the_same")
    for case in cases:
        with suppress(Conflict):
            town.act(town.lead, town.case(case.case_id), Action.CLAIM)
        settle(town, case.case_id)
    assert have(riders, town) == [10] * 5
