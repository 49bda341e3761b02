"""Noticing that somebody no longer holds an officer's or a lead's post, so that his cases do not
lie unworked: by the import that takes an entry away, by its last day, by a leave that begins.

Each end is told once: by an outbox row in the transaction that removes the entry or that marks it
as told. Who still holds the same grid by another entry has not left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from pynamodb.expressions.condition import Condition

from models.base.store import Refused, Transaction
from models.base.tables import Table
from models.people.entities import Left, RosterEntry
from models.people.rules import DUTY_ROLES
from models.people.tables import RosterRow, known_role, scan_roster, to_entry

log = logging.getLogger(__name__)

Telling: TypeAlias = Callable[[Left], Table]
"""Makes the row by which it becomes known that somebody left; equal ends are the same row."""


def left_of(row: RosterRow, at: datetime) -> Left | None:
    """The end of an entry, as it is told; None where nobody must take anything over."""
    if row.member_id is None or row.role not in DUTY_ROLES:
        return None
    return Left(
        county=row.county or "",
        member_id=row.member_id,
        scopes=(row.scope,),
        entry=f"{row.phone_key}#{row.entry}",
        at=at,
    )


def released(rows: Iterable[RosterRow], now: datetime) -> list[Left]:
    """What the owner of a phone loses when it is no longer his, by county."""
    scopes: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        left = left_of(row, now) if known_role(row) and to_entry(row).is_valid(now) else None
        if left is not None:
            scopes.setdefault((left.county, left.member_id), set()).update(left.scopes)
    return [
        Left(county=county, member_id=who, scopes=tuple(sorted(held)), entry=f"{who}#phone", at=now)
        for (county, who), held in scopes.items()
    ]


def sweep(now: datetime, tell: Telling, county: str | None = None) -> int:
    """Tell of every entry whose time is up since the last look; answers of how many.

    Reads the whole roster: hourly, and at the end of an import. Safe to repeat and to overlap.
    """
    by_phone: dict[str, list[RosterRow]] = {}
    for row in scan_roster(county):
        if known_role(row) and row.role in DUTY_ROLES:
            by_phone.setdefault(row.phone_key, []).append(row)
    return sum(
        _tell_once(row, now, tell)
        for rows in by_phone.values()
        for row in rows
        if row.scope not in held_scopes(map(to_entry, rows), now)
    )


def held_scopes(entries: Iterable[RosterEntry], now: datetime) -> set[str]:
    """Where these entries make somebody an officer or a lead at an instant."""
    return {entry.scope for entry in entries if entry.role in DUTY_ROLES and entry.is_valid(now)}


def _tell_once(row: RosterRow, now: datetime, tell: Telling) -> bool:
    lost_at = to_entry(row).lost_at(now)
    if lost_at is None or row.left_at == lost_at:
        return False
    left = left_of(row, lost_at)
    if left is None:
        return False
    unchanged: Condition = RosterRow.left_at.does_not_exist()
    if row.left_at is not None:
        unchanged = RosterRow.left_at == row.left_at
    tx = Transaction()
    tx.update("entry", row, [RosterRow.left_at.set(lost_at)], RosterRow.role.exists() & unchanged)
    tx.put("left", tell(left))
    try:
        tx.commit()
    except Refused:
        return False
    log.info("roster.left", extra={"county": left.county, "scopes": list(left.scopes)})
    return True
