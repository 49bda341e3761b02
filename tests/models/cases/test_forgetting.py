"""Who takes his pictures or his location back: what nobody has seen goes, what is public stays."""

from __future__ import annotations

import pytest

from models.base.errors import NotFound
from models.base.ids import new_id
from models.cases.entities import Purpose, UploadState, Verdict
from models.cases.forgetting import WITHDRAWN, CasesForgetting
from models.cases.photos import full_key, original_key, thumbnail_key
from models.cases.tables import UploadRow
from models.people.withdrawals import Withdrawn
from tests.models.cases import test_evidence
from tests.models.cases.test_evidence import Studio
from tests.support.cases import a_photo, a_rider

studio = test_evidence.studio
MAX_BYTES = 5_000_000


@pytest.fixture
def forgetting(studio: Studio) -> CasesForgetting:
    return CasesForgetting(clock=studio.town.clock, store=studio.store)


def is_kept(studio: Studio, key: str) -> bool:
    try:
        studio.store.read(key, max_bytes=MAX_BYTES)
    except NotFound:
        return False
    return True


def files_of(upload: UploadRow) -> list[str]:
    return [
        original_key(upload.upload_id),
        full_key(upload.public_name, is_published=False),
        thumbnail_key(upload.public_name, is_published=False),
    ]


@pytest.mark.parametrize("what", [Withdrawn.PICTURES, Withdrawn.ACCOUNT])
def test_a_picture_that_nobody_has_seen_goes_with_its_files(
    what: Withdrawn,
    studio: Studio,
    forgetting: CasesForgetting,
) -> None:
    rider, other = a_rider(), a_rider()
    mine, theirs = studio.ready(rider), studio.ready(other)

    assert "pictures" in forgetting.forget(rider.member_id, what)
    forgetting.forget(rider.member_id, what)

    row = studio.upload(mine.upload_id)
    assert (row.state, row.reason, row.verdict) == (UploadState.REFUSED, WITHDRAWN, None)
    assert (row.exif, row.dhash) == (None, None)
    assert not any(is_kept(studio, key) for key in files_of(mine))
    assert studio.upload(theirs.upload_id).state == UploadState.READY
    assert is_kept(studio, full_key(theirs.public_name, is_published=False))


def test_a_verdict_that_comes_afterwards_publishes_nothing(
    studio: Studio,
    forgetting: CasesForgetting,
) -> None:
    rider = a_rider()
    upload = studio.ready(rider)
    forgetting.forget(rider.member_id, Withdrawn.PICTURES)

    for check in studio.checks(upload.upload_id):
        studio.judged(check.trace_id, "pass")

    assert studio.upload(upload.upload_id).state == UploadState.REFUSED
    assert not is_kept(studio, full_key(upload.public_name, is_published=True))


def test_what_was_published_and_what_is_work_stays(
    studio: Studio,
    forgetting: CasesForgetting,
) -> None:
    rider = a_rider()
    published = studio.ready(rider)
    [check] = studio.checks(published.upload_id)
    studio.judged(check.trace_id, "pass")
    work = a_photo(rider, purpose=Purpose.RESOLUTION)

    assert forgetting.forget(rider.member_id, Withdrawn.PICTURES) == []

    assert studio.upload(published.upload_id).verdict == Verdict.PASS
    assert is_kept(studio, full_key(published.public_name, is_published=True))
    assert studio.upload(work).state == UploadState.READY


@pytest.mark.parametrize("what", [Withdrawn.LOCATION, Withdrawn.ACCOUNT])
def test_where_pictures_were_taken_goes_with_the_location(
    what: Withdrawn,
    studio: Studio,
    forgetting: CasesForgetting,
) -> None:
    rider = a_rider()
    upload = studio.ready(rider)
    upload.update(actions=[UploadRow.exif.set({"lon": 114.0}), UploadRow.verdict.set("pass")])

    assert forgetting.forget(rider.member_id, what) == ["picture_places"]

    assert studio.upload(upload.upload_id).exif is None
    assert studio.upload(upload.upload_id).state == UploadState.READY


@pytest.mark.parametrize("what", [Withdrawn.PHONE, Withdrawn.PROFILE])
def test_for_anything_else_pictures_stay(
    what: Withdrawn,
    studio: Studio,
    forgetting: CasesForgetting,
) -> None:
    rider = a_rider()
    upload = studio.ready(rider)

    assert forgetting.forget(rider.member_id, what) == []
    assert forgetting.forget(new_id("mbr"), Withdrawn.ACCOUNT) == []
    assert studio.upload(upload.upload_id).state == UploadState.READY
