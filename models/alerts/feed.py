"""What changed for a member, as a log of his own: numbered without a gap, read on from a number.

A change gets its number in the transaction that writes it: {the head's next number, the change,
the guard of its key}. So a reader who goes on from a number never passes a change that commits
later, as one would who goes on from a time; and however often a change is logged, it stands there
once. Changes and guards are kept for 90 days, the head for ever: a reader who comes later finds a
hole and is told so, never a list with something missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from models.alerts.tables import SCHEMA, ChangeRow, LoggedRow
from models.base.errors import Conflict
from models.base.ids import derived_id, seq_text
from models.base.store import Refused, Stale, Transaction, get, get_many, query, retrying
from models.base.tables import Table

KEPT = timedelta(days=90)
HEAD = ":head"
"""Sorts behind every number and before every guard, so that a page's query ends with the head."""
LOOKS = 2
"""A hole that is seen twice is one: the first may have been a change just being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one thing for one member; the same ``key`` is the same change.

    ``kind`` and ``thing_id`` say what changed, ``change`` how, ``at`` when.
    """

    member_id: str
    county: str
    kind: str
    thing_id: str
    change: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A change in its place."""

    seq: int
    kind: str
    thing_id: str
    change: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Changes in order; what follows comes after number ``start`` plus their count."""

    start: int
    items: Sequence[Logged]
    has_more: bool


def append(
    change: Change, now: datetime, *, before: Sequence[Change] = (), once: Table | None = None
) -> bool:
    """Log a change; False when it was logged already.

    ``before`` are the changes that must stand before it, oldest first: the last of them that is
    missing is logged first, and so on back. ``once`` is a row of the caller's that must not exist
    yet and joins the transaction; it stands for the guard. Two calls: a read and a transaction of
    6 write units. Raises ``Unavailable`` when others were always quicker, or nothing is known.
    """
    return retrying(partial(_append, change, now, before, once))


def since(member_id: str, seq: int | None, *, limit: int, now: datetime) -> Stretch:
    """Up to ``limit`` changes after number ``seq``; None begins with the oldest that is kept.

    One query. Raises ``Conflict("changes.cursor_too_old")`` when what follows is kept no more.
    """
    for _ in range(LOOKS):
        found = _look(member_id, seq, limit, now)
        if found is not None:
            return found
    raise Conflict("changes.cursor_too_old")


def last_of(member_id: str) -> int:
    """The number of a member's last change; 0 when there was none. One read."""
    return _last(get(ChangeRow, member_id, HEAD))


def _append(change: Change, now: datetime, before: Sequence[Change], once: Table | None) -> bool:
    wanted: list[Change] = [*before[-1:], change]
    keys = [_guard_key(each) for each in wanted if once is None]
    head, *guards = get_many(
        [(ChangeRow, (change.member_id, HEAD)), *((LoggedRow, key) for key in keys)]
    )
    assert head is None or isinstance(head, ChangeRow)
    if guards and guards[-1] is not None:
        return False
    if len(guards) > 1 and guards[0] is None:
        append(before[-1], now, before=before[:-1])
        raise Stale
    return _commit(change, head, now, once)


def _commit(change: Change, head: ChangeRow | None, now: datetime, once: Table | None) -> bool:
    number, ttl = _last(head) + 1, int((now + KEPT).timestamp())
    tx = Transaction()
    tx.guard("once", once or LoggedRow(*_guard_key(change), ttl=ttl))
    tx.guard("change", _row(change, number, ttl))
    if head is None:
        tx.guard("head", ChangeRow(change.member_id, HEAD, last=number))
    else:
        tx.update("head", head, [ChangeRow.last.set(number)], ChangeRow.last == head.last)
    try:
        tx.commit()
    except Refused as refused:
        if "once" in refused:
            return False
        raise Stale from refused
    return True


def _look(member_id: str, seq: int | None, limit: int, now: datetime) -> Stretch | None:
    """None when the change after ``seq`` is missing though there was one."""
    rows = _rows(member_id, seq, limit, now)
    head = rows.pop() if rows and rows[-1].seq == HEAD else None
    start = seq if seq is not None else _start(rows, head)
    whole = [row for place, row in enumerate(rows) if int(row.seq) == start + 1 + place]
    reached = start + len(whole)
    # Without the head there are more rows than asked for, or none at all.
    is_last = reached == _last(head) if head or not rows else False
    if not whole and not is_last:
        return None
    items = [_logged(row) for row in whole[:limit]]
    return Stretch(start=start, items=items, has_more=len(items) < len(whole) or not is_last)


def _rows(member_id: str, seq: int | None, limit: int, now: datetime) -> list[ChangeRow]:
    """One row more than asked for: the head, or the sign that there is more."""
    how: dict[str, Any] = {}
    if seq is None:
        # The engine takes expired rows away when it likes, not in their order.
        is_kept = ChangeRow.ttl > int(now.timestamp())
        how["filter_condition"] = is_kept | ChangeRow.ttl.does_not_exist()
    following = ChangeRow.seq.between(seq_text((seq or 0) + 1), HEAD)
    return query(ChangeRow, member_id, following, limit=limit + 1, page_size=limit + 1, **how)


def _start(rows: Sequence[ChangeRow], head: ChangeRow | None) -> int:
    return int(rows[0].seq) - 1 if rows else _last(head)


def _last(head: Table | None) -> int:
    return head.last or 0 if isinstance(head, ChangeRow) else 0


def _guard_key(change: Change) -> tuple[str, str]:
    return change.member_id, derived_id("log", change.key)


def _row(change: Change, number: int, ttl: int) -> ChangeRow:
    return ChangeRow(
        change.member_id,
        seq_text(number),
        schema=SCHEMA,
        county=change.county,
        kind=change.kind,
        thing_id=change.thing_id,
        change=change.change,
        at=change.at,
        ttl=ttl,
    )


def _logged(row: ChangeRow) -> Logged:
    return Logged(
        seq=int(row.seq), kind=row.kind, thing_id=row.thing_id, change=row.change, at=row.at
    )
