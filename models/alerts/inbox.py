"""The in-app inbox: everything a member was told, newest first."""

from __future__ import annotations

from datetime import datetime

from models.alerts import feed
from models.alerts.entities import Message, Text, Tried
from models.alerts.tables import InboxRow
from models.base.clock import Clock, parse_utc
from models.base.errors import NotFound
from models.base.paging import Cursors, Page
from models.base.store import get, page_of, update_if

KIND, TOLD, READ = "inbox", "told", "read"
_LONGEST_ID = 200
"""Longer than any message's id; the table would refuse a key of more than 1024 bytes."""


class Inbox:
    """Reads and marks one member's messages."""

    def __init__(self, *, cursors: Cursors, clock: Clock) -> None:
        self._cursors = cursors
        self._clock = clock

    def page(self, member_id: str, *, cursor: str | None, limit: int) -> Page[Message]:
        """One page, newest first; one query."""
        scope = f"inbox:{member_id}"
        rows, last = page_of(
            InboxRow, member_id, limit=limit, after=self._cursors.open(scope, cursor)
        )
        return Page(
            items=[message_of(row) for row in rows], next_cursor=self._cursors.seal(scope, last)
        )

    def mark_read(self, member_id: str, message_id: str) -> None:
        """Note that a message was read; repeating keeps the first time.

        Raises ``NotFound`` for what is not in this member's inbox.
        """
        is_id = len(message_id) <= _LONGEST_ID
        row = get(InboxRow, member_id, message_id) if is_id else None
        if row is None:
            raise NotFound("message.not_found")
        if row.read_at is not None:
            return
        # Logged first: cut off in between, it is marked by the next asking, and logged once.
        now = self._clock.now()
        feed.append(_change(row, READ, now), now)
        unread = InboxRow.message_id.exists() & InboxRow.read_at.does_not_exist()
        update_if(row, [InboxRow.read_at.set(now)], unread)


def put(row: InboxRow, now: datetime) -> bool:
    """Put a message into its member's inbox and log it for him; False when it is there already.

    A read and a transaction of 6 write units. May raise ``Unavailable``.
    """
    return feed.append(_change(row, TOLD, row.at), now, once=row)


def _change(row: InboxRow, change: str, at: datetime) -> feed.Change:
    return feed.Change(
        member_id=row.member_id,
        county=row.county,
        kind=KIND,
        thing_id=row.message_id,
        change=change,
        at=at,
        key=f"{KIND}:{change}:{row.message_id}",
    )


def message_of(row: InboxRow) -> Message:
    """The message as its owner sees it."""
    return Message(
        message_id=row.message_id,
        kind=row.kind,
        title=Text(zh=row.title["zh"], en=row.title["en"]),
        body=Text(zh=row.body["zh"], en=row.body["en"]),
        page=row.page,
        case_id=row.case_id,
        at=row.at,
        read_at=row.read_at,
        delivered_by=row.delivered_by,
        tried=tuple(
            Tried(channel=one["channel"], outcome=one["outcome"], at=parse_utc(one["at"]))
            for one in row.tried or ()
        ),
    )
