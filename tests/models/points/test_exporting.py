"""What a member takes away is his whole ledger, as hashed, in pieces that join."""

from __future__ import annotations

import hashlib

import pytest

from models.base.clock import FixedClock
from models.base.errors import Invalid
from models.base.ids import seq_text
from models.base.paging import Cursors
from models.base.store import get
from models.base.tables import Database
from models.points.exporting import Exports
from models.points.reconciliation import Reconciliation
from models.points.rules import GENESIS
from models.points.tables import EntryRow, WalletRow
from tests.support.ledgers import own_ledger
from tests.support.points import NOW, a_member_id, award, hold

CURSORS = Cursors(b"k" * 32)
EXPORTS = Exports(CURSORS)


@pytest.fixture(autouse=True)
def _tables(database: Database) -> None:
    pass


def test_every_entry_comes_as_the_text_that_was_hashed() -> None:
    member = a_member_id()
    for points in (10, 5, 1):
        award(member, points)

    found = EXPORTS.piece(member)

    head = GENESIS
    for entry in found.entries:
        head = hashlib.sha256(f"{head}|{entry.body}".encode()).hexdigest()
        assert head == entry.hash
    assert found.wallet is not None
    assert (found.wallet.version, found.wallet.head) == (3, head)
    assert found.wallet.balances == {"available": 16, "pending": 0, "held": 0, "debt": 0}
    assert (found.root, found.next_cursor) == (None, None)


def test_pieces_join_without_gap_though_entries_come_in_between() -> None:
    member = a_member_id()
    exports = Exports(CURSORS, page=2)
    for points in (1, 2, 3):
        award(member, points)
    pieces = [exports.piece(member)]
    award(member, 4)
    hold(member, 5)

    while pieces[-1].next_cursor:
        pieces.append(exports.piece(member, pieces[-1].next_cursor))

    assert [len(piece.entries) for piece in pieces] == [2, 2, 1]
    assert [piece.wallet is None for piece in pieces] == [True, True, False]
    whole = Exports(CURSORS).piece(member)
    assert [entry for piece in pieces for entry in piece.entries] == list(whole.entries)
    assert pieces[-1].wallet == whole.wallet


def test_another_members_cursor_opens_nothing() -> None:
    member, other = a_member_id(), a_member_id()
    for points in (1, 2, 3):
        award(member, points)
    cursor = Exports(CURSORS, page=2).piece(member).next_cursor

    with pytest.raises(Invalid):
        EXPORTS.piece(other, cursor)


def test_who_has_nothing_takes_an_empty_wallet_away() -> None:
    found = EXPORTS.piece(a_member_id())

    assert found.entries == ()
    assert found.wallet is not None
    assert (found.wallet.version, found.wallet.head) == (0, GENESIS)


def test_a_ledger_with_a_hole_is_given_as_it_is() -> None:
    member = a_member_id()
    for points in (1, 2, 3):
        award(member, points)
    row = get(EntryRow, member, seq_text(2))
    assert row is not None
    row.delete()

    found = EXPORTS.piece(member)

    row.save()
    assert len(found.entries) == 2
    assert found.wallet is not None
    assert found.wallet.version == 3


def test_a_proof_never_speaks_of_more_than_the_statement_has(
    engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_ledger(engine)  # type: ignore[arg-type]
    member = a_member_id()
    award(member, 10)
    award(member, 5)
    Reconciliation(clock=FixedClock(NOW)).run()
    real, olds = get, [WalletRow.get(member)]
    olds[0].version = 1
    monkeypatch.setattr(
        "models.points.exporting.get",
        lambda table, *key: olds.pop() if olds else real(table, *key),
    )

    found = EXPORTS.piece(member)

    assert found.root is not None
    assert found.wallet is not None
    assert found.root.version == found.wallet.version == len(found.entries) == 2
