"""What each may see: officials their scopes, riders their own, everybody only what was checked."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from models.base.errors import Invalid, NotFound, Unavailable
from models.base.paging import Cursors
from models.base.store import get
from models.cases.entities import Action, Purpose, Severity, Status, UploadState, Verdict
from models.cases.listing import MAX_PARTITIONS, Listing, Queue
from models.cases.photos import PhotoAddresses
from models.cases.reading import Reading
from models.cases.tables import ReportRow, UploadRow
from models.people.entities import Actor, Role, RoleName
from models.points.cap_tables import CapRow
from tests.support.cases import COUNTY, Town, a_photo, a_rider
from tests.support.faults import never_sent


@pytest.fixture
def listing(town: Town) -> Listing:
    return Listing(
        clock=town.clock, places=town.places, working=town.working, cursors=Cursors(b"k" * 32)
    )


@pytest.fixture
def reading(town: Town) -> Reading:
    return Reading(
        clock=town.clock,
        working=town.working,
        categories=town.categories,
        handling=town.handling,
        addresses=PhotoAddresses(base_url="https://photos.example"),
        pseudonym_key=b"k" * 32,
    )


def queue(listing: Listing, actor: Actor, **wanted: Any) -> list[str]:
    return [item["id"] for item in listing.queue(actor, Queue(**wanted)).items]


def judged(upload_id: str, verdict: Verdict) -> None:
    upload = get(UploadRow, upload_id)
    assert upload is not None
    upload.update(actions=[UploadRow.verdict.set(verdict.value)])


def test_the_soonest_due_comes_first_whatever_its_state(town: Town, listing: Listing) -> None:
    later = town.filed(category="E0113").case_id
    sooner = town.claimed(category="E0505").case_id
    town.resolved()

    assert queue(listing, town.officer) == [sooner, later]


def test_a_list_is_narrowed_by_state_severity_and_due_time(town: Town, listing: Listing) -> None:
    danger = town.filed(category="E0505")
    ordinary = town.filed(category="E0113")

    assert queue(listing, town.officer, severity=Severity.A) == [danger.case_id]
    assert queue(listing, town.officer, due_before=ordinary.due_at) == [danger.case_id]
    assert queue(listing, town.officer, status=Status.CLAIMED) == []


def test_an_instant_before_the_calendar_begins_is_a_bad_field(town: Town, listing: Listing) -> None:
    before = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))

    with pytest.raises(Invalid) as refusal:
        queue(listing, town.officer, due_before=before)

    assert [bad.field for bad in refusal.value.fields] == ["due_before"]


def test_a_grid_outside_ones_scopes_is_unknown(town: Town, listing: Listing) -> None:
    with pytest.raises(NotFound):
        queue(listing, town.officer, grid=Town(town.clock).grid.grid_id)


def test_a_whole_county_must_be_narrowed_to_a_grid(town: Town, listing: Listing) -> None:
    case = town.filed()
    district = town.an_official(RoleName.DISTRICT, "区县", f"county:{town.county}")

    with pytest.raises(Invalid) as refusal:
        queue(listing, district)

    assert len(town.places.grids(town.county)) > MAX_PARTITIONS
    assert [bad.field for bad in refusal.value.fields] == ["grid"]
    assert queue(listing, district, grid=town.grid.grid_id) == [case.case_id]


def test_a_keepers_role_opens_no_queue(town: Town, listing: Listing) -> None:
    town.filed()
    keeper = a_rider(
        roles=(Role(role=RoleName.KEEPER, scope=f"grid:{town.grid.grid_id}", county=COUNTY),)
    )

    assert queue(listing, keeper) == []


def test_a_list_says_that_the_tables_are_away(town: Town, listing: Listing) -> None:
    with never_sent("Query", times=20), pytest.raises(Unavailable):
        queue(listing, town.officer, status=Status.ASSIGNED)


def test_a_reporter_has_another_name_in_every_case(town: Town, reading: Reading) -> None:
    rider = a_rider()
    cases = [town.filed(rider) for _ in range(3)]

    names = [
        reading.case(town.officer, case.case_id)["reporters"][0]["pseudonym"] for case in cases
    ]
    again = reading.case(town.officer, cases[0].case_id)["reporters"][0]["pseudonym"]

    assert len(set(names)) > 1
    assert again == names[0]


@pytest.mark.parametrize(
    ("verdict", "is_shown"),
    [
        (None, False),
        (Verdict.PASS, True),
        (Verdict.RISKY, False),
        (Verdict.REVIEW, False),
        (Verdict.NONE, False),
    ],
)
def test_an_official_sees_a_text_once_wechat_has_let_it_pass_its_sender_always(
    town: Town, reading: Reading, verdict: Verdict | None, is_shown: bool
) -> None:
    rider = a_rider()
    case = town.filed(rider)
    report = get(ReportRow, rider.member_id, case.report_id)
    assert report is not None
    if verdict is not None:
        report.update(actions=[ReportRow.text_verdict.set(verdict.value)])

    seen = reading.case(town.officer, case.case_id)["reporters"][0]

    assert (seen["text"] == report.text, seen["text_hidden"]) == (is_shown, not is_shown)
    assert reading.report(rider, case.report_id)["text"] == report.text is not None


def test_an_official_sees_every_reporter_and_their_photos(town: Town, reading: Reading) -> None:
    case, joiner = town.filed(), a_rider()
    town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))

    shown = reading.case(town.officer, case.case_id)

    assert [reporter["joined"] for reporter in shown["reporters"]] == [False, True]
    assert len(shown["photos"]) == 2


@pytest.mark.parametrize(
    ("verdict", "where"),
    [(Verdict.WAITING, "review"), (Verdict.PASS, "published"), (Verdict.RISKY, None)],
)
def test_a_sender_sees_his_own_photo_unless_it_was_removed(
    town: Town, reading: Reading, verdict: Verdict, where: str | None
) -> None:
    rider = a_rider()
    photo = a_photo(rider)
    case = town.filed(rider, photos=(photo,))
    judged(photo, verdict)

    shown = reading.report(rider, case.report_id)["photos"][0]

    assert (shown["url"] is None) == (where is None)
    assert where is None or where in shown["url"]


def test_a_rider_sees_the_officers_photo_only_when_it_was_published(
    town: Town, reading: Reading
) -> None:
    rider = a_rider()
    case = town.claimed(rider)
    photo = a_photo(town.officer, purpose=Purpose.RESOLUTION)
    town.act(town.officer, case, Action.RESOLVE, photos=(photo,))

    before = reading.report(rider, case.report_id)["after_photos"][0]["url"]
    judged(photo, Verdict.PASS)
    after = reading.report(rider, case.report_id)["after_photos"][0]["url"]

    assert before is None
    assert after is not None


def test_a_photo_on_its_way_has_no_address_for_anybody(town: Town, reading: Reading) -> None:
    rider = a_rider()
    case = town.filed(rider, photos=(a_photo(rider, state=UploadState.WAITING),))

    assert reading.case(town.officer, case.case_id)["photos"][0]["url"] is None
    assert reading.report(rider, case.report_id)["photos"][0]["url"] is None


def test_officials_notes_are_not_for_the_rider(town: Town, reading: Reading) -> None:
    rider = a_rider()
    case = town.filed(rider)
    town.act(town.officer, case, Action.NOTE, text="车主已联系")

    official = [event["action"] for event in reading.case(town.lead, case.case_id)["history"]]
    own = [event["action"] for event in reading.report(rider, case.report_id)["history"]]

    assert official == ["submit", "note"] or official == ["note", "submit"]
    assert own == ["submit"]


def test_a_sender_is_offered_what_he_may_do(town: Town, reading: Reading) -> None:
    rider, joiner = a_rider(), a_rider()
    case = town.filed(rider)
    alone = reading.report(rider, case.report_id)["allowed_actions"]
    joined = town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    town.act(town.officer, case, Action.CLAIM)
    claimed = reading.report(rider, case.report_id)["allowed_actions"]
    town.resolve(town.case(case.case_id))

    resolved = [
        reading.report(rider, case.report_id)["allowed_actions"],
        reading.report(joiner, joined["report"]["id"])["allowed_actions"],
    ]

    assert (alone, claimed) == (["withdraw"], [])
    assert resolved == [["verdict"], ["verdict"]]


def test_points_are_shown_pending_from_the_claim(town: Town, reading: Reading) -> None:
    rider = a_rider()
    case = town.filed(rider)
    before = reading.report(rider, case.report_id)["points"]
    town.act(town.officer, case, Action.CLAIM)

    after = reading.report(rider, case.report_id)["points"]

    assert before is None
    assert (after["points"], after["state"]) == (10, "pending")


def test_a_report_says_which_limit_left_it_without_points(town: Town, reading: Reading) -> None:
    rider = a_rider()
    had = {"acts": {"report": {"18": 5}}, "points": {"18": 50}}
    CapRow(rider.member_id, "2026-03", version=1, ttl=1, **had).save()

    shown = reading.report(rider, town.claimed(rider).report_id)["points"]

    assert (shown["points"], shown["unpaid"]) == (0, "points.limit.act_day")


def test_a_rider_is_told_the_reason_but_not_an_officials_unjudged_words(
    town: Town, reading: Reading
) -> None:
    rider = a_rider()
    case = town.claimed(rider)
    town.act(
        town.officer, town.case(case.case_id), Action.RETURN, reason="wrong_grid", text="不归我管"
    )

    events = reading.report(rider, case.report_id)["history"]

    returned = next(event for event in events if event["action"] == "return")
    assert (returned["reason"], returned["text"]) == ("wrong_grid", None)


def test_the_first_page_counts_the_cases_by_state_and_the_overdue_apart(
    town: Town, listing: Listing
) -> None:
    town.filed()
    town.clock.advance(timedelta(days=3))
    town.filed()
    town.claimed()

    whole = listing.queue(town.officer, Queue())
    part = listing.queue(town.officer, Queue(limit=1))
    rest = listing.queue(town.officer, Queue(limit=1, cursor=part.next_cursor))

    counts = [(one.status, one.count, one.overdue, one.is_exact) for one in whole.counts]
    assert counts == [
        (Status.ASSIGNED, 2, 1, True),
        (Status.CLAIMED, 1, 0, True),
        (Status.HANDLING, 0, 0, True),
    ]
    assert [(one.status, one.is_exact) for one in part.counts] == [
        (Status.ASSIGNED, False),
        (Status.CLAIMED, True),
        (Status.HANDLING, True),
    ]
    assert rest.counts == ()


def test_officials_see_how_far_off_the_camera_says_it_was(town: Town, reading: Reading) -> None:
    case = town.filed()
    far = UploadRow(case.photos[0])
    far.update(actions=[UploadRow.exif.set({"lon": 11.88513, "lat": 43.46745})])

    photos = reading.case(town.officer, case.case_id)["photos"]

    assert photos[0]["exif_gap_m"] == pytest.approx(8_400_000, rel=0.05)


def test_a_photo_without_a_position_is_no_signal(town: Town, reading: Reading) -> None:
    case = town.filed()

    photos = reading.case(town.officer, case.case_id)["photos"]

    assert [photo["exif_gap_m"] for photo in photos] == [None]
