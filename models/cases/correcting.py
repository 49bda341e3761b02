"""Put a case under the category that it is: its limits change with it, its points do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from models.base.errors import FieldError, Invalid
from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.calendar.watch import watched
from models.cases import changes, closing
from models.cases.categories import Categories
from models.cases.changes import Doing
from models.cases.entities import Category, Severity
from models.cases.states import is_urgent, is_withheld
from models.cases.tables import CaseRow, open_cell_of_case


def correct(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    code: str,
    *,
    working: WorkingTime,
    categories: Categories,
) -> Mapping[str, Any]:
    """Lay another category into a transaction; its limits count from the public start.

    The category is the county's as it is now. A case that becomes urgent is told at once, and its
    officer's clock starts now: nobody could know before. Raises ``Invalid`` for a category that is
    not offered, or is the case's already.
    """
    category = categories.current(case.county).find(code)
    if category is None or code == case.category:
        refusal = "category.unknown" if category is None else "category.same"
        raise Invalid(fields=[FieldError(field="category", code=refusal)])
    was = {"was_urgent": "yes" if is_urgent(case) else None, "was_severity": case.severity}
    values = _values(case, category, doing, working)
    answer = changes.advance(tx, case, doing, working=working, **values)
    closing.tell(tx, "case.corrected", case, doing.now, **was)
    return answer


def _values(
    case: CaseRow, category: Category, doing: Doing, working: WorkingTime
) -> Mapping[str, Any]:
    extended = (case.extended_s or 0) // case.resolve_limit_s * category.resolve_within
    limit = category.resolve_within + extended
    values: dict[str, Any] = {
        "category": category.code,
        "category_version": category.version,
        "clock": category.kind,
        "severity": category.severity.value,
        "resolve_limit_s": _seconds(category.resolve_within),
        "extended_s": _seconds(extended) or None,
        "claim_limit_s": _seconds(category.claim_within),
        "due_at": watched(working.deadline(case.started_at, limit, category.kind)).at,
        "cell": open_cell_of_case(case, category.family),
    }
    becomes_urgent = category.severity is not Severity.C and not is_urgent(case)
    if becomes_urgent:
        values |= {"clock_from": doing.now, "told_at": None, "told_id": None}
    elif case.clock_from is None and not is_withheld(case):
        values |= {"clock_from": case.started_at}  # A row from before there was such a clock.
    start = values.get("clock_from", case.clock_from) or case.given_at or case.created_at
    claim_due = working.deadline(start, category.claim_within, category.kind)
    return {**values, "claim_due_at": claim_due.at}


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
