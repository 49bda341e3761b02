"""One photo with several problems: each goes on as a case of its own.

The case that was reported keeps its category, its reporters and their points. A part has its own
category and limits, the public ones from the day of the report, and shows the same photos to
whoever fixes it; it is told to the first reporter and pays nothing: one report is paid once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.alerts import outbox
from models.base.clock import business_day
from models.base.errors import Conflict, FieldError, Invalid
from models.base.ids import derived_id
from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.calendar.watch import watched
from models.cases import changes, closing, rules
from models.cases.categories import Categories
from models.cases.changes import Doing, version_id
from models.cases.commands import PARTS_MAX
from models.cases.entities import Category, Severity, Status
from models.cases.states import is_urgent, timing_of
from models.cases.tables import SCHEMA, CaseRow, open_cell_of_case, queue_of, wake_shard_of

PARTED = "case.parted"


def split(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    codes: Sequence[str],
    *,
    categories: Categories,
    working: WorkingTime,
) -> Mapping[str, Any]:
    """Lay a split into a transaction: the case goes on, with up to five parts beside it.

    Raises ``Invalid`` (``category.unknown``, ``case.same_category``, ``field.too_long`` by field)
    and ``Conflict("case.without_photo")``: a part is nothing but what the photo shows. Each part
    costs three writes more.
    """
    wanted = _wanted(case, codes, categories)
    if case.photo_count == 0:
        raise Conflict("case.without_photo")
    parts = [_part(case, category, doing.now, working) for category in wanted]
    answer = changes.advance(
        tx, case, doing, working=working, parts=[part.case_id for part in parts]
    )
    for number, part in enumerate(parts):
        _add(tx, f"part.{number}", part, case, doing)
    closing.tell(tx, "case.split", case, doing.now)
    return answer


def _wanted(case: CaseRow, codes: Sequence[str], categories: Categories) -> list[Category]:
    if len(codes) > PARTS_MAX:
        field = FieldError(field="categories", code="field.too_long", limit=PARTS_MAX)
        raise Invalid(fields=[field])
    offered, errors, wanted = categories.current(case.county), [], []
    for index, code in enumerate(codes):
        category = offered.find(code)
        if category is None:
            errors.append(FieldError(field=f"categories.{index}", code="category.unknown"))
        elif code == case.category or code in codes[:index]:
            errors.append(FieldError(field=f"categories.{index}", code="case.same_category"))
        else:
            wanted.append(category)
    if errors:
        raise Invalid(fields=errors)
    return wanted


def _part(case: CaseRow, category: Category, now: datetime, working: WorkingTime) -> CaseRow:
    case_id = derived_id("case", case.case_id, "part", category.code)
    due = working.deadline(case.created_at, category.resolve_within, category.kind)
    part = CaseRow(
        case_id,
        schema=SCHEMA,
        county=case.county,
        number=changes.number_of(case_id, business_day(now)),
        category=category.code,
        category_version=category.version,
        clock=category.kind,
        severity=category.severity.value,
        status=Status.ASSIGNED.value,
        version=1,
        grid_id=case.grid_id,
        grid_name=case.grid_name,
        community_id=case.community_id,
        zone_id=case.zone_id,
        place=case.place,
        routing=case.routing,
        lon=case.lon,
        lat=case.lat,
        accuracy_m=case.accuracy_m,
        # The public has waited since the report; who is told of the part only now has not.
        created_at=case.created_at,
        started_at=case.created_at,
        due_at=watched(due).at,
        resolve_limit_s=int(category.resolve_within.total_seconds()),
        given_at=now,
        clock_from=None if category.severity is Severity.C else now,
        claim_due_at=working.deadline(now, category.claim_within, category.kind).at,
        claim_limit_s=int(category.claim_within.total_seconds()),
        member_id=case.member_id,
        report_id=case.report_id,
        reporter_count=1,
        photo_count=case.photo_count,
        photos=list(case.photos),
        echoes=0,
        reopened=0,
        rounds=0,
        steps=[],
        queue=queue_of(case.grid_id, Status.ASSIGNED),
        cell=open_cell_of_case(case, category.family),
        assigned_to=case.claimer_id or case.assigned_to,
        parent_id=case.case_id,
    )
    wake = rules.next_wake(timing_of(part), working)
    if wake is not None:
        part.wake_shard, part.wake_at = wake_shard_of(case_id), wake.at
    return part


def _add(tx: Transaction, name: str, part: CaseRow, case: CaseRow, doing: Doing) -> None:
    event_id = version_id(part.version)
    begun = Doing(
        action=doing.action,
        party=doing.party,
        now=doing.now,
        member_id=doing.member_id,
        display=doing.display,
        reason=doing.reason,
        text=case.number,
    )
    payload = {
        "case_id": part.case_id,
        "event_id": event_id,
        "version": part.version,
        "status": part.status,
        outbox.URGENT: is_urgent(part),
    }
    tx.guard(name, part)
    tx.guard(f"{name}.event", changes.event_row(part, event_id, begun))
    tx.put(f"{name}.outbox", outbox.row(PARTED, part.case_id, part.county, payload, doing.now))
