"""Everything that changed for a member since a cursor: one call instead of five lists.

Two logs are read on, each from its own number: the feed (reports, cases, inbox) and the entries of
the wallet (points, and with them every change of a redemption that moves points; the one that does
not, its turn in a queue, stands in the feed). A cursor holds both numbers, so nothing is passed
over and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from models.alerts import feed
from models.alerts.feed import Logged, Stretch
from models.alerts.inbox import message_of
from models.alerts.tables import InboxRow
from models.base.clock import Clock
from models.base.errors import Conflict
from models.base.ids import content_hash, seq_text
from models.base.paging import Cursors
from models.base.store import get, get_many, query
from models.base.tables import Table
from models.cases.changes import parties_in
from models.cases.listing import Listing, report_item
from models.cases.parallel import together
from models.cases.tables import CaseRow, ReportRow
from models.people.covering import OFFICIALS
from models.people.entities import Actor
from models.points.entities import Balances, Entry
from models.points.reading import balances_in, entry_of, line
from models.points.tables import EntryRow, WalletRow
from models.rewards.redemptions import Redemptions
from models.rewards.tables import RedemptionRow
from models.sync.entities import Changes, Item, Kind, Start

_Key: TypeAlias = tuple[type[Table], tuple[str, ...]]
_Rows: TypeAlias = Mapping[_Key, Table | None]
_FEED, _ENTRIES, _POSTS = "feed", "entries", "posts"


class Sync:
    """Reads what changed."""

    def __init__(
        self, *, clock: Clock, cursors: Cursors, listing: Listing, redemptions: Redemptions
    ) -> None:
        self._clock = clock
        self._cursors = cursors
        self._listing = listing
        self._redemptions = redemptions

    def changes(
        self,
        actor: Actor,
        *,
        cursor: str | None = None,
        start: Start = Start.KEPT,
        limit: int,
        language: str = "zh",
    ) -> Changes:
        """Up to ``limit`` (≤100) changes after ``cursor``; without one from ``start`` on.

        Two queries beside each other and at most two batch reads, however long the page; one more
        where a case was merged. Raises ``Invalid`` for a cursor that is not the actor's, and
        ``Conflict`` when the lists are to be loaded again and followed from the ``cursor`` in its
        details, which was taken before them:
        ``changes.cursor_too_old`` when what follows it is kept no more, ``changes.roles_changed``
        when the actor has gained or lost a post since, and with it whole lists of cases.
        """
        if cursor is None and start is Start.NOW:
            return Changes(items=(), cursor=self._end(actor), has_more=False)
        position = self._cursors.open(_scope(actor), cursor) or {}
        try:
            if position.get(_POSTS, _posts(actor)) != _posts(actor):
                raise Conflict("changes.roles_changed")
            stretch, entries = self._read(actor.member_id, position, limit)
        except Conflict as error:
            raise Conflict(error.code, cursor=self._end(actor)) from error
        chosen = _merged(stretch.items, entries)[:limit]
        moved = [each.seq for each in chosen if isinstance(each, Entry)]
        rows = _rows(actor, chosen)
        return Changes(
            items=[self._item(actor, each, rows, language) for each in chosen],
            cursor=self._sealed(
                actor,
                feed_seq=stretch.start + len(chosen) - len(moved),
                entry_seq=moved[-1] if moved else position.get(_ENTRIES, 0),
            ),
            has_more=stretch.has_more or len(chosen) < len(stretch.items) + len(entries),
            balances=self._balances(actor, rows) if moved else None,
        )

    def _read(
        self, member_id: str, position: Mapping[str, Any], limit: int
    ) -> tuple[Stretch, list[Entry]]:
        """Of the entries one more than asked for, which tells that more follow."""
        now, seen = self._clock.now(), position.get(_ENTRIES, 0)
        calls: list[Callable[[], Any]] = [
            partial(feed.since, member_id, position.get(_FEED), limit=limit, now=now),
            partial(
                query,
                EntryRow,
                member_id,
                EntryRow.seq > seq_text(seen),
                limit=limit + 1,
                page_size=limit + 1,
            ),
        ]
        stretch, rows = together(calls)
        return stretch, [entry_of(row) for row in rows]

    def _end(self, actor: Actor) -> str:
        wallet = get(WalletRow, actor.member_id)
        return self._sealed(
            actor,
            feed_seq=feed.last_of(actor.member_id),
            entry_seq=wallet.version if wallet else 0,
        )

    def _sealed(self, actor: Actor, *, feed_seq: int, entry_seq: int) -> str:
        position = {_FEED: feed_seq, _ENTRIES: entry_seq, _POSTS: _posts(actor)}
        sealed = self._cursors.seal(_scope(actor), position)
        assert sealed is not None
        return sealed

    def _balances(self, actor: Actor, rows: _Rows) -> Balances:
        wallet = rows.get((WalletRow, (actor.member_id,)))
        found = wallet if isinstance(wallet, WalletRow) else None
        return balances_in(found, self._clock.now())

    def _item(self, actor: Actor, each: Logged | Entry, rows: _Rows, language: str) -> Item:
        if isinstance(each, Entry):
            return self._moved(actor, each, rows, language)
        return self._changed(actor, each, rows)

    def _changed(self, actor: Actor, logged: Logged, rows: _Rows) -> Item:
        kind, row = Kind(logged.kind), rows.get(_key_of(actor, logged))
        listed: Mapping[str, Any] | None = None
        if isinstance(row, ReportRow):
            case = _followed(row, rows)
            listed = report_item(row, case) if case is not None else None
        elif isinstance(row, CaseRow) and parties_in(actor, row):
            listed = self._listing.case(row)
        message = message_of(row) if isinstance(row, InboxRow) else None
        voucher = None
        if isinstance(row, RedemptionRow) and row.member_id == actor.member_id:
            voucher = self._redemptions.shown(row)
        return Item(
            kind=kind,
            thing_id=logged.thing_id,
            at=logged.at,
            change=logged.change if listed or message or voucher else None,
            listed=listed,
            message=message,
            voucher=voucher,
        )

    def _moved(self, actor: Actor, entry: Entry, rows: _Rows, language: str) -> Item:
        shown = line(entry, language)
        redemption_id = entry.source.get("redemption_id")
        if redemption_id is None:
            return Item(
                kind=Kind.POINTS,
                thing_id=str(entry.seq),
                at=entry.posted_at,
                change=entry.kind.value,
                line=shown,
            )
        voucher = None
        row = rows.get((RedemptionRow, (redemption_id,)))
        if isinstance(row, RedemptionRow) and row.member_id == actor.member_id:
            voucher = self._redemptions.shown(row)
        return Item(
            kind=Kind.REDEMPTION,
            thing_id=redemption_id,
            at=entry.posted_at,
            change=entry.kind.value if voucher else None,
            voucher=voucher,
            line=shown,
        )


def _scope(actor: Actor) -> str:
    return f"changes:{actor.member_id}"


def _posts(actor: Actor) -> str:
    """A mark of the posts by which the actor sees cases; empty for who has none."""
    posts = sorted(
        f"{held.role}|{held.scope}|{held.county}" for held in actor.roles if held.role in OFFICIALS
    )
    return content_hash({"posts": posts})[:8] if posts else ""


def _merged(logged: Sequence[Logged], entries: Sequence[Entry]) -> list[Logged | Entry]:
    """Both logs as one, by time where that leaves each in its own order."""
    merged: list[Logged | Entry] = []
    left, right = list(logged), list(entries)
    while left and right:
        is_left = left[0].at <= right[0].posted_at
        merged.append(left.pop(0) if is_left else right.pop(0))
    return [*merged, *left, *right]


def _key_of(actor: Actor, logged: Logged) -> _Key:
    if logged.kind == Kind.CASE:
        return CaseRow, (logged.thing_id,)
    if logged.kind == Kind.REDEMPTION:
        return RedemptionRow, (logged.thing_id,)
    table = ReportRow if logged.kind == Kind.REPORT else InboxRow
    return table, (actor.member_id, logged.thing_id)


def _followed(report: ReportRow, rows: _Rows) -> CaseRow | None:
    """The case that tells how far a report is: its own, or the one that goes on for it."""
    case = rows.get((CaseRow, (report.case_id,)))
    if not isinstance(case, CaseRow):
        return None
    parent = rows.get((CaseRow, (case.merged_into or "",)))
    return parent if isinstance(parent, CaseRow) else case


def _rows(actor: Actor, chosen: Sequence[Logged | Entry]) -> _Rows:
    """The rows of all that is shown: things first, then the cases of reports, and the wallet."""
    keys: list[_Key] = []
    moved = False
    for each in chosen:
        if isinstance(each, Logged):
            keys.append(_key_of(actor, each))
        else:
            moved = True
            if "redemption_id" in each.source:
                keys.append((RedemptionRow, (each.source["redemption_id"],)))
    rows = _found(keys)
    following: list[_Key] = [
        (CaseRow, (row.case_id,)) for row in rows.values() if isinstance(row, ReportRow)
    ]
    if moved:
        following.append((WalletRow, (actor.member_id,)))
    rows |= _found([key for key in following if key not in rows])
    merged: list[_Key] = [
        (CaseRow, (row.merged_into,))
        for row in rows.values()
        if isinstance(row, CaseRow) and row.merged_into is not None
    ]
    return rows | _found([key for key in merged if key not in rows])


def _found(keys: Sequence[_Key]) -> dict[_Key, Table | None]:
    wanted = list(dict.fromkeys(keys))
    return dict(zip(wanted, get_many(wanted), strict=True)) if wanted else {}
