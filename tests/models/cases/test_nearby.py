"""Looking around finds what may be the same thing, and nothing that may not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.base.errors import Invalid
from models.base.geometry import Position
from models.base.store import get
from models.cases.entities import Action, Verdict
from models.cases.tables import UploadRow, open_cell_of
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


def test_what_is_certain_is_called_the_same_and_what_is_doubtful_only_shown(town: Town) -> None:
    here = town.filed(**town.at(east_m=3)).case_id
    alone = town.nearby.find(**town.at(), category="E0493a")
    there = town.filed(**town.at(east_m=-3)).case_id
    doubtful = town.nearby.find(**town.at(), category="E0493a")

    assert [(item["case_id"], item["same"]) for item in alone] == [(here, True)]
    assert {item["case_id"] for item in doubtful} == {here, there}
    assert not any(item["same"] for item in doubtful)


def test_a_number_read_on_the_thing_decides_between_two(town: Town) -> None:
    town.filed(**town.at(east_m=3), category="P0137", object_id="0042017")
    other = town.filed(**town.at(east_m=35), category="P0137", object_id="0042018").case_id

    items = town.nearby.find(**town.at(), category="P0137", object_id="0042-018")

    assert (items[0]["case_id"], items[0]["same"]) == (other, True)


def test_a_case_that_was_fixed_may_be_back_but_an_open_one_goes_first(town: Town) -> None:
    fixed = town.resolved(a_rider(), **town.at(east_m=2)).case_id
    town.clock.advance(timedelta(hours=2))
    again = town.filed(**town.at(east_m=9)).case_id

    assert found(town)[0] == again
    assert fixed not in [
        item["case_id"] for item in town.nearby.find(**town.at(), category="E0493a") if item["same"]
    ]


def test_a_phone_that_is_unsure_sees_further(town: Town) -> None:
    far = town.filed(**town.at(east_m=78), accuracy_m=15.0).case_id

    sure = town.nearby.find(**town.at(), category="E0493a", accuracy_m=4)
    unsure = town.nearby.find(**town.at(), category="E0493a", accuracy_m=60)

    assert sure == []
    assert [item["case_id"] for item in unsure] == [far]


def test_looking_around_reads_one_family_alone(town: Town) -> None:
    case = town.filed(**town.at(east_m=5))

    assert case.cell == open_cell_of(Position(lon=case.lon, lat=case.lat), "parking")
    assert found(town) == [case.case_id]
    assert found(town, category="E0110") == []
