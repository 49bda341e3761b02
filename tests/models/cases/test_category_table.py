"""The list that comes with the code is the table of the standards, row by row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.cases import sheets
from models.cases.categories import first_sheet, first_version
from models.cases.entities import ObjectKind, Severity
from models.cases.initials import initials
from models.cases.publishing import fingerprint

HOUR = timedelta(hours=1)
DAY = timedelta(hours=7)

TABLE = """
E0493a  2 wh  C
E0493b  1 wd  C
E0410   2 wh  C
E0496   2 wh  B
E0113   5 wd  C
P0284a  5 wd  C
P0284b  7 wd  C
P0181   5 wd  C
E0505   2 uh  A
P0101   2 uh  A
P0101b  4 wh  B
P0101c  2 wd  C
P0101d  5 wd  C
E0506   2 uh  A
E0507   4 wh  B
E0508   2 wh  A
E0180   1 wd  C
E0108b  4 wh  B
E0502   1 uh  A
E0501   1 uh  A
E0504   1 uh  A
E0503a  4 wh  B
E0503b  1 uh  A
E0596   2 uh  A
E0110   4 wh  C
E0192   4 wh  C
E0111   5 wd  C
E0114   4 wh  C
E0112   2 wh  C
E0120   2 uh  B
E0136   1 wd  C
E0135   2 wd  C
E0196   2 wd  C
E0302   1 wd  C
E0303   1 wd  C
E0307   2 wd  C
E0405   2 uh  C
E0406   2 uh  C
E0201   1 wd  C
P0137a  1 wd  B
P0137   2 wd  C
P0217a  1 wd  C
P0217b  3 wd  C
P0402   1 wd  B
P0205a  1 wd  C
P0205b  3 wd  C
"""
"""Every row of the published table with its limit as it stands there, and our level.

*Source:* the sub-classes and limits of Yuncheng's table of filing, handling and closing.
"""

ROWS = [
    (code, int(amount), unit, severity)
    for code, amount, unit, severity in (line.split() for line in TABLE.split("\n") if line)
]


@pytest.mark.parametrize(("code", "amount", "unit", "severity"), ROWS)
def test_a_row_of_the_table_has_its_limit_and_level(
    code: str, amount: int, unit: str, severity: str
) -> None:
    category = first_version().of(code)

    assert category.severity == severity
    assert category.resolve_within == amount * (DAY if unit == "wd" else HOUR)
    waits = unit != "uh" and category.severity is Severity.C
    assert category.kind == ("working" if waits else "continuous")


@pytest.mark.parametrize(("code", "amount", "unit"), [row[:3] for row in ROWS])
def test_a_row_says_what_the_table_says(code: str, amount: int, unit: str) -> None:
    row = next(row for row in first_sheet() if row["code"] == code)

    assert row["table_limit"] == f"{amount} {unit}"
    assert row["table_row"].startswith((code.rstrip("abcd"), "P01xx"))


def test_there_is_no_row_beside_the_table_but_the_one_for_everything_else() -> None:
    assert {row["code"] for row in first_sheet()} - {row[0] for row in ROWS} == {"X9901"}


def test_everything_else_is_looked_at_within_a_quarter_of_an_hour() -> None:
    other = first_version().of("X9901")

    assert other.claim_within == timedelta(minutes=15)
    assert other.resolve_within == 5 * DAY, "as long as most repairs: it may be one"
    assert (other.severity, other.kind) == (Severity.C, "working")


@pytest.mark.parametrize(
    ("severity", "claim_within"),
    [("A", timedelta(minutes=15)), ("B", timedelta(minutes=30)), ("C", timedelta(hours=2))],
)
def test_claiming_has_a_limit_by_severity(severity: str, claim_within: timedelta) -> None:
    named = [one for one in first_version().categories if one.code != "X9901"]

    assert {one.claim_within for one in named if one.severity == severity} == {claim_within}


def test_danger_has_numbers_to_call_and_asks_for_one_photo_from_afar() -> None:
    for category in first_version().categories:
        is_danger = category.severity is Severity.A
        assert bool(category.call_first) == is_danger
        assert set(category.call_first) <= {"110", "119", "120"}
        assert category.near_far != is_danger


def test_the_size_thresholds_of_road_damage_are_conditions_to_choose_from() -> None:
    texts = [one.en for one in first_version().of("E0113").conditions]

    assert texts == [
        "A hole of 0.5 m² or more",
        "Cracks over 1 m² or more",
        "A crack over 1 m long and at least 3 mm wide",
        "A step of 30 mm or more",
    ]
    assert [one.code for one in first_version().of("E0113").conditions] == ["1", "2", "3", "4"]


def test_bikes_are_known_by_their_plates_and_lamps_by_their_poles() -> None:
    asked = {one.code: one.object_id for one in first_version().categories if one.object_id}

    assert asked["E0493a"] is ObjectKind.PLATE
    assert asked["P0137"] is ObjectKind.POLE
    assert "E0110" not in asked


def test_eight_big_icons_come_first_and_then_everything_else_and_then_danger() -> None:
    offered = first_version().offered()

    assert [one.featured for one in offered[:9]] == list(range(1, 10))
    assert offered[8].code == "X9901"
    rest = [one.severity for one in offered[9:]]
    assert rest == sorted(rest)
    assert len(offered) == len(ROWS) + 1


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("共享单车", ["E0493a", "E0493b"]),
        ("ltf", ["E0493a", "E0410"]),
        ("JG", ["P0101", "P0101b", "E0120", "P0101c", "P0101d"]),
        ("窨井", ["P0101", "P0101b", "P0101c", "P0101d"]),
        ("pothole", ["E0113"]),
        ("e0405", ["E0405"]),
        ("street light", ["P0137", "P0137a"]),
        ("其他", ["X9901"]),
        ("   ", []),
        ("没有这种东西", []),
    ],
)
def test_a_few_letters_find_a_category(words: str, codes: list[str]) -> None:
    assert [category.code for category in first_version().search(words)] == codes


def test_the_list_has_no_error_and_never_changes() -> None:
    """Cases older than versions were filed under it. Publish a version instead of changing it."""
    assert sheets.errors(first_sheet()) == []
    assert fingerprint(first_sheet())[:16] == "c509cd1497bd6cee"


@pytest.mark.parametrize(
    ("text", "letters"),
    [("井盖", "jg"), ("人行道", "rxd"), ("EV 充电 2", "cd"), ("窨", ""), ("", ""), ("Ω", "")],
)
def test_a_words_letters_are_those_of_its_common_characters(text: str, letters: str) -> None:
    assert initials(text) == letters
