"""What reporters say while their case waits for them, or after it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.clock import Clock
from models.base.errors import Conflict
from models.base.store import Transaction, retrying
from models.calendar.rules import WorkingTime
from models.cases import appeals, asking, changes, closing, rules, workflow
from models.cases.asking import Reply
from models.cases.categories import Categories
from models.cases.changes import Doing, Request
from models.cases.entities import Action, Party, Status
from models.cases.states import facts_of
from models.cases.tables import CaseRow, ReportRow
from models.people.entities import Actor


class Answering:
    """Takes in replies and appeals; only who reported first speaks for the case."""

    def __init__(self, *, clock: Clock, working: WorkingTime, categories: Categories) -> None:
        self._clock = clock
        self._working = working
        self._categories = categories

    def reply(
        self, actor: Actor, report_id: str, reply: Reply, client_request_id: str
    ) -> Mapping[str, Any]:
        """Answer what was asked; the clocks go on.

        Raises ``NotFound("report.not_found")``, ``Conflict`` (``report.joined``,
        ``case.not_possible``) and ``Invalid``. Safe to repeat.
        """
        request = Request.of(actor, client_request_id, reply.content(report_id))
        return retrying(lambda: self._reply(actor, report_id, reply, request))

    def appeal(
        self, actor: Actor, report_id: str, text: str, client_request_id: str
    ) -> Mapping[str, Any]:
        """Have somebody else look at a refused case, once, within 7 days.

        Raises ``NotFound("report.not_found")``, ``Conflict`` (``report.joined``,
        ``report.appeal_too_late``, ``case.appealed``, ``case.not_possible``) and ``Invalid``. Safe
        to repeat.
        """
        request = Request.of(actor, client_request_id, {"appeal": report_id, "text": text})
        return retrying(lambda: self._appeal(actor, report_id, text, request))

    def _reply(
        self, actor: Actor, report_id: str, reply: Reply, request: Request
    ) -> Mapping[str, Any]:
        report, case = closing.mine(actor, report_id)
        answer = changes.earlier_answer(changes.history(case.case_id), request)
        if answer is not None:
            return answer
        doing = self._doing(Action.REPLY, actor, report, case, reply.text, request)
        tx = Transaction()
        answer = asking.reply(tx, case, report, doing, reply.photos, working=self._working)
        changes.commit(tx)
        return answer

    def _appeal(
        self, actor: Actor, report_id: str, text: str, request: Request
    ) -> Mapping[str, Any]:
        report, case = closing.mine(actor, report_id)
        answer = changes.earlier_answer(changes.history(case.case_id), request)
        if answer is not None:
            return answer
        doing = self._doing(Action.APPEAL, actor, report, case, text, request)
        tx = Transaction()
        answer = appeals.appeal(tx, case, doing, working=self._working, categories=self._categories)
        changes.commit(tx)
        return answer

    def _doing(
        self,
        action: Action,
        actor: Actor,
        report: ReportRow,
        case: CaseRow,
        text: str | None,
        request: Request,
    ) -> Doing:
        """Judge what a reporter wants to do, and write down that he does."""
        if not closing.is_first(report, case):
            raise Conflict("report.joined", case_id=case.case_id)
        now = self._clock.now()
        facts = facts_of(case, member_id=actor.member_id, now=now, is_reporter=True)
        workflow.judge(Status(case.status), (Party.REPORTER,), action, facts)
        return Doing(
            action=action,
            party=Party.REPORTER,
            now=now,
            member_id=actor.member_id,
            text=rules.clean_text(text),
            request=request,
        )
