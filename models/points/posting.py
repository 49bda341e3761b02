"""One planned movement: its three rows, and how they join a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from models.base.clock import business_day, utc_text
from models.base.ids import seq_text
from models.base.store import Refused, Transaction
from models.points import rules
from models.points.entities import Accounts, Entry, EntryKind, Legs
from models.points.tables import EntryRow, TransferRow, WalletRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What posts: its identity, its cause, and what the command behind it is to be told.

    Of an award ``gross`` is what the act is worth, ``points`` what its ``limit`` left of that;
    ``counted`` says that the caps on acts had seen the act before.
    """

    member_id: str
    county: str
    transfer_id: str
    kind: EntryKind
    points: int
    source: Mapping[str, Any]
    now: datetime
    rule: str = ""
    gross: int | None = None
    limit: str | None = None
    counted: bool = False
    request_hash: str | None = None
    answer: Mapping[str, Any] | None = None

    @property
    def today(self) -> str:
        return business_day(self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A planned movement, or (``already``) one that had posted before.

    ``points`` is what the event was about, ``limit`` which limit an award met (see ``acts``).
    """

    member_id: str
    transfer_id: str
    points: int
    already: bool
    limit: str | None = None
    writes: _Writes | None = None

    def add_to(self, tx: Transaction, prefix: str = "") -> None:
        """Join a transaction: 6 write units and 2 for each limit that an award counts to, or none
        when it had posted before.

        With several members in one transaction each needs a ``prefix`` of its own.
        """
        if self.writes is None:
            return
        name = f"points.{prefix}." if prefix else "points."
        self.writes.add_to(tx, name)

    def with_beside(self, beside: Mapping[str, Beside]) -> Posting:
        """The same with more rows, by the name of each, that are written with it."""
        assert self.writes is not None
        return replace(self, writes=replace(self.writes, beside=beside))

    @staticmethod
    def lost(refused: Refused) -> bool:
        """Whether the points moved under the plan: raise ``Stale`` and plan again."""
        return any(name.startswith("points.") for name in refused.names)


class Beside(Protocol):
    """A row that is written with a movement."""

    def add_to(self, tx: Transaction, name: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writes:
    wallet: WalletRow
    entry: EntryRow
    transfer: TransferRow
    beside: Mapping[str, Beside] = field(default_factory=dict)

    def add_to(self, tx: Transaction, name: str) -> None:
        for which, row in self.beside.items():
            row.add_to(tx, f"{name}{which}")
        tx.guard(f"{name}entry", self.entry)
        tx.guard(f"{name}transfer", self.transfer)
        wallet = self.wallet
        if wallet.version == 1:
            tx.guard(f"{name}wallet", wallet)
            return
        actions = [
            WalletRow.version.set(wallet.version),
            WalletRow.available.set(wallet.available),
            WalletRow.pending.set(wallet.pending),
            WalletRow.held.set(wallet.held),
            WalletRow.debt.set(wallet.debt),
            WalletRow.head.set(wallet.head),
            WalletRow.changed_at.set(wallet.changed_at),
        ]
        unchanged = WalletRow.version == wallet.version - 1
        if self.entry.kind == EntryKind.HOLD:
            unchanged &= WalletRow.frozen_at.does_not_exist()
        tx.update(f"{name}wallet", wallet, actions, unchanged)


def accounts_of(row: WalletRow | None) -> Accounts:
    """The member's accounts as they were written; none for who never had points."""
    if row is None:
        return {}
    return rules.merge(
        {rules.AVAILABLE + month: points for month, points in row.available.items()},
        {rules.PENDING + key: points for key, points in row.pending.items()},
        {rules.HELD: row.held, rules.DEBT: -row.debt},
    )


def planned(event: Event, wallet: WalletRow | None, *, rolled: Legs, own: Legs) -> Posting:
    """Write down a movement: ``own`` legs are the event's, ``rolled`` what time did before it."""
    legs = rules.merge(rolled, own)
    entry = _entry(event, wallet, legs)
    writes = _Writes(
        wallet=wallet_row(entry, rules.apply(accounts_of(wallet), legs)),
        entry=entry_row(entry),
        transfer=_transfer_row(event, entry.seq, own),
    )
    return Posting(
        member_id=event.member_id,
        transfer_id=event.transfer_id,
        points=event.points,
        already=False,
        limit=event.limit,
        writes=writes,
    )


def _entry(event: Event, wallet: WalletRow | None, legs: Legs) -> Entry:
    entry = Entry(
        member_id=event.member_id,
        seq=wallet.version + 1 if wallet else 1,
        transfer_id=event.transfer_id,
        kind=event.kind,
        rule=event.rule,
        county=event.county,
        legs=legs,
        source=event.source,
        posted_at=event.now,
    )
    head = wallet.head if wallet else rules.GENESIS
    return replace(entry, hash=rules.chain(head, entry, posted_at=utc_text(event.now)))


def wallet_row(entry: Entry, accounts: Accounts) -> WalletRow:
    """The wallet after an entry."""
    return WalletRow(
        entry.member_id,
        version=entry.seq,
        available=_below(accounts, rules.AVAILABLE),
        pending=_below(accounts, rules.PENDING),
        held=accounts.get(rules.HELD, 0),
        debt=-accounts.get(rules.DEBT, 0),
        head=entry.hash,
        changed_at=entry.posted_at,
    )


def entry_row(entry: Entry) -> EntryRow:
    """The row that keeps an entry."""
    return EntryRow(
        entry.member_id,
        seq_text(entry.seq),
        county=entry.county,
        transfer_id=entry.transfer_id,
        kind=entry.kind.value,
        rule=entry.rule,
        legs=entry.legs,
        source=dict(entry.source),
        posted_at=entry.posted_at,
        hash=entry.hash,
    )


def _transfer_row(event: Event, seq: int, own_legs: Legs) -> TransferRow:
    return TransferRow(
        event.transfer_id,
        county=event.county,
        member_id=event.member_id,
        seq=seq,
        kind=event.kind.value,
        points=event.points,
        gross=event.gross,
        limit=event.limit,
        counted=event.counted or None,
        own_legs=own_legs,
        request_hash=event.request_hash,
        answer=dict(event.answer) if event.answer else None,
        posted_at=event.now,
    )


def _below(accounts: Accounts, prefix: str) -> dict[str, int]:
    return {
        account.removeprefix(prefix): points
        for account, points in accounts.items()
        if account.startswith(prefix)
    }
