"""A second rider looks at a fix: who is asked, what is taken, what it earns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.meter import Meter
from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, Invalid, NotFound
from models.base.geometry import Position, distance_m, offset
from models.base.ids import new_id
from models.base.store import get, query, scan
from models.base.tables import Database, connection
from models.cases import binding, changes, recheck_rules
from models.cases.entities import Action, Party, Purpose, UploadState, Verdict
from models.cases.recheck_tables import RecheckRow
from models.cases.rechecks import ANSWERED, AnswerRecheck, Rechecks, recheck_id_of
from models.cases.tables import CaseRow, UploadRow
from models.people.entities import Actor
from models.points.reading import balances
from models.points.tables import EntryRow
from tests.support.cases import Town, a_photo, a_rider

HOUR = timedelta(hours=1)
KEY = b"k" * 32


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    return Town(clock)


@pytest.fixture
def rechecks(town: Town) -> Rechecks:
    return Rechecks(clock=town.clock, ledger=town.ledger, key=KEY)


def opened(town: Town, rechecks: Rechecks, **values: Any) -> CaseRow:
    """A resolved case that is open for a recheck, because no photo shows the fix."""
    case = town.claimed(**values)
    town.act(town.officer, case, Action.RESOLVE, reason="gone_on_arrival")
    tell(town, rechecks, case)
    return town.case(case.case_id)


def tell(town: Town, rechecks: Rechecks, case: CaseRow) -> None:
    rechecks.around({"case.resolved": lambda _: None})["case.resolved"](
        an_event(town, "case.resolved", case_id=case.case_id)
    )


def an_event(town: Town, topic: str, *, attempts: int = 1, **payload: Any) -> Event:
    return Event(
        outbox_id=new_id("out"),
        topic=topic,
        county=town.county,
        payload=payload,
        at=town.clock.now(),
        attempts=attempts,
    )


def an_answer(town: Town, rider: Actor, **changes: Any) -> AnswerRecheck:
    values: dict[str, Any] = {
        "client_request_id": new_id("crid"),
        "fixed": True,
        "lon": town.centre.lon,
        "lat": town.centre.lat,
        "accuracy_m": 10.0,
        "captured_at": town.clock.now(),
    }
    if "photos" not in changes:
        changes["photos"] = (a_photo(rider, purpose=Purpose.RECHECK, verdict=Verdict.PASS.value),)
    return AnswerRecheck(**{**values, **changes})


def id_of(case: CaseRow) -> str:
    return recheck_id_of(case.case_id, case.rounds)


def refusal(call: Any) -> str:
    with pytest.raises(DomainError) as refused:
        call()
    return refused.value.code


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_what_was_doubted_or_not_shown_is_always_looked_at(number: int, round_number: int) -> None:
    case_id = f"case_{number}"

    assert recheck_rules.is_sampled(KEY, case_id, round_number, without_photo=True, reopened=0)
    assert recheck_rules.is_sampled(KEY, case_id, round_number, without_photo=False, reopened=1)


def test_one_fix_in_five_is_drawn() -> None:
    drawn = sum(
        recheck_rules.is_sampled(KEY, new_id("case"), 0, without_photo=False, reopened=0)
        for _ in range(5_000)
    )

    assert 850 < drawn < 1_150


def test_who_has_not_the_key_cannot_foresee_the_draw() -> None:
    cases = [new_id("case") for _ in range(200)]

    draws = [
        [recheck_rules.is_sampled(key, case, 0, without_photo=False, reopened=0) for case in cases]
        for key in (KEY, b"l" * 32)
    ]

    assert draws[0] != draws[1]


@given(
    st.floats(113.8, 115.9),
    st.floats(31.4, 32.6),
    st.floats(-500, 500),
    st.floats(-500, 500),
)
def test_the_areas_near_hold_everything_within_500_metres(
    lon: float, lat: float, east_m: float, north_m: float
) -> None:
    here = Position(lon=lon, lat=lat)
    there = offset(here, east_m=east_m, north_m=north_m)

    areas = recheck_rules.areas_near(here)

    assert len(areas) <= 4
    assert distance_m(here, there) > recheck_rules.NEAR_M or recheck_rules.area_of(there) in areas


def test_a_fix_without_a_photo_is_offered_to_who_is_near_and_to_nobody_it_concerns(
    town: Town, rechecks: Rechecks
) -> None:
    rider, passer_by = a_rider(), a_rider()
    case = opened(town, rechecks, rider=rider)
    here = {"lon": town.centre.lon, "lat": town.centre.lat}

    offered = rechecks.near(passer_by, **here)

    assert [item["id"] for item in offered] == [id_of(case)]
    assert rechecks.near(rider, **here) == []
    assert rechecks.near(town.officer, **here) == []
    assert rechecks.near(passer_by, **town.at(east_m=600)) == []


def test_a_fix_is_offered_for_72_hours(town: Town, rechecks: Rechecks) -> None:
    opened(town, rechecks)
    here = {"lon": town.centre.lon, "lat": town.centre.lat}

    town.clock.advance(72 * HOUR)

    assert rechecks.near(a_rider(), **here) == []


def test_opening_twice_is_opening_once(town: Town, rechecks: Rechecks) -> None:
    case = opened(town, rechecks)
    rider = a_rider()
    rechecks.answer(rider, id_of(case), an_answer(town, rider))

    tell(town, rechecks, case)

    row = get(RecheckRow, id_of(case))
    assert row is not None
    assert row.member_id == rider.member_id
    assert row.area is None


def test_an_answer_stands_in_the_history_and_is_told_again(town: Town, rechecks: Rechecks) -> None:
    case, rider = opened(town, rechecks), a_rider()
    command = an_answer(town, rider)

    first = rechecks.answer(rider, id_of(case), command)
    town.clock.advance(100 * HOUR)

    assert rechecks.answer(rider, id_of(case), command) == first
    events = [e for e in changes.history(case.case_id) if e.action == Action.RECHECK]
    assert [(e.party, e.reason) for e in events] == [(Party.CHECKER, "fixed")]
    assert town.case(case.case_id).version == case.version


def test_the_same_request_with_another_answer_is_refused(town: Town, rechecks: Rechecks) -> None:
    case, rider = opened(town, rechecks), a_rider()
    command = an_answer(town, rider)
    rechecks.answer(rider, id_of(case), command)

    other = replace(command, fixed=False)

    assert refusal(lambda: rechecks.answer(rider, id_of(case), other)) == "request.reused"


def test_of_eight_riders_at_once_one_answers(town: Town, rechecks: Rechecks) -> None:
    case = opened(town, rechecks)
    riders = [a_rider() for _ in range(8)]

    def say(rider: Actor) -> str:
        try:
            rechecks.answer(rider, id_of(case), an_answer(town, rider))
        except Conflict as refused:
            return refused.code
        return "answered"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(say, riders))

    assert outcomes == ["answered"] + ["recheck.taken"] * 7


def test_what_is_not_fixed_is_told_to_the_lead_and_reopens_nothing(
    town: Town, rechecks: Rechecks
) -> None:
    case, rider = opened(town, rechecks), a_rider()

    rechecks.answer(rider, id_of(case), an_answer(town, rider, fixed=False))

    topics = {row.topic for row in scan(OutboxRow) if row.payload.get("case_id") == case.case_id}
    assert {"case.contested", ANSWERED} <= topics
    assert town.case(case.case_id).status == case.status


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"east_m": 130}, "recheck.too_far"),
        ({"ago": 2 * HOUR}, "recheck.before_the_fix"),
        ({"ago": -HOUR}, "report.from_the_future"),
        ({"photos": ("up_unknown",)}, "photo.unknown"),
        ({"photos": ()}, "field.too_short"),
    ],
)
def test_an_answer_from_elsewhere_or_before_is_refused(
    town: Town, rechecks: Rechecks, wrong: dict[str, Any], code: str
) -> None:
    case, rider = opened(town, rechecks), a_rider()
    changed: dict[str, Any] = {}
    if "east_m" in wrong:
        changed = town.at(east_m=wrong["east_m"])
    elif "ago" in wrong:
        changed = {"captured_at": town.clock.now() - wrong["ago"]}
    else:
        changed = wrong

    with pytest.raises(Invalid) as refused:
        rechecks.answer(rider, id_of(case), an_answer(town, rider, **changed))

    assert [error.code for error in refused.value.fields] == [code]


def test_a_photo_serves_one_answer_only(town: Town, rechecks: Rechecks) -> None:
    rider = a_rider()
    first, second = opened(town, rechecks), opened(town, rechecks)
    command = an_answer(town, rider)
    rechecks.answer(rider, id_of(first), command)

    again = an_answer(town, rider, photos=command.photos)

    assert refusal(lambda: rechecks.answer(rider, id_of(second), again)) == "photo.in_use"


def test_nobody_answers_for_his_own_case_or_work(town: Town, rechecks: Rechecks) -> None:
    rider, joiner = a_rider(), a_rider()
    case = town.claimed(rider)
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    town.act(town.officer, case, Action.RESOLVE, reason="gone_on_arrival")
    tell(town, rechecks, case)

    codes = [
        refusal(lambda who=who: rechecks.answer(who, id_of(case), an_answer(town, who)))
        for who in (rider, joiner, town.officer, town.lead)
    ]

    assert codes == ["recheck.own_case"] * 2 + ["recheck.own_work"] * 2


def test_a_case_that_went_back_to_work_needs_no_answer(town: Town, rechecks: Rechecks) -> None:
    case, rider = opened(town, rechecks), a_rider()
    town.act(town.lead, case, Action.REOPEN, reason="not_fixed")

    answer = an_answer(town, rider)

    assert refusal(lambda: rechecks.answer(rider, id_of(case), answer)) == "recheck.over"


def test_nobody_is_offered_a_look_that_would_be_refused_him(town: Town, rechecks: Rechecks) -> None:
    rider, joiner = a_rider(), a_rider()
    case = town.claimed(rider)
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    town.act(town.officer, case, Action.RESOLVE, reason="gone_on_arrival")
    tell(town, rechecks, case)
    here = {"lon": town.centre.lon, "lat": town.centre.lat}

    assert [rechecks.near(who, **here) for who in (joiner, town.lead)] == [[], []]
    assert rechecks.near(a_rider(), **here)

    town.act(town.lead, town.case(case.case_id), Action.REOPEN, reason="not_fixed")

    assert rechecks.near(a_rider(), **here) == [], "it has gone back to work"


def test_what_went_back_to_work_hides_nothing_that_is_open_farther_away(
    town: Town, rechecks: Rechecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.cases.rechecks.LOOKED_AT", 2)
    here = {"lon": town.centre.lon, "lat": town.centre.lat}
    for _ in range(3):
        case = opened(town, rechecks)
        town.act(town.lead, case, Action.REOPEN, reason="not_fixed")
    farther = opened(town, rechecks, **town.at(east_m=80))

    assert [item["id"] for item in rechecks.near(a_rider(), **here)] == [id_of(farther)]


def test_however_many_somebody_is_close_to_a_cases_reporters_are_read_once(
    town: Town, rechecks: Rechecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    joiner = a_rider()
    case = town.claimed()
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    town.act(town.officer, case, Action.RESOLVE, reason="gone_on_arrival")
    tell(town, rechecks, case)
    others = frozenset(f"mbr_{number}" for number in range(30))
    monkeypatch.setattr("models.people.links.linked_to", lambda _: others)
    meter = Meter().watch(connection())

    assert rechecks.near(a_rider(), lon=town.centre.lon, lat=town.centre.lat)

    assert meter.read().calls <= 4 + 1 + 1, "the areas, the cases, the joiners of one"


def test_an_unknown_recheck_is_not_found(town: Town, rechecks: Rechecks) -> None:
    rider = a_rider()

    with pytest.raises(NotFound):
        rechecks.answer(rider, "rck_unknown", an_answer(town, rider))


def test_three_points_come_once_when_the_photo_was_accepted(town: Town, rechecks: Rechecks) -> None:
    case, rider = opened(town, rechecks), a_rider()
    photo = a_photo(rider, purpose=Purpose.RECHECK, verdict=Verdict.WAITING.value)
    rechecks.answer(rider, id_of(case), an_answer(town, rider, photos=(photo,)))
    rechecks.answered(an_event(town, ANSWERED, recheck_id=id_of(case)))
    before = balances(rider.member_id, town.clock.now()).available

    UploadRow(photo).update([UploadRow.verdict.set(Verdict.PASS.value)])
    for _ in range(2):
        rechecks.judged(an_event(town, binding.TOPIC, upload_id=photo))

    assert (before, balances(rider.member_id, town.clock.now()).available) == (0, 3)


def test_of_several_photos_the_last_accepted_one_pays(town: Town, rechecks: Rechecks) -> None:
    case, rider = opened(town, rechecks), a_rider()
    photos = tuple(
        a_photo(rider, purpose=Purpose.RECHECK, verdict=verdict.value)
        for verdict in (Verdict.PASS, Verdict.WAITING)
    )
    rechecks.answer(rider, id_of(case), an_answer(town, rider, photos=photos))
    rechecks.judged(an_event(town, binding.TOPIC, upload_id=photos[0]))
    before = balances(rider.member_id, town.clock.now()).available

    UploadRow(photos[1]).update([UploadRow.verdict.set(Verdict.PASS.value)])
    rechecks.judged(an_event(town, binding.TOPIC, upload_id=photos[1]))

    assert (before, balances(rider.member_id, town.clock.now()).available) == (0, 3)


@pytest.mark.parametrize(
    "photo",
    [
        {"verdict": Verdict.RISKY.value},
        {"verdict": Verdict.NONE.value},
        {"state": UploadState.WAITING},
    ],
)
def test_a_photo_that_was_not_accepted_earns_nothing(
    town: Town, rechecks: Rechecks, photo: dict[str, Any]
) -> None:
    case, rider = opened(town, rechecks), a_rider()
    sent = a_photo(rider, purpose=Purpose.RECHECK, **photo)
    rechecks.answer(rider, id_of(case), an_answer(town, rider, photos=(sent,)))

    rechecks.answered(an_event(town, ANSWERED, recheck_id=id_of(case)))
    rechecks.judged(an_event(town, binding.TOPIC, upload_id=sent))

    assert balances(rider.member_id, town.clock.now()).available == 0


def test_the_sixth_answer_of_a_day_is_welcome_and_unpaid(town: Town, rechecks: Rechecks) -> None:
    rider = a_rider()
    cases = [opened(town, rechecks) for _ in range(6)]

    promised = [
        rechecks.answer(rider, id_of(case), an_answer(town, rider))["points"] for case in cases
    ]
    for case in cases:
        rechecks.answered(an_event(town, ANSWERED, recheck_id=id_of(case)))

    assert promised == [3, 3, 3, 3, 3, 0]
    assert balances(rider.member_id, town.clock.now()).available == 15
    last = query(EntryRow, rider.member_id)[-1]
    assert (last.kind, last.source["inputs"]["limit"]) == ("award", "act_day")
