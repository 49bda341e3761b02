"""A chain is followed to the same balances as posting would, and every change to it is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import utc_text
from models.points import rules
from models.points.chains import START, Fault, Followed, Point, differences, follow
from models.points.entities import Accounts, Entry, EntryKind, Legs

AT = datetime(2026, 3, 18, 2, tzinfo=UTC)
ACCOUNTS = ("a:2028-03", "p:2026-03-25:2028-03", "h", "d", "iss:report.first@1", "exp")
LEGS = st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(-9, 9), max_size=4)


def an_entry(seq: int, legs: Legs, head: str, **changed: Any) -> Entry:
    entry = Entry(
        member_id="mem_1",
        seq=seq,
        transfer_id=f"trf_{seq}",
        kind=EntryKind.AWARD,
        rule="report.first@1",
        county="411502",
        legs=legs,
        source={"case_id": "case_1"},
        posted_at=AT,
    )
    entry = replace(entry, **changed)
    return replace(entry, hash=rules.chain(head, entry, posted_at=utc_text(entry.posted_at)))


def a_chain(*legs: Legs) -> list[Entry]:
    entries: list[Entry] = []
    for seq, each in enumerate(legs, start=1):
        entries.append(an_entry(seq, each, entries[-1].hash if entries else rules.GENESIS))
    return entries


def award(points: int) -> Legs:
    return {"iss:report.first@1": -points, "a:2028-03": points}


def codes(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    return [(fault.code, fault.seq) for fault in follow("mem_1", START, entries).faults]


@given(st.lists(LEGS, max_size=8))
def test_a_chain_leads_where_posting_leads_and_stops_where_posting_refuses(
    movements: list[Legs],
) -> None:
    posted: Accounts = {}
    accepted = 0
    for legs in movements:
        try:
            posted = rules.apply(posted, legs)
        except ValueError:
            break
        accepted += 1

    followed = follow("mem_1", START, a_chain(*movements))

    assert followed.point.own == posted
    assert followed.point.version == accepted
    assert followed.is_broken == (accepted < len(movements))
    assert sum(followed.point.accounts.values()) == 0


def test_a_chain_followed_in_two_parts_leads_to_the_same_point() -> None:
    entries = a_chain(award(10), award(5), {"a:2028-03": -15, "h": 15}, {"h": -15, "red:x": 15})

    first = follow("mem_1", START, entries[:2])
    both = follow("mem_1", first.point, entries[2:])

    assert both == follow("mem_1", START, entries)
    assert both.point.accounts == {"iss:report.first@1": -15, "red:x": 15}


@pytest.mark.parametrize(
    "change",
    [
        {"transfer_id": "trf_other"},
        {"rule": "report.first@2"},
        {"county": "411503"},
        {"kind": EntryKind.ADJUSTMENT},
        {"source": {"case_id": "case_2"}},
        {"posted_at": AT.replace(hour=3)},
        {"legs": award(6)},
        {"hash": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_changed_in_an_entry_is_found_there(change: dict[str, Any]) -> None:
    entries = a_chain(award(10), award(5), award(1))
    entries[1] = replace(entries[1], **change)

    assert ("entry.hash", 2) in codes(entries)


def test_entries_that_change_places_are_found() -> None:
    first, second, third = a_chain(award(10), award(5), award(1))

    assert codes([second, first, third]) == [("entry.gap", 1)]
    assert codes([first, third]) == [("entry.gap", 2)]


def test_an_entry_of_another_member_is_found_though_its_hash_is_right() -> None:
    [entry] = [an_entry(1, award(1), rules.GENESIS, member_id="mem_2")]

    assert codes([entry]) == [("entry.owner", 1)]


def test_an_overdrawing_entry_ends_the_way_and_leaves_the_point_before_it() -> None:
    followed = follow("mem_1", START, a_chain(award(10), {"a:2028-03": -11, "h": 11}, award(1)))

    assert followed == Followed(
        point=follow("mem_1", START, a_chain(award(10))).point,
        faults=followed.faults,
        is_broken=True,
    )
    assert [(fault.code, fault.seq) for fault in followed.faults] == [("entry.legs", 2)]


@pytest.mark.parametrize(
    "legs",
    [
        ({"d": -5, "iss:report.first@1": 5}, {"d": 5, "adj:missing": -5}),
        (award(5), {"a:2028-03": -5, "h": 5}, {"h": -5, "red:x": 5}),
        (award(0), {}),
    ],
    ids=["debt repaid to the last point", "all held and all spent", "entries of nothing"],
)
def test_an_account_may_be_emptied(legs: Sequence[Legs]) -> None:
    followed = follow("mem_1", START, a_chain(*legs))

    assert (followed.faults, followed.is_broken) == ((), False)
    assert followed.point.version == len(legs)
    assert followed.point.own == {}


@pytest.mark.parametrize(
    "legs",
    [{"d": 1, "exp": -1}, {"h": -1, "exp": 1}, {"a:2028-03": -1, "exp": 1}, {"a:2028-03": 1}],
    ids=["more than no debt", "less than nothing held", "less than nothing there", "not zero"],
)
def test_legs_that_posting_refuses_leave_the_accounts_as_they_were(legs: Legs) -> None:
    followed = follow("mem_1", START, a_chain(legs))

    assert followed.point == START
    assert [(fault.code, fault.seq) for fault in followed.faults] == [("entry.legs", 1)]


def test_a_chain_goes_on_from_where_it_was_proven_and_from_nowhere_else() -> None:
    entries = a_chain(award(10), award(5), award(1))
    point = follow("mem_1", START, entries[:2]).point
    other = Point(version=2, head="f" * 64, accounts=point.accounts)

    assert follow("mem_1", point, entries[2:]).faults == ()
    assert follow("mem_1", other, entries[2:]).faults == (
        Fault(member_id="mem_1", code="entry.hash", seq=3),
    )


@pytest.mark.parametrize(
    ("wallet", "code"),
    [
        ({}, None),
        ({"version": 3}, "wallet.version"),
        ({"own": {"a:2028-03": 14}}, "wallet.balance"),
        ({"head": "f" * 64}, "wallet.head"),
    ],
)
def test_a_wallet_differs_in_what_it_differs_in(wallet: dict[str, Any], code: str | None) -> None:
    point = follow("mem_1", START, a_chain(award(10), award(5))).point
    same = {"version": 2, "own": {"a:2028-03": 15}, "head": point.head}

    found = differences("mem_1", point, **{**same, **wallet})

    seq = wallet.get("version", 2)
    assert found == ((Fault(member_id="mem_1", code=code, seq=seq),) if code else ())
