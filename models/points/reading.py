"""What a member sees of his points: balances, and the statement with a reason on every line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from models.base.clock import business_day
from models.base.ids import seq_text
from models.base.paging import Cursors, Page
from models.base.store import get, query
from models.points import rules
from models.points.appeal_states import appeal_until
from models.points.entities import Accounts, Balances, Bucket, Entry, EntryKind, Line, Maturing
from models.points.posting import accounts_of
from models.points.sentences import gross_of, limit_of, sentence
from models.points.tables import EntryRow, WalletRow


def balances(member_id: str, now: datetime) -> Balances:
    """What the member has at ``now``; what has matured or expired counts, though nobody wrote it.

    One strong read.
    """
    return balances_in(get(WalletRow, member_id), now)


def balances_in(wallet: WalletRow | None, now: datetime) -> Balances:
    """What a wallet holds at ``now``; None is one that nobody has yet."""
    found = balances_of(accounts_of(wallet), now)
    return replace(found, is_frozen=wallet is not None and wallet.frozen_at is not None)


def balances_of(accounts: Accounts, now: datetime) -> Balances:
    """The balances that accounts as they were written amount to at ``now``."""
    today = business_day(now)
    rolled = rules.apply(accounts, rules.roll(accounts, today=today))
    return Balances(
        available=rules.total(rolled, rules.AVAILABLE),
        pending=rules.total(rolled, rules.PENDING),
        held=rolled.get(rules.HELD, 0),
        debt=-rolled.get(rules.DEBT, 0),
        buckets=_buckets(rolled),
        maturing=_maturing(rolled),
    )


class Statements:
    """A member's entries, newest first; pages are stable while new entries come in."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    def page(
        self, member_id: str, *, limit: int, cursor: str | None = None, language: str = "zh"
    ) -> Page[Line]:
        """Up to ``limit`` lines; one query. Raises ``Invalid`` for a cursor that is not his."""
        scope = f"entries:{member_id}"
        position = self._cursors.open(scope, cursor)
        below = seq_text(position["seq"]) if position else ":"
        rows = query(
            EntryRow,
            member_id,
            EntryRow.seq < below,
            scan_index_forward=False,
            limit=limit,
            page_size=limit,
        )
        entries = [entry_of(row) for row in rows]
        more = len(entries) == limit and entries[-1].seq > 1
        following = self._cursors.seal(scope, {"seq": entries[-1].seq} if more else None)
        return Page(items=[line(entry, language) for entry in entries], next_cursor=following)


def entry_of(row: EntryRow) -> Entry:
    """The entry that a row holds."""
    return Entry(
        member_id=row.member_id,
        seq=int(row.seq),
        transfer_id=row.transfer_id,
        kind=EntryKind(row.kind),
        rule=row.rule,
        county=row.county,
        legs=row.legs,
        source=row.source,
        posted_at=row.posted_at,
        hash=row.hash,
    )


def line(entry: Entry, language: str = "zh") -> Line:
    """The statement's line for an entry."""
    return Line(
        seq=entry.seq,
        posted_at=entry.posted_at,
        kind=entry.kind,
        reason=sentence(entry, language),
        available=rules.total(entry.legs, rules.AVAILABLE),
        pending=rules.total(entry.legs, rules.PENDING),
        held=entry.legs.get(rules.HELD, 0),
        debt=-entry.legs.get(rules.DEBT, 0),
        expired=entry.legs.get(rules.EXPIRED, 0),
        rule=entry.rule,
        gross=gross_of(entry),
        limit=limit_of(entry),
        appeal_until=appeal_until(entry.kind, entry.legs, entry.posted_at),
        source={name: value for name, value in entry.source.items() if name != "inputs"},
        hash=entry.hash,
    )


def _buckets(accounts: Accounts) -> tuple[Bucket, ...]:
    return tuple(
        Bucket(last_day=_last_day(account.removeprefix(rules.AVAILABLE)), points=points)
        for account, points in sorted(accounts.items())
        if account.startswith(rules.AVAILABLE)
    )


def _maturing(accounts: Accounts) -> tuple[Maturing, ...]:
    return tuple(
        Maturing(day=account.split(":")[1], points=points)
        for account, points in sorted(accounts.items())
        if account.startswith(rules.PENDING)
    )


def _last_day(month: str) -> str:
    """The last day of a month given as ``YYYY-MM``."""
    next_month = (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)
    return (next_month - timedelta(days=1)).isoformat()
