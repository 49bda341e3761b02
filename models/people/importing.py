"""Taking in a county's roster: judged whole, then changed phone by phone.

Each phone's entries change in one transaction with its member and all his sessions, which end:
nobody keeps a role that was taken from him, not even by signing in at the same moment. What the
county's leaves make of the roster (``covering.Cover``) changes with it.
"""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pynamodb.expressions.update import Action

from models.base.store import Transaction, retrying
from models.people import leaving
from models.people.accounts import Phone, commit_or_stale, load_account, load_phone
from models.people.covering import Cover, Leave
from models.people.entities import RosterEntry
from models.people.leaving import Telling
from models.people.rules import MAX_ENTRIES_PER_PHONE, BadLine, RosterLine, entry_key, read_line
from models.people.tables import (
    SCHEMA,
    RosterRow,
    known_role,
    leaves_of,
    scan_roster,
    to_entry,
    written_away,
    written_stand_in,
)

log = logging.getLogger(__name__)

FIRST_LINE = 2
"""The number of the first line after the heading, as a spreadsheet shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did; if anything is ``refused`` (line, code), nothing was written."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    refused: tuple[tuple[int, str], ...] = ()


def read_csv(text: str) -> list[dict[str, str]]:
    """Read a roster's file, with or without the mark that spreadsheets put first.

    Raises ``csv.Error`` where a heading stands twice, or a line says something under none: one of
    the two would be passed over in silence.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    headings = [name for name in rows.fieldnames or () if name]
    if len(set(headings)) < len(headings):
        raise csv.Error("a heading stands twice")
    return [_cells(row, rows.line_num) for row in rows]


def _cells(row: dict[str | None, Any], number: int) -> dict[str, str]:
    if any(row.get(None) or ()):
        raise csv.Error(f"line {number} has more cells than there are headings")
    return {name: value or "" for name, value in row.items() if name}


def import_roster(
    rows: Iterable[Mapping[str, str | None]],
    *,
    county: str,
    owns: Callable[[str], bool],
    now: datetime,
    actor: str,
    synthetic: bool = False,
    tell: Telling | None = None,
) -> ImportReport:
    """Make ``county``'s roster what ``rows`` say; entries of that county not in them go.

    Safe to repeat, also after a crash half-way; the same file changes nothing. ``actor`` names
    who imports (a role or a job, never a person). ``owns`` tells whether a scope is the county's:
    no county gives out roles over another's grids or stations. Reads the whole roster: an admin's
    command, not a request's. Columns: see ``rules.read_line``. What was written before a lost
    reply is not counted again. ``tell`` makes the row, written in the same transaction, by which
    it becomes known that somebody lost an officer's or a lead's post.
    """
    lines, refused = _judge(rows, county, owns)
    if refused:
        return ImportReport(refused=refused)
    stamp = Stamp(county=county, at=now, by=actor, synthetic=synthetic, tell=tell)
    report = put_in_force(lines, leaves_of(county), stamp, standing=scan_roster(county))
    if tell is not None:
        leaving.sweep(now, tell, county)
    log.info("roster.imported", extra={"county": county, "added": report.added})
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Whose roster is changed, when, in whose name, and how it becomes known who left."""

    county: str
    at: datetime
    by: str
    synthetic: bool = False
    tell: Telling | None = None


def put_in_force(
    lines: Iterable[RosterLine],
    leaves: Iterable[Leave],
    stamp: Stamp,
    *,
    standing: Iterable[RosterRow],
    keeps: Iterable[RosterRow] = (),
) -> ImportReport:
    """Make a county's entries what its lines and leaves say, phone by phone.

    ``keeps`` are rows to leave alone. Phones that gain an entry come first, so that for a moment
    two may be on duty but never nobody. Safe to repeat.
    """
    rows = list(standing)
    wanted: dict[str, dict[str, RosterLine | None]] = {row.phone_key: {} for row in rows}
    for row in keeps:
        wanted[row.phone_key][row.entry] = None
    for line in Cover(lines, leaves).lines():
        wanted.setdefault(line.phone_key, {})[entry_key(line.entry)] = line
    known = {(row.phone_key, row.entry) for row in rows}
    order = sorted(wanted, key=lambda key: (all((key, e) in known for e in wanted[key]), key))
    changes = [
        retrying(partial(_change_phone, phone_key, wanted[phone_key], stamp)) for phone_key in order
    ]
    return ImportReport(
        added=sum(change.added for change in changes),
        changed=sum(change.changed for change in changes),
        removed=sum(change.removed for change in changes),
    )


def _judge(
    rows: Iterable[Mapping[str, str | None]], county: str, owns: Callable[[str], bool]
) -> tuple[list[RosterLine], tuple[tuple[int, str], ...]]:
    lines: list[RosterLine] = []
    refused: list[tuple[int, str]] = []
    seen: set[tuple[str, str]] = set()
    per_phone: Counter[str] = Counter()
    for number, columns in enumerate(rows, FIRST_LINE):
        try:
            line = _read(columns, county, owns)
        except BadLine as bad:
            refused.append((number, str(bad)))
            continue
        per_phone[line.phone_key] += 1
        if line.key in seen:
            refused.append((number, "roster.duplicate"))
        elif per_phone[line.phone_key] > MAX_ENTRIES_PER_PHONE:
            refused.append((number, "roster.too_many_roles"))
        seen.add(line.key)
        lines.append(line)
    return lines, tuple(refused)


def _read(
    columns: Mapping[str, str | None], county: str, owns: Callable[[str], bool]
) -> RosterLine:
    line = read_line(columns, county)
    if not owns(line.entry.scope):
        raise BadLine("roster.foreign_scope")
    return line


def _change_phone(
    phone_key: str, wanted: Mapping[str, RosterLine | None], stamp: Stamp
) -> ImportReport:
    phone = load_phone(phone_key)
    standing = {row.entry: row for row in phone.rows if row.county == stamp.county}
    added = {key: line for key, line in wanted.items() if line and key not in standing}
    removed = [key for key in standing if key not in wanted]
    changed = {
        key: line
        for key, line in wanted.items()
        if line and key in standing and _differs(standing[key], line)
    }
    if added or removed or changed:
        tx = Transaction()
        phone.change(tx)
        for key in removed:
            tx.delete(f"entry.{key}", standing[key])
        for key, line in added.items():
            tx.guard(f"entry.{key}", _row(line, key, phone, stamp))
        for key, line in changed.items():
            tx.update(f"entry.{key}", standing[key], _correction(line, stamp))
        after = [line.entry for line in wanted.values() if line]
        _tell_who_left(tx, [standing[key] for key in removed], after, stamp)
        _end_sessions(tx, phone, stamp.at)
        commit_or_stale(tx)
    return ImportReport(added=len(added), changed=len(changed), removed=len(removed))


def _tell_who_left(
    tx: Transaction, gone: Iterable[RosterRow], after: Iterable[RosterEntry], stamp: Stamp
) -> None:
    """Only of rows that go: of those that stay, ``leaving.sweep`` tells when their time is up."""
    held = leaving.held_scopes(after, stamp.at)
    for row in gone:
        is_lost = known_role(row) and to_entry(row).is_valid(stamp.at) and row.scope not in held
        left = leaving.left_of(row, stamp.at) if is_lost else None
        if left is not None and stamp.tell is not None:
            tx.put(f"left.{row.entry}", stamp.tell(left))


def _end_sessions(tx: Transaction, phone: Phone, now: datetime) -> None:
    account = load_account(phone.member_id) if phone.member_id else None
    if account is not None:
        account.change(tx)
        account.end_sessions(tx, now)


def _differs(row: RosterRow, line: RosterLine) -> bool:
    entry = to_entry(row)
    return any(
        getattr(entry, name) != getattr(line.entry, name)
        for name in ("display", "starts_at", "ends_at", "away", "stands_in")
    )


def _correction(line: RosterLine, stamp: Stamp) -> list[Action]:
    ends_at, away, stands_in = line.entry.ends_at, line.entry.away, line.entry.stands_in
    return [
        RosterRow.away.set(written_away(away)) if away else RosterRow.away.remove(),
        RosterRow.stands_in.set(written_stand_in(stands_in))
        if stands_in
        else RosterRow.stands_in.remove(),
        RosterRow.display.set(line.entry.display),
        RosterRow.starts_at.set(line.entry.starts_at),
        RosterRow.ends_at.set(ends_at) if ends_at else RosterRow.ends_at.remove(),
        RosterRow.imported_at.set(stamp.at),
        RosterRow.imported_by.set(stamp.by),
    ]


def _row(line: RosterLine, key: str, phone: Phone, stamp: Stamp) -> RosterRow:
    away, stands_in = line.entry.away, line.entry.stands_in
    return RosterRow(
        phone.phone_key,
        key,
        schema=SCHEMA,
        county=line.entry.county,
        role=line.entry.role.value,
        scope=line.entry.scope,
        display=line.entry.display,
        starts_at=line.entry.starts_at,
        ends_at=line.entry.ends_at,
        member_id=phone.member_id,
        away=written_away(away) if away else None,
        stands_in=written_stand_in(stands_in) if stands_in else None,
        imported_at=stamp.at,
        imported_by=stamp.by,
        synthetic=stamp.synthetic or None,
    )
