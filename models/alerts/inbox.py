"""The in-app inbox: everything a member was told, newest first."""

from __future__ import annotations

from models.alerts.entities import Message, Text, Tried
from models.alerts.tables import InboxRow
from models.base.clock import Clock, parse_utc
from models.base.errors import NotFound
from models.base.paging import Cursors, Page
from models.base.store import get, page_of, update_if

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
            items=[_message(row) for row in rows], next_cursor=self._cursors.seal(scope, last)
        )

    def mark_read(self, member_id: str, message_id: str) -> None:
        """Note that a message was read; repeating keeps the first time.

        Raises ``NotFound`` for what is not in this member's inbox.
        """
        if len(message_id) > _LONGEST_ID:
            raise NotFound("message.not_found")
        row = InboxRow(member_id, message_id)
        unread = InboxRow.message_id.exists() & InboxRow.read_at.does_not_exist()
        if update_if(row, [InboxRow.read_at.set(self._clock.now())], unread):
            return
        if get(InboxRow, member_id, message_id) is None:
            raise NotFound("message.not_found")


def _message(row: InboxRow) -> Message:
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
