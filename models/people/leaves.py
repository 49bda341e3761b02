"""Taking in a county's leaves: judged whole, kept, then put in force on the roster.

The leaves are a table of their own, because an admin must see at a glance who is away, and because
the roster's own import replaces entries: a leave outlives it and is put in force anew.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from models.base.clock import utc_text
from models.base.store import change, delete, query
from models.people import leaving
from models.people.accounts import load_phone
from models.people.covering import Cover, Leave, read_leave
from models.people.importing import FIRST_LINE, ImportReport, Stamp, put_in_force
from models.people.leaving import Telling
from models.people.rules import MAX_ENTRIES_PER_PHONE, BadLine, RosterLine
from models.people.tables import (
    SCHEMA,
    LeaveRow,
    known_role,
    scan_roster,
    to_entry,
    to_leave,
)

log = logging.getLogger(__name__)


def import_leaves(
    rows: Iterable[Mapping[str, str | None]],
    *,
    county: str,
    now: datetime,
    actor: str,
    tell: Telling,
) -> ImportReport:
    """Make ``county``'s leaves what ``rows`` say; those not in them end at once.

    Counts leaves. Nothing is written when a line is refused. Safe to repeat, also after a crash
    half-way. Whoever gains or loses a role signs in again. Columns: see ``covering.read_leave``.
    """
    standing = scan_roster(county)
    given = [row for row in standing if known_role(row) and row.stands_in is None]
    lines = [RosterLine(phone_key=row.phone_key, entry=to_entry(row)) for row in given]
    leaves, refused = _judge(rows, county, lines)
    if refused:
        return ImportReport(refused=refused)
    report = _keep(leaves, county=county, now=now, actor=actor)
    put_in_force(
        lines,
        leaves,
        Stamp(county=county, at=now, by=actor, tell=tell),
        standing=standing,
        keeps=[row for row in standing if not known_role(row)],
    )
    leaving.sweep(now, tell, county)
    log.info("leaves.imported", extra={"county": county, "added": report.added})
    return report


def _judge(
    rows: Iterable[Mapping[str, str | None]], county: str, lines: Sequence[RosterLine]
) -> tuple[list[Leave], tuple[tuple[int, str], ...]]:
    roster = Cover(lines, ())
    leaves: dict[int, Leave] = {}
    refused: list[tuple[int, str]] = []
    for number, columns in enumerate(rows, FIRST_LINE):
        try:
            leave = read_leave(columns, county)
            _check(leave, roster, county)
        except BadLine as bad:
            refused.append((number, str(bad)))
            continue
        if any(leave.overlaps(earlier) for earlier in leaves.values()):
            refused.append((number, "leave.overlaps"))
        leaves[number] = leave
    if not refused:
        refused = _check_together(leaves, lines)
    return list(leaves.values()), tuple(refused)


def _check(leave: Leave, roster: Cover, county: str) -> None:
    if not roster.posts(leave.phone_key, leave.scope):
        raise BadLine("leave.unknown_post")
    if not roster.posts(leave.deputy_key):
        rows = load_phone(leave.deputy_key).rows
        is_foreign = any(row.county != county for row in rows)
        raise BadLine("leave.foreign_deputy" if is_foreign else "leave.unknown_deputy")
    if not roster.is_covered(leave):
        raise BadLine("leave.deputy_not_valid")


def _check_together(
    leaves: Mapping[int, Leave], lines: Sequence[RosterLine]
) -> list[tuple[int, str]]:
    """What only shows in the whole: deputies who lead back, and one who would do everything."""
    cover = Cover(lines, leaves.values())
    refused = [(number, "leave.circle") for number, one in leaves.items() if cover.has_circle(one)]
    stands_in = Counter(line.phone_key for line in cover.lines() if line.entry.stands_in)
    return refused or [
        (number, "leave.deputy_overloaded")
        for number, one in leaves.items()
        if stands_in[one.deputy_key] > MAX_ENTRIES_PER_PHONE
    ]


def _keep(leaves: Sequence[Leave], *, county: str, now: datetime, actor: str) -> ImportReport:
    """Write what is new and take away what is gone; each row by itself, as repeating mends."""
    standing = {row.leave: row for row in query(LeaveRow, county)}
    wanted = {_key(leave): leave for leave in leaves}
    changed = [key for key in wanted if key in standing and to_leave(standing[key]) != wanted[key]]
    added = [key for key in wanted if key not in standing]
    removed = [key for key in standing if key not in wanted]
    for key in (*added, *changed):
        _write(wanted[key], key, county=county, now=now, actor=actor)
    for key in removed:
        delete(standing[key])
    return ImportReport(added=len(added), changed=len(changed), removed=len(removed))


def _key(leave: Leave) -> str:
    return f"{leave.phone_key}#{leave.scope or '*'}#{utc_text(leave.starts_at)}"


def _write(leave: Leave, key: str, *, county: str, now: datetime, actor: str) -> None:
    scope = LeaveRow.scope.set(leave.scope) if leave.scope else LeaveRow.scope.remove()
    change(
        LeaveRow(county, key),
        [
            scope,
            LeaveRow.schema.set(SCHEMA),
            LeaveRow.phone_key.set(leave.phone_key),
            LeaveRow.starts_at.set(leave.starts_at),
            LeaveRow.ends_at.set(leave.ends_at),
            LeaveRow.deputy_key.set(leave.deputy_key),
            LeaveRow.reason.set(leave.reason),
            LeaveRow.imported_at.set(now),
            LeaveRow.imported_by.set(actor),
        ],
    )
