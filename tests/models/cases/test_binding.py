"""Who follows a case learns what becomes of its photos, once for each change of a photo."""

from __future__ import annotations

from typing import Any

import pytest

from models.base import store
from models.base.store import get
from models.cases import binding
from models.cases.entities import UploadState, Verdict
from models.cases.tables import CaseRow, UploadRow
from models.people.entities import Actor
from tests.conftest import NOW
from tests.support.cases import Town, a_photo, a_rider
from tests.support.faults import lost_reply
from tests.support.feeding import events_of


@pytest.fixture
def rider() -> Actor:
    return a_rider()


def of_photos(case: CaseRow) -> list[str]:
    return [event.outbox_id for event in events_of(case) if event.topic == binding.TOPIC]


def judged(photo: str, verdict: Verdict = Verdict.PASS) -> None:
    upload = get(UploadRow, photo)
    assert upload is not None
    unjudged = UploadRow.verdict.does_not_exist()
    actions = [UploadRow.verdict.set(verdict.value)]
    binding.change(upload, verdict, actions, unjudged, NOW)


def test_a_verdict_on_a_cases_photo_is_told_once(town: Town, rider: Actor) -> None:
    photo = a_photo(rider)
    case = town.filed(rider, photos=(photo,))

    for _ in range(2):
        judged(photo)

    assert len(of_photos(case)) == 1


def test_a_lost_reply_tells_once(town: Town, rider: Actor) -> None:
    photo = a_photo(rider)
    case = town.filed(rider, photos=(photo,))

    with lost_reply():
        judged(photo)

    upload = get(UploadRow, photo)
    assert upload is not None
    assert upload.verdict == Verdict.PASS
    assert len(of_photos(case)) == 1


def test_where_another_verdict_stands_nothing_is_told(town: Town, rider: Actor) -> None:
    photo = a_photo(rider, verdict=Verdict.RISKY.value)
    case = town.filed(rider, photos=(photo,))

    judged(photo)

    assert of_photos(case) == []


def test_a_photo_of_no_case_yet_is_changed_and_tells_nobody(town: Town, rider: Actor) -> None:
    photo = a_photo(rider)

    judged(photo)
    case = town.filed(rider, photos=(photo,))

    upload = get(UploadRow, photo)
    assert upload is not None
    assert upload.verdict == Verdict.PASS
    assert of_photos(case) == []


def test_a_photo_that_joins_its_case_meanwhile_is_told_of_too(
    town: Town, rider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = a_photo(rider)
    before = get(UploadRow, photo)
    case = town.filed(rider, photos=(photo,))
    reads = iter([before])

    def late(table: Any, *key: Any) -> Any:
        return next(reads, None) or store.get(table, *key)

    monkeypatch.setattr(binding, "get", late)
    judged(photo)

    assert len(of_photos(case)) == 1


def test_what_becomes_of_a_photo_is_a_change_each(town: Town, rider: Actor) -> None:
    photo = a_photo(rider)
    case = town.filed(rider, photos=(photo,))
    upload = get(UploadRow, photo)
    assert upload is not None

    keys = {binding.told(upload, to, NOW).outbox_id for to in (*UploadState, *Verdict)}

    assert len(keys) == len({*UploadState, *Verdict})
    assert binding.told(upload, Verdict.PASS, NOW).payload == {
        "case_id": case.case_id,
        "upload_id": upload.upload_id,
    }
