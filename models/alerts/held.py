"""Alerts that are held: in the inbox already, but the phone has not rung for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from models.alerts import inbox, stored
from models.alerts.delivery import inbox_row, message_id_of
from models.alerts.entities import Alert, Notice
from models.alerts.tables import HELD, SCHEMA, SLOTS, HeldRow, InboxRow, slot_of
from models.base.store import Refused, Transaction, delete, query, update_if

DIGEST = "digest"
"""``delivered_by`` of an inbox message whose member was told of it in a digest."""


def hold(alert: Alert, release_at: datetime, now: datetime) -> None:
    """Put an alert into the inbox, and hold its ringing; nothing happens if it was told or is held.

    The hold stands on the condition that nobody has told it, so a repetition that comes after the
    telling holds nothing.
    """
    notice = alert.notice
    inbox.put(inbox_row(notice), now)
    tx = Transaction()
    is_untold = InboxRow.message_id.exists() & InboxRow.delivered_by.does_not_exist()
    tx.check("inbox", InboxRow, notice.member_id, message_id_of(notice), condition=is_untold)
    tx.guard("held", _held_row(alert, release_at))
    try:
        tx.commit()
    except Refused:
        return


def finish(rows: Iterable[HeldRow], *, alone: bool) -> None:
    """Let go of alerts whose member was told; an alert told as it is has its own record."""
    for row in rows:
        notice = notice_of(row)
        tx = Transaction()
        tx.delete("held", row)
        if not alone:
            message = InboxRow(row.member_id, message_id_of(notice))
            told = [InboxRow.delivered_by.set(DIGEST)]
            tx.update("inbox", message, told, InboxRow.message_id.exists())
        try:
            tx.commit()
        except Refused:  # the member and his inbox have gone meanwhile
            delete(row)


def hold_longer(row: HeldRow, until: datetime) -> None:
    """Move an alert's release, if it is still held."""
    update_if(row, [HeldRow.release_at.set(until)], HeldRow.held_id.exists())


def due_members(now: datetime) -> list[str]:
    """Whose held alerts are due, longest waiting first; one query a slot, of keys."""
    rows = [
        row
        for slot in range(SLOTS)
        for row in query(HeldRow.by_due, str(slot), HeldRow.release_at <= now)
    ]
    rows.sort(key=lambda row: row.release_at)
    return list(dict.fromkeys(row.member_id for row in rows))


def notice_of(row: HeldRow) -> Notice:
    """The notice that a row holds."""
    return stored.read(row.member_id, row.county, row.notice)


def _held_row(alert: Alert, release_at: datetime) -> HeldRow:
    notice = alert.notice
    return HeldRow(
        member_id=notice.member_id,
        held_id=HELD + notice.notice_id,
        schema=SCHEMA,
        county=notice.county,
        notice=stored.written(notice),
        due_at=alert.due_at,
        urgent=alert.urgent,
        first_told=alert.first_told,
        slot=slot_of(notice.member_id),
        release_at=release_at,
    )
