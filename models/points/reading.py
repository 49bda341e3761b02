"""What a member sees of his points: balances, and the statement with a reason on every line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from models.base.clock import business_day
from models.base.ids import seq_text
from models.base.paging import Cursors, Page
from models.base.store import get, query
from models.points import rules
from models.points.entities import Accounts, Balances, Bucket, Entry, EntryKind, Line, Maturing
from models.points.posting import accounts_of
from models.points.tables import EntryRow, WalletRow

REASONS: Mapping[str, tuple[str, str]] = {
    "report.first": ("首次上报问题被受理", "First report of a problem accepted"),
    "report.early": ("与首报同时发现问题", "Found the problem at the same time"),
    "report.joiner": ("共同上报同一问题", "Joined the report of a problem"),
    "report.moving": ("行驶中拍摄，不计积分", "Captured while moving: no points"),
    "recheck.passed": ("复拍核实", "Looked at a fix again"),
    "station.check_in": ("驿站打卡", "Checked in at a station"),
    "maturity": ("问题办结，积分到账", "Case closed, points available"),
    "hold": ("兑换权益，积分暂扣", "Reward reserved, points held"),
    "settle": ("权益已核销", "Reward fulfilled"),
    "reinstate": ("核销已撤销，积分恢复暂扣", "Fulfilment undone, points held again"),
    "release": ("兑换已取消或过期，积分退回", "Reservation ended, points returned"),
    "refund": ("核销已撤销，积分退回", "Fulfilment undone, points returned"),
    "award": ("获得积分", "Points awarded"),
    "adjustment": ("积分更正", "Points corrected"),
    "write_off": ("欠分核销", "Debt written off"),
    "claw_back": ("积分收回", "Points taken back"),
}
"""Reasons in Chinese and English: an award's by its rule without the version, others by kind."""


def balances(member_id: str, now: datetime) -> Balances:
    """What the member has at ``now``; what has matured or expired counts, though nobody wrote it.

    One strong read.
    """
    return balances_of(accounts_of(get(WalletRow, member_id)), now)


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
        reason=_reason(entry, language),
        available=rules.total(entry.legs, rules.AVAILABLE),
        pending=rules.total(entry.legs, rules.PENDING),
        held=entry.legs.get(rules.HELD, 0),
        debt=-entry.legs.get(rules.DEBT, 0),
        expired=entry.legs.get(rules.EXPIRED, 0),
        source=entry.source,
        hash=entry.hash,
    )


def _reason(entry: Entry, language: str) -> str:
    rule = entry.rule.partition("@")[0]
    zh, en = REASONS.get(rule) or REASONS[entry.kind.value]
    expired = entry.legs.get(rules.EXPIRED, 0)
    if language == "en":
        return f"{en}; {expired} expired points removed" if expired else en
    return f"{zh}；到期积分清除 {expired}" if expired else zh


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
