"""Sheets of rewards: every wrong cell is found, whatever somebody wrote."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rewards import reward_sheets
from models.rewards.reward_sheets import CLASSES, FUNDS, REWARDS

ROW = {
    "reward_id": "haircut",
    "class_id": "everyday",
    "county": "411503",
    "name_zh": "理发",
    "name_en": "Haircut",
    "terms_zh": "到店",
    "terms_en": "In the shop",
    "price": "10",
    "valid_days": "30",
    "fulfillers": "merchant:a station:b",
    "fund_id": "fund",
    "quotas": "411502=3 411503=5",
    "funded_until": "2027-01",
}


def codes(**cells: str) -> list[tuple[str, str]]:
    row = {name: cell for name, cell in {**ROW, **cells}.items() if cell}
    return [(error.column, error.code) for error in reward_sheets.errors(REWARDS, [row])]


def test_a_good_row_has_no_errors() -> None:
    assert codes() == []
    assert reward_sheets.reward_of(ROW).supply.quotas == {"411502": 3, "411503": 5}


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("price", "0", "field.out_of_range"),
        ("price", "-1", "field.out_of_range"),
        ("price", "1.5", "field.out_of_range"),
        ("price", "١٠", "field.out_of_range"),
        ("shards", "65", "field.out_of_range"),
        ("name_zh", "长" * 31, "field.too_long"),
        ("terms_en", "a\x00b", "field.invalid"),
        ("reward_id", "a b", "field.invalid"),
        ("county", "41150", "field.invalid"),
        ("fulfillers", "keeper:x", "field.invalid"),
        ("quotas", "411503=5 411503=6", "field.invalid"),
        ("quotas", "411503=0", "field.invalid"),
        ("quotas", "411503:5", "field.invalid"),
        ("funded_until", "2027-13", "field.invalid"),
        ("standing", "king", "field.invalid"),
        ("occupations", "rider baker", "field.invalid"),
        ("needs_approval", "maybe", "field.invalid"),
        ("codes", "hers", "field.invalid"),
        ("status", "retired", "field.invalid"),
        ("color", "red", "column.unknown"),
    ],
)
def test_a_bad_cell_is_named(column: str, cell: str, code: str) -> None:
    assert codes(**{column: cell}) == [(column, code)]


def test_what_is_missing_is_named_and_a_draft_needs_no_money() -> None:
    assert codes(price="", fund_id="") == [
        ("price", "field.missing"),
        ("fund_id", "field.missing"),
    ]
    assert codes(status="draft", fund_id="", quotas="", funded_until="") == []
    assert codes(limit_count="2") == [("limit_days", "field.missing")]


def test_a_key_stands_once_and_a_sheet_has_an_end() -> None:
    twice = reward_sheets.errors(REWARDS, [ROW, ROW])
    long = reward_sheets.errors(REWARDS, [ROW] * 31)

    assert [(error.row, error.code) for error in twice] == [(3, "row.twice")]
    assert [(error.row, error.code) for error in long] == [(0, "sheet.too_long")]


def test_csv_and_json_say_the_same() -> None:
    as_csv = "\ufeff" + ",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n,,\n"
    as_json = json.dumps([{**ROW, "price": 10, "quotas": {"411502": 3, "411503": 5}}])

    assert reward_sheets.read(as_csv) == reward_sheets.read(as_json) == [ROW]
    loose = {**ROW, "fulfillers": ["merchant:a", "station:b"], "needs_approval": True, "x": None}
    assert reward_sheets.read([loose]) == [{**ROW, "needs_approval": "yes"}]


def test_what_is_no_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="list of rows"):
        reward_sheets.read("[1]")
    with pytest.raises(ValueError, match="Expecting"):
        reward_sheets.read("[{]")
    assert reward_sheets.errors(REWARDS, reward_sheets.read('{"a": 1}')) == []


def test_funds_and_classes_have_sheets_of_their_own() -> None:
    fund = {"fund_id": "f", "county": "411503", "name_zh": "钱", "name_en": "F", "points_cap": "9"}
    kind = {"class_id": "c", "name_zh": "体检", "name_en": "Health", "position": "1"}

    assert reward_sheets.errors(FUNDS, [fund]) == reward_sheets.errors(CLASSES, [kind]) == []
    assert reward_sheets.fund_of(fund).points_cap == 9
    assert reward_sheets.class_of(kind).position == 1


@given(
    st.dictionaries(
        st.sampled_from([*REWARDS.needed, *REWARDS.funded, *REWARDS.optional]),
        st.text(max_size=12).filter(lambda cell: cell.strip() == cell),
        max_size=8,
    )
)
def test_whatever_is_written_is_judged_or_read(cells: dict[str, str]) -> None:
    row = {name: cell for name, cell in {**ROW, **cells}.items() if cell}

    if not reward_sheets.errors(REWARDS, [row]):
        assert reward_sheets.reward_of(row).price == int(row["price"])
