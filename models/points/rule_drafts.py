"""Read a draft of a rule: what an admin writes, over what holds. Pure; every error at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.points.acts import TOTALS
from models.points.entities import Rule

MAX_POINTS = 1_000
MAX_UNITS = 10_000
MAX_BUDGET = 1_000_000
NAME_MAX_CHARACTERS = 40

AMOUNTS = {"points": MAX_POINTS, "urgent_bonus": MAX_POINTS}
CAPS = {
    "per_day": MAX_UNITS,
    "per_week": MAX_UNITS,
    "per_month": MAX_UNITS,
    "budget_per_grid_day": MAX_BUDGET,
}
NAMES = ("name_zh", "name_en")
CODES = ("cap_group", "campaign")
COLUMNS = (*AMOUNTS, *CAPS, "counts", *CODES, *NAMES)
"""What may be written of a rule; the rest is given by who publishes, and when."""

_CODE = re.compile(r"[a-z][a-z0-9._-]{0,39}")
_GIVEN = ("rule", "version")
_OF_TOTALS = ("per_day", "per_month", *NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """An error of a draft: of which ``rule``, in which ``field``, and the ``limit`` if there is
    one."""

    rule: str
    field: str
    code: str
    limit: str | int | None = None


def read(columns: Mapping[str, Any], base: Rule) -> tuple[Rule, list[Wrong]]:
    """The rule as it shall be, and all that is wrong with the draft.

    What ``columns`` do not name stays as it is in ``base``; null takes a cap, a budget or a
    campaign away.
    """
    wrong: list[Wrong] = []
    changes: dict[str, Any] = {}
    for field, given in columns.items():
        if field in _GIVEN or _is_as_before(field, given, base):
            continue
        code, limit = _fault(field, given, base)
        if code is not None:
            wrong.append(Wrong(rule=base.rule, field=field, code=code, limit=limit))
        else:
            changes[field] = given
    draft = replace(base, **changes)
    if not wrong:
        wrong += _together(draft)
    return draft, wrong


def content(rule: Rule) -> dict[str, Any]:
    """What a rule says, as it is written in a draft."""
    return {column: getattr(rule, column) for column in COLUMNS}


def _is_as_before(field: str, given: object, base: Rule) -> bool:
    """What is shown of a rule may be sent back."""
    before = getattr(base, field) if field in COLUMNS else None
    return field in COLUMNS and type(given) is type(before) and given == before


def _fault(field: str, given: object, base: Rule) -> tuple[str | None, int | None]:
    if field not in COLUMNS or (base.rule == TOTALS and field not in _OF_TOTALS):
        return "field.not_allowed", None
    if given is None and (field in CAPS or field == "campaign"):
        return None, None
    if field in AMOUNTS or field in CAPS:
        return _fault_of_number(given, {**AMOUNTS, **CAPS}[field])
    if field == "counts":
        return (None if type(given) is bool else "field.wrong_type"), None
    if not isinstance(given, str):
        return "field.wrong_type", None
    if field in NAMES:
        return _fault_of_name(given)
    is_code = _CODE.fullmatch(given) is not None
    return (None if is_code else "field.invalid"), None


def _fault_of_number(given: object, most: int) -> tuple[str | None, int | None]:
    if type(given) is not int:
        return "field.wrong_type", None
    if given < 0:
        return "field.too_small", 0
    return ("field.too_large", most) if given > most else (None, None)


def _fault_of_name(given: str) -> tuple[str | None, int | None]:
    if len(given) > NAME_MAX_CHARACTERS:
        return "field.too_long", NAME_MAX_CHARACTERS
    is_name = given.strip() == given != "" and given.isprintable()
    return (None if is_name else "field.invalid"), None


def _together(draft: Rule) -> list[Wrong]:
    """What is wrong with fields that are each right."""
    if draft.rule == TOTALS:
        return [
            Wrong(rule=TOTALS, field=field, code="field.missing")
            for field in ("per_day", "per_month")
            if getattr(draft, field) is None
        ]
    has_budget, has_campaign = draft.budget_per_grid_day is not None, draft.campaign is not None
    if has_budget != has_campaign:
        field = "campaign" if has_budget else "budget_per_grid_day"
        return [Wrong(rule=draft.rule, field=field, code="field.missing")]
    return []
