"""Prove the ledger: every wallet is the fold of its entries, and all legs together are nothing.

For audits, demonstrations and the nightly reconciliation, never for a request: it reads whole
partitions, and ``check_all`` whole tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.base.ids import seq_text
from models.base.store import get, get_many, query, scan
from models.points import approvals, rules
from models.points.acts import RuleBook
from models.points.chains import START, Fault, Point, differences, follow
from models.points.derivation import underived
from models.points.entities import Accounts, Entry
from models.points.posting import accounts_of
from models.points.proposal_tables import ProposalRow
from models.points.reading import entry_of
from models.points.tables import EntryRow, TransferRow, WalletRow

LOOKS = 3
PAUSE_S = 1.0
"""A query may run inside another transaction's commit: what looks wrong is looked at again, three
times in two seconds. *Source:* ledger design, reconciliation."""

REFUSED = "refused"
"""The kind of a transfer that keeps a refusal: it moved nothing, and has no entry."""

Pause = Callable[[float], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """How far a member's ledger is proven, and all that is wrong with it."""

    point: Point
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The outcome of checking everybody; ``totals`` by account, counter-accounts included."""

    wallets: int
    entries: int
    faults: tuple[Fault, ...]
    totals: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        return not self.faults and sum(self.totals.values()) == 0


def check_member(member_id: str) -> tuple[Fault, ...]:
    """All that is wrong with one member's ledger; empty when it is sound.

    Entries are gapless from 1, each sums to zero and never overdraws, hashes chain up to the
    wallet's head, the fold is the wallet, and each entry has its transfer.
    """
    return examine(member_id).faults


def examine(
    member_id: str,
    start: Point = START,
    *,
    through: Point = START,
    book: RuleBook | None = None,
    pause: Pause | None = None,
) -> Examined:
    """Look at a member's ledger from a point that is proven; what is wrong is looked at thrice.

    The chain must pass ``through`` a point that was proven before: else it was written anew as a
    whole, which no chain shows by itself (``entry.rewritten``). With a ``book`` of rules it asks,
    beyond what was changed, whether it was right when it was written: awards are worked out again,
    and what two people decided must have been decided by two. ``pause`` waits for so many seconds
    between two looks. Costs a strong read of the wallet, a query of the entries since ``start``,
    and reads of their transfers and proposals.
    """
    examined = _look(member_id, start, through, book)
    for _ in range(LOOKS - 1):
        if not examined.faults:
            break
        if pause:
            pause(PAUSE_S)
        examined = _look(member_id, start, through, book)
    return examined


def entries_after(member_id: str, after: int) -> list[Entry]:
    """A member's entries in order, those with a number above ``after``."""
    rows = query(EntryRow, member_id, EntryRow.seq > seq_text(after), page_size=500)
    return [entry_of(row) for row in rows]


def check_all() -> Audit:
    """Check every member who has a wallet or an entry, what two people decided, and add up every
    account."""
    members = {row.member_id for row in scan(WalletRow)}
    sums: list[Accounts] = []
    entries = scan(EntryRow)
    for row in entries:
        members.add(row.member_id)
        sums.append(row.legs)
    faults = [found for member in sorted(members) for found in check_member(member)]
    faults += _without_entry(scan(TransferRow))
    faults += approvals.unapproved(entries)
    faults += approvals.unposted(scan(ProposalRow))
    return Audit(
        wallets=len(members),
        entries=len(sums),
        faults=tuple(faults),
        totals=by_kind(rules.merge(*sums)),
    )


def totals() -> Mapping[str, int]:
    """Points by account over everybody, counter-accounts included: together they are zero."""
    return by_kind(rules.merge(*(row.legs for row in scan(EntryRow))))


def by_kind(accounts: Accounts) -> Accounts:
    """Months and days do not matter to a total; rules and rewards do."""
    return rules.merge(
        *(
            {account[0] if rules.is_own(account) else account: points}
            for account, points in accounts.items()
        )
    )


def _look(member_id: str, start: Point, through: Point, book: RuleBook | None) -> Examined:
    wallet = get(WalletRow, member_id)
    version, head = (wallet.version, wallet.head) if wallet else (0, rules.GENESIS)
    try:
        entries = entries_after(member_id, start.version)
    except (AttributeError, TypeError, ValueError):  # a row that no longer reads as an entry
        bad = Fault(member_id=member_id, code="entry.unreadable", seq=start.version + 1)
        return Examined(point=start, faults=(bad,))
    known = entries[: max(0, version - start.version)]
    followed = follow(member_id, start, known)
    faults = list(followed.faults)
    if not followed.is_broken:
        own = accounts_of(wallet)
        faults += differences(member_id, followed.point, version=version, head=head, own=own)
        if len(entries) > len(known) and not _has_moved(member_id, version):
            faults.append(Fault(member_id=member_id, code="wallet.version", seq=version))
        faults += _without_transfer(member_id, known)
        faults += _not_through(member_id, through, start, known)
        if book is not None:
            faults += underived(known, book)
            faults += approvals.unapproved(known)
    return Examined(point=followed.point, faults=tuple(dict.fromkeys(faults)))


def _not_through(
    member_id: str, through: Point, start: Point, entries: Sequence[Entry]
) -> Iterator[Fault]:
    at = through.version - start.version - 1
    if at >= 0 and (at >= len(entries) or entries[at].hash != through.head):
        yield Fault(member_id=member_id, code="entry.rewritten", seq=through.version)


def _has_moved(member_id: str, version: int) -> bool:
    """Whether the wallet has grown since it was read: then entries beyond it are no fault."""
    wallet = get(WalletRow, member_id)
    return wallet is not None and wallet.version > version


def _without_transfer(member_id: str, entries: Sequence[Entry]) -> Iterator[Fault]:
    for start in range(0, len(entries), 100):
        some = entries[start : start + 100]
        found = get_many([(TransferRow, (entry.transfer_id,)) for entry in some])
        for entry, row in zip(some, found, strict=True):
            if not isinstance(row, TransferRow) or _named_by(row) != _names_of(entry):
                yield Fault(member_id=member_id, code="entry.transfer", seq=entry.seq)


def _without_entry(transfers: Sequence[TransferRow]) -> Iterator[Fault]:
    """Transfers that say they posted, though their entry is another's or is not there."""
    posted = [row for row in transfers if row.kind != REFUSED]
    for start in range(0, len(posted), 100):
        some = posted[start : start + 100]
        found = get_many([(EntryRow, (row.member_id, seq_text(row.seq))) for row in some])
        for row, entry in zip(some, found, strict=True):
            if not isinstance(entry, EntryRow) or entry.transfer_id != row.transfer_id:
                yield Fault(member_id=row.member_id, code="transfer.entry", seq=row.seq)


def _named_by(row: TransferRow) -> tuple[str, int, str]:
    return row.member_id, row.seq, row.kind


def _names_of(entry: Entry) -> tuple[str, int, str]:
    return entry.member_id, entry.seq, entry.kind.value
