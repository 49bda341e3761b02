"""A sheet is judged cell by cell, and every error says where it stands."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cases import sheets
from models.cases.categories import first_sheet
from models.cases.sheets import MAX_ROWS
from tests.support.categories import a_row, a_sheet


def wrong(*rows: dict[str, str]) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in sheets.errors(rows)]


def wrong_locally(*rows: dict[str, str]) -> list[tuple[int, str, str]]:
    found = sheets.county_errors(rows, first_sheet())
    return [(error.row, error.column, error.code) for error in found]


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"code": ""}, "code", "field.missing"),
        ({"code": "bikes"}, "code", "field.not_allowed"),
        ({"zh": ""}, "zh", "field.missing"),
        ({"zh": "长" * 21}, "zh", "field.too_long"),
        ({"en": "x" * 61}, "en", "field.too_long"),
        ({"words": "词" * 501}, "words", "field.too_long"),
        ({"severity": "D"}, "severity", "field.not_allowed"),
        ({"limit": "2"}, "limit", "field.not_allowed"),
        ({"limit": "0 wh"}, "limit", "field.not_allowed"),
        ({"limit": "2.5 wh"}, "limit", "field.not_allowed"),
        ({"limit": "2 h"}, "limit", "field.not_allowed"),
        ({"limit": "２ wh"}, "limit", "field.not_allowed"),
        ({"limit": "9999 wd"}, "limit", "field.not_allowed"),
        ({"severity": "B"}, "limit", "category.danger_waits"),
        ({"limit": "2 uh", "claim": "30 wm"}, "claim", "category.two_clocks"),
        ({"limit": "30 wm"}, "claim", "category.claimed_after_resolved"),
        ({"claim": "3 wh"}, "claim", "category.claimed_after_resolved"),
        ({"call_first": "110"}, "call_first", "category.danger_calls"),
        ({"severity": "A", "limit": "2 uh"}, "call_first", "category.danger_calls"),
        ({"call_first": "police"}, "call_first", "field.not_allowed"),
        ({"family": "Parking!"}, "family", "field.not_allowed"),
        ({"group": "elsewhere"}, "group", "field.not_allowed"),
        ({"featured": "0"}, "featured", "field.not_allowed"),
        ({"featured": "first"}, "featured", "field.not_allowed"),
        ({"conditions": ""}, "conditions", "field.missing"),
        ({"conditions": "|"}, "conditions", "field.not_allowed"),
        ({"closings": "已摆放整齐|已运走"}, "closings_en", "category.texts_differ"),
        ({"after_photo": "maybe"}, "after_photo", "field.not_allowed"),
        ({"near_far": "是"}, "near_far", "field.not_allowed"),
        ({"object_id": "colour"}, "object_id", "field.not_allowed"),
        ({"enabled": "off"}, "enabled", "field.not_allowed"),
        ({"hue": "red"}, "hue", "column.unknown"),
        ({"": "one cell too many"}, "", "column.unknown"),
    ],
)
def test_a_bad_cell_is_named_with_its_row_and_column(
    cells: dict[str, str], column: str, code: str
) -> None:
    found = wrong(a_row("E0410"), a_row(**cells))

    assert (3, column, code) in found
    assert {row for row, _, _ in found} == {3}


def test_every_error_of_every_row_is_listed_at_once() -> None:
    found = wrong(a_row(severity="D", limit="soon"), a_row("E0410", zh="", family="?"))

    assert found == [
        (2, "severity", "field.not_allowed"),
        (2, "limit", "field.not_allowed"),
        (3, "zh", "field.missing"),
        (3, "family", "field.not_allowed"),
    ]


def test_a_code_and_an_icons_place_stand_once_in_a_list() -> None:
    assert wrong(a_row(), a_row("E0410", featured="1"), a_row(featured="")) == [
        (3, "featured", "category.place_taken"),
        (4, "code", "category.twice"),
    ]


def test_a_list_is_neither_empty_nor_endless() -> None:
    assert wrong() == [(1, "code", "sheet.empty")]
    endless = [a_row(code=f"E{number:04d}", featured="") for number in range(MAX_ROWS + 1)]
    assert wrong(*endless) == [(MAX_ROWS + 2, "code", "sheet.too_long")]
    assert wrong(*endless[:MAX_ROWS]) == []


def test_a_county_changes_limits_and_nothing_else() -> None:
    found = wrong_locally(
        {"code": "E0410", "limit": "4 wh"},
        {"code": "E0493a", "zh": "单车", "family": "bikes"},
        {"code": "E9999", "limit": "4 wh"},
        {"code": "E0410", "enabled": "no"},
        {"limit": "1 wd"},
    )

    assert found == [
        (3, "zh", "column.not_local"),
        (3, "family", "column.not_local"),
        (4, "code", "category.unknown"),
        (5, "code", "category.twice"),
        (6, "code", "field.missing"),
    ]


def test_what_a_county_leaves_empty_stays_the_citys_and_a_dash_takes_it_away() -> None:
    city = [a_row("E0508"), a_row("E0410")]
    county = [{"code": "E0508", "severity": "B", "limit": "4 uh", "call_first": "-"}]

    rows = sheets.overlaid(city, county)

    assert wrong(*map(dict, rows)) == []
    changed, same = sheets.categories(rows, "1")
    assert (changed.severity, changed.resolve_within) == ("B", timedelta(hours=4))
    assert (changed.call_first, changed.zh) == ((), "架空线缆脱落")
    assert same == sheets.categories(city, "1")[1]


@pytest.mark.parametrize(
    ("limit", "kind", "length"),
    [
        ("30 um", "continuous", timedelta(minutes=30)),
        ("3 uh", "continuous", timedelta(hours=3)),
        ("45 wm", "working", timedelta(minutes=45)),
        ("4 wh", "working", timedelta(hours=4)),
        ("4wh", "working", timedelta(hours=4)),
        ("5 wd", "working", timedelta(hours=35)),
    ],
)
def test_a_limit_names_its_clock(limit: str, kind: str, length: timedelta) -> None:
    claim = "30 um" if limit.endswith(("um", "uh")) else "30 wm"

    (category,) = sheets.categories([a_row(limit=limit, claim=claim)], "1")

    assert (category.kind, category.resolve_within) == (kind, length)
    assert category.claim_within == timedelta(minutes=30)


def test_csv_and_json_of_one_content_are_one_sheet() -> None:
    columns = "code,limit,enabled,closings\n"
    as_csv = "\ufeff" + columns + 'E0410, 4 wh ,yes,"a, b"\n'
    as_json = json.dumps(
        [{"code": "E0410", "limit": "4 wh", "enabled": True, "closings": "a, b", "claim": None}]
    )

    assert sheets.read(as_csv) == sheets.read(as_json)
    assert sheets.read(as_csv) == [
        {"code": "E0410", "limit": "4 wh", "enabled": "yes", "closings": "a, b"}
    ]


def test_empty_rows_at_the_end_are_no_rows() -> None:
    assert sheets.read("code,limit\nE0410,4 wh\n,\n,,\n\n") == [{"code": "E0410", "limit": "4 wh"}]
    assert sheets.read("code,limit\n,\nE0410,4 wh\n")[0] == {}


@pytest.mark.parametrize("text", ["[1]", "[{]", 'code,zh\n"E0410,x', "[[]]"])
def test_what_is_neither_is_unreadable(text: str) -> None:
    with pytest.raises(ValueError):
        sheets.read(text)


def test_a_cell_that_is_no_text_is_an_error_of_its_column() -> None:
    row = {**a_row(), "call_first": [110], "featured": 1.5, "near_far": False}

    found = wrong(*sheets.read(json.dumps([row])))

    assert found == [(2, "featured", "field.not_allowed"), (2, "call_first", "field.not_allowed")]


def test_a_sheet_written_is_the_sheet_read() -> None:
    assert sheets.read(sheets.write(first_sheet(), is_city=True)) == list(first_sheet())
    county = [{"code": "E0410", "limit": "4 wh"}]
    assert sheets.read(sheets.write(county, is_city=False)) == county


CELLS = st.sampled_from(
    ["", "-", "A", "B", "C", "2 uh", "30 wm", "7 wd", "yes", "no", "110 119", "a|b", "a", "|", "9"]
)


@given(
    st.dictionaries(
        st.sampled_from([*sheets.NEEDED, *sheets.OPTIONAL]), CELLS, min_size=1, max_size=6
    )
)
def test_a_sheet_without_errors_always_makes_categories(cells: dict[str, str]) -> None:
    row = a_row(**{name: cell for name, cell in cells.items() if name != "code"})

    if not sheets.errors([row]):
        assert sheets.categories([row], "1")[0].code == "E0493a"


@given(st.dictionaries(st.sampled_from(sheets.LOCAL), CELLS.filter(bool), min_size=1, max_size=4))
def test_a_countys_sheet_without_errors_always_fits_the_citys(cells: dict[str, str]) -> None:
    county = [{"code": "E0508", **cells}]
    rows = sheets.overlaid(a_sheet(), county)

    if not sheets.county_errors(county, first_sheet()) and not sheets.errors(rows):
        assert len(sheets.categories(rows, "1")) == len(first_sheet())
