"""What officials do with a case: claim, refuse, assign, return, resolve, decide, note."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from models.base.clock import Clock
from models.base.errors import Conflict, FieldError, Forbidden, Invalid
from models.base.ids import derived_id
from models.base.store import Transaction, retrying
from models.calendar.rules import WorkingTime
from models.cases import (
    changes,
    closing,
    crediting,
    merging,
    proposals,
    resolution,
    rules,
    told,
    workflow,
)
from models.cases.categories import Categories
from models.cases.changes import Doing, Request, answer_of
from models.cases.commands import Command
from models.cases.entities import Action, ClosedAs, Facts, Party, Status
from models.cases.followers import is_close_to_reporter
from models.cases.pacing import Pacing
from models.cases.rearranging import Rearranging
from models.cases.states import facts_of
from models.cases.tables import CaseRow
from models.cases.workflow import REASONS_BY_ACTION, Transition
from models.people.entities import Actor, RoleName, RosterEntry
from models.people.roster import Roster
from models.points.ledger import Ledger

log = logging.getLogger(__name__)

NOTE_MAX_CHARACTERS = 500
OFFERED = frozenset(
    row.action.value for row in workflow.TRANSITIONS if row.party in workflow.OFFICIALS
)
"""The actions that officials can ask for."""
_NEEDED_FIELDS = (
    "officer",
    "into",
    "categories",
    "receiver",
    "external_ref",
    "category",
    "until",
    "text",
)
_ROLES_BY_PARTY = {
    Party.OFFICER: (RoleName.OFFICER,),
    Party.LEAD: (RoleName.GRID_LEAD,),
    Party.SUPERVISOR: (RoleName.COMMUNITY, RoleName.DISTRICT, RoleName.DUTY),
}
AFTER_PHOTO = "photos|reason"
"""Needs a photo of the fix, or the reason for having none."""
_POST_BY_PARTY = {Party.OFFICER: "网格员", Party.LEAD: "网格长", Party.SUPERVISOR: "社区"}


class Handling:
    """Carries officials' commands out."""

    def __init__(
        self,
        *,
        clock: Clock,
        roster: Roster,
        ledger: Ledger,
        working: WorkingTime,
        categories: Categories,
    ) -> None:
        self._clock = clock
        self._roster = roster
        self._ledger = ledger
        self._working = working
        self._categories = categories
        self._pacing = Pacing(working=working, categories=categories)
        self._rearranging = Rearranging(ledger=ledger, working=working, categories=categories)

    def act(self, actor: Actor, case_id: str, command: Command) -> Mapping[str, Any]:
        """Carry a command out; answers the case as it then stood, also when repeated later.

        Raises ``NotFound("case.not_found")`` outside the actor's scopes, ``Forbidden`` for an
        action that his part never has, ``Conflict`` (``case.version_conflict`` with the case,
        ``case.claimed_by_other`` with ``by``, or the code of the guard that failed) and
        ``Invalid`` for what the action needs and did not get.
        """
        request = Request.of(actor, command.client_request_id, command.content(case_id))
        if command.action is Action.NOTE:
            return retrying(lambda: self._note(actor, case_id, command, request))
        return retrying(lambda: self._act(actor, case_id, command, request))

    def officers(self, case: CaseRow) -> dict[str, RosterEntry]:
        """To whom a case can be assigned, by an opaque reference that means nothing elsewhere."""
        return {
            derived_id("off", case.case_id, entry.member_id): entry
            for entry in self._roster.on_duty(case.grid_id)
            if entry.member_id is not None and entry.role is RoleName.OFFICER
        }

    def needs(self, case: CaseRow, transition: Transition) -> tuple[str, ...]:
        """What an action must bring; some categories are fixed without a photo to prove it."""
        category = self._categories.of(case.category, case.category_version)
        return tuple(one for one in transition.needs if category.after_photo or one != AFTER_PHOTO)

    def facts(self, actor: Actor, case: CaseRow, *, is_reporter: bool) -> Facts:
        """What the table asks about a case and an official."""
        parties = changes.parties_in(actor, case)
        return facts_of(
            case,
            member_id=actor.member_id,
            now=self._clock.now(),
            is_reporter=is_reporter,
            is_linked=is_close_to_reporter(actor.member_id, case),
            may_decide=proposals.may_decide(case, actor, parties, self._roster),
            is_parent_open=merging.is_parent_open(case),
        )

    def _act(
        self, actor: Actor, case_id: str, command: Command, request: Request
    ) -> Mapping[str, Any]:
        case = changes.case_in_scope(actor, case_id)
        answer = changes.earlier_answer(changes.history(case_id), request)
        if answer is not None:
            return answer
        if command.action is Action.CLAIM and case.status == Status.CLAIMED:
            return _claimed_already(actor, case)
        transition = self._judge(actor, case, command)
        _check_needs(command, self.needs(case, transition))
        if command.version != case.version:
            raise Conflict("case.version_conflict", case=dict(answer_of(case)))
        doing = Doing(
            action=command.action,
            party=transition.party,
            now=self._clock.now(),
            member_id=actor.member_id,
            display=self._display(actor, case, transition.party),
            reason=command.reason,
            text=rules.clean_text(command.text),
            request=request,
        )
        tx = Transaction()
        answer = self._pacing.apply(tx, actor, case, command, doing, transition)
        if answer is None:
            answer = self._rearranging.apply(tx, actor, case, command, doing, transition)
        if answer is None:
            answer = self._apply(tx, case, command, doing)
        changes.commit(tx)
        log.info("case.handled", extra={"case_id": case_id, "action": command.action.value})
        return answer

    def _judge(self, actor: Actor, case: CaseRow, command: Command) -> Transition:
        parties = changes.parties_in(actor, case)
        if not workflow.ever(parties, command.action):
            raise Forbidden("role.lacks_action", action=command.action.value)
        is_reporter = changes.is_reporter(actor, case)
        facts = self.facts(actor, case, is_reporter=is_reporter)
        try:
            return workflow.judge(Status(case.status), parties, command.action, facts)
        except Conflict as refusal:
            if command.version not in (None, case.version):
                raise Conflict("case.version_conflict", case=dict(answer_of(case))) from refusal
            raise

    def _apply(
        self, tx: Transaction, case: CaseRow, command: Command, doing: Doing
    ) -> Mapping[str, Any]:
        if command.action is Action.VERIFY:
            return closing.close(
                tx, case, doing, ClosedAs.LEAD, ledger=self._ledger, working=self._working
            )
        if command.action is Action.REOPEN:
            return closing.reopen(tx, case, doing, working=self._working, reopened=case.reopened)
        values, topic = self._values(tx, case, command, doing)
        answer = changes.advance(tx, case, doing, working=self._working, **values)
        facts = {"officer_id": case.assigned_to} if command.action is Action.ASSIGN else {}
        closing.tell(tx, topic, case, doing.now, **facts)
        return answer

    def _values(
        self, tx: Transaction, case: CaseRow, command: Command, doing: Doing
    ) -> tuple[dict[str, Any], str]:
        """What changes on the case, and the topic under which it is told."""
        now = doing.now
        if command.action is Action.CLAIM:
            age = crediting.add_first_award(tx, self._ledger, case, now)
            return {
                **age,
                **told.started(case, doing.member_id, now, self._working),
                "status": Status.CLAIMED.value,
                "claimed_by": doing.display,
                "claimer_id": doing.member_id,
                "claimed_at": now,
            }, "case.claimed"
        if command.action is Action.RESOLVE:
            resolution.add_photos(tx, case, command.photos, member_id=doing.member_id or "")
            return {
                "status": Status.RESOLVED.value,
                "resolved_at": now,
                "resolution": command.reason,
                "after": list(command.photos),
            }, "case.resolved"
        if command.action is Action.REJECT:
            return {
                "status": Status.REJECTED.value,
                "closed_at": now,
                "reason": command.reason,
                "rejecter_id": doing.member_id,
            }, "case.closed"
        back = {"status": Status.ASSIGNED.value, "claimed_by": None, "claimer_id": None}
        if command.action is Action.ASSIGN:
            assignee = self._assignee(case, command)
            clocks = told.given(case, assignee, now, self._working)
            return {**back, **clocks, "assigned_to": assignee}, "case.assigned"
        clocks = told.given(case, None, now, self._working)
        return {**back, **clocks, "assigned_to": None}, "case.returned"

    def _assignee(self, case: CaseRow, command: Command) -> str:
        entry = self.officers(case).get(command.officer or "")
        if entry is None or entry.member_id is None:
            raise Invalid(fields=[FieldError(field="officer", code="officer.unknown")])
        return entry.member_id

    def _note(
        self, actor: Actor, case_id: str, command: Command, request: Request
    ) -> Mapping[str, Any]:
        """Notes commute: they need no version and make none."""
        case = changes.case_in_scope(actor, case_id)
        answer = changes.earlier_answer(changes.history(case_id), request)
        if answer is not None:
            return answer
        text = rules.clean_text(command.text)
        if not text or len(text) > NOTE_MAX_CHARACTERS:
            code = "field.too_long" if text else "field.missing"
            raise Invalid(fields=[FieldError(field="text", code=code, limit=NOTE_MAX_CHARACTERS)])
        party = changes.parties_in(actor, case)[0]
        doing = Doing(
            action=Action.NOTE,
            party=party,
            now=self._clock.now(),
            member_id=actor.member_id,
            display=self._display(actor, case, party),
            text=text,
            request=request,
        )
        tx = Transaction()
        answer = answer_of(case)
        event_id = f"n{derived_id('note', request.key)}"
        tx.guard("event", changes.event_row(case, event_id, doing, answer))
        closing.tell(tx, "case.noted", case, doing.now, key=event_id)
        changes.commit(tx)
        return answer

    def _display(self, actor: Actor, case: CaseRow, party: Party) -> str:
        """The post's name as the roster has it, never a person's."""
        held = (
            entry.display
            for scope in changes.scopes_of(case)
            for role in _ROLES_BY_PARTY[party]
            for entry in self._roster.holders(role, scope)
            if entry.member_id == actor.member_id
        )
        return next(held, _POST_BY_PARTY[party])


def _claimed_already(actor: Actor, case: CaseRow) -> Mapping[str, Any]:
    """A second claim: the winner's is a success, the other learns who."""
    if case.claimer_id == actor.member_id:
        return answer_of(case)
    raise Conflict("case.claimed_by_other", by=case.claimed_by, case=dict(answer_of(case)))


def _check_needs(command: Command, needs: Sequence[str]) -> None:
    errors = []
    if command.version is None:
        errors.append(FieldError(field="version", code="field.missing"))
    reasons: Sequence[str] = REASONS_BY_ACTION.get(command.action.value, ())
    if command.reason is not None and command.reason not in reasons:
        errors.append(FieldError(field="reason", code="field.not_allowed"))
    if "reason" in needs and command.reason is None:
        errors.append(FieldError(field="reason", code="field.missing"))
    if AFTER_PHOTO in needs and not (command.photos or command.reason):
        errors.append(FieldError(field="photos", code="field.missing"))
    errors += [
        FieldError(field=name, code="field.missing")
        for name in _NEEDED_FIELDS
        if name in needs and not getattr(command, name)
    ]
    if len(command.photos) > rules.PHOTOS_MAX:
        errors.append(FieldError(field="photos", code="field.too_long", limit=rules.PHOTOS_MAX))
    if errors:
        raise Invalid(fields=errors)
