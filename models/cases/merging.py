"""Two cases that are one thing: one goes on for both, and may be told apart again while it does.

The merged case keeps its reporters, photos and history, and its clock stands where it stood: it
sleeps, because nothing wakes a merged case. Its reporters follow the parent, in what they see
(``reading``), in what they are told (``notices``) and in what they are paid (``crediting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from models.base.errors import Conflict, NotFound
from models.base.store import Transaction, get
from models.calendar.rules import WorkingTime
from models.cases import changes, closing, rules
from models.cases.categories import Categories
from models.cases.changes import Doing, answer_of
from models.cases.entities import Status
from models.cases.followers import has_reported, is_close_to_reporter, parent_of
from models.cases.tables import CaseRow, open_cell_of_case
from models.people.entities import Actor

MAX_MERGED = 20
"""As many as one transaction, one batch read and one person's attention can hold."""


def parent_for(
    actor: Actor, case: CaseRow, into: str, into_version: int | None, categories: Categories
) -> CaseRow:
    """Read the case that shall go on for both, and judge whether it may.

    ``into_version`` None takes it as it stands: who merges twelve photos of one heap moves its
    version himself. Raises ``NotFound`` outside the actor's scopes and ``Conflict``
    (``case.version_conflict``, ``case.same_case``, ``case.other_kind``, ``case.not_mergeable``,
    ``case.merged_enough``, ``case.parent_without_photo``, ``case.own_report``,
    ``case.linked_report``, ``report.own_work``).
    """
    parent = get(CaseRow, into) if rules.is_id(into) else None
    if parent is None or not changes.parties_in(actor, parent) or parent.county != case.county:
        raise NotFound("case.not_found")
    if into_version not in (None, parent.version):
        raise Conflict("case.version_conflict", case=dict(answer_of(parent)))
    if _family(parent, categories) != _family(case, categories):
        raise Conflict("case.other_kind", category=parent.category)
    refusal = refusal_to_merge(case, parent)
    if refusal is not None:
        raise Conflict(refusal, status=parent.status)
    if has_reported(actor.member_id, parent):
        raise Conflict("case.own_report")
    if is_close_to_reporter(actor.member_id, parent):
        raise Conflict("case.linked_report")
    if parent.claimer_id is not None:
        # Who accepts and fixes a case is not paid for reporting it too, nor is who is close to him.
        if has_reported(parent.claimer_id, case):
            raise Conflict("report.own_work")
        if is_close_to_reporter(parent.claimer_id, case):
            raise Conflict("case.linked_report")
    return parent


def refusal_to_merge(case: CaseRow, parent: CaseRow) -> str | None:
    """Why a case may not go on in another, by a stable code; None when it may.

    A fix that is waiting for its verdict takes in only what was reported before it: who reports
    afterwards says that it is not fixed.
    """
    if parent.case_id == case.case_id:
        return "case.same_case"
    if parent.status not in rules.WORKED_ON | rules.PAUSED and not _was_fixed_after(case, parent):
        return "case.not_mergeable"
    if parent.photo_count == 0:
        # It may yet end for want of a photo, and would take the other with it.
        return "case.parent_without_photo"
    return "case.merged_enough" if len(parent.merged or ()) >= MAX_MERGED else None


def merge(
    tx: Transaction, case: CaseRow, parent: CaseRow, doing: Doing, *, working: WorkingTime
) -> Mapping[str, Any]:
    """Lay a merge over both cases into a transaction; each must still be as it was read."""
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        # Who joins meanwhile makes no new version, but was not looked at.
        condition=CaseRow.reporter_count == case.reporter_count,
        status=Status.MERGED.value,
        merged_into=parent.case_id,
        proposal=None,
        cell=None,
    )
    merged = [*(parent.merged or ()), case.case_id]
    changes.advance(
        tx, parent, _seen_from(doing, case), working=working, named="parent", merged=merged
    )
    closing.tell(tx, "case.merged", case, doing.now, into=parent.case_id)
    closing.tell(tx, "case.changed", parent, doing.now)
    return answer


def unmerge(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    *,
    to: Status,
    working: WorkingTime,
    categories: Categories,
) -> Mapping[str, Any]:
    """Lay into a transaction that two cases are two after all; ``to`` is the table's target.

    Whoever held the case holds it again, and its clock runs from where the public saw it start.
    Raises ``Conflict("case.parent_ended")``.
    """
    parent = parent_of(case)
    if parent is None or parent.status not in rules.OPEN:
        raise Conflict("case.parent_ended")
    others = [each for each in parent.merged or () if each != case.case_id]
    changes.advance(
        tx,
        parent,
        _seen_from(doing, case),
        working=working,
        named="parent",
        merged=others or None,
        # It was part of a whole: what it pays is looked at again, without the other.
        first_at=_first_at_without(case, parent),
    )
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        status=to.value,
        merged_into=None,
        first_at=case.first_at or case.created_at,
        cell=open_cell_of_case(case, _family(case, categories)),
    )
    closing.tell(tx, "case.unmerged", case, doing.now, parent=parent.case_id)
    closing.tell(tx, "case.changed", parent, doing.now)
    return answer


def is_parent_open(case: CaseRow) -> bool:
    """Whether a case was merged into one that is still open; costs a read if it was merged."""
    parent = parent_of(case)
    return parent is not None and parent.status in rules.OPEN


def _was_fixed_after(case: CaseRow, parent: CaseRow) -> bool:
    fixed_at = parent.resolved_at
    return parent.status == Status.RESOLVED and fixed_at is not None and case.created_at < fixed_at


def _first_at_without(case: CaseRow, parent: CaseRow) -> datetime:
    """How old the parent is without a case: a claim may have frozen that case's age."""
    frozen = parent.first_at or parent.created_at
    return parent.created_at if frozen == case.created_at else frozen


def _family(case: CaseRow, categories: Categories) -> str:
    return categories.of(case.category, case.category_version).family


def _seen_from(doing: Doing, case: CaseRow) -> Doing:
    """The same in the parent's history, naming the other; the request stands in the other's."""
    return replace(doing, text=case.number, request=None)
