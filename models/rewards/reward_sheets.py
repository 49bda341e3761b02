"""Sheets: rewards as an admin writes them, one row each, and everything that is wrong in them.

A sheet is CSV as a spreadsheet saves it, or a JSON list of objects. ``quotas`` reads
``411502=50 411503=30``: vouchers a month by county. ``fulfillers`` and ``occupations`` are
separated by blanks. ``status`` is how far the row takes its reward: draft, funded or published.
Funds and classes of entitlement have sheets of their own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.people.entities import Occupation, Standing
from models.people.importing import read_csv
from models.rewards.entities import (
    CodeSource,
    Eligibility,
    EntitlementClass,
    Fund,
    Limit,
    Name,
    Reward,
    RewardState,
    Supply,
)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of sheet: its name, its key, and its columns. ``funded`` ones a draft can lack."""

    name: str
    key: str
    needed: tuple[str, ...]
    funded: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


REWARDS = Kind(
    name="rewards",
    key="reward_id",
    needed=(
        "reward_id",
        "class_id",
        "county",
        "name_zh",
        "name_en",
        "terms_zh",
        "terms_en",
        "price",
        "valid_days",
        "fulfillers",
    ),
    funded=("fund_id", "quotas", "funded_until"),
    optional=(
        "shards",
        "standing",
        "occupations",
        "member_days",
        "limit_count",
        "limit_days",
        "needs_approval",
        "codes",
        "status",
    ),
)
FUNDS = Kind(
    name="funds",
    key="fund_id",
    needed=("fund_id", "county", "name_zh", "name_en", "points_cap"),
)
CLASSES = Kind(
    name="classes", key="class_id", needed=("class_id", "name_zh", "name_en", "position")
)
MAX_ROWS = 30
"""Of each kind: together they fit into one transaction of a hundred writes."""
FIRST_ROW = 2
"""The number of the first row after the heading, as a spreadsheet shows it."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_COUNTY = re.compile(r"[0-9]{6}", re.ASCII)
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
_PLACE = re.compile(r"(merchant|station):[A-Za-z0-9_-]{1,64}", re.ASCII)
_QUOTA = re.compile(r"([0-9]{6})=([0-9]{1,6})", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,10}", re.ASCII)
_YES_NO = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_LONGEST = {"name_zh": 30, "name_en": 80, "terms_zh": 200, "terms_en": 400}
_RANGES = {
    "price": (1, 100_000),
    "valid_days": (1, 365),
    "shards": (1, 64),
    "member_days": (0, 3650),
    "limit_count": (1, 12),
    "limit_days": (1, 730),
    "points_cap": (0, 1_000_000_000),
    "position": (1, 1000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetError:
    """One thing that is wrong: the sheet, the row as a spreadsheet counts it (0: the sheet as a
    whole), the column, a stable code, and what would be right."""

    sheet: str
    row: int
    column: str
    code: str
    limit: str | int | None = None


def read(content: str | Sequence[Mapping[str, object]]) -> list[dict[str, str]]:
    """Read a sheet; cells are stripped, empty ones left out. Raises ``ValueError``."""
    rows: object = content
    if isinstance(content, str):
        is_json = content.lstrip("\ufeff \r\n\t").startswith("[")
        rows = json.loads(content.removeprefix("\ufeff")) if is_json else _csv(content)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a sheet is a list of rows")
    cells = [_cells(row) for row in rows]
    while cells and not cells[-1]:  # spreadsheets like to save empty rows at the end
        cells.pop()
    return cells


def write(rewards: Sequence[Reward]) -> str:
    """Write rewards as the CSV that ``read`` reads, each as it will stand in the months to come.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    file = io.StringIO()
    columns = (*REWARDS.needed, *REWARDS.funded, *REWARDS.optional)
    lines = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    lines.writeheader()
    for reward in rewards:
        row = _written(reward)
        lines.writerow(
            {name: f"'{cell}" if _is_formula(cell) else cell for name, cell in row.items()}
        )
    return file.getvalue()


def errors(kind: Kind, sheet: Sequence[Row]) -> list[SheetError]:
    """Everything that is wrong with the rows as such, in their order."""
    if len(sheet) > MAX_ROWS:
        return [_error(kind, 0, kind.key, "sheet.too_long", MAX_ROWS)]
    found: list[SheetError] = []
    seen: set[str] = set()
    for number, row in enumerate(sheet, FIRST_ROW):
        found += [_error(kind, number, *wrong) for wrong in _row_errors(kind, row)]
        key = row.get(kind.key)
        if key in seen:
            found.append(_error(kind, number, kind.key, "row.twice", None))
        seen |= {key} if key else set()
    return found


def fund_of(row: Row) -> Fund:
    """The fund that a row without errors describes."""
    return Fund(
        fund_id=row["fund_id"],
        county=row["county"],
        name=Name(zh=row["name_zh"], en=row["name_en"]),
        points_cap=int(row["points_cap"]),
    )


def class_of(row: Row) -> EntitlementClass:
    """The class of entitlement that a row without errors describes."""
    return EntitlementClass(
        class_id=row["class_id"],
        name=Name(zh=row["name_zh"], en=row["name_en"]),
        position=int(row["position"]),
    )


def reward_of(row: Row) -> Reward:
    """The reward that a row without errors describes, in the state that it asks for."""
    limit = None
    if "limit_count" in row:
        limit = Limit(count=int(row["limit_count"]), days=int(row["limit_days"]))
    occupations = (Occupation(each) for each in row.get("occupations", "").split())
    return Reward(
        reward_id=row["reward_id"],
        class_id=row["class_id"],
        county=row["county"],
        name=Name(zh=row["name_zh"], en=row["name_en"]),
        terms=Name(zh=row["terms_zh"], en=row["terms_en"]),
        price=int(row["price"]),
        valid_days=int(row["valid_days"]),
        fulfillers=tuple(sorted(set(row["fulfillers"].split()))),
        state=RewardState(row.get("status", RewardState.PUBLISHED)),
        fund_id=row.get("fund_id"),
        supply=Supply(
            quotas=_quotas(row.get("quotas", "")),
            shards=int(row.get("shards", "1")),
            funded_until=row.get("funded_until"),
        ),
        eligibility=Eligibility(
            standing=Standing(row.get("standing", Standing.CONFIRMED)),
            occupations=frozenset(occupations),
            member_days=int(row.get("member_days", "0")),
        ),
        limit=limit,
        needs_approval=_YES_NO[row.get("needs_approval", "no").lower()],
        codes=CodeSource(row.get("codes", CodeSource.OWN)),
    )


def _written(reward: Reward) -> dict[str, str]:
    plan = reward.supply.following or reward.supply
    wanted, limit = reward.eligibility, reward.limit
    way = {RewardState.DRAFT: "draft", RewardState.FUNDED: "funded"}
    return {
        "reward_id": reward.reward_id,
        "class_id": reward.class_id,
        "county": reward.county,
        "name_zh": reward.name.zh,
        "name_en": reward.name.en,
        "terms_zh": reward.terms.zh,
        "terms_en": reward.terms.en,
        "price": str(reward.price),
        "valid_days": str(reward.valid_days),
        "fulfillers": " ".join(reward.fulfillers),
        "fund_id": reward.fund_id or "",
        "quotas": " ".join(f"{key}={amount}" for key, amount in sorted(plan.quotas.items())),
        "funded_until": reward.supply.funded_until or "",
        "shards": str(plan.shards),
        "standing": wanted.standing.value,
        "occupations": " ".join(sorted(wanted.occupations)),
        "member_days": str(wanted.member_days),
        "limit_count": str(limit.count) if limit else "",
        "limit_days": str(limit.days) if limit else "",
        "needs_approval": "yes" if reward.needs_approval else "no",
        "codes": reward.codes.value,
        "status": way.get(reward.state, "published"),
    }


def _csv(content: str) -> list[dict[str, str]]:
    try:
        return read_csv(content)
    except csv.Error as error:
        raise ValueError("a sheet that is no CSV") from error


def _is_formula(cell: str) -> bool:
    return cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def _cells(row: Mapping[str, object]) -> dict[str, str]:
    texts = {str(name).strip(): _text(cell).strip() for name, cell in row.items()}
    plain = {
        name: cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell
        for name, cell in texts.items()
    }
    return {name: cell for name, cell in plain.items() if cell}


def _text(cell: object) -> str:
    """A cell as a spreadsheet would have it; what is no cell at all is judged as it stands."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, list) and all(isinstance(part, str) for part in cell):
        return " ".join(cell)
    if isinstance(cell, dict):
        return " ".join(f"{key}={value}" for key, value in cell.items())
    return str(cell)


def _quotas(text: str) -> dict[str, int]:
    parts = (part.partition("=") for part in text.split())
    return {county: int(amount) for county, _, amount in parts}


def _error(kind: Kind, row: int, column: str, code: str, limit: str | int | None) -> SheetError:
    return SheetError(sheet=kind.name, row=row, column=column, code=code, limit=limit)


def _row_errors(kind: Kind, row: Row) -> Iterator[tuple[str, str, str | int | None]]:
    is_draft = row.get("status") == RewardState.DRAFT
    for column in kind.needed if is_draft else (*kind.needed, *kind.funded):
        if column not in row:
            yield column, "field.missing", None
    for first, second in (("limit_count", "limit_days"), ("limit_days", "limit_count")):
        if first in row and second not in row:
            yield second, "field.missing", None
    for column, cell in row.items():
        if column not in (*kind.needed, *kind.funded, *kind.optional):
            yield column, "column.unknown", None
            continue
        wrong = _cell_error(column, cell)
        if wrong is not None:
            yield (column, *wrong)


def _cell_error(column: str, cell: str) -> tuple[str, str | int | None] | None:
    if column in _RANGES:
        low, high = _RANGES[column]
        fits = bool(_WHOLE.fullmatch(cell)) and low <= int(cell) <= high
        return None if fits else ("field.out_of_range", f"{low}-{high}")
    if column in _LONGEST:
        if len(cell) > _LONGEST[column]:
            return "field.too_long", _LONGEST[column]
        return None if cell.isprintable() else ("field.invalid", None)
    return None if _FITS[column](cell) else ("field.invalid", None)


def _are(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda cell: all(pattern.fullmatch(part) for part in cell.split())


def _are_quotas(cell: str) -> bool:
    parts = cell.split()
    fits = all(_QUOTA.fullmatch(part) for part in parts)
    return fits and len({part[:6] for part in parts}) == len(parts) and any(_quotas(cell).values())


_FITS: Mapping[str, Callable[[str], bool]] = {
    "reward_id": lambda cell: bool(_ID.fullmatch(cell)),
    "class_id": lambda cell: bool(_ID.fullmatch(cell)),
    "fund_id": lambda cell: bool(_ID.fullmatch(cell)),
    "county": lambda cell: bool(_COUNTY.fullmatch(cell)),
    "fulfillers": _are(_PLACE),
    "quotas": _are_quotas,
    "funded_until": lambda cell: bool(_MONTH.fullmatch(cell)),
    "standing": lambda cell: cell in set(Standing),
    "occupations": lambda cell: set(cell.split()) <= set(Occupation),
    "needs_approval": lambda cell: cell.lower() in _YES_NO,
    "codes": lambda cell: cell in set(CodeSource),
    "status": lambda cell: cell in ("draft", "funded", "published"),
}
