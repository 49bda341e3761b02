"""An admin asks where reports would go: one place, or a sheet of them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from handlers.console import routing
from tests.support.world import EAST, WEST, World

HERE = {"lon": EAST.lon, "lat": EAST.lat}


def rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    text = answer["csv"]
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_one_place_is_explained_whole(world: World) -> None:
    assert world.officer.member_id
    shown = routing.on_invoke(
        {"lon": EAST.lon, "lat": EAST.lat, "accuracy_m": 12, "category": "E0505"}
    )

    assert shown["grid"]["id"] == world.posts()["officer"].scope.removeprefix("grid:")
    assert shown["zone"] == "羊山新区"
    assert shown["reason"].startswith("位于“")
    assert shown["reason_en"].startswith("inside ")
    assert [one["how"] for one in shown["told"]][:1] == ["alert"]


@pytest.mark.parametrize(
    ("asked", "code", "fields"),
    [
        ({"lon": 115.9, "lat": 32.6}, "routing.nowhere", []),
        ({"lon": "east", "lat": 32.1}, "request.invalid", [("lon", "field.invalid")]),
        ({"lon": "nan", "lat": 32.1}, "request.invalid", [("lon", "field.invalid")]),
        ({"lat": 32.1}, "request.invalid", [("lon", "field.invalid")]),
        ({**HERE, "at": "noon"}, "request.invalid", [("at", "field.invalid")]),
        ({**HERE, "accuracy_m": -1}, "request.invalid", [("accuracy_m", "field.invalid")]),
        ({**HERE, "category": "x"}, "request.invalid", [("category", "category.unknown")]),
    ],
)
def test_what_cannot_be_explained_answers_with_its_code(
    world: World, asked: dict[str, Any], code: str, fields: list[tuple[str, str]]
) -> None:
    assert routing.on_invoke(asked) == {"code": code, "fields": fields}


def test_a_sheet_answers_row_by_row_and_one_bad_row_keeps_no_other_from_its_answer(
    world: World,
) -> None:
    assert world.officer.member_id
    sheet = (
        "lon,lat,accuracy_m,category,at\n"
        f"{EAST.lon},{EAST.lat},12,E0493a,\n"
        "=1+1,32.1,12,,\n"
        f"{WEST.lon},{WEST.lat},,,2026-07-01T00:00:00+08:00\n"
        "115.9,32.6,5,,\n"
    )

    answer = routing.on_invoke({"csv": sheet})

    assert (answer["points"], answer["failed"]) == (4, 2)
    east, formula, west, nowhere = rows(answer)
    assert (east["code"], east["county"], east["zone"]) == ("", "411503", "羊山新区")
    assert (west["code"], west["county"], west["zone"]) == ("", "411502", "")
    assert (formula["code"], formula["lon"]) == ("lon:field.invalid", "'=1+1")
    assert (nowhere["code"], nowhere["grid_id"]) == ("routing.nowhere", "")
    assert east["told"] == f"{east['officer']}（alert：first_reachable）"


def test_more_places_than_an_answer_holds_are_refused(world: World) -> None:
    sheet = "lon,lat\n" + "114,32\n" * (routing.MAX_POINTS + 1)

    assert routing.on_invoke({"csv": sheet}) == {"code": "routing.too_many", "limit": 2000}
