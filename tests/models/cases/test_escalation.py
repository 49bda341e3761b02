"""Time passes: each step once, however often, late or doubled the schedule fires."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from models.base.store import Transaction, update_if
from models.cases import changes
from models.cases.entities import Action, Status, UploadState
from models.cases.escalation import due_cases
from models.cases.tables import CaseRow
from models.points.reading import balances
from tests.support.cases import Town, a_photo, a_rider
from tests.support.faults import lost_reply
from tests.support.steps import catch_up, steps_of

FIRE_LANE = "E0496"  # serious: two hours, day and night


def test_the_ladder_is_climbed_as_time_passes(town: Town) -> None:
    case = town.filed(category=FIRE_LANE)

    for minutes in (29, 1, 30, 35, 1, 24, 60, 59, 1, 600):
        catch_up(town, case, after=timedelta(minutes=minutes))

    assert steps_of(town, case) == [
        "unclaimed",
        "unclaimed_community",
        "remind",
        "lead",
        "unclaimed_duty",
        "community",
        "district",
    ]


def test_a_step_comes_at_its_minute_and_not_before(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)

    early = catch_up(town, case, after=timedelta(minutes=95, seconds=59))
    in_time = catch_up(town, case, after=timedelta(seconds=1))

    assert (early, in_time) == (0, 1)
    assert steps_of(town, case) == ["remind"]


def test_a_schedule_that_fires_late_and_doubled_takes_every_step_once(town: Town) -> None:
    case = town.filed(category=FIRE_LANE)
    town.clock.advance(timedelta(days=1))
    now = town.clock.now()

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: town.escalation.catch_up(case.case_id, now), range(4)))

    assert sum(map(len, taken)) == 7
    assert len(steps_of(town, case)) == 7


def test_a_lost_reply_to_a_step_is_the_same_step(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    town.clock.advance(timedelta(minutes=100))

    with lost_reply() as lost:
        town.escalation.catch_up(case.case_id, town.clock.now())

    assert lost
    assert steps_of(town, case) == ["remind"]
    assert town.case(case.case_id).steps == ["remind"]


def test_a_sweep_finds_what_is_due_and_leaves_the_rest(town: Town) -> None:
    late = town.filed(category=FIRE_LANE)
    town.clock.advance(timedelta(minutes=40))
    fresh = town.filed(category=FIRE_LANE)

    before = due_cases(town.clock.now(), 10_000)
    for case_id in due_cases(town.clock.now(), 10_000):
        town.escalation.catch_up(case_id, town.clock.now())
    after = due_cases(town.clock.now(), 10_000)

    assert late.case_id in before
    assert fresh.case_id not in before
    assert late.case_id not in after
    assert steps_of(town, late) == ["unclaimed"]


def test_a_fix_stops_the_clock_and_a_reopening_starts_it_anew(town: Town) -> None:
    rider = a_rider()
    case = town.claimed(rider, category=FIRE_LANE)
    catch_up(town, case, after=timedelta(minutes=100))
    town.resolve(town.case(case.case_id))
    stopped = catch_up(town, case, after=timedelta(hours=10))

    town.closing.verdict(
        rider, case.report_id, satisfied=False, comment=None, client_request_id="1"
    )
    early = catch_up(town, case, after=timedelta(minutes=95))
    again = catch_up(town, case, after=timedelta(minutes=30))

    assert (stopped, early, again) == (0, 0, 2)
    assert sorted(steps_of(town, case)) == ["lead", "remind", "remind"]
    assert {e.event_id for e in town.events(case.case_id)} >= {"s0#remind", "s1#remind"}


def test_a_claim_moves_no_deadline_of_the_ladder(town: Town) -> None:
    case = town.filed(category=FIRE_LANE)
    before = case.due_at

    town.act(town.officer, case, Action.CLAIM)

    assert town.case(case.case_id).due_at == before


def test_silence_closes_after_72_hours_counted_apart_and_the_points_mature(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)

    early = catch_up(town, case, after=timedelta(hours=71, minutes=59))
    in_time = catch_up(town, case, after=timedelta(minutes=1))

    closed = town.case(case.case_id)
    assert (early, in_time) == (0, 1)
    assert (closed.status, closed.closed_as) == ("closed", "unconfirmed")
    assert balances(rider.member_id, town.clock.now()).available == 10


def test_silence_and_a_verdict_at_the_same_moment_close_once(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)
    just_before = town.clock.now() + timedelta(hours=72)
    town.clock.advance(timedelta(hours=72) - timedelta(milliseconds=1))

    with ThreadPoolExecutor(2) as pool:
        pool.submit(
            town.closing.verdict,
            rider,
            case.report_id,
            satisfied=True,
            comment=None,
            client_request_id="1",
        )
        pool.submit(town.escalation.take_step, case.case_id, just_before)

    assert town.case(case.case_id).version == case.version + 1
    assert balances(rider.member_id, town.clock.now()).available == 10


def test_a_case_without_any_photo_closes_after_a_day(town: Town) -> None:
    rider = a_rider()
    photos = (a_photo(rider, state=UploadState.WAITING),)
    case = town.filed(rider, photos=photos)

    catch_up(town, case, after=timedelta(hours=23, minutes=59))
    before = town.case(case.case_id).status
    catch_up(town, case, after=timedelta(minutes=1))

    closed = town.case(case.case_id)
    assert before == Status.ASSIGNED
    assert (closed.status, closed.cell, closed.wake_at) == ("no_evidence", None, None)


def test_a_photo_in_the_last_moment_keeps_the_case(town: Town) -> None:
    rider = a_rider()
    photos = (a_photo(rider, state=UploadState.WAITING),)
    case = town.filed(rider, photos=photos, category="E0113")  # five working days
    update_if(case, [CaseRow.photo_count.add(1)], CaseRow.photo_count == 0)

    catch_up(town, case, after=timedelta(hours=25))

    kept = town.case(case.case_id)
    assert kept.status == Status.ASSIGNED
    assert kept.wake_at is not None
    assert kept.wake_at > town.clock.now()


def test_a_closed_case_leads_riders_to_it_for_a_week_and_then_no_more(town: Town) -> None:
    case = town.resolved()
    catch_up(town, case, after=timedelta(hours=72))

    catch_up(town, case, after=timedelta(days=6))
    remembered = town.case(case.case_id).cell
    catch_up(town, case, after=timedelta(days=1))

    forgotten = town.case(case.case_id)
    assert remembered is not None
    assert (forgotten.cell, forgotten.wake_at, forgotten.status) == (None, None, "closed")
    assert due_cases(town.clock.now(), 10_000).count(case.case_id) == 0


def test_a_step_and_a_claim_at_once_both_happen_in_some_order(town: Town) -> None:
    for _ in range(5):
        case = town.filed(category=FIRE_LANE)
        now = town.clock.now() + timedelta(minutes=100)

        with ThreadPoolExecutor(2) as pool:
            climbed = pool.submit(town.escalation.catch_up, case.case_id, now)
            claimed = pool.submit(town.act, town.officer, case, Action.CLAIM)

        after = town.case(case.case_id)
        assert claimed.result()["status"] == "claimed"
        assert len(climbed.result()) in (1, 2, 3)
        assert "remind" in after.steps
        assert after.version == 2


def test_a_wake_that_is_too_early_is_corrected_without_a_step(town: Town) -> None:
    case = town.filed(category=FIRE_LANE)
    tx = Transaction()
    tx.update("case", case, [CaseRow.wake_at.set(town.clock.now())], CaseRow.version == 1)
    changes.commit(tx)

    taken = catch_up(town, case, after=timedelta(minutes=1))

    assert taken == 0
    assert town.case(case.case_id).wake_at == case.wake_at


def test_an_unknown_case_owes_nothing(town: Town) -> None:
    assert town.escalation.take_step("case_unknown", town.clock.now()) is None
