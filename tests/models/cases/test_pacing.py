"""Time in a case: it stands still for the reporter, is extended, deferred, corrected, appealed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.base.errors import Conflict, DomainError, Forbidden, Invalid
from models.base.ids import new_id
from models.cases import rules
from models.cases.asking import Reply
from models.cases.entities import Action, Status, UploadState
from models.cases.states import remaining_of
from models.cases.tables import CaseRow
from models.people.entities import Actor, RoleName
from models.points.reading import balances
from tests.support.cases import Town, a_photo, a_rider
from tests.support.faults import lost_reply
from tests.support.steps import catch_up, steps_of

FIRE_LANE = "E0496"  # serious: two hours, day and night
E_BIKES = "E0493a"  # ordinary: two working hours
COLLAPSE = "E0505"  # danger: two hours, day and night


def refusal_of(town: Town, actor: Actor, case: CaseRow, action: Action, **values: Any) -> str:
    with pytest.raises(DomainError) as refusal:
        town.act(actor, town.case(case.case_id), action, **values)
    fields = getattr(refusal.value, "fields", ())
    return fields[0].code if fields else refusal.value.code


def do(town: Town, actor: Actor, case: CaseRow, action: Action, **values: Any) -> CaseRow:
    town.act(actor, town.case(case.case_id), action, **values)
    return town.case(case.case_id)


def left(town: Town, case: CaseRow) -> tuple[float, str]:
    row = town.case(case.case_id)
    remaining, clock = remaining_of(row, town.clock.now(), town.working)
    return remaining.total_seconds(), clock


def a_supervisor(town: Town, case: CaseRow) -> Actor:
    return town.an_official(RoleName.COMMUNITY, "社区", f"community:{case.community_id}")


def reply(town: Town, rider: Actor, case: CaseRow, **values: Any) -> Any:
    return town.answering.reply(rider, case.report_id, Reply(**values), new_id("crid"))


# the reporter is asked ---------------------------------------------------------------------------


@pytest.mark.parametrize("category", [FIRE_LANE, E_BIKES])
def test_a_question_stops_the_clock_and_the_reply_lets_it_go_on(town: Town, category: str) -> None:
    rider = a_rider()
    case = town.claimed(rider, category=category)
    town.clock.advance(timedelta(minutes=30))

    asked = do(town, town.officer, case, Action.ASK, text="车在哪一侧？")
    before = left(town, case)
    slept = catch_up(town, case, after=timedelta(hours=30))
    during = left(town, case)
    reply(town, rider, case, text="在东侧")

    gone_on = town.case(case.case_id)
    assert (asked.status, gone_on.status) == (Status.WAITING, Status.CLAIMED)
    assert before == during == (90 * 60, "paused")
    assert left(town, case) == (90 * 60, "running")
    assert slept == 0
    assert gone_on.due_at > case.due_at
    assert (gone_on.paused_at, gone_on.resume_at) == (None, None)


def test_silence_ends_the_wait_after_48_hours_and_nobody_waits_longer(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    do(town, town.officer, case, Action.ASK, text="车在哪一侧？")

    early = catch_up(town, case, after=timedelta(hours=47, minutes=59))
    in_time = catch_up(town, case, after=timedelta(minutes=1))

    resumed = town.case(case.case_id)
    assert (early, in_time, resumed.status) == (0, 1, Status.CLAIMED)
    assert resumed.due_at == case.due_at + timedelta(hours=48)
    assert refusal_of(town, town.officer, case, Action.ASK, text="还在吗") == "case.waited_enough"


def test_two_waits_together_are_no_longer_than_one_may_be(town: Town) -> None:
    rider = a_rider()
    case = town.claimed(rider, category=FIRE_LANE)
    do(town, town.officer, case, Action.ASK, text="车在哪一侧？")
    town.clock.advance(timedelta(hours=40))
    reply(town, rider, case, text="在东侧")

    asked = do(town, town.officer, case, Action.ASK, text="还在吗？")

    assert asked.resume_at == town.clock.now() + timedelta(hours=8)


def test_the_officer_can_go_on_without_an_answer_and_says_why(town: Town) -> None:
    case = town.claimed()
    do(town, town.officer, case, Action.ASK, text="车在哪一侧？")

    without = refusal_of(town, town.officer, case, Action.RESUME)
    resumed = do(town, town.officer, case, Action.RESUME, reason="no_answer_needed")

    assert (without, resumed.status) == ("field.missing", Status.CLAIMED)


def test_a_reply_brings_photos_and_only_usable_ones(town: Town) -> None:
    rider = a_rider()
    case = town.claimed(rider)
    do(town, town.officer, case, Action.ASK, text="请补一张近照")
    photos = (a_photo(rider), a_photo(rider, state=UploadState.WAITING))

    for bad in ((a_photo(a_rider()),), (case.photos[0],), ("up_unknown",), ()):
        with pytest.raises(Invalid):
            reply(town, rider, case, photos=bad)
    reply(town, rider, case, photos=photos)

    answered = town.case(case.case_id)
    assert answered.photos == [*case.photos, *photos]
    assert answered.photo_count == case.photo_count + 1


def test_a_reply_is_repeated_with_its_first_answer_and_comes_from_the_reporter(town: Town) -> None:
    rider, joiner = a_rider(), a_rider()
    case = town.claimed(rider)
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    do(town, town.officer, case, Action.ASK, text="车在哪一侧？")
    said = Reply(text="在东侧")

    with lost_reply():
        first = town.answering.reply(rider, case.report_id, said, "one")
    again = town.answering.reply(rider, case.report_id, said, "one")

    with pytest.raises(Conflict, match="not_possible"):
        town.answering.reply(rider, case.report_id, said, "two")
    assert first == again
    assert first["status"] == "claimed"


def test_a_reply_and_the_end_of_the_wait_at_once_resume_once(town: Town) -> None:
    rider = a_rider()
    case = town.claimed(rider, category=FIRE_LANE)
    asked = do(town, town.officer, case, Action.ASK, text="车在哪一侧？")
    town.clock.advance(timedelta(hours=48))

    with ThreadPoolExecutor(2) as pool:
        pool.submit(town.escalation.take_step, case.case_id, town.clock.now())
        pool.submit(reply, town, rider, case, text="在东侧")

    resumed = town.case(case.case_id)
    assert (resumed.status, resumed.version) == (Status.CLAIMED, asked.version + 1)
    assert resumed.due_at == case.due_at + timedelta(hours=48)


# more time ---------------------------------------------------------------------------------------


def test_an_extension_adds_the_original_limit_when_the_lead_agrees(town: Town) -> None:
    case = town.claimed(category=E_BIKES)

    proposed = do(town, town.officer, case, Action.EXTEND, reason="weather")
    own = refusal_of(town, town.officer, case, Action.APPROVE)
    granted = do(town, town.lead, case, Action.APPROVE)

    assert proposed.due_at == case.due_at
    assert proposed.proposal["kind"] == "extension"
    assert own == "role.lacks_action"
    assert town.working.between(case.due_at, granted.due_at) == timedelta(hours=2)
    assert (granted.extensions, granted.proposal, granted.status) == (1, None, Status.CLAIMED)


def test_a_case_is_extended_twice_and_each_time_anew(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)

    for _ in range(2):
        do(town, town.officer, case, Action.EXTEND, reason="large_work")
        assert refusal_of(town, town.officer, case, Action.EXTEND, reason="weather") == (
            "case.proposal_open"
        )
        do(town, town.lead, case, Action.APPROVE)

    extended = town.case(case.case_id)
    assert extended.due_at == case.due_at + timedelta(hours=4)
    assert refusal_of(town, town.officer, case, Action.EXTEND, reason="weather") == (
        "case.extended_twice"
    )
    catch_up(town, case, after=timedelta(hours=6))
    assert sorted(steps_of(town, case)) == ["lead", "remind"], "of six hours, not of two"


def test_more_time_is_asked_for_in_time_but_may_be_granted_late(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    other = town.claimed(category=FIRE_LANE)
    do(town, town.officer, case, Action.EXTEND, reason="weather")
    town.clock.advance(timedelta(hours=2, minutes=1))

    late = refusal_of(town, town.officer, other, Action.EXTEND, reason="weather")
    catch_up(town, case, after=timedelta())
    granted = do(town, town.lead, case, Action.APPROVE)

    assert late == "case.overdue"
    assert granted.due_at == case.due_at + timedelta(hours=2)
    assert "lead" in steps_of(town, case), "what happened stays in the history"


def test_a_declined_proposal_leaves_everything_as_it_was(town: Town) -> None:
    case = town.claimed()
    do(town, town.officer, case, Action.EXTEND, reason="weather")

    declined = do(town, town.lead, case, Action.DECLINE, reason="reason_not_shown")

    assert (declined.due_at, declined.proposal) == (case.due_at, None)
    assert refusal_of(town, town.lead, case, Action.APPROVE) == "case.no_proposal"


def test_a_supervisor_decides_for_a_lead_and_only_then(town: Town) -> None:
    case = town.filed()
    supervisor = a_supervisor(town, case)
    do(town, town.lead, case, Action.CLAIM)
    do(town, town.lead, case, Action.EXTEND, reason="weather")
    own = refusal_of(town, town.lead, case, Action.APPROVE)
    granted = do(town, supervisor, case, Action.APPROVE)
    other = town.claimed()
    do(town, town.officer, other, Action.EXTEND, reason="weather")

    assert own == "case.not_yours_to_decide"
    assert granted.extensions == 1
    assert refusal_of(town, supervisor, other, Action.APPROVE) == "case.not_yours_to_decide"


def test_a_deferral_stops_the_clock_until_its_day(town: Town) -> None:
    case = town.claimed(category=E_BIKES)
    until = town.clock.now() + timedelta(days=30)
    do(town, town.officer, case, Action.DEFER, reason="season", until=until)

    deferred = do(town, town.lead, case, Action.APPROVE)
    before = left(town, case)
    early = catch_up(town, case, after=timedelta(days=29, hours=23))
    in_time = catch_up(town, case, after=timedelta(hours=1))

    assert (deferred.status, before) == (Status.DEFERRED, (7200, "paused"))
    assert (early, in_time) == (0, 1)
    assert town.case(case.case_id).status == Status.CLAIMED
    assert left(town, case) == (7200, "running")
    assert (
        refusal_of(town, town.officer, case, Action.DEFER, reason="season", until=until)
        == "case.deferred_before"
    )


def test_a_deferral_ends_within_a_year_and_not_before_it_is_granted(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    now = town.clock.now()
    for until in (None, now, now + rules.DEFER_WITHIN + timedelta(seconds=1)):
        with pytest.raises(Invalid):
            town.act(town.officer, case, Action.DEFER, reason="season", until=until)
    do(town, town.officer, case, Action.DEFER, reason="season", until=now + timedelta(hours=1))
    town.clock.advance(timedelta(hours=1))

    assert refusal_of(town, town.lead, case, Action.APPROVE) == "case.deferral_over"


def test_a_proposal_is_void_when_the_work_has_ended(town: Town) -> None:
    case = town.claimed()
    do(town, town.officer, case, Action.EXTEND, reason="weather")

    returned = do(town, town.officer, case, Action.RETURN, reason="off_duty")
    do(town, town.officer, case, Action.CLAIM)

    assert returned.proposal is None
    assert refusal_of(town, town.lead, case, Action.APPROVE) == "case.no_proposal"


def test_of_two_decisions_at_once_one_holds(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    proposed = do(town, town.officer, case, Action.EXTEND, reason="weather")
    other = town.an_official(RoleName.GRID_LEAD, "网格长二")

    def decide(actor: Actor) -> str:
        try:
            return str(town.act(actor, proposed, Action.APPROVE)["version"])
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(decide, (town.lead, other)))

    assert said == [str(proposed.version + 1), "case.version_conflict"]
    assert town.case(case.case_id).due_at == case.due_at + timedelta(hours=2)


def test_work_begins_and_goes_on_as_before(town: Town) -> None:
    case = town.claimed()

    started = do(town, town.officer, case, Action.START)

    assert (started.status, started.due_at) == (Status.HANDLING, case.due_at)
    assert town.resolve(started).status == Status.RESOLVED
    with pytest.raises(Forbidden):
        town.act(a_supervisor(town, case), started, Action.START)


# another category --------------------------------------------------------------------------------


def test_another_category_brings_its_limits_from_the_public_start_and_keeps_points(
    town: Town,
) -> None:
    rider = a_rider()
    case = town.claimed(rider, category=E_BIKES)
    town.clock.advance(timedelta(minutes=10))

    corrected = do(
        town, town.officer, case, Action.CORRECT, reason="wrong_category", category=COLLAPSE
    )

    assert (corrected.category, corrected.severity, corrected.clock) == (
        COLLAPSE,
        "A",
        "continuous",
    )
    assert corrected.due_at == case.started_at + timedelta(hours=2)
    assert corrected.clock_from == town.clock.now()
    assert corrected.cell != case.cell, "it is looked for among another family"
    assert balances(rider.member_id, town.clock.now()).pending == 10


def test_a_category_that_is_not_one_or_is_its_own_corrects_nothing(town: Town) -> None:
    case = town.claimed(category=E_BIKES)

    for code in ("X0000", E_BIKES):
        with pytest.raises(Invalid):
            town.act(town.officer, case, Action.CORRECT, reason="wrong_category", category=code)


# appeals -----------------------------------------------------------------------------------------


def test_an_appeal_brings_a_case_back_for_somebody_else_to_judge(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider, category=FIRE_LANE)
    do(town, town.officer, case, Action.REJECT, reason="not_visible")
    town.clock.advance(timedelta(days=6))

    first = town.answering.appeal(rider, case.report_id, "看得清", "one")
    again = town.answering.appeal(rider, case.report_id, "看得清", "one")

    back = town.case(case.case_id)
    assert first == again
    assert (back.status, back.rounds, back.steps) == (Status.ASSIGNED, 1, [])
    assert (back.closed_at, back.reason, back.cell) == (None, None, case.cell)
    assert back.claim_due_at == town.clock.now() + timedelta(minutes=30)
    assert back.wake_at is not None
    assert (
        refusal_of(town, town.officer, case, Action.REJECT, reason="duplicate") == "case.appealed"
    )
    do(town, town.lead, case, Action.REJECT, reason="duplicate")
    with pytest.raises(Conflict, match=r"case\.appealed"):
        town.answering.appeal(rider, case.report_id, "还是看得清", "two")


def test_who_refused_as_lead_does_not_judge_the_appeal(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)
    do(town, town.lead, case, Action.REJECT, reason="not_visible")

    town.answering.appeal(rider, case.report_id, "看得清", "one")

    supervisor = a_supervisor(town, case)
    assert refusal_of(town, town.lead, case, Action.REJECT, reason="duplicate") == (
        "case.own_rejection"
    )
    assert do(town, supervisor, case, Action.REJECT, reason="duplicate").status == Status.REJECTED


def test_an_appeal_comes_within_a_week_and_from_the_reporter(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)
    do(town, town.officer, case, Action.REJECT, reason="not_visible")
    town.clock.advance(timedelta(days=7))

    with pytest.raises(Conflict, match="appeal_too_late"):
        town.answering.appeal(rider, case.report_id, "看得清", "one")


# after the end -----------------------------------------------------------------------------------


def test_a_case_closed_by_silence_can_be_taken_up_again_and_pays_once(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider, category=FIRE_LANE)
    catch_up(town, case, after=timedelta(hours=72))
    town.clock.advance(timedelta(days=6))

    town.closing.verdict(
        rider, case.report_id, satisfied=False, comment=None, client_request_id="1"
    )
    back = town.case(case.case_id)
    town.resolve(back)
    town.closing.verdict(rider, case.report_id, satisfied=True, comment=None, client_request_id="2")

    assert (back.status, back.closed_at, back.closed_as) == (Status.CLAIMED, None, None)
    assert back.due_at == town.clock.now() + timedelta(hours=2)
    assert town.case(case.case_id).closed_as == "confirmed"
    assert balances(rider.member_id, town.clock.now()).available == 20  # it is urgent


def test_what_the_reporter_was_satisfied_with_stays_closed(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)
    town.closing.verdict(rider, case.report_id, satisfied=True, comment=None, client_request_id="1")

    with pytest.raises(Conflict, match="not_reopenable"):
        town.closing.verdict(
            rider, case.report_id, satisfied=False, comment=None, client_request_id="2"
        )


def test_a_week_after_closing_a_new_report_is_needed(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)
    catch_up(town, case, after=timedelta(hours=72))
    town.clock.advance(timedelta(days=7))

    with pytest.raises(Conflict, match="not_reopenable"):
        town.closing.verdict(
            rider, case.report_id, satisfied=False, comment=None, client_request_id="1"
        )
