"""A reporter appeals against a refusal, once: his case stands again, for somebody else to judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.cases import asking, changes, closing, told
from models.cases.categories import Categories
from models.cases.changes import Doing
from models.cases.entities import Status
from models.cases.tables import CaseRow, open_cell_of_case


def appeal(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    *,
    working: WorkingTime,
    categories: Categories,
) -> Mapping[str, Any]:
    """Lay an appeal into a transaction: a new round, with both limits anew, told to the lead.

    ``rejecter_id`` stays, because he may not refuse it again. Raises ``Invalid`` without a text.
    """
    asking.check_text(doing.text)
    family = categories.of(case.category, case.category_version).family
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        **told.begun(case, doing.now, working),
        status=Status.ASSIGNED.value,
        appealed_at=doing.now,
        assigned_to=None,
        closed_at=None,
        reason=None,
        cell=open_cell_of_case(case, family),
    )
    closing.tell(tx, "case.appealed", case, doing.now, member_id=doing.member_id)
    return answer
