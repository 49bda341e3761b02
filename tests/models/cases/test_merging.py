"""Two cases that are one thing: one goes on for both, until they are told apart again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.base.errors import Conflict, DomainError
from models.base.ids import new_id
from models.cases.entities import Action, Party, Status
from models.cases.merging import MAX_MERGED
from models.cases.tables import CaseRow
from models.people.entities import Actor, RoleName
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply


def merge(
    town: Town, case: CaseRow, into: CaseRow, actor: Actor | None = None, **values: Any
) -> Any:
    values = {"reason": "same_thing", "into": into.case_id, "into_version": into.version, **values}
    return town.act(actor or town.lead, case, Action.MERGE, **values)


def unmerge(town: Town, case: CaseRow, **values: Any) -> Any:
    return town.act(town.lead, case, Action.UNMERGE, **{"reason": "not_the_same", **values})


def refused(town: Town, case: CaseRow, into: CaseRow, **values: Any) -> str:
    with pytest.raises(DomainError) as refusal:
        merge(town, case, into, **values)
    return refusal.value.code


def _refused_into(town: Town, case: CaseRow, into: str | None) -> str:
    with pytest.raises(DomainError) as refusal:
        town.act(town.lead, case, Action.MERGE, reason="same_thing", into=into)
    return refusal.value.code


def as_now(town: Town, *cases: CaseRow) -> list[CaseRow]:
    return [town.case(case.case_id) for case in cases]


def test_one_of_two_goes_on_and_the_other_sleeps(town: Town) -> None:
    case, parent = town.filed(), town.claimed()

    answer = merge(town, case, parent)

    case, parent = as_now(town, case, parent)
    assert (answer["status"], case.status) == ("merged", "merged")
    assert (case.merged_into, parent.merged) == (parent.case_id, [case.case_id])
    assert (case.wake_at, case.wake_shard, case.cell) == (None, None, None)
    assert parent.status == "claimed"
    assert parent.wake_at is not None


def test_both_histories_tell_of_a_merge_and_name_the_other(town: Town) -> None:
    case, parent = town.filed(), town.claimed()

    merge(town, case, parent)

    last, parents_last = town.events(case.case_id)[-1], town.events(parent.case_id)[-1]
    assert (last.action, last.reason) == ("merge", "same_thing")
    assert (parents_last.action, parents_last.text) == ("merge", case.number)
    assert parents_last.event_id == f"v{parent.version + 1:05d}"


def test_two_cases_told_apart_stand_as_before(town: Town) -> None:
    before, parent = town.claimed(), town.filed()
    merge(town, before, parent)

    unmerge(town, town.case(before.case_id))

    after, parent = as_now(town, before, parent)
    assert (after.status, after.claimer_id) == ("claimed", town.officer.member_id)
    assert (after.started_at, after.due_at) == (before.started_at, before.due_at)
    assert (after.wake_at, after.cell, after.queue) == (before.wake_at, before.cell, before.queue)
    assert (after.merged_into, parent.merged) == (None, None)


def test_one_that_nobody_had_claimed_waits_to_be_claimed_again(town: Town) -> None:
    case, parent = town.filed(), town.filed()
    merge(town, case, parent)

    unmerge(town, town.case(case.case_id))

    assert town.case(case.case_id).status == "assigned"


def test_what_was_merged_owes_its_steps_when_it_comes_back(town: Town) -> None:
    case, parent = town.claimed(), town.claimed()
    merge(town, case, parent)
    town.clock.advance(timedelta(days=3))

    asleep = town.escalation.catch_up(case.case_id, town.clock.now())
    unmerge(town, town.case(case.case_id))
    awake = town.escalation.catch_up(case.case_id, town.clock.now())

    assert asleep == []
    assert awake


def test_a_merged_case_is_not_told_apart_once_its_parent_has_ended(town: Town) -> None:
    rider = a_rider()
    case, parent = town.filed(), town.claimed(rider)
    merge(town, case, parent)
    parent = town.resolve(town.case(parent.case_id))
    town.closing.verdict(
        rider, parent.report_id, satisfied=True, comment=None, client_request_id="1"
    )

    with pytest.raises(Conflict) as refusal:
        unmerge(town, town.case(case.case_id))

    assert refusal.value.code == "case.parent_ended"


def test_only_like_things_of_ones_own_scope_are_merged(town: Town) -> None:
    case, elsewhere = town.filed(), Town(town.clock).filed()
    other_kind = town.filed(category="E0110")

    assert refused(town, case, other_kind) == "case.other_kind"
    assert refused(town, case, elsewhere) == "case.not_found"
    assert refused(town, case, case) == "case.same_case"
    assert _refused_into(town, case, "case_unknown") == "case.not_found"
    assert _refused_into(town, case, None) == "request.invalid"


def test_another_countys_case_is_unknown_even_to_who_works_in_both(town: Town) -> None:
    foreign = Town(town.clock, county="411502")
    both = a_rider(roles=(*town.lead.roles, *foreign.lead.roles))
    case, elsewhere = town.filed(), foreign.filed()

    assert refused(town, case, elsewhere, actor=both) == "case.not_found"


def test_an_old_view_of_either_case_is_refused_with_that_case(town: Town) -> None:
    case, parent = town.filed(), town.claimed()

    with pytest.raises(Conflict) as of_parent:
        merge(town, case, parent, into_version=parent.version - 1)
    with pytest.raises(Conflict) as of_case:
        merge(town, case, parent, version=case.version + 1)

    assert of_parent.value.code == of_case.value.code == "case.version_conflict"
    assert of_parent.value.details["case"]["id"] == parent.case_id
    assert of_case.value.details["case"]["id"] == case.case_id


def test_a_case_into_which_others_were_merged_is_not_merged_or_refused_itself(town: Town) -> None:
    case, parent, third = town.filed(), town.filed(), town.filed()
    merge(town, case, parent)

    assert refused(town, town.case(parent.case_id), third) == "case.has_merged"
    with pytest.raises(Conflict) as refusal:
        town.act(town.officer, town.case(parent.case_id), Action.REJECT, reason="not_visible")
    assert refusal.value.code == "case.has_merged"
    assert refused(town, third, town.case(case.case_id)) == "case.not_mergeable"


def test_a_reporter_cannot_take_back_what_others_were_merged_into(town: Town) -> None:
    rider, other = a_rider(), a_rider()
    case, parent = town.filed(other), town.filed(rider)
    merge(town, case, parent)

    codes = []
    for who, report_id in ((rider, parent.report_id), (other, case.report_id)):
        with pytest.raises(Conflict) as refusal:
            town.closing.withdraw(who, report_id, new_id("crid"))
        codes.append(refusal.value.code)

    assert codes == ["report.joined_by_others", "report.joined"]


def test_nothing_is_merged_into_one_that_may_end_for_want_of_a_photo(town: Town) -> None:
    case, bare = town.filed(), town.filed()
    CaseRow(bare.case_id).update(actions=[CaseRow.photo_count.set(0)])

    assert refused(town, case, town.case(bare.case_id)) == "case.parent_without_photo"


def test_a_fix_takes_in_what_was_reported_before_it_and_nothing_later(town: Town) -> None:
    early, parent = town.filed(), town.claimed()
    town.clock.advance(timedelta(minutes=5))
    parent = town.resolve(parent)
    late = town.filed()

    code = refused(town, late, parent)
    merge(town, early, parent)

    assert code == "case.not_mergeable"
    assert town.case(early.case_id).merged_into == parent.case_id


def test_at_most_twenty_are_merged_into_one(town: Town) -> None:
    parent = town.filed()
    full = [new_id("case") for _ in range(MAX_MERGED)]
    CaseRow(parent.case_id).update(actions=[CaseRow.merged.set(full)])

    assert refused(town, town.filed(), town.case(parent.case_id)) == "case.merged_enough"


def test_nobody_merges_what_he_reported_or_what_the_other_reporter_works_on(town: Town) -> None:
    case, own = town.filed(), town.filed(town.lead)
    worked_on = town.claimed()
    by_officer = town.filed(town.officer)

    assert refused(town, case, own) == "case.own_report"
    assert refused(town, own, case) == "case.own_report"
    assert refused(town, by_officer, worked_on) == "report.own_work"


def test_who_reported_what_was_merged_does_not_claim_the_whole(town: Town) -> None:
    case, parent = town.filed(town.officer), town.filed()
    merge(town, case, parent)

    with pytest.raises(Conflict) as refusal:
        town.act(town.officer, town.case(parent.case_id), Action.CLAIM)

    assert refusal.value.code == "case.own_report"


def test_the_merged_reporter_judges_the_fix_as_one_who_joined(town: Town) -> None:
    rider = a_rider()
    case, parent = town.filed(rider), town.claimed()
    merge(town, case, parent)
    town.resolve(town.case(parent.case_id))

    answer = town.closing.verdict(
        rider, case.report_id, satisfied=False, comment="还在", client_request_id="1"
    )

    said = [event for event in town.events(parent.case_id) if event.party == Party.JOINER]
    assert answer["id"] == parent.case_id
    assert [event.reason for event in said] == ["not_fixed"]
    assert town.case(parent.case_id).status == Status.RESOLVED


def test_a_lost_reply_to_a_merge_is_a_success_and_merges_once(town: Town) -> None:
    case, parent = town.filed(), town.filed()

    with lost_reply() as lost:
        answer = merge(town, case, parent, client_request_id="same")

    assert lost
    assert merge(town, case, parent, client_request_id="same") == answer
    assert town.case(parent.case_id).merged == [case.case_id]
    assert town.case(parent.case_id).version == parent.version + 1


def test_merged_both_ways_at_once_one_way_wins(town: Town) -> None:
    for _ in range(5):
        one, other = town.filed(), town.filed()

        def attempt(pair: tuple[CaseRow, CaseRow]) -> str:
            try:
                merge(town, *pair, into_version=None)
            except Conflict as refusal:
                return refusal.code
            return "done"

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(attempt, ((one, other), (other, one))))

        states = sorted(case.status for case in as_now(town, one, other))
        assert outcomes.count("done") == 1
        assert states == ["assigned", "merged"]


def test_while_the_parent_ends_a_merge_happens_before_or_not_at_all(town: Town) -> None:
    for _ in range(5):
        rider = a_rider()
        case, parent = town.filed(), town.resolved(rider)
        parent_now = town.case(parent.case_id)

        def end(report_id: str = parent.report_id, rider: Actor = rider) -> str:
            return str(
                town.closing.verdict(
                    rider, report_id, satisfied=True, comment=None, client_request_id="1"
                )["status"]
            )

        def attempt(case: CaseRow = case, parent: CaseRow = parent_now) -> str:
            try:
                merge(town, case, parent)
            except Conflict as refusal:
                return refusal.code
            return "done"

        with ThreadPoolExecutor(2) as pool:
            ended, merged = pool.submit(end), pool.submit(attempt)

        assert ended.result() == "closed"
        case, parent = as_now(town, case, parent)
        if merged.result() == "done":
            assert (case.status, parent.merged) == ("merged", [case.case_id])
        else:
            assert (case.status, parent.merged) == ("assigned", None)


def test_told_apart_twice_at_once_it_happens_once(town: Town) -> None:
    case, parent = town.filed(), town.filed()
    merge(town, case, parent)
    merged = town.case(case.case_id)

    def attempt(key: str) -> str:
        try:
            unmerge(town, merged, client_request_id=key)
        except Conflict as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(attempt, ("1", "2")))

    assert outcomes[1:] == ["done"]
    assert town.case(parent.case_id).version == parent.version + 2


def test_a_supervisor_does_not_merge(town: Town) -> None:
    community = town.an_official(
        RoleName.COMMUNITY, "社区", scope=f"community:{town.grid.community_id}"
    )

    assert refused(town, town.filed(), town.filed(), actor=community) == "role.lacks_action"
