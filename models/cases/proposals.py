"""More time for a case: whoever works on it proposes, the next step of the ladder decides.

An extension adds one original limit to the public deadline; it can be proposed only in time, and
granted late, because whoever asked in time does not answer for a slow decision. The steps taken
meanwhile stay taken, and in the history. A deferral stops both clocks until its day.

*Source:* city-management practice: 延期 at most twice, each by the original limit; 挂账 once, for a
year at most.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from models.base.clock import parse_utc, utc_text
from models.base.errors import Conflict, FieldError, Invalid
from models.base.store import Transaction
from models.calendar.rules import WorkingTime
from models.calendar.watch import watched
from models.cases import changes, closing, rules
from models.cases.changes import Doing
from models.cases.commands import Command
from models.cases.entities import Action, Party, Proposed, Status
from models.cases.states import clock_of, limit_of
from models.cases.tables import CaseRow
from models.people.entities import Actor, RoleName
from models.people.roster import Roster

_KIND_BY_ACTION = {Action.EXTEND: Proposed.EXTENSION, Action.DEFER: Proposed.DEFERRAL}


def propose(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    command: Command,
    *,
    parties: Collection[Party],
    working: WorkingTime,
) -> Mapping[str, Any]:
    """Lay a proposal into a transaction; ``parties`` are all that the actor is on this case.

    Raises ``Invalid`` for a deferral that ends in the past or after more than a year.
    """
    kind = _KIND_BY_ACTION[Action(doing.action)]
    until = command.until
    if kind is Proposed.DEFERRAL and (
        until is None or not doing.now < until <= doing.now + rules.DEFER_WITHIN
    ):
        raise Invalid(fields=[FieldError(field="until", code="field.not_allowed")])
    proposal = {
        "kind": kind.value,
        "by": doing.member_id,
        # A lead does not decide as lead what he proposed as officer.
        "party": (Party.LEAD if Party.LEAD in parties else doing.party).value,
        "display": doing.display,
        "reason": doing.reason,
        "at": utc_text(doing.now),
        "until": utc_text(until) if kind is Proposed.DEFERRAL and until else None,
    }
    answer = changes.advance(tx, case, doing, working=working, proposal=proposal)
    closing.tell(
        tx, "case.proposed", case, doing.now, party=proposal["party"], member_id=doing.member_id
    )
    return answer


def approve(
    tx: Transaction, case: CaseRow, doing: Doing, *, working: WorkingTime
) -> Mapping[str, Any]:
    """Lay into a transaction that a case has more time.

    Raises ``Conflict("case.deferral_over")`` when the day has come before the decision.
    """
    proposer = case.proposal["by"]
    if case.proposal["kind"] == Proposed.EXTENSION:
        values, topic = _extended(case, working), "case.extended"
    else:
        values, topic = _deferred(case, doing), "case.deferred"
    answer = changes.advance(tx, case, doing, working=working, **values, proposal=None)
    closing.tell(tx, topic, case, doing.now, member_id=proposer)
    return answer


def decline(
    tx: Transaction, case: CaseRow, doing: Doing, *, working: WorkingTime
) -> Mapping[str, Any]:
    """Lay into a transaction that a case stays as it is."""
    proposer = case.proposal["by"]
    answer = changes.advance(tx, case, doing, working=working, proposal=None)
    closing.tell(tx, "case.declined", case, doing.now, member_id=proposer)
    return answer


def may_decide(case: CaseRow, actor: Actor, parties: Collection[Party], roster: Roster) -> bool:
    """Whether an actor is the next step above whoever proposed, and not himself that one.

    The lead decides for an officer, a supervisor for a lead, and for a grid whose lead is vacant.
    """
    proposal = case.proposal
    if not proposal or proposal["by"] == actor.member_id:
        return False
    if proposal["party"] == Party.LEAD:
        return Party.SUPERVISOR in parties
    if Party.LEAD in parties:
        return True
    return Party.SUPERVISOR in parties and not _has_lead(case, proposal["by"], roster)


def _has_lead(case: CaseRow, proposer: str, roster: Roster) -> bool:
    return any(
        entry.member_id not in (None, proposer)
        for scope in (f"grid:{case.grid_id}", f"community:{case.community_id}")
        for entry in roster.holders(RoleName.GRID_LEAD, scope)
    )


def _extended(case: CaseRow, working: WorkingTime) -> Mapping[str, Any]:
    case.extended_s = (case.extended_s or 0) + case.resolve_limit_s
    due = watched(working.deadline(case.started_at, limit_of(case), clock_of(case)))
    return {
        "extensions": (case.extensions or 0) + 1,
        "extended_s": case.extended_s,
        "due_at": due.at,
    }


def _deferred(case: CaseRow, doing: Doing) -> Mapping[str, Any]:
    until = parse_utc(case.proposal["until"])
    if until <= doing.now:
        raise Conflict("case.deferral_over")
    return {
        "status": Status.DEFERRED.value,
        "deferred_at": doing.now,
        "resume_at": until,
    }
