"""Sheets: a list of categories as a city writes it, one row each, and what is wrong in it.

A sheet is rows of texts by column, as a spreadsheet saves them. A county's sheet holds only what it
does otherwise. Every error is found and says where it is.

*Source:* the units are those of the digital city-management tables: urgent hours run on, working
hours and days wait; a working day is 7 hours here, as the working calendar has it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.calendar.entities import ClockKind
from models.cases.entities import Category, Criterion, ObjectKind, Severity
from models.cases.initials import initials

Row = Mapping[str, str]
Sheet = Sequence[Row]

NEEDED = (
    "code",
    "zh",
    "en",
    "severity",
    "limit",
    "family",
    "group",
    "conditions",
    "conditions_en",
    "closings",
    "closings_en",
    "after_photo",
    "near_far",
)
OPTIONAL = ("claim", "featured", "call_first", "object_id", "words", "words_en", "enabled")
PROVENANCE = ("table_row", "table_limit", "condition_from")
"""Where a row comes from, for people; kept and never read."""
LOCAL = ("severity", "limit", "claim", "enabled", "closings", "closings_en", "call_first")
"""What a county may do otherwise than its city."""
NOTHING = "-"
"""Stands in a county's sheet for a cell that shall be empty; an empty one leaves the city's."""

GROUPS = (
    "street_order",
    "appearance",
    "roads",
    "utilities",
    "emergency",
    "works",
    "adverts",
    "greening",
    "other",
)
MAX_ROWS = 200
FIRST_ROW = 2
"""The number of the first row after the heading, as a spreadsheet shows it."""

_UNITS: Mapping[str, tuple[ClockKind, timedelta]] = {
    "um": ("continuous", timedelta(minutes=1)),
    "uh": ("continuous", timedelta(hours=1)),
    "wm": ("working", timedelta(minutes=1)),
    "wh": ("working", timedelta(hours=1)),
    "wd": ("working", timedelta(hours=7)),
}
_CLAIM_WITHIN = {
    Severity.A: timedelta(minutes=15),
    Severity.B: timedelta(minutes=30),
    Severity.C: timedelta(hours=2),
}
_LIMIT = re.compile(r"([1-9][0-9]{0,2}) ?(um|uh|wm|wh|wd)", re.ASCII)
_CODE = re.compile(r"[A-Z][0-9]{4}[a-z]?", re.ASCII)
_WORD = re.compile(r"[a-z][a-z_]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{3,12}", re.ASCII)
_LONGEST = {"zh": 20, "en": 60}
_LONGEST_CELL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetError:
    """One thing that is wrong: the row as a spreadsheet counts it, the column, a stable code."""

    row: int
    column: str
    code: str


def read(text: str) -> list[dict[str, str]]:
    """Read a sheet from CSV (with or without a spreadsheet's mark) or from a JSON list of objects.

    Cells are stripped; empty ones are left out. Raises ``ValueError`` for what is neither.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("["):
        rows = json.loads(text)
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("a sheet is a list of objects")
    else:
        try:
            rows = list(csv.DictReader(io.StringIO(text), restkey="", strict=True))
        except csv.Error as error:
            raise ValueError(str(error)) from error
    cells = [_cells(row) for row in rows]
    while cells and not cells[-1]:  # spreadsheets like to save empty rows at the end
        cells.pop()
    return cells


def _cells(row: Mapping[str, object]) -> dict[str, str]:
    texts = {name.strip(): _text(cell).strip() for name, cell in row.items() if cell is not None}
    return {name: cell for name, cell in texts.items() if cell}


def _text(cell: object) -> str:
    """A cell as a spreadsheet would have it; what is no cell at all is judged as it stands."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, list) and all(isinstance(part, str) for part in cell):
        return " ".join(cell)
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def write(sheet: Sheet, *, is_city: bool) -> str:
    """Write a sheet as the CSV that ``read`` reads."""
    file = io.StringIO()
    columns = (*NEEDED, *OPTIONAL, *PROVENANCE) if is_city else ("code", *LOCAL)
    lines = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    lines.writeheader()
    lines.writerows(sheet)
    return file.getvalue()


def overlaid(city: Sheet, county: Sheet) -> list[Row]:
    """The city's rows as a county has them; rows of codes that the city has dropped are void."""
    patches = {row["code"]: row for row in county}
    return [_patched(row, patches.get(row["code"], {})) for row in city]


def _patched(row: Row, patch: Row) -> Row:
    cells = {**row, **{name: patch[name] for name in LOCAL if name in patch}}
    return {name: cell for name, cell in cells.items() if cell != NOTHING}


def county_errors(county: Sheet, city: Sheet) -> list[SheetError]:
    """What is wrong with a county's sheet as such; ``errors`` judges it laid over the city's."""
    known = {row["code"] for row in city}
    found = _size_errors(county)
    seen: set[str] = set()
    for number, row in enumerate(county, FIRST_ROW):
        code = row.get("code", "")
        if code not in known:
            wrong = "category.unknown" if code else "field.missing"
            found.append(SheetError(row=number, column="code", code=wrong))
        elif code in seen:
            found.append(SheetError(row=number, column="code", code="category.twice"))
        seen.add(code)
        found += [
            SheetError(row=number, column=column, code="column.not_local")
            for column in row
            if column not in ("code", *LOCAL)
        ]
    return found


def errors(sheet: Sheet) -> list[SheetError]:
    """Everything wrong with a city's sheet, or with a county's laid over it, in its order."""
    found = _size_errors(sheet)
    codes: set[str] = set()
    places: set[str] = set()
    for number, row in enumerate(sheet, FIRST_ROW):
        found += [
            SheetError(row=number, column=column, code=code) for column, code in _row_errors(row)
        ]
        if row.get("code") in codes:
            found.append(SheetError(row=number, column="code", code="category.twice"))
        if row.get("featured") in places:
            found.append(SheetError(row=number, column="featured", code="category.place_taken"))
        codes |= {row["code"]} if "code" in row else set()
        places |= {row["featured"]} if "featured" in row else set()
    return found


def categories(sheet: Sheet, version: str) -> tuple[Category, ...]:
    """The categories of a sheet without errors, in its order."""
    return tuple(_category(row, version) for row in sheet)


def _size_errors(sheet: Sheet) -> list[SheetError]:
    if not sheet:
        return [SheetError(row=1, column="code", code="sheet.empty")]
    if len(sheet) > MAX_ROWS:
        return [SheetError(row=MAX_ROWS + FIRST_ROW, column="code", code="sheet.too_long")]
    return []


def _row_errors(row: Row) -> Iterable[tuple[str, str]]:
    yield from ((name, "field.missing") for name in NEEDED if name not in row)
    known = {*NEEDED, *OPTIONAL, *PROVENANCE}
    yield from ((name, "column.unknown") for name in row if name not in known)
    wrong = {name for name in row if name in _IS_GOOD and not _IS_GOOD[name](row[name])}
    yield from ((name, "field.not_allowed") for name in row if name in wrong)
    too_long = (name for name in row if len(row[name]) > _LONGEST.get(name, _LONGEST_CELL))
    yield from ((name, "field.too_long") for name in too_long)
    for name in ("conditions", "closings"):
        if len(_parts(row.get(name))) != len(_parts(row.get(f"{name}_en"))):
            yield f"{name}_en", "category.texts_differ"
    if not wrong & {"severity", "limit", "claim", "call_first"} and {"severity", "limit"} <= {*row}:
        yield from _limit_errors(row)


def _limit_errors(row: Row) -> Iterable[tuple[str, str]]:
    severity, (kind, limit) = Severity(row["severity"]), _limit(row["limit"])
    if severity is not Severity.C and kind != "continuous":
        yield "limit", "category.danger_waits"
    if "claim" in row and _limit(row["claim"])[0] != kind:
        yield "claim", "category.two_clocks"
    if _claim(row) > limit:
        yield "claim", "category.claimed_after_resolved"
    if (severity is Severity.A) != ("call_first" in row):
        yield "call_first", "category.danger_calls"


def _category(row: Row, version: str) -> Category:
    kind, limit = _limit(row["limit"])
    words = [*_parts(row.get("words")), *_parts(row.get("words_en"))]
    letters = [initials(text) for text in (row["zh"], *words)]
    return Category(
        code=row["code"],
        zh=row["zh"],
        en=row["en"],
        severity=Severity(row["severity"]),
        family=row["family"],
        group=row["group"],
        claim_within=_claim(row),
        resolve_within=limit,
        kind=kind,
        conditions=_criteria(row, "conditions"),
        closings=_criteria(row, "closings"),
        version=version,
        call_first=tuple(row.get("call_first", "").split()),
        featured=int(row["featured"]) if "featured" in row else None,
        after_photo=row["after_photo"] == "yes",
        near_far=row["near_far"] == "yes",
        object_id=ObjectKind(row["object_id"]) if "object_id" in row else None,
        keywords=tuple(dict.fromkeys([*words, *(word for word in letters if len(word) > 1)])),
        enabled=row.get("enabled", "yes") == "yes",
    )


def _limit(cell: str) -> tuple[ClockKind, timedelta]:
    match = _LIMIT.fullmatch(cell)
    assert match is not None, cell
    kind, unit = _UNITS[match[2]]
    return kind, int(match[1]) * unit


def _claim(row: Row) -> timedelta:
    if "claim" in row:
        return _limit(row["claim"])[1]
    return _CLAIM_WITHIN[Severity(row["severity"])]


def _parts(cell: str | None) -> list[str]:
    return [part.strip() for part in (cell or "").split("|") if part.strip()]


def _criteria(row: Row, name: str) -> tuple[Criterion, ...]:
    both = zip(_parts(row[name]), _parts(row[f"{name}_en"]), strict=True)
    return tuple(Criterion(code=str(n), zh=zh, en=en) for n, (zh, en) in enumerate(both, 1))


def _is_yes_or_no(cell: str) -> bool:
    return cell in ("yes", "no")


_IS_GOOD: Mapping[str, Callable[[str], object]] = {
    "code": _CODE.fullmatch,
    "severity": lambda cell: cell in set(Severity),
    "limit": _LIMIT.fullmatch,
    "claim": _LIMIT.fullmatch,
    "family": _WORD.fullmatch,
    "group": lambda cell: cell in GROUPS,
    "featured": re.compile(r"[1-9][0-9]?", re.ASCII).fullmatch,
    "call_first": lambda cell: all(map(_NUMBER.fullmatch, cell.split())),
    "object_id": lambda cell: cell in set(ObjectKind),
    "conditions": _parts,
    "conditions_en": _parts,
    "closings": _parts,
    "closings_en": _parts,
    "after_photo": _is_yes_or_no,
    "near_far": _is_yes_or_no,
    "enabled": _is_yes_or_no,
}
