"""Looking around finds what may be the same thing, and nothing that may not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base.errors import Invalid
from models.base.store import get
from models.cases.entities import Action, Verdict
from models.cases.tables import UploadRow
from tests.support.cases import Town, a_photo, a_rider


def found(town: Town, *, category: str = "E0493a", **at: float) -> list[str]:
    return [item["case_id"] for item in town.nearby.find(**town.at(**at), category=category)]


def test_the_likeliest_comes_first_and_the_far_not_at_all(town: Town) -> None:
    near = town.filed(**town.at(east_m=30)).case_id
    here = town.filed(**town.at(east_m=2)).case_id
    town.filed(**town.at(east_m=90))

    assert found(town) == [here, near]


def test_another_kind_is_no_twin_but_its_family_is(town: Town) -> None:
    sibling = town.filed(category="E0410").case_id
    town.filed(category="E0110")

    assert found(town) == [sibling]


def test_a_distance_is_told_coarsely(town: Town) -> None:
    town.filed(**town.at(east_m=33))

    item = town.nearby.find(**town.at(), category="E0493a")[0]

    assert item["distance_m"] == 40


def test_a_closed_case_is_found_for_three_days_and_a_refused_one_never(town: Town) -> None:
    rider = a_rider()
    closed = town.resolved(rider)
    refused = town.filed()
    town.closing.verdict(
        rider, closed.report_id, satisfied=True, comment=None, client_request_id="1"
    )
    town.act(town.officer, refused, Action.REJECT, reason="duplicate")

    fresh = found(town)
    town.clock.advance(timedelta(hours=72))

    assert fresh == [closed.case_id]
    assert found(town) == []


def test_only_a_published_photo_is_shown(town: Town) -> None:
    rider = a_rider()
    photo = a_photo(rider, verdict=Verdict.WAITING.value)
    town.filed(rider, photos=(photo,))
    before = town.nearby.find(**town.at(), category="E0493a")[0]["thumbnail_url"]
    upload = get(UploadRow, photo)
    assert upload is not None
    upload.update(actions=[UploadRow.verdict.set(Verdict.PASS.value)])

    after = town.nearby.find(**town.at(), category="E0493a")[0]["thumbnail_url"]

    assert before is None
    assert after == f"https://photos.example/published/{upload.public_name}-s.jpg"


def test_outside_the_service_area_there_is_nothing(town: Town) -> None:
    assert town.nearby.find(lon=113.75, lat=31.40, category="E0493a") == []


def test_an_unknown_category_is_refused(town: Town) -> None:
    with pytest.raises(Invalid) as refusal:
        found(town, category="E9999")

    assert refusal.value.code == "category.unknown"
