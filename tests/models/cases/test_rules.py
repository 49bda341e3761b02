"""Pure decisions: what may be sent, what is alike, what is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar.china import working_time
from models.cases import rules
from models.cases.categories import first_version
from models.cases.entities import Severity, Status, Step, SubmitReport, Timing
from tests.support.points import FIRST_POINTS, JOINER_POINTS, worth

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
E_BIKES = first_version().of("E0493a")
GOOD = SubmitReport(
    client_request_id="1",
    category="E0493a",
    lon=114.08,
    lat=32.12,
    accuracy_m=12,
    captured_at=NOW,
    photos=("up_1",),
)


def codes_of(report: SubmitReport) -> list[tuple[str, str]]:
    category = first_version().find(report.category)
    found = rules.submission_errors(report, category=category, now=NOW)
    return [(error.field, error.code) for error in found]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"category": "E9999"}, [("category", "category.unknown")]),
        ({"lon": 32.12, "lat": 114.08}, [("lon", "position.swapped")]),
        ({"lon": 0.0, "lat": 0.0}, [("lon", "report.outside_service_area")]),
        ({"lon": 113.70}, [("lon", "report.outside_service_area")]),
        ({"accuracy_m": 200}, []),
        ({"accuracy_m": 200.1}, [("accuracy_m", "position.inaccurate")]),
        ({"captured_at": NOW - timedelta(hours=24)}, []),
        (
            {"captured_at": NOW - timedelta(hours=24, seconds=1)},
            [("captured_at", "report.too_old")],
        ),
        ({"captured_at": NOW + timedelta(minutes=5)}, []),
        (
            {"captured_at": NOW + timedelta(minutes=5, seconds=1)},
            [("captured_at", "report.from_the_future")],
        ),
        ({"text": "字" * 200}, []),
        ({"text": "字" * 201}, [("text", "field.too_long")]),
        ({"object_id": "1" * 20}, []),
        ({"object_id": "1" * 21}, [("object_id", "field.too_long")]),
        ({"photos": ()}, [("photos", "field.too_short")]),
        ({"photos": tuple("abcdefghi")}, []),
        ({"photos": tuple("abcdefghij")}, [("photos", "field.too_long")]),
        ({"photos": ("a", "b", "a")}, [("photos.2", "photo.twice")]),
        (
            {"category": "no", "photos": (), "accuracy_m": 999.0},
            [
                ("category", "category.unknown"),
                ("accuracy_m", "position.inaccurate"),
                ("photos", "field.too_short"),
            ],
        ),
    ],
)
def test_a_report_is_held_to_every_limit_to_the_last_unit(
    changes: dict[str, object], found: list[tuple[str, str]]
) -> None:
    assert codes_of(replace(GOOD, **changes)) == found


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, None),
        ("  \n\t ", None),
        ("两辆车\r\n挡路", "两辆车 挡路"),
        ("a\u200bb\u202ec\ufeffd\x00e", "abcde"),
        ("电话13812345678找我", "电话***找我"),
        ("+86 138-1234-5678", "***"),
        ("身份证41150319900101123X。", "身份证***。"),
        ("编号138123456789", "编号138123456789"),
        ("单号 12812345678", "单号 12812345678"),
        ("👍 很好", "👍 很好"),
    ],
)
def test_text_loses_what_is_unseen_and_what_names_a_person(
    said: str | None, kept: str | None
) -> None:
    assert rules.clean_text(said) == kept


@given(st.text(max_size=200))
def test_cleaning_again_changes_nothing(text: str) -> None:
    once = rules.clean_text(text)

    assert rules.clean_text(once) == once


@given(
    gaps=st.lists(st.integers(0, 7200), min_size=1, max_size=60),
    wait=st.integers(0, 3600),
)
def test_both_windows_slide_exactly(gaps: list[int], wait: int) -> None:
    used: list[int] = []
    taken: list[datetime] = []
    at = NOW
    for gap in gaps:
        at += timedelta(seconds=gap)
        in_burst = [one for one in taken if at - one < rules.BURST]
        in_day = [one for one in taken if at - one < rules.DAY]
        fits = len(in_burst) < 5 and len(in_day) < 20

        retry_s = rules.retry_after_s(used, at)

        assert (retry_s == 0) == fits
        assert rules.retry_after_s(used, at + timedelta(seconds=retry_s)) == 0
        if fits:
            used = rules.used_with(used, at)
            taken.append(at)
    assert len(used) <= 20


@pytest.mark.parametrize(
    ("status", "closed_ago", "may"),
    [
        (Status.ASSIGNED, None, True),
        (Status.DISPUTED, None, True),
        (Status.CLOSED, timedelta(hours=71, minutes=59), True),
        (Status.CLOSED, timedelta(hours=72), False),
        (Status.REJECTED, timedelta(hours=1), False),
    ],
)
def test_open_and_recently_closed_cases_may_be_the_same(
    status: Status, closed_ago: timedelta | None, may: bool
) -> None:
    closed_at = None if closed_ago is None else NOW - closed_ago

    assert rules.may_be_same(status, closed_at=closed_at, now=NOW) is may


def test_only_an_open_case_may_be_joined() -> None:
    joinable = {status for status in Status if rules.may_be_joined(status)}

    assert joinable == rules.WORKED_ON | rules.PAUSED | {Status.RESOLVED, Status.DISPUTED}


@pytest.mark.parametrize(
    ("ordinal", "waited_min", "echo", "points"),
    [
        (1, 0, 0, 10),
        (2, 10, 0, 10),
        (9, 10, 0, 10),
        (2, 10.01, 1, 2),
        (4, 600, 3, 2),
        (5, 600, 4, 0),
        (9, 600, 3, 2),
    ],
)
def test_points_follow_the_order_of_reporters_and_never_speed_of_repair(
    ordinal: int, waited_min: float, echo: int, points: int
) -> None:
    waited = timedelta(minutes=waited_min)

    assert rules.is_echo(waited) == (echo > 0)
    assert worth(*rules.award_for(ordinal=ordinal, waited=waited, echo=echo)) == points


@given(
    waited_s=st.lists(st.integers(0, 1800), min_size=1, max_size=9),
    order=st.permutations(range(9)),
)
def test_whoever_comes_within_the_window_is_paid_alike_in_any_order(
    waited_s: list[int], order: list[int]
) -> None:
    """``order`` says which rider comes at which of the instants."""
    riders = [rider for rider in order if rider < len(waited_s)]
    arrivals = sorted(waited_s)
    points, echoes = {}, 0
    for ordinal, (rider, at) in enumerate(zip(riders, arrivals, strict=True), 1):
        waited = timedelta(seconds=at - arrivals[0])
        echoes += rules.is_echo(waited)
        points[rider] = worth(*rules.award_for(ordinal=ordinal, waited=waited, echo=echoes))

    early = [rider for rider, at in zip(riders, arrivals, strict=True) if at - arrivals[0] <= 600]
    assert {points[rider] for rider in early} == {FIRST_POINTS}
    late = sorted((points[rider] for rider in riders if rider not in early), reverse=True)
    assert late == [JOINER_POINTS] * min(3, len(late)) + [0] * max(0, len(late) - 3)


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        (None, None),
        ("  ", None),
        ("0042-017", "0042017"),
        ("豫s·12345", "豫S12345"),
        ("\u202e８8４", "884"),
        ("411502199001011234", None),
    ],
)
def test_an_object_id_is_written_as_anybody_would_write_it(
    read: str | None, kept: str | None
) -> None:
    assert rules.clean_object_id(read) == kept


timings = st.builds(
    Timing,
    status=st.sampled_from(list(Status)),
    created_at=st.just(NOW),
    started_at=st.integers(0, 10_000).map(lambda m: NOW + timedelta(minutes=m)),
    resolve_limit=st.integers(30, 5000).map(lambda m: timedelta(minutes=m)),
    kind=st.sampled_from(["continuous", "working"]),
    claim_due_at=st.integers(10, 500).map(lambda m: NOW + timedelta(minutes=m)),
    steps_taken=st.just(frozenset()),
    was_claimed=st.booleans(),
    photo_count=st.integers(0, 2),
    resolved_at=st.integers(0, 20_000).map(lambda m: NOW + timedelta(minutes=m)),
    closed_at=st.integers(0, 20_000).map(lambda m: NOW + timedelta(minutes=m)),
)


def steps_of(timing: Timing) -> list[tuple[datetime, Step]]:
    """Let time pass until a step ends the state, or nothing is due any more."""
    taken = []
    while (wake := rules.next_wake(timing, working_time())) is not None:
        taken.append((wake.at, wake.step))
        if wake.step in (Step.LAPSE, Step.NO_EVIDENCE):
            break
        timing = replace(timing, steps_taken=timing.steps_taken | {wake.step})
    return taken


@given(timings)
def test_the_schedule_ends_takes_each_step_once_and_never_goes_back_in_time(
    timing: Timing,
) -> None:
    taken = steps_of(timing)

    steps = [step for _, step in taken]
    assert len(steps) == len(set(steps))
    assert [at for at, _ in taken] == sorted(at for at, _ in taken)


@given(timings)
def test_the_ladder_runs_in_its_order_on_the_cases_own_clock(timing: Timing) -> None:
    taken = steps_of(replace(timing, status=Status.CLAIMED))

    assert [step for _, step in taken] == [step for step, _ in rules.LADDER]
    for (at, _), (_, percent) in zip(taken, rules.LADDER, strict=True):
        assert at == working_time().at_percent(
            timing.started_at, timing.resolve_limit, timing.kind, percent
        )


@given(timings)
def test_only_states_that_wait_for_time_wake_the_schedule(timing: Timing) -> None:
    wakes = rules.next_wake(timing, working_time()) is not None

    waiting = rules.WORKED_ON | {Status.RESOLVED, Status.CLOSED}
    assert wakes == (timing.status in waiting)


def test_a_photo_or_a_claim_ends_the_wait_for_evidence() -> None:
    waiting = Timing(
        status=Status.ASSIGNED,
        created_at=NOW,
        started_at=NOW,
        resolve_limit=timedelta(days=5),
        kind="continuous",
        claim_due_at=NOW + timedelta(hours=30),
        steps_taken=frozenset(),
        was_claimed=False,
        photo_count=0,
    )

    first = rules.next_wake(waiting, working_time())
    with_photo = rules.next_wake(replace(waiting, photo_count=1), working_time())
    returned = rules.next_wake(replace(waiting, was_claimed=True), working_time())

    assert first is not None
    assert (first.step, first.at) == (Step.NO_EVIDENCE, NOW + timedelta(hours=24))
    assert with_photo is not None
    assert with_photo.step is Step.UNCLAIMED
    assert returned is not None
    assert returned.step is Step.UNCLAIMED


def test_a_danger_that_was_claimed_and_given_back_walks_on_where_it_would_be() -> None:
    returned = Timing(
        status=Status.ASSIGNED,
        created_at=NOW,
        started_at=NOW,
        clock_from=NOW,
        resolve_limit=timedelta(hours=2),
        kind="continuous",
        claim_due_at=NOW + timedelta(minutes=15),
        claim_limit=timedelta(minutes=15),
        steps_taken=frozenset({Step.UNCLAIMED}),
        was_claimed=True,
        photo_count=1,
    )

    wake = rules.next_wake(returned, working_time())

    assert wake is not None
    assert (wake.step, wake.at) == (Step.UNCLAIMED_COMMUNITY, NOW + timedelta(minutes=30))


def test_a_category_cannot_be_claimed_after_it_is_due_nor_be_dangerous_without_numbers() -> None:
    with pytest.raises(ValueError, match="claimed after"):
        replace(E_BIKES, claim_within=timedelta(hours=3))
    with pytest.raises(ValueError, match="numbers to call"):
        replace(E_BIKES, call_first=("110",))
    with pytest.raises(ValueError, match="does not wait"):
        replace(E_BIKES, severity=Severity.B)
    with pytest.raises(ValueError, match="says not when"):
        replace(E_BIKES, closings=())
