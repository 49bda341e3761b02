"""The official sees which other cases may be the same thing, with every reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from models.cases.categories import Categories
from models.cases.entities import Action, Purpose
from models.cases.similar import MAX_SHOWN, similar_to
from models.cases.tables import CaseRow
from models.people.entities import Actor, RoleName
from tests.support.cases import Town, a_photo, a_rider


def similar(town: Town, case: CaseRow, actor: Actor | None = None) -> list[Any]:
    categories = Categories(clock=town.clock)
    return similar_to(actor or town.officer, town.case(case.case_id), categories, town.clock.now())


def reasons(found: Any) -> dict[str, float]:
    return {part["part"]: part["weight"] for part in found["parts"]}


def test_the_likeliest_comes_first_with_what_a_merge_needs(town: Town) -> None:
    near = town.filed(**town.at(east_m=5))
    far = town.filed(**town.at(east_m=55))
    town.filed(**town.at(east_m=3), category="E0110")
    case = town.filed()

    found = similar(town, case)

    assert [item["case_id"] for item in found] == [near.case_id, far.case_id]
    assert found[0]["version"] == near.version
    assert found[0]["number"] == near.number
    assert found[0]["distance_m"] == 5
    assert found[0]["same"]
    assert reasons(found[1])["distance"] < 0 < reasons(found[0])["distance"]


def test_photos_that_are_alike_and_numbers_that_differ_are_told_as_reasons(town: Town) -> None:
    rider, other = a_rider(), a_rider()
    alike = town.filed(other, photos=(a_photo(other, dhash=(1 << 20) - 1),), **town.at(east_m=25))
    unlike = town.filed(object_id="0042099", **town.at(east_m=25), category="P0137")
    bikes = town.filed(rider, photos=(a_photo(rider, dhash=0),))
    lamp = town.filed(object_id="0042011", category="P0137")

    photo, number = similar(town, bikes)[0], similar(town, lamp)

    assert photo["case_id"] == alike.case_id
    assert reasons(photo)["photo"] > 2
    assert unlike.case_id not in [item["case_id"] for item in number if item["same"]]


def test_a_fixed_case_is_told_because_the_thing_may_be_back(town: Town) -> None:
    fixed = town.resolved(a_rider(), **town.at(east_m=3))
    town.clock.advance(timedelta(hours=3))
    case = town.filed()

    found = similar(town, case)

    assert [(item["case_id"], item["status"]) for item in found] == [(fixed.case_id, "resolved")]
    assert reasons(found[0])["age"] < -1


def test_what_was_fixed_only_afterwards_was_open_when_this_was_reported(town: Town) -> None:
    other = town.claimed(a_rider(), **town.at(east_m=3))
    case = town.filed()
    town.clock.advance(timedelta(hours=1))
    town.resolve(other)

    found = similar(town, case)

    assert reasons(found[0]).get("age", 0) > -0.1
    assert found[0]["same"]


def test_nothing_is_told_of_a_case_that_stands_no_more_nor_beyond_ones_scope(town: Town) -> None:
    town.filed(**town.at(east_m=5))
    case = town.filed()
    stranger = town.an_official(RoleName.OFFICER, "别处网格员", scope="grid:elsewhere")

    seen_by_stranger = similar(town, case, stranger)
    town.act(town.officer, case, Action.REJECT, reason="duplicate")

    assert seen_by_stranger == []
    assert similar(town, case) == []


def test_of_a_crowd_the_five_likeliest_are_shown(town: Town) -> None:
    for metres in range(8):
        town.filed(**town.at(north_m=float(metres)))
    case = town.filed()

    found = similar(town, case)

    assert len(found) == MAX_SHOWN
    assert [item["score"] for item in found] == sorted(
        (item["score"] for item in found), reverse=True
    )
    assert not any(item["same"] for item in found)


def test_after_photos_are_no_photos_of_the_thing(town: Town) -> None:
    rider = a_rider()
    town.resolved(rider, photos=(a_photo(rider, dhash=(1 << 100) - 1),), **town.at(east_m=3))
    other = a_rider()
    a_photo(town.officer, purpose=Purpose.RESOLUTION, dhash=0)
    case = town.filed(other, photos=(a_photo(other, dhash=0),))

    assert reasons(similar(town, case)[0])["photo"] < 0
