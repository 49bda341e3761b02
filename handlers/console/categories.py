"""Publishing lists of categories: an admin's command, run as a function from the console."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.console import refusals
from handlers.wiring import Services, services
from models.base.clock import parse_utc
from models.base.errors import Conflict
from models.cases import sheets
from models.cases.publishing import Draft, Publishing, Report
from models.cases.sheets import SheetError
from models.cases.versions import CITY


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Publish ``{"content", "actor", "county"?, "effective_from"?, "based_on"?, "dry_run"?}``.

    ``content`` is CSV or a JSON list; with a ``county`` it holds what that county does otherwise,
    without one it is the city's list. ``actor`` names the post that publishes. Without ``content``
    the newest sheet is answered as CSV, to be edited. Safe to repeat; one error and nothing is
    written, and every error is listed with its row and column.
    """
    wired, scope = services(), event.get("county") or CITY
    publishing = Publishing(wired.categories)
    if scope != CITY and not any(grid.county == scope for grid in wired.places.grids()):
        return _refused("county", "county.unknown")
    if "content" not in event:
        version, sheet = publishing.newest(scope, wired.clock.now())
        return {"version": version, "csv": sheets.write(sheet, is_city=scope == CITY)}
    return _publish(wired, publishing, scope, event)


def _publish(
    wired: Services, publishing: Publishing, scope: str, event: Mapping[str, Any]
) -> dict[str, Any]:
    now = wired.clock.now()
    for column, code in refusals.bad_texts(event, "actor").items():
        return _refused(column, code)
    try:
        sheet = sheets.read(_as_text(event["content"]))
    except ValueError:
        return _refused("content", "sheet.unreadable")
    try:
        effective_from = _instant(event.get("effective_from"), now)
    except ValueError:
        return _refused("effective_from", "field.invalid")
    draft = Draft(
        scope=scope,
        sheet=sheet,
        actor=refusals.post_of(event),
        effective_from=effective_from,
        based_on=event.get("based_on"),
    )
    try:
        report = publishing.publish(draft, now, dry_run=bool(event.get("dry_run")))
    except Conflict as conflict:
        return _refused("based_on", conflict.code)
    return _told(report, dry_run=bool(event.get("dry_run")))


def _as_text(content: object) -> str:
    """An event is JSON itself: a list need not be packed into a text."""
    return content if isinstance(content, str) else json.dumps(content)


def _instant(text: str | None, now: datetime) -> datetime:
    """No list holds for the time before it was published."""
    return now if text is None else max(now, parse_utc(text))


def _told(report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "version": report.version,
        "published": report.is_new and not dry_run,
        "added": list(report.added),
        "changed": report.changed,
        "removed": list(report.removed),
        "refused": [_error(wrong.error, wrong.county) for wrong in report.wrong],
    }


def _refused(column: str, code: str) -> dict[str, Any]:
    """Something is wrong with the command rather than with a row."""
    error = SheetError(row=0, column=column, code=code)
    return {
        "version": None,
        "published": False,
        "added": [],
        "changed": {},
        "removed": [],
        "refused": [_error(error, None)],
    }


def _error(error: SheetError, county: str | None) -> dict[str, Any]:
    return {"row": error.row, "column": error.column, "code": error.code, "county": county}
