"""THE transition table. Code, ``allowed_actions``, tests and the diagram are drawn from it.

A guard is a question about the facts; its code is what a refusal says. An action that no row
allows is refused with ``case.not_possible``, whoever asks.

*Source:* the case states of civic grid governance (Signalen, cityguard), reduced to what the first
version needs: filing is automatic, claiming is acceptance, so only an unclaimed case is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from models.base.errors import Conflict
from models.cases.entities import Action, Facts, Party, Status

OFFICIALS = (Party.OFFICER, Party.LEAD, Party.SUPERVISOR)
MAX_REOPENED = 2
"""How often the reporter can send a case back before the lead decides."""


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
_CLAIMER = Guard(code="case.claimed_by_other", holds=lambda facts: facts.is_claimer)
_NEVER_CLAIMED = Guard(code="case.accepted_before", holds=lambda facts: not facts.was_claimed)
_ALONE = Guard(code="report.joined_by_others", holds=lambda facts: facts.reporter_count <= 1)
_MAY_REOPEN = Guard(code="case.reopened_twice", holds=lambda facts: facts.reopened < MAX_REOPENED)
_REOPENED_TWICE = Guard(code="case.may_reopen", holds=lambda facts: facts.reopened >= MAX_REOPENED)
_VERDICT_OPEN = Guard(code="report.verdict_too_late", holds=lambda facts: facts.is_verdict_open)
_NO_PHOTO = Guard(code="case.has_evidence", holds=lambda facts: facts.photo_count == 0)
_NOT_RESOLVER = Guard(code="case.own_resolution", holds=lambda facts: not facts.is_claimer)

_REASON = ("reason",)
_AFTER = ("photos|reason",)

REASONS_BY_ACTION: Mapping[str, tuple[str, ...]] = {
    "reject": ("not_a_problem", "not_visible", "outside_grid", "duplicate"),
    "return": ("wrong_grid", "other_department", "off_duty"),
    "resolve": ("gone_on_arrival", "security", "hazard"),
    "reopen": ("not_fixed", "reporter_is_right"),
}
"""The reasons that may be given; for ``resolve`` they stand in for an after-photo."""


def _row(
    source: Status,
    party: Party,
    action: Action,
    target: Status,
    guards: tuple[Guard, ...] = (),
    needs: tuple[str, ...] = (),
) -> Transition:
    return Transition(
        source=source, party=party, action=action, target=target, guards=guards, needs=needs
    )


TRANSITIONS: tuple[Transition, ...] = (
    _row(Status.ASSIGNED, Party.OFFICER, Action.CLAIM, Status.CLAIMED, (_NOT_OWN,)),
    _row(Status.ASSIGNED, Party.LEAD, Action.CLAIM, Status.CLAIMED, (_NOT_OWN,)),
    _row(
        Status.ASSIGNED,
        Party.OFFICER,
        Action.REJECT,
        Status.REJECTED,
        (_NOT_OWN, _NEVER_CLAIMED),
        _REASON,
    ),
    _row(
        Status.ASSIGNED,
        Party.LEAD,
        Action.REJECT,
        Status.REJECTED,
        (_NOT_OWN, _NEVER_CLAIMED),
        _REASON,
    ),
    _row(Status.ASSIGNED, Party.LEAD, Action.ASSIGN, Status.ASSIGNED, needs=("officer",)),
    _row(
        Status.ASSIGNED,
        Party.REPORTER,
        Action.WITHDRAW,
        Status.WITHDRAWN,
        (_NEVER_CLAIMED, _ALONE),
    ),
    _row(
        Status.ASSIGNED,
        Party.SYSTEM,
        Action.CLOSE_WITHOUT_EVIDENCE,
        Status.NO_EVIDENCE,
        (_NEVER_CLAIMED, _NO_PHOTO),
    ),
    _row(Status.CLAIMED, Party.LEAD, Action.ASSIGN, Status.ASSIGNED, needs=("officer",)),
    _row(Status.CLAIMED, Party.OFFICER, Action.RETURN, Status.ASSIGNED, (_CLAIMER,), _REASON),
    _row(Status.CLAIMED, Party.LEAD, Action.RETURN, Status.ASSIGNED, (), _REASON),
    _row(
        Status.CLAIMED,
        Party.OFFICER,
        Action.RESOLVE,
        Status.RESOLVED,
        (_NOT_OWN, _CLAIMER),
        _AFTER,
    ),
    _row(Status.CLAIMED, Party.LEAD, Action.RESOLVE, Status.RESOLVED, (_NOT_OWN,), _AFTER),
    _row(Status.RESOLVED, Party.REPORTER, Action.CONFIRM, Status.CLOSED, (_VERDICT_OPEN,)),
    _row(
        Status.RESOLVED,
        Party.REPORTER,
        Action.CONTEST,
        Status.CLAIMED,
        (_VERDICT_OPEN, _MAY_REOPEN),
    ),
    _row(
        Status.RESOLVED,
        Party.REPORTER,
        Action.DISPUTE,
        Status.DISPUTED,
        (_VERDICT_OPEN, _REOPENED_TWICE),
    ),
    _row(Status.RESOLVED, Party.LEAD, Action.REOPEN, Status.CLAIMED, (_NOT_OWN,), _REASON),
    _row(Status.RESOLVED, Party.SYSTEM, Action.LAPSE, Status.CLOSED),
    _row(
        Status.DISPUTED,
        Party.LEAD,
        Action.VERIFY,
        Status.CLOSED,
        (_NOT_OWN, _NOT_RESOLVER),
    ),
    _row(Status.DISPUTED, Party.LEAD, Action.REOPEN, Status.CLAIMED, (_NOT_OWN,), _REASON),
    *(
        _row(status, party, Action.NOTE, status, needs=("text",))
        for status in Status
        for party in OFFICIALS
    ),
)

_BY_KEY = {(row.source, row.party, row.action): row for row in TRANSITIONS}


def find(source: Status, parties: Iterable[Party], action: Action) -> Transition | None:
    """The first row that one of the actor's parts offers; None when there is none."""
    rows = (_BY_KEY.get((source, party, action)) for party in parties)
    return next((row for row in rows if row is not None), None)


def judge(source: Status, parties: Iterable[Party], action: Action, facts: Facts) -> Transition:
    """Find the row whose guards hold. Raises ``Conflict`` with the first refusal's code.

    An actor with two parts (a lead who is also an officer) acts in whichever part may.
    """
    refusal = "case.not_possible"
    for party in parties:
        row = _BY_KEY.get((source, party, action))
        if row is None:
            continue
        failed = next((guard.code for guard in row.guards if not guard.holds(facts)), None)
        if failed is None:
            return row
        refusal = failed
    raise Conflict(refusal, status=source.value, action=action.value)


def allowed(source: Status, parties: Iterable[Party], facts: Facts) -> list[Transition]:
    """List what may be done now, in the table's order, each action once."""
    wanted = set(parties)
    found: dict[Action, Transition] = {}
    for row in TRANSITIONS:
        is_offered = row.source is source and row.party in wanted
        if is_offered and all(guard.holds(facts) for guard in row.guards):
            found.setdefault(row.action, row)
    return list(found.values())


def diagram() -> str:
    """Draw the table as a Mermaid state diagram; notes change nothing and are left out."""
    lines = ["stateDiagram-v2", "    [*] --> assigned: reporter submit"]
    labels: dict[tuple[Status, Status, Action], list[Party]] = {}
    for row in TRANSITIONS:
        if row.action is not Action.NOTE:
            labels.setdefault((row.source, row.target, row.action), []).append(row.party)
    for (source, target, action), parties in labels.items():
        names = ", ".join(parties)
        lines.append(f"    {source} --> {target}: {names} {action}")
    left = {row.source for row in TRANSITIONS if row.action is not Action.NOTE}
    lines += [f"    {status} --> [*]" for status in Status if status not in left]
    return "\n".join(lines) + "\n"


def ever(parties: Iterable[Party], action: Action) -> bool:
    """Whether one of these parts may do this at all, in whatever state."""
    wanted = set(parties)
    return any(row.party in wanted and row.action is action for row in TRANSITIONS)
