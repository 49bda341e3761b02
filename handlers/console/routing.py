"""A dry run of routing: an admin's question, run as a function from the console."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.console import cells
from handlers.wiring import services
from models.base.clock import parse_utc
from models.base.errors import DomainError, FieldError, Invalid
from models.base.geometry import Position
from models.cases.dry_run import DryRun, Spot

MAX_POINTS = 2_000
"""An answer of 6 MB is all that a function can give; a row of the result is under 1 KB."""
MAX_ACCURACY_M = 10_000

_COLUMNS = (
    "lon",
    "lat",
    "accuracy_m",
    "category",
    "at",
    "code",
    "county",
    "grid_id",
    "grid_name",
    "grid_version",
    "rule",
    "boundary_m",
    "community",
    "zone",
    "officer",
    "stands_in_for",
    "why",
    "neighbour",
    "neighbour_m",
    "told",
    "reason",
)
_ASKED = _COLUMNS[:5]


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Explain ``{"lon", "lat", "accuracy_m"?, "category"?, "at"?}``, or each row of ``{"csv"}``.

    One place answers everything that is known, or ``{"code", "fields"}``. A CSV with those columns
    answers ``{"csv", "points", "failed"}``: a row of result for every row, in order; what is wrong
    with one stands in its ``code`` and keeps no other from its answer. Nothing is written.
    """
    dry_run = services().dry_run
    if "csv" in event:
        return _many(dry_run, event["csv"])
    try:
        return dict(dry_run.explain(_spot(event)))
    except DomainError as error:
        fields = error.fields if isinstance(error, Invalid) else ()
        return {"code": error.code, "fields": [(bad.field, bad.code) for bad in fields]}


def _many(dry_run: DryRun, text: str) -> dict[str, Any]:
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    if len(rows) > MAX_POINTS:
        return {"code": "routing.too_many", "limit": MAX_POINTS}
    answered = [_row(dry_run, row) for row in rows]
    file = io.StringIO()
    sheet = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    sheet.writeheader()
    sheet.writerows({name: cells.safe(value) for name, value in row.items()} for row in answered)
    failed = sum(row["code"] != "" for row in answered)
    return {"csv": "\ufeff" + file.getvalue(), "points": len(rows), "failed": failed}


def _row(dry_run: DryRun, row: Mapping[str, str | None]) -> dict[str, Any]:
    asked = {name: (row.get(name) or "").strip() for name in _ASKED}
    result = dict.fromkeys(_COLUMNS, "") | asked
    try:
        shown = dry_run.explain(_spot(asked))
    except DomainError as error:
        bad = error.fields[0] if isinstance(error, Invalid) and error.fields else None
        return result | {"code": f"{bad.field}:{bad.code}" if bad else error.code}
    told = (f"{one['display']}（{one['how']}：{one['why']}）" for one in shown["told"])
    return result | {
        **{name: shown[name] for name in _COLUMNS if name in shown and name not in _ASKED},
        "community": shown["community"]["name"],
        "grid_id": shown["grid"]["id"],
        "grid_name": shown["grid"]["name"],
        "grid_version": shown["grid"]["version"],
        "why": " ".join(shown["why"]),
        "told": "；".join(told),
    }


def _spot(asked: Mapping[str, Any]) -> Spot:
    at = asked.get("at")
    lon, lat = _number(asked, "lon"), _number(asked, "lat")
    accuracy_m = _number(asked, "accuracy_m", 0.0)
    if not 0 <= accuracy_m <= MAX_ACCURACY_M:
        raise _invalid("accuracy_m")
    try:
        position = Position(lon=lon, lat=lat)
    except ValueError as error:
        raise _invalid("lon") from error
    return Spot(
        position=position,
        accuracy_m=accuracy_m,
        at=_instant(at) if at else None,
        category=asked.get("category") or None,
    )


def _number(asked: Mapping[str, Any], name: str, default: float | None = None) -> float:
    text = asked.get(name)
    if text in (None, "") and default is not None:
        return default
    try:
        return float(str(text))
    except ValueError as error:
        raise _invalid(name) from error


def _instant(text: str) -> datetime:
    try:
        return parse_utc(text)
    except (ValueError, OverflowError) as error:
        raise _invalid("at") from error


def _invalid(name: str) -> Invalid:
    return Invalid(fields=[FieldError(field=name, code="field.invalid")])
