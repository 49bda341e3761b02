"""Prove the ledger: every wallet is the fold of its entries, and all legs together are nothing.

For audits and demonstrations, never for a request: it reads whole partitions, and whole tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.base.clock import utc_text
from models.base.store import get, get_many, query, scan
from models.points import rules
from models.points.entities import Accounts, Entry
from models.points.posting import accounts_of
from models.points.reading import entry_of
from models.points.tables import EntryRow, TransferRow, WalletRow

TRIES = 3
"""A query may run inside another transaction's commit: a missing last entry is looked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a member's ledger: a stable ``code``, and at which entry."""

    member_id: str
    code: str
    seq: int


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
    faults: tuple[Fault, ...] = ()
    for _ in range(TRIES):
        wallet = get(WalletRow, member_id)
        faults = tuple(_check(member_id, wallet, _entries(member_id)))
        if not faults:
            break
    return faults


def check_all() -> Audit:
    """Check every member who has a wallet or an entry, and add up every account."""
    members = {row.member_id for row in scan(WalletRow)}
    entries = 0
    sums: list[Accounts] = []
    for row in scan(EntryRow):
        members.add(row.member_id)
        entries += 1
        sums.append(row.legs)
    return Audit(
        wallets=len(members),
        entries=entries,
        faults=tuple(found for member in sorted(members) for found in check_member(member)),
        totals=_by_kind(rules.merge(*sums)),
    )


def totals() -> Mapping[str, int]:
    """Points by account over everybody, counter-accounts included: together they are zero."""
    return _by_kind(rules.merge(*(row.legs for row in scan(EntryRow))))


def _by_kind(accounts: Accounts) -> Mapping[str, int]:
    """Months and days do not matter to a total; rules and rewards do."""
    return rules.merge(
        *(
            {account[0] if rules.is_own(account) else account: points}
            for account, points in accounts.items()
        )
    )


def _entries(member_id: str) -> list[Entry]:
    return [entry_of(row) for row in query(EntryRow, member_id, page_size=500)]


def _check(member_id: str, wallet: WalletRow | None, entries: Sequence[Entry]) -> Iterator[Fault]:
    version, stored = (wallet.version, wallet.head) if wallet else (0, rules.GENESIS)
    accounts: Accounts = {}
    head = rules.GENESIS
    for seq, entry in enumerate(entries[:version], start=1):
        if entry.seq != seq:
            yield Fault(member_id=member_id, code="entry.gap", seq=seq)
            return
        if rules.chain(head, entry, posted_at=utc_text(entry.posted_at)) != entry.hash:
            yield Fault(member_id=member_id, code="entry.hash", seq=seq)
        try:
            accounts = rules.apply(accounts, entry.legs)
        except ValueError:
            yield Fault(member_id=member_id, code="entry.legs", seq=seq)
            return
        head = entry.hash
    if len(entries) != version:
        yield Fault(member_id=member_id, code="wallet.version", seq=version)
    if accounts != accounts_of(wallet):
        yield Fault(member_id=member_id, code="wallet.balance", seq=version)
    if head != stored:
        yield Fault(member_id=member_id, code="wallet.head", seq=version)
    yield from _without_transfer(member_id, entries)


def _without_transfer(member_id: str, entries: Sequence[Entry]) -> Iterator[Fault]:
    for start in range(0, len(entries), 100):
        some = entries[start : start + 100]
        found = get_many([(TransferRow, (entry.transfer_id,)) for entry in some])
        for entry, row in zip(some, found, strict=True):
            fits = isinstance(row, TransferRow) and (row.member_id, row.seq) == (
                member_id,
                entry.seq,
            )
            if not fits:
                yield Fault(member_id=member_id, code="entry.transfer", seq=entry.seq)
