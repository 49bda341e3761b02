"""An award that does not follow from its rule is found, though its chain is sound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.base.ids import seq_text
from models.base.store import get
from models.base.tables import Database
from models.points.checking import examine
from models.points.derivation import underived
from models.points.entities import Act, Entry
from models.points.reading import entry_of
from models.points.rule_sheets import first_book
from models.points.tables import EntryRow
from tests.support.points import NOW, a_member_id, award, award_act


@pytest.fixture
def entry(database: Database) -> Entry:
    """Twenty points for the first report of something urgent, as the ledger gives them."""
    member = a_member_id()
    award_act(member, Act(rule="report.first", at=NOW, grid_id=None, severity="A"))
    row = get(EntryRow, member, seq_text(1))
    assert row is not None
    return entry_of(row)


def codes(entry: Entry, **inputs: Any) -> list[str]:
    changed = {**entry.source["inputs"], **inputs}
    kept = {name: value for name, value in changed.items() if value is not None}
    tampered = replace(entry, source={**entry.source, "inputs": kept})
    return [fault.code for fault in underived([tampered], first_book())]


def test_what_the_ledger_gave_follows_from_its_rule(entry: Entry) -> None:
    assert entry.source["inputs"]["granted"] == 20
    assert codes(entry) == []
    assert examine(entry.member_id, book=first_book()).faults == ()


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"granted": 10}, "entry.points"),
        ({"granted": None}, "entry.inputs"),
        ({"gross": 30}, "entry.inputs"),
        ({"severity": None}, "entry.inputs"),
        ({"quantity": "1"}, "entry.inputs"),
        ({"limit": "total_day", "room": 7}, "entry.points"),
        ({"limit": "total_day"}, "entry.inputs"),
    ],
)
def test_inputs_that_do_not_lead_to_the_points_are_named(
    entry: Entry, inputs: dict[str, Any], code: str
) -> None:
    assert codes(entry, **inputs) == [code]


def test_points_beyond_what_was_granted_and_a_rule_that_never_was_are_named(entry: Entry) -> None:
    more = {account: points * 2 for account, points in entry.legs.items()}
    beyond = underived([replace(entry, legs=more)], first_book())
    unknown = underived([replace(entry, rule="report.first@9")], first_book())

    assert [fault.code for fault in (*beyond, *unknown)] == ["entry.points", "entry.rule"]


def test_an_award_from_before_inputs_were_kept_is_passed(database: Database) -> None:
    member = a_member_id()
    award(member, 10)

    assert examine(member, book=first_book()).faults == ()
