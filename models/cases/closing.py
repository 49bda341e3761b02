"""End a case, or take it up again: the reporter's verdict, his withdrawal, silence, the lead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.alerts import outbox
from models.base.clock import Clock
from models.base.errors import Conflict, NotFound
from models.base.ids import derived_id
from models.base.store import Transaction, get, retrying
from models.calendar.rules import WorkingTime
from models.cases import awards, changes, rules, told, workflow
from models.cases.changes import Doing, Request, answer_of
from models.cases.entities import Action, ClosedAs, Party, Status
from models.cases.followers import followed
from models.cases.states import facts_of, is_urgent, is_verdict_open
from models.cases.tables import CaseRow, ReportRow
from models.people.entities import Actor
from models.points.ledger import Ledger


class Closing:
    """What reporters decide about their case."""

    def __init__(self, *, clock: Clock, ledger: Ledger, working: WorkingTime) -> None:
        self._clock = clock
        self._ledger = ledger
        self._working = working

    def withdraw(self, actor: Actor, report_id: str, client_request_id: str) -> Mapping[str, Any]:
        """Take a report back before anybody claimed its case, and alone on it.

        Raises ``NotFound("report.not_found")``, ``Conflict`` (``case.accepted_before``,
        ``report.joined_by_others``, ``case.not_possible``). Safe to repeat.
        """
        request = Request.of(actor, client_request_id, {"withdraw": report_id})
        return retrying(lambda: self._withdraw(actor, report_id, request))

    def verdict(
        self,
        actor: Actor,
        report_id: str,
        *,
        satisfied: bool,
        comment: str | None,
        client_request_id: str,
    ) -> Mapping[str, Any]:
        """Say whether it is fixed, within 72 hours of ``resolved``.

        After a closing that was not his own word the first reporter can still say within 7 days
        that it is not fixed.

        The first reporter's word closes the case (his points mature with it), sends it back to its
        officer, or the third time to the lead. A joiner's word changes no state; his "not fixed"
        is told to the lead. Raises ``NotFound``, ``Conflict`` (``report.verdict_too_late``,
        ``case.not_possible``, ``report.verdict_given``). Safe to repeat.
        """
        text = rules.clean_text(comment)
        content = {"verdict": report_id, "satisfied": satisfied, "comment": comment}
        request = Request.of(actor, client_request_id, content)
        return retrying(lambda: self._verdict(actor, report_id, satisfied, text, request))

    def _withdraw(self, actor: Actor, report_id: str, request: Request) -> Mapping[str, Any]:
        report, case = mine(actor, report_id)
        answer = changes.earlier_answer(changes.history(case.case_id), request)
        if answer is not None:
            return answer
        if not is_first(report, case):
            raise Conflict("report.joined", case_id=case.case_id)
        now = self._clock.now()
        row = self._judge(case, actor, Action.WITHDRAW, now)
        doing = Doing(
            action=Action.WITHDRAW,
            party=Party.REPORTER,
            now=now,
            member_id=actor.member_id,
            request=request,
        )
        tx = Transaction()
        answer = changes.advance(
            tx,
            case,
            doing,
            working=self._working,
            condition=CaseRow.reporter_count == case.reporter_count,
            status=row.target.value,
            closed_at=now,
        )
        tell(tx, "case.closed", case, now)
        changes.commit(tx)
        return answer

    def _verdict(
        self, actor: Actor, report_id: str, satisfied: bool, text: str | None, request: Request
    ) -> Mapping[str, Any]:
        report, case = mine(actor, report_id)
        answer = changes.earlier_answer(changes.history(case.case_id), request)
        if answer is not None:
            return answer
        now = self._clock.now()
        if not is_first(report, case):
            return self._joiner_verdict(actor, report, case, satisfied, text, request)
        action = _action_of(satisfied=satisfied, reopened=case.reopened)
        self._judge(case, actor, action, now)
        doing = Doing(
            action=action,
            party=Party.REPORTER,
            now=now,
            member_id=actor.member_id,
            text=text,
            request=request,
        )
        tx = Transaction()
        answer = self._apply(tx, case, doing)
        changes.commit(tx)
        return answer

    def _apply(self, tx: Transaction, case: CaseRow, doing: Doing) -> Mapping[str, Any]:
        if doing.action is Action.CONFIRM:
            return close(
                tx, case, doing, ClosedAs.CONFIRMED, ledger=self._ledger, working=self._working
            )
        if doing.action is Action.CONTEST:
            return reopen(tx, case, doing, working=self._working, reopened=case.reopened + 1)
        answer = changes.advance(
            tx,
            case,
            doing,
            working=self._working,
            status=Status.DISPUTED.value,
            closed_at=None,
            closed_as=None,
        )
        tell(tx, "case.disputed", case, doing.now)
        return answer

    def _joiner_verdict(
        self,
        actor: Actor,
        report: ReportRow,
        case: CaseRow,
        satisfied: bool,
        text: str | None,
        request: Request,
    ) -> Mapping[str, Any]:
        now = self._clock.now()
        if case.resolved_at is None or case.status not in (Status.RESOLVED, Status.CLOSED):
            raise Conflict("case.not_possible", status=case.status)
        if not is_verdict_open(case, now):
            raise Conflict("report.verdict_too_late", status=case.status)
        doing = Doing(
            action=Action.JOINER_VERDICT,
            party=Party.JOINER,
            now=now,
            member_id=actor.member_id,
            reason="satisfied" if satisfied else "not_fixed",
            text=text,
            request=request,
        )
        event_id = f"n{derived_id('verdict', report.report_id, str(case.rounds))}"
        if any(event.event_id == event_id for event in changes.history(case.case_id)):
            raise Conflict("report.verdict_given")
        tx = Transaction()
        answer = answer_of(case)
        tx.check("case", CaseRow, case.case_id, condition=CaseRow.status == case.status)
        tx.guard("event", changes.event_row(case, event_id, doing, answer))
        topic = "case.judged" if satisfied else "case.contested"
        tell(tx, topic, case, now, key=event_id)
        changes.commit(tx)
        return answer

    def _judge(
        self, case: CaseRow, actor: Actor, action: Action, now: datetime
    ) -> workflow.Transition:
        facts = facts_of(
            case,
            member_id=actor.member_id,
            now=now,
            is_reporter=True,
        )
        return workflow.judge(Status(case.status), (Party.REPORTER,), action, facts)


def close(
    tx: Transaction,
    case: CaseRow,
    doing: Doing,
    closed_as: ClosedAs,
    *,
    ledger: Ledger,
    working: WorkingTime,
) -> Mapping[str, Any]:
    """Lay the closing into a transaction, with the maturity of the first reporter's points."""
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        status=Status.CLOSED.value,
        closed_as=closed_as.value,
        closed_at=doing.now,
    )
    awards.add_first_maturity(tx, ledger, case, doing.now)
    tell(tx, "case.closed", case, doing.now)
    return answer


def reopen(
    tx: Transaction, case: CaseRow, doing: Doing, *, working: WorkingTime, reopened: int
) -> Mapping[str, Any]:
    """Lay a reopening into a transaction: back to its officer, a new limit, the ladder from 0."""
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        **told.begun(case, doing.now, working),
        status=Status.CLAIMED.value,
        resolved_at=None,
        resolution=None,
        after=None,
        closed_at=None,
        closed_as=None,
        reopened=reopened,
    )
    tell(tx, "case.reopened", case, doing.now)
    return answer


def tell(
    tx: Transaction,
    topic: str,
    case: CaseRow,
    now: datetime,
    *,
    key: str | None = None,
    **facts: str | None,
) -> None:
    """Add the outbox row of what just happened; by default it is the case's new version."""
    event_id = key or changes.version_id(case.version)
    key, facts = f"{case.case_id}:{event_id}", {**facts, "event_id": event_id}
    payload = {
        "case_id": case.case_id,
        "version": case.version,
        "status": case.status,
        outbox.URGENT: is_urgent(case),
        **facts,
    }
    tx.put(f"outbox.{key}", outbox.row(topic, key, case.county, payload, now))


def _action_of(*, satisfied: bool, reopened: int) -> Action:
    if satisfied:
        return Action.CONFIRM
    return Action.CONTEST if reopened < workflow.MAX_REOPENED else Action.DISPUTE


def mine(actor: Actor, report_id: str) -> tuple[ReportRow, CaseRow]:
    """A report, and the case that tells how far it is: after a merge the one that goes on."""
    report = changes.own_report(actor, report_id)
    case = get(CaseRow, report.case_id)
    if case is None:
        raise NotFound("report.not_found")
    return report, followed(case)


def is_first(report: ReportRow, case: CaseRow) -> bool:
    """Whether the case is the reporter's own; one merged into it joined it, so to say."""
    return report.ordinal == 1 and report.case_id == case.case_id
