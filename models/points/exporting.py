"""A member's ledger to take away: everything that whoever mistrusts us needs to check it offline.

Entries come as the very texts that were hashed. ``infra/prove/verify_statement.py`` follows them
with nothing of ours: chain, sums, balances, and the proof that the city's root took them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.base.clock import utc_text
from models.base.ids import seq_text
from models.base.paging import Cursors
from models.base.store import Stale, get, query, retrying
from models.points import roots, rules
from models.points.entities import Accounts, Entry
from models.points.posting import accounts_of
from models.points.reading import entry_of
from models.points.roots import Inclusion
from models.points.tables import EntryRow, WalletRow

PAGE = 500
"""Entries in one answer: some 250 KB, far below what a function may answer."""

LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An entry as it was hashed, and its hash."""

    body: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The wallet as it was last written: what the entries must amount to, time left aside."""

    version: int
    head: str
    accounts: Accounts

    @property
    def balances(self) -> Mapping[str, int]:
        """Points by kind; what matured or ran out since the last entry is not in it yet."""
        return {
            "available": rules.total(self.accounts, rules.AVAILABLE),
            "pending": rules.total(self.accounts, rules.PENDING),
            "held": self.accounts.get(rules.HELD, 0),
            "debt": -self.accounts.get(rules.DEBT, 0),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A piece of a member's statement, oldest first; the last has the wallet, and a root if any."""

    member_id: str
    entries: tuple[Sealed, ...]
    wallet: Holding | None = None
    root: Inclusion | None = None
    next_cursor: str | None = None


class Exports:
    """Gives a member's ledger away, whole; his own to him."""

    def __init__(self, cursors: Cursors, *, page: int = PAGE) -> None:
        self._cursors = cursors
        self._page = page

    def piece(self, member_id: str, cursor: str | None = None) -> Export:
        """The next entries in order, up to 500. Raises ``Invalid`` for a cursor that is not his.

        Pieces join without gap, whatever is posted in between. Three reads, and two for the root.
        """
        return retrying(lambda: self._piece(member_id, cursor))

    def _piece(self, member_id: str, cursor: str | None) -> Export:
        scope = f"export:{member_id}"
        position = self._cursors.open(scope, cursor)
        after = int(position["seq"]) if position else 0
        wallet = get(WalletRow, member_id)
        version = wallet.version if wallet else 0
        until = min(version, after + self._page)
        entries = _between(member_id, after, until)
        sealed = tuple(
            Sealed(body=rules.body_text(one, posted_at=utc_text(one.posted_at)), hash=one.hash)
            for one in entries
        )
        if until < version:
            following = self._cursors.seal(scope, {"seq": until})
            return Export(member_id=member_id, entries=sealed, next_cursor=following)
        holding = Holding(
            version=version,
            head=wallet.head if wallet else rules.GENESIS,
            accounts=accounts_of(wallet),
        )
        proof = roots.inclusion(member_id)
        if proof is not None and proof.version > version:
            raise Stale  # a night took in what was posted after the wallet was read
        return Export(member_id=member_id, entries=sealed, wallet=holding, root=proof)


def _between(member_id: str, after: int, until: int) -> list[Entry]:
    """Entries after one number and up to another.

    A query may run inside the commit of the last one, so a missing one is looked for again; what
    is missing still is left out, for the member to find.
    """
    keys = EntryRow.seq.between(seq_text(after + 1), seq_text(until))
    rows: list[EntryRow] = []
    for _ in range(LOOKS if until > after else 0):
        rows = query(EntryRow, member_id, keys, page_size=500)
        if len(rows) == until - after:
            break
    return [entry_of(row) for row in rows]
