"""The roster of the running local stack, from a shell.

    python -m infra.local.roster list COUNTY          the county's roster, as CSV
    python -m infra.local.roster key                  phones on stdin, their keys on stdout
    python -m infra.local.roster import FILE COUNTY   make the county's roster what FILE says
    python -m infra.local.roster leaves COUNTY [FILE] list the county's leaves, or make them FILE's

What is imported is kept: ``make run`` seeds the roster of a county only until it has its own.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from handlers import wiring
from handlers.console import duty, roster
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.run import stack_here
from infra.local.stack import Stack
from models.base.clock import utc_text
from models.base.errors import Invalid, Unavailable
from models.people.tables import leaves_of, scan_roster

COLUMNS = ("phone_key", "role", "scope", "county", "display", "from", "to")
LEAVE_COLUMNS = ("phone_key", "scope", "county", "from", "to", "deputy_phone_key", "reason")
IMPORTED_BY = "local-shell"


def main(words: Sequence[str] | None = None, stack: Stack | None = None) -> int:
    """Run one command; 0 when it did what was asked."""
    asked = _parser().parse_args(words)
    stack = stack or stack_here()
    services = Services(Settings.read(stack.environment()))
    wiring.use_services(services)
    try:
        if asked.command == "list":
            write(asked.county, sys.stdout)
        elif asked.command == "key":
            print_keys(services, sys.stdin)
        elif asked.command == "leaves":
            if asked.file is not None:
                return take_in_leaves(asked.file, asked.county)
            write_leaves(asked.county, sys.stdout)
        else:
            return take_in(stack, asked.file, asked.county)
    except Invalid:
        print("不是手机号 (not a phone number)", file=sys.stderr)
        return 1
    except Unavailable:
        print("服务没有运行，请先 make run (the service is not running)", file=sys.stderr)
        return 1
    return 0


def write(county: str, file: TextIO) -> None:
    """Write a county's roster as the CSV that ``take_in`` reads."""
    rows = [row for row in scan_roster(county) if row.stands_in is None]
    rows.sort(key=lambda row: (row.entry, row.phone_key))
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in rows:
        ends_at = utc_text(row.ends_at) if row.ends_at else ""
        starts_at = utc_text(row.starts_at)
        lines.writerow(
            [row.phone_key, row.role, row.scope, row.county, row.display, starts_at, ends_at]
        )


def print_keys(services: Services, phones: TextIO) -> None:
    """Print the key of each phone. Phones come on stdin, so that no shell remembers them."""
    for phone in filter(None, map(str.strip, phones)):
        print(services.pseudonyms.phone(phone))


def take_in(stack: Stack, path: Path, county: str) -> int:
    """Import a file; whoever lost or got a role signs in again. Safe to repeat."""
    text = path.read_text(encoding="utf-8")
    report = roster.on_invoke({"csv": text, "county": county, "actor": IMPORTED_BY})
    if not report.get("fields") and not report["refused"]:
        stack.keep_roster(county)
    return _told(path, report)


def write_leaves(county: str, file: TextIO) -> None:
    """Write a county's leaves as the CSV that ``take_in_leaves`` reads."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(LEAVE_COLUMNS)
    for leave in leaves_of(county):
        span = utc_text(leave.starts_at), utc_text(leave.ends_at)
        scope = leave.scope or ""
        lines.writerow([leave.phone_key, scope, county, *span, leave.deputy_key, leave.reason])


def take_in_leaves(path: Path, county: str) -> int:
    """Import a file of leaves; the deputies sign in again. Safe to repeat."""
    text = path.read_text(encoding="utf-8")
    return _told(path, duty.on_invoke({"csv": text, "county": county, "actor": IMPORTED_BY}))


def _told(path: Path, report: Mapping[str, Any]) -> int:
    wrong = [f"{path}: {bad['code']}" for bad in report.get("fields", ())]
    wrong += [f"{path}:{bad['line']}: {bad['code']}" for bad in report.get("refused", ())]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        print("有错行，什么都没有改 (nothing was changed)", file=sys.stderr)
        return 1
    print(f"+{report['added']} ~{report['changed']} -{report['removed']}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.roster")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list").add_argument("county")
    commands.add_parser("key")
    leaves = commands.add_parser("leaves")
    leaves.add_argument("county")
    leaves.add_argument("file", type=Path, nargs="?")
    importing = commands.add_parser("import")
    importing.add_argument("file", type=Path)
    importing.add_argument("county")
    return parser


if __name__ == "__main__":
    sys.exit(main())
