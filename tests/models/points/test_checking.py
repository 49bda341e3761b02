"""A ledger that was tampered with is found out; a sound one is not accused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.base.ids import seq_text
from models.base.store import get
from models.base.tables import Database
from models.points.checking import Audit, check_all, check_member, totals
from models.points.ledger import Ledger
from models.points.tables import EntryRow, TransferRow, WalletRow
from tests.support.points import a_member_id, a_step, award, hold


@pytest.fixture(autouse=True)
def _tables(database: Database) -> None:
    pass


@pytest.fixture
def member() -> Iterator[str]:
    """Three sound entries, of which tests spoil one; nothing of them stays for other tests."""
    member_id = a_member_id()
    award(member_id, 10, transfer_id=f"{member_id}-a")
    award(member_id, 5)
    hold(member_id, 12, transfer_id=f"{member_id}-h")
    assert check_member(member_id) == ()
    yield member_id
    for row in EntryRow.query(member_id, page_size=100):
        TransferRow(row.transfer_id).delete()
        row.delete()
    TransferRow(f"{member_id}-a").delete()
    TransferRow(f"{member_id}-h").delete()
    WalletRow(member_id).delete()


def _codes(member_id: str) -> list[str]:
    return [fault.code for fault in check_member(member_id)]


def _entry(member_id: str, seq: int) -> EntryRow:
    row = get(EntryRow, member_id, seq_text(seq))
    assert row is not None
    return row


def test_a_wallet_that_says_more_than_its_entries_is_found(member: str) -> None:
    WalletRow(member).update(actions=[WalletRow.available.set({"2028-03": 1000})])

    assert _codes(member) == ["wallet.balance"]


def test_an_entry_whose_points_were_changed_is_found(member: str) -> None:
    legs = {"a:2028-03": 50, "iss:report.first@1": -50}
    _entry(member, 2).update(actions=[EntryRow.legs.set(legs)])

    assert _codes(member) == ["entry.hash", "wallet.balance"]


def test_an_entry_whose_legs_do_not_sum_to_zero_is_found(member: str) -> None:
    _entry(member, 2).update(actions=[EntryRow.legs.set({"a:2028-03": 50})])

    assert _codes(member) == ["entry.hash", "entry.legs"]


def test_an_entry_whose_reason_was_changed_is_found(member: str) -> None:
    _entry(member, 2).update(actions=[EntryRow.source.set({"case_id": "other"})])

    assert _codes(member) == ["entry.hash"]


def test_a_missing_entry_is_found(member: str) -> None:
    _entry(member, 2).delete()

    assert _codes(member) == ["entry.gap"]


def test_a_missing_last_entry_is_found(member: str) -> None:
    _entry(member, 3).delete()

    assert "wallet.version" in _codes(member)
    assert "wallet.head" in _codes(member)


def test_a_missing_wallet_is_found(member: str) -> None:
    WalletRow(member).delete()

    assert _codes(member) == ["wallet.version"]
    assert any(found.member_id == member for found in check_all().faults)


def test_an_entry_without_its_transfer_is_found(member: str) -> None:
    TransferRow(f"{member}-a").delete()

    faults = check_member(member)
    assert [(found.code, found.seq) for found in faults] == [("entry.transfer", 1)]


def test_all_accounts_of_everybody_sum_to_zero(member: str) -> None:
    ledger = Ledger()
    before = totals()

    step = a_step(member, f"{member}-h")
    ledger.post(lambda: ledger.plan_settle(step, reward_id=f"reward-{member}"))

    after = totals()
    assert sum(after.values()) == 0
    assert after[f"red:reward-{member}"] == 12
    assert after.get("h", 0) == before["h"] - 12


def test_an_audit_with_a_fault_or_a_remainder_is_not_clean() -> None:
    assert Audit(wallets=0, entries=0, faults=(), totals={}).is_clean
    assert not Audit(wallets=1, entries=1, faults=(), totals={"a": 1}).is_clean


def test_who_has_nothing_has_a_sound_ledger() -> None:
    assert check_member(a_member_id()) == ()
