"""THE transition table: who may lead a case from where to where, under which guards.

Code, ``allowed_actions``, tests and the diagram are drawn from it. A guard is a question about the
facts; its code is what a refusal says. Several rows of one source, party and action differ in
their guards: the first whose guards hold is meant.

*Source:* the case states of civic grid governance (立案, 派遣, 处置, 核实, 结案 with 延期, 挂账,
并案 and 移交), with the party in the key. Filing is automatic here and claiming is acceptance,
so only a case that was never claimed can be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from models.cases.entities import Action, Facts, Party, Proposed, Status

OFFICIALS = (Party.OFFICER, Party.LEAD, Party.SUPERVISOR)
MAX_REOPENED = 2
"""How often the reporter can send a case back before the lead decides."""
MAX_EXTENSIONS = 2
"""*Source:* city-management practice: 延期 at most twice, each by the original limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A condition; ``code`` names its refusal."""

    code: str
    holds: Callable[[Facts], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One row: who may lead a case from where to where, if the guards hold.

    ``needs`` names what the request must carry besides ``version``.
    """

    source: Status
    party: Party
    action: Action
    target: Status
    guards: tuple[Guard, ...] = ()
    needs: tuple[str, ...] = ()


_NOT_OWN = Guard(code="case.own_report", holds=lambda facts: not facts.is_reporter)
_NOT_LINKED = Guard(code="case.linked_report", holds=lambda facts: not facts.is_linked)
_CLAIMER = Guard(code="case.claimed_by_other", holds=lambda facts: facts.is_claimer)
_NEVER_CLAIMED = Guard(code="case.accepted_before", holds=lambda facts: not facts.was_claimed)
_NOT_APPEALED = Guard(code="case.appealed", holds=lambda facts: not facts.was_appealed)
_APPEALED = Guard(code="case.not_appealed", holds=lambda facts: facts.was_appealed)
_NOT_REJECTER = Guard(code="case.own_rejection", holds=lambda facts: not facts.is_rejecter)
_ALONE = Guard(code="report.joined_by_others", holds=lambda facts: facts.reporter_count <= 1)
_MAY_REOPEN = Guard(code="case.reopened_twice", holds=lambda facts: facts.reopened < MAX_REOPENED)
_REOPENED_TWICE = Guard(code="case.may_reopen", holds=lambda facts: facts.reopened >= MAX_REOPENED)
_VERDICT_OPEN = Guard(code="report.verdict_too_late", holds=lambda facts: facts.is_verdict_open)
_REOPEN_OPEN = Guard(code="case.not_reopenable", holds=lambda facts: facts.is_reopen_open)
_APPEAL_OPEN = Guard(code="report.appeal_too_late", holds=lambda facts: facts.is_appeal_open)
_NO_PHOTO = Guard(code="case.has_evidence", holds=lambda facts: facts.photo_count == 0)
_NOT_RESOLVER = Guard(code="case.own_resolution", holds=lambda facts: not facts.is_claimer)
_IN_TIME = Guard(code="case.overdue", holds=lambda facts: not facts.is_overdue)
_EXTENDABLE = Guard(
    code="case.extended_twice", holds=lambda facts: facts.extensions < MAX_EXTENSIONS
)
_MAY_WAIT = Guard(code="case.waited_enough", holds=lambda facts: not facts.has_waited)
_NO_PART = Guard(code="case.is_part", holds=lambda facts: not facts.is_part)
_NEVER_DEFERRED = Guard(code="case.deferred_before", holds=lambda facts: not facts.was_deferred)
_NOTHING_PROPOSED = Guard(code="case.proposal_open", holds=lambda facts: facts.proposed is None)
_PROPOSED = Guard(code="case.no_proposal", holds=lambda facts: facts.proposed is not None)
_EXTENSION = Guard(
    code="case.no_proposal", holds=lambda facts: facts.proposed is Proposed.EXTENSION
)
_DEFERRAL = Guard(code="case.no_proposal", holds=lambda facts: facts.proposed is Proposed.DEFERRAL)
_DECIDES = Guard(code="case.not_yours_to_decide", holds=lambda facts: facts.may_decide)
_NO_TWINS = Guard(code="case.has_merged", holds=lambda facts: not facts.has_merged)
_PARENT_OPEN = Guard(code="case.parent_ended", holds=lambda facts: facts.is_parent_open)
_WAS_HELD = Guard(code="case.was_not_claimed", holds=lambda facts: facts.was_held)
_WAS_FREE = Guard(code="case.was_claimed", holds=lambda facts: not facts.was_held)
_UNSPLIT = Guard(code="case.split_before", holds=lambda facts: not facts.was_split)

_OWN = (_NOT_OWN, _NOT_LINKED)
_REASON = ("reason",)
_AFTER = ("photos|reason",)

REASONS_BY_ACTION: Mapping[str, tuple[str, ...]] = {
    "reject": ("not_a_problem", "not_visible", "outside_grid", "duplicate"),
    "return": ("wrong_grid", "other_department", "off_duty", "not_accepted"),
    "resolve": ("gone_on_arrival", "security", "hazard"),
    "reopen": ("not_fixed", "reporter_is_right"),
    "extend": ("needs_parts", "weather", "needs_permission", "large_work"),
    "defer": ("needs_funds", "planned_works", "owner_unknown", "season"),
    "decline": ("can_be_done_in_time", "reason_not_shown"),
    "resume": ("ready_to_go_on", "no_answer_needed"),
    "transfer": ("other_department", "police_matter", "platform_matter"),
    "merge": ("same_thing",),
    "unmerge": ("not_the_same",),
    "split": ("several_problems",),
    "correct": ("wrong_category",),
}
"""The reasons that may be given; for ``resolve`` they stand in for an after-photo."""

_ASSIGNED, _CLAIMED, _HANDLING = Status.ASSIGNED, Status.CLAIMED, Status.HANDLING
_HELD = (_CLAIMED, _HANDLING)
_WORKED_ON = (_ASSIGNED, *_HELD)
_OFFICER, _LEAD, _SUPERVISOR = OFFICIALS
_FIELD = (_OFFICER, _LEAD)
_REPORTER, _SYSTEM, _RECEIVER = Party.REPORTER, Party.SYSTEM, Party.RECEIVER


def _rows(
    sources: Status | Iterable[Status],
    parties: Party | Iterable[Party],
    action: Action,
    target: Status | None,
    guards: tuple[Guard, ...] = (),
    needs: tuple[str, ...] = (),
) -> Iterator[Transition]:
    """One row for each source and party; ``target`` None leaves the case where it is."""
    for source in (sources,) if isinstance(sources, Status) else sources:
        for party in (parties,) if isinstance(parties, Party) else parties:
            # An officer works on what he claimed himself; a lead on anything of his grid.
            claimed = source in _HELD and party is _OFFICER and action is not Action.NOTE
            yield Transition(
                source=source,
                party=party,
                action=action,
                target=source if target is None else target,
                guards=(*guards, _CLAIMER) if claimed else guards,
                needs=needs,
            )


TRANSITIONS: tuple[Transition, ...] = (
    # waiting to be claimed
    *_rows(_ASSIGNED, _FIELD, Action.CLAIM, _CLAIMED, _OWN),
    *_rows(
        _ASSIGNED,
        _OFFICER,
        Action.REJECT,
        Status.REJECTED,
        (*_OWN, _NO_TWINS, _NEVER_CLAIMED, _NOT_APPEALED),
        _REASON,
    ),
    *_rows(
        _ASSIGNED,
        _LEAD,
        Action.REJECT,
        Status.REJECTED,
        (*_OWN, _NO_TWINS, _NEVER_CLAIMED, _NOT_REJECTER),
        _REASON,
    ),
    *_rows(
        _ASSIGNED,
        _SUPERVISOR,
        Action.REJECT,
        Status.REJECTED,
        (*_OWN, _NO_TWINS, _NEVER_CLAIMED, _APPEALED, _NOT_REJECTER),
        _REASON,
    ),
    *_rows(_ASSIGNED, _REPORTER, Action.WITHDRAW, Status.WITHDRAWN, (_NEVER_CLAIMED, _ALONE)),
    *_rows(
        _ASSIGNED,
        _SYSTEM,
        Action.CLOSE_WITHOUT_EVIDENCE,
        Status.NO_EVIDENCE,
        (_NEVER_CLAIMED, _NO_PHOTO),
    ),
    # whose it is
    *_rows(_WORKED_ON, _LEAD, Action.ASSIGN, _ASSIGNED, needs=("officer",)),
    *_rows(_HELD, _FIELD, Action.RETURN, _ASSIGNED, needs=_REASON),
    *_rows(_WORKED_ON, _SYSTEM, Action.RELEASE, _ASSIGNED),
    # the work
    *_rows(_CLAIMED, _FIELD, Action.START, _HANDLING, _OWN),
    *_rows(_HELD, _FIELD, Action.RESOLVE, Status.RESOLVED, _OWN, _AFTER),
    *_rows(_WORKED_ON, _FIELD, Action.CORRECT, None, _OWN, ("reason", "category")),
    # waiting for the reporter
    *_rows(_HELD, _FIELD, Action.ASK, Status.WAITING, (*_OWN, _NO_PART, _MAY_WAIT), ("text",)),
    *_rows(Status.WAITING, _REPORTER, Action.REPLY, _CLAIMED),
    *_rows(Status.WAITING, _SYSTEM, Action.RESUME, _CLAIMED),
    *_rows(Status.WAITING, _FIELD, Action.RESUME, _CLAIMED, needs=_REASON),
    # more time: proposed by who works, decided by the next step of the ladder
    *_rows(
        _HELD,
        _FIELD,
        Action.EXTEND,
        None,
        (*_OWN, _NOTHING_PROPOSED, _IN_TIME, _EXTENDABLE),
        _REASON,
    ),
    *_rows(
        _HELD,
        _FIELD,
        Action.DEFER,
        None,
        (*_OWN, _NOTHING_PROPOSED, _NEVER_DEFERRED),
        ("reason", "until"),
    ),
    *_rows(
        _HELD,
        (_LEAD, _SUPERVISOR),
        Action.APPROVE,
        None,
        (_PROPOSED, _DECIDES, _EXTENSION, _EXTENDABLE),
    ),
    *_rows(
        _HELD,
        (_LEAD, _SUPERVISOR),
        Action.APPROVE,
        Status.DEFERRED,
        (_PROPOSED, _DECIDES, _DEFERRAL),
    ),
    *_rows(_HELD, (_LEAD, _SUPERVISOR), Action.DECLINE, None, (_PROPOSED, _DECIDES), _REASON),
    *_rows(Status.DEFERRED, _SYSTEM, Action.RESUME, _CLAIMED),
    *_rows(Status.DEFERRED, _FIELD, Action.RESUME, _CLAIMED, needs=_REASON),
    # handed over: our clock runs until the receiver accepts
    *_rows(_WORKED_ON, _LEAD, Action.TRANSFER, Status.TRANSFERRED, _OWN, ("reason", "receiver")),
    *_rows(_HELD, _OFFICER, Action.TRANSFER, Status.TRANSFERRED, _OWN, ("reason", "receiver")),
    *_rows(
        Status.TRANSFERRED,
        (_LEAD, _RECEIVER),
        Action.ACCEPT,
        Status.EXTERNAL,
        (),
        ("external_ref",),
    ),
    *_rows(
        (Status.TRANSFERRED, Status.EXTERNAL),
        (_LEAD, _RECEIVER),
        Action.RETURN,
        _ASSIGNED,
        needs=_REASON,
    ),
    *_rows(Status.EXTERNAL, _LEAD, Action.RESOLVE, Status.RESOLVED, _OWN, _AFTER),
    *_rows(Status.EXTERNAL, _RECEIVER, Action.RESOLVE, Status.RESOLVED),
    # one and the same, or several in one
    *_rows(_WORKED_ON, _FIELD, Action.MERGE, Status.MERGED, (*_OWN, _NO_TWINS), ("reason", "into")),
    *_rows(Status.MERGED, _FIELD, Action.UNMERGE, _CLAIMED, (_PARENT_OPEN, _WAS_HELD), _REASON),
    *_rows(Status.MERGED, _FIELD, Action.UNMERGE, _ASSIGNED, (_PARENT_OPEN, _WAS_FREE), _REASON),
    *_rows(_WORKED_ON, _FIELD, Action.SPLIT, None, (*_OWN, _UNSPLIT), ("reason", "categories")),
    # the verdict
    *_rows(Status.RESOLVED, _REPORTER, Action.CONFIRM, Status.CLOSED, (_VERDICT_OPEN,)),
    *_rows(Status.RESOLVED, _REPORTER, Action.CONTEST, _CLAIMED, (_VERDICT_OPEN, _MAY_REOPEN)),
    *_rows(
        Status.RESOLVED,
        _REPORTER,
        Action.DISPUTE,
        Status.DISPUTED,
        (_VERDICT_OPEN, _REOPENED_TWICE),
    ),
    *_rows(Status.RESOLVED, _LEAD, Action.REOPEN, _CLAIMED, (_NOT_OWN,), _REASON),
    *_rows(Status.RESOLVED, _SYSTEM, Action.LAPSE, Status.CLOSED),
    *_rows(
        Status.DISPUTED,
        (_LEAD, _SUPERVISOR),
        Action.VERIFY,
        Status.CLOSED,
        (*_OWN, _NOT_RESOLVER),
    ),
    *_rows(Status.DISPUTED, (_LEAD, _SUPERVISOR), Action.REOPEN, _CLAIMED, (_NOT_OWN,), _REASON),
    # after the end
    *_rows(Status.CLOSED, _REPORTER, Action.CONTEST, _CLAIMED, (_REOPEN_OPEN, _MAY_REOPEN)),
    *_rows(
        Status.CLOSED, _REPORTER, Action.DISPUTE, Status.DISPUTED, (_REOPEN_OPEN, _REOPENED_TWICE)
    ),
    *_rows(
        Status.REJECTED,
        _REPORTER,
        Action.APPEAL,
        _ASSIGNED,
        (_APPEAL_OPEN, _NOT_APPEALED),
        ("text",),
    ),
    *_rows(Status, OFFICIALS, Action.NOTE, None, needs=("text",)),
)
