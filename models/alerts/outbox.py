"""The outbox: what must be told stands here from the moment it became true until it was told.

A row is put in the transaction of the change it tells of. On AWS the table's stream wakes the
delivery, and a sweep finds what a lost record left; locally the sweep does all of it. Whoever
delivers first takes a lease of 30 s, so that two do not tell the same thing at once; a row whose
deliverer died is free again when the lease has run out. A row never goes but by ``done``: handlers
may run more than once, and must bear it. The table is nearly empty at all times, so a sweep is one
small scan.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import chain, islice, zip_longest
from typing import Any

from models.alerts.entities import Event
from models.alerts.rules import pause_after
from models.alerts.tables import SCHEMA, OutboxRow
from models.base.ids import derived_id, new_id
from models.base.store import delete, get, scan, update_if

LEASE = timedelta(seconds=30)

UNREADABLE = timedelta(minutes=10)
"""How long a row rests that could not be read."""

URGENT = "urgent"
"""True in the payload of what must not wait long for its next attempt."""

_WHEN = ["outbox_id", "created_at", "attempts", "not_before", "leased_until"]


def row(topic: str, key: str, county: str, payload: Mapping[str, Any], now: datetime) -> OutboxRow:
    """Make the row for a transaction; the same ``topic`` and ``key`` are the same row."""
    return OutboxRow(
        outbox_id=derived_id("out", topic, key),
        schema=SCHEMA,
        topic=topic,
        county=county,
        payload=dict(payload),
        created_at=now,
        attempts=0,
    )


def due(now: datetime, limit: int) -> list[str]:
    """Ids of up to ``limit`` rows that may be delivered now; one scan.

    New ones and those that failed before take turns, so that neither can starve the other: not the
    rows that fail for ever, nor a stream of new ones. Payloads are not read: one that cannot be
    hides no other.
    """
    free = [row for row in scan(OutboxRow, attributes_to_get=_WHEN) if _is_free(row, now)]
    new = sorted((row for row in free if not row.attempts), key=lambda row: row.created_at or now)
    again = sorted((row for row in free if row.attempts), key=lambda row: _free_since(row, now))
    turns = chain.from_iterable(zip_longest(new, again))
    return [row.outbox_id for row in islice(filter(None, turns), limit)]


def lease(outbox_id: str, now: datetime) -> Event | None:
    """Take a row for delivery; None when it is gone, held by another, or not due yet."""
    found = get(OutboxRow, outbox_id)
    if found is None or not _is_free(found, now):
        return None
    holder = new_id("dlv")
    unchanged = OutboxRow.outbox_id.exists() & (OutboxRow.attempts == found.attempts)
    actions = [
        OutboxRow.leased_until.set(now + LEASE),
        OutboxRow.holder.set(holder),
        OutboxRow.attempts.add(1),
    ]
    if not update_if(OutboxRow(outbox_id), actions, unchanged) and not _is_held(outbox_id, holder):
        return None
    return Event(
        outbox_id=outbox_id,
        topic=found.topic,
        county=found.county,
        payload=found.payload,
        at=found.created_at,
        attempts=found.attempts + 1,
    )


def done(event: Event) -> None:
    """Take the row away: everybody was told. Safe to repeat."""
    delete(OutboxRow(event.outbox_id))


def postpone(event: Event, now: datetime) -> None:
    """Free the row for a later attempt, after a pause that doubles; a short one if it is urgent."""
    pause = pause_after(event.attempts, urgent=bool(event.payload.get(URGENT)))
    actions = [
        OutboxRow.not_before.set(now + pause),
        OutboxRow.leased_until.remove(),
    ]
    update_if(OutboxRow(event.outbox_id), actions, OutboxRow.attempts == event.attempts)


def set_aside(outbox_id: str, now: datetime) -> None:
    """Put off what could not even be read, so that it does not come first at every sweep."""
    actions = [OutboxRow.attempts.add(1), OutboxRow.not_before.set(now + UNREADABLE)]
    update_if(OutboxRow(outbox_id), actions, OutboxRow.outbox_id.exists())


def _is_held(outbox_id: str, holder: str) -> bool:
    """Whether the lease was ours after all: the reply of taking it may have been lost."""
    found = get(OutboxRow, outbox_id)
    return found is not None and found.holder == holder


def _is_free(row: OutboxRow, now: datetime) -> bool:
    held = row.leased_until is not None and row.leased_until > now
    waiting = row.not_before is not None and row.not_before > now
    return not held and not waiting


def _free_since(row: OutboxRow, now: datetime) -> datetime:
    """When a row that was tried before became free: after its pause, or its deliverer's death."""
    return max((at for at in (row.not_before, row.leased_until) if at is not None), default=now)
