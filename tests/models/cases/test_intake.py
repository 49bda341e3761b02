"""Reports come in once, whatever the network does, and only when they may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from models.base.errors import Conflict, Exhausted, Forbidden, Invalid, NotFound
from models.base.geometry import Position, distance_m
from models.base.store import get, query
from models.cases.entities import Action, Purpose, Status, UploadState
from models.cases.tables import CaseRow, ReportRow, UploadRow
from tests.support.cases import Town, a_photo, a_rider
from tests.support.faults import lost_reply


def joiners(case: CaseRow) -> list[ReportRow]:
    rows = query(ReportRow.by_case, case.case_id)
    return [report for row in rows if (report := get(ReportRow, row.member_id, row.report_id))]


def test_a_report_becomes_a_case_of_its_grid_and_of_its_officer(town: Town) -> None:
    rider = a_rider()

    receipt = town.intake.submit(rider, town.a_report(rider))

    case = town.case(receipt["case"]["id"])
    assert case.grid_id == town.grid.grid_id
    assert case.assigned_to == town.officer.member_id
    assert case.status == Status.ASSIGNED
    assert case.claim_due_at == town.clock.now() + timedelta(hours=2)
    assert receipt["case"]["routing"]["boundary_m"] > 100
    assert receipt["case"]["routing"]["officer"] == "网格员一"


def test_the_same_request_gives_the_first_answer_also_when_the_case_has_moved_on(
    town: Town,
) -> None:
    rider = a_rider()
    command = town.a_report(rider)
    first = town.intake.submit(rider, command)
    case = town.case(first["case"]["id"])
    town.act(town.officer, case, Action.CLAIM)
    town.clock.advance(timedelta(days=3))

    again = town.intake.submit(rider, command)

    assert again == first


def test_the_same_request_sent_at_once_makes_one_case(town: Town) -> None:
    rider = a_rider()
    command = town.a_report(rider)

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: town.intake.submit(rider, command), range(8)))

    assert all(receipt == receipts[0] for receipt in receipts)
    assert len(query(ReportRow, rider.member_id)) == 1


def test_a_lost_reply_is_no_error_and_no_second_case(town: Town) -> None:
    rider = a_rider()
    command = town.a_report(rider)

    with lost_reply() as lost:
        receipt = town.intake.submit(rider, command)

    assert lost == ["TransactWriteItems"]
    assert town.intake.submit(rider, command) == receipt
    assert len(query(ReportRow, rider.member_id)) == 1


@pytest.mark.parametrize(
    "changes", [{"text": "别的事"}, {"category": "E0410"}, {"accuracy_m": 13.0}]
)
def test_the_same_id_with_other_content_is_refused(town: Town, changes: dict[str, Any]) -> None:
    rider = a_rider()
    command = town.a_report(rider)
    town.intake.submit(rider, command)
    other = {"client_request_id": command.client_request_id, "photos": command.photos, **changes}

    with pytest.raises(Conflict) as refusal:
        town.intake.submit(rider, town.a_report(rider, **other))

    assert refusal.value.code == "request.reused"


def test_reporting_needs_consent(town: Town) -> None:
    rider = a_rider(consents={})

    with pytest.raises(Forbidden) as refusal:
        town.intake.submit(rider, town.a_report(rider))

    assert refusal.value.code == "consent.needed"


def test_a_place_in_the_city_but_in_no_grid_is_outside_the_service_area(town: Town) -> None:
    rider = a_rider()

    with pytest.raises(Invalid) as refusal:
        town.intake.submit(rider, town.a_report(rider, lon=113.75, lat=31.40))

    assert refusal.value.code == "report.outside_service_area"


def test_danger_answers_whom_to_call_first(town: Town) -> None:
    rider = a_rider()

    receipt = town.intake.submit(rider, town.a_report(rider, category="E0502"))

    assert receipt["call_first"] == ["119", "110", "120"]


@pytest.mark.parametrize(
    ("state", "purpose", "code"),
    [
        (UploadState.REFUSED, Purpose.REPORT, "photo.refused"),
        (UploadState.READY, Purpose.RESOLUTION, "photo.wrong_purpose"),
    ],
)
def test_a_photo_that_cannot_serve_is_named_with_its_reason(
    town: Town, state: UploadState, purpose: Purpose, code: str
) -> None:
    rider = a_rider()
    photos = (a_photo(rider), a_photo(rider, state=state, purpose=purpose, reason="photo.damaged"))

    with pytest.raises(Invalid) as refusal:
        town.intake.submit(rider, town.a_report(rider, photos=photos))

    assert [(bad.field, bad.code) for bad in refusal.value.fields] == [("photos.1", code)]


def test_another_riders_photo_is_as_unknown_as_one_that_is_not(town: Town) -> None:
    rider = a_rider()
    photos = (a_photo(a_rider()), "up_unknown")

    with pytest.raises(Invalid) as refusal:
        town.intake.submit(rider, town.a_report(rider, photos=photos))

    assert [(bad.field, bad.code) for bad in refusal.value.fields] == [
        ("photos.0", "photo.unknown"),
        ("photos.1", "photo.unknown"),
    ]


def test_one_photo_belongs_to_one_report_even_when_two_are_sent_at_once(town: Town) -> None:
    rider = a_rider()
    photo = a_photo(rider)
    commands = [town.a_report(rider, photos=(photo,)) for _ in range(4)]

    def send(command: Any) -> str:
        try:
            town.intake.submit(rider, command)
        except Invalid as refusal:
            return refusal.code
        return "taken"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(send, commands))

    assert outcomes == ["photo.in_use"] * 3 + ["taken"]


def test_five_in_ten_minutes_are_enough_and_a_repeat_is_not_a_sixth(town: Town) -> None:
    rider = a_rider()
    commands = [town.a_report(rider) for _ in range(5)]
    receipts = [town.intake.submit(rider, command) for command in commands]

    with pytest.raises(Exhausted) as refusal:
        town.intake.submit(rider, town.a_report(rider))

    assert refusal.value.retry_after_s == 600
    assert town.intake.submit(rider, commands[-1]) == receipts[-1]
    town.clock.advance(timedelta(minutes=10))
    town.intake.submit(rider, town.a_report(rider))


def test_the_limit_holds_when_reports_arrive_at_once(town: Town) -> None:
    rider = a_rider()
    commands = [town.a_report(rider) for _ in range(8)]

    def send(command: Any) -> str:
        try:
            town.intake.submit(rider, command)
        except Exhausted as refusal:
            return refusal.code
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, commands))

    assert outcomes.count("taken") == 5


def test_a_second_rider_joins_and_the_case_stays_one(town: Town) -> None:
    case, rider = town.filed(), a_rider()

    receipt = town.intake.submit(
        rider, town.a_report(rider, same_as=case.case_id, category="E0410", **town.at(east_m=100))
    )

    joined = town.case(case.case_id)
    assert receipt["case"]["id"] == case.case_id
    assert receipt["report"]["joined"] is True
    assert (joined.reporter_count, joined.photo_count, len(joined.photos)) == (2, 2, 2)
    assert joined.version == case.version, "the officer's claim does not fail for it"


def test_joining_again_by_a_lost_reply_is_one_joining(town: Town) -> None:
    case, rider = town.filed(), a_rider()
    command = town.a_report(rider, same_as=case.case_id)

    with lost_reply() as lost:
        receipt = town.intake.submit(rider, command)

    assert lost
    assert town.intake.submit(rider, command) == receipt
    assert town.case(case.case_id).reporter_count == 2


def test_many_who_join_at_once_are_numbered_without_gaps(town: Town) -> None:
    case = town.filed()
    riders = [a_rider() for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        commands = [town.a_report(rider, same_as=case.case_id) for rider in riders]
        list(pool.map(town.intake.submit, riders, commands))

    assert town.case(case.case_id).reporter_count == 7
    assert sorted(report.ordinal for report in joiners(case)) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"category": "E0110"}, "case.other_kind"),
        ({"east_m": 160}, "case.too_far"),
    ],
)
def test_only_what_may_be_the_same_can_be_joined(
    town: Town, changes: dict[str, Any], code: str
) -> None:
    case, rider = town.filed(**town.at(east_m=-80)), a_rider()
    east_m = changes.pop("east_m", 0) - 80
    command = town.a_report(rider, same_as=case.case_id, **town.at(east_m=east_m), **changes)

    with pytest.raises(Conflict) as refusal:
        town.intake.submit(rider, command)

    assert refusal.value.code == code


def test_nobody_joins_a_case_that_he_reported_or_joined_already(town: Town) -> None:
    first, second = a_rider(), a_rider()
    case = town.filed(first)
    town.intake.submit(second, town.a_report(second, same_as=case.case_id))

    for rider in (first, second):
        with pytest.raises(Conflict) as refusal:
            town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))
        assert refusal.value.code == "report.own_case"


def test_a_case_of_another_county_is_unknown_to_whoever_wants_to_join(town: Town) -> None:
    rider = a_rider()
    neighbour = Town(town.clock, county="411502")
    case = neighbour.filed()

    with pytest.raises(NotFound):
        town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))
    with pytest.raises(NotFound):
        town.intake.submit(rider, town.a_report(rider, same_as="case_unknown"))


def test_a_closed_case_cannot_be_joined_for_nobody_would_be_alerted(town: Town) -> None:
    first, second = a_rider(), a_rider()
    case = town.resolved(first)
    town.closing.verdict(first, case.report_id, satisfied=True, comment=None, client_request_id="1")

    with pytest.raises(Conflict) as refusal:
        town.intake.submit(second, town.a_report(second, same_as=case.case_id))

    assert refusal.value.code == "case.not_joinable"


def test_photos_on_their_way_are_not_counted_yet(town: Town) -> None:
    rider = a_rider()
    photos = (a_photo(rider, state=UploadState.WAITING), a_photo(rider))

    case = town.filed(rider, photos=photos)

    upload = get(UploadRow, photos[0])
    assert case.photo_count == 1
    assert upload is not None
    assert (upload.case_id, upload.county) == (case.case_id, town.county)


def test_phone_numbers_do_not_reach_the_tables(town: Town) -> None:
    rider = a_rider()

    case = town.filed(rider, text="车主电话 13812345678")

    report = get(ReportRow, rider.member_id, case.report_id)
    assert report is not None
    assert report.text == "车主电话 ***"


def test_the_smallest_and_oldest_values_that_json_can_hold_do_no_harm(town: Town) -> None:
    rider = a_rider()

    oldest = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    command = town.a_report(rider, captured_at=oldest)

    case = town.filed(rider, speed_mps=1e-300)
    with pytest.raises(Invalid) as refusal:
        town.intake.submit(rider, command)

    report = get(ReportRow, rider.member_id, case.report_id)
    assert report is not None
    assert report.speed_mps == 0
    assert refusal.value.code == "report.too_old"


def test_what_is_written_on_a_thing_is_kept_and_a_joiner_may_be_the_first_to_read_it(
    town: Town,
) -> None:
    case = town.filed()
    read = town.filed(object_id=" 8800-1234 ")

    town.filed(same_as=case.case_id, object_id="豫s·77", **town.at(east_m=10))
    town.filed(same_as=read.case_id, object_id="77777777", **town.at(east_m=10))

    assert (case.object_id, read.object_id) == (None, "88001234")
    assert town.case(case.case_id).object_id == "豫S77"
    assert town.case(read.case_id).object_id == "88001234"
    assert [report.object_id for report in joiners(read)] == ["77777777"]


def test_every_sighting_places_the_thing_better_and_its_first_place_stays(town: Town) -> None:
    case = town.filed(accuracy_m=20.0)

    town.filed(same_as=case.case_id, accuracy_m=10.0, **town.at(east_m=40))

    after = town.case(case.case_id)
    seen = distance_m(Position(lon=after.spot["lon"], lat=after.spot["lat"]), town.centre)
    assert case.spot is None
    assert (after.lon, after.lat, after.accuracy_m) == (case.lon, case.lat, 20)
    assert seen == pytest.approx(32, abs=0.2)
    assert after.spot["accuracy_m"] == pytest.approx(8.9, abs=0.1)


def test_a_request_from_before_there_were_ids_is_still_the_same_request(town: Town) -> None:
    report = town.a_report(a_rider())

    assert "object_id" not in report.content()
    assert replace(report, object_id="1").content()["object_id"] == "1"


def test_echoes_are_counted_apart_from_those_who_found_it_themselves(town: Town) -> None:
    case = town.filed()
    for _ in range(5):
        town.clock.advance(timedelta(minutes=2))
        town.filed(same_as=case.case_id)
    town.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        town.filed(same_as=case.case_id)

    counted = sorted((report.ordinal, report.echo) for report in joiners(case))

    assert counted == [(2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 1), (8, 2)]
    assert town.case(case.case_id).echoes == 2


def test_echoes_that_come_at_once_are_numbered_without_gaps(town: Town) -> None:
    case = town.filed()
    town.clock.advance(timedelta(hours=1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: town.filed(same_as=case.case_id), range(6)))

    assert sorted(report.echo or 0 for report in joiners(case)) == [1, 2, 3, 4, 5, 6]
    assert town.case(case.case_id).echoes == 6


def test_cases_from_before_echoes_were_counted_count_all_who_joined(town: Town) -> None:
    case = town.filed()
    town.filed(same_as=case.case_id)
    town.case(case.case_id).update(actions=[CaseRow.echoes.remove()])
    town.clock.advance(timedelta(hours=1))

    town.filed(same_as=case.case_id)

    assert town.case(case.case_id).echoes == 2
