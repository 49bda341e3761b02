"""How a case changes: who acts in which part, one versioned write, one event, one answer.

A command reads the case and its history, finds its own earlier answer there or decides anew, and
commits the case, the event and whatever belongs to it together. A condition that fails means that
the world moved: ``Stale``, read again. So a lost reply and a double tap meet the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from models.base.clock import utc_text
from models.base.errors import Conflict, NotFound
from models.base.ids import content_hash, derived_id, keyed_id
from models.base.store import Refused, Stale, Transaction, get, query
from models.calendar.rules import WorkingTime
from models.cases import pausing, rules
from models.cases.entities import Action as CaseAction
from models.cases.entities import Party, Status, Verdict
from models.cases.followers import has_reported
from models.cases.states import timing_of
from models.cases.tables import SCHEMA, CaseEventRow, CaseRow, ReportRow, queue_of, wake_shard_of
from models.people.entities import Actor, RoleName

_FORGOTTEN = frozenset({Status.REJECTED, Status.WITHDRAWN, Status.NO_EVIDENCE})
_JUDGED = frozenset({CaseAction.ASK, CaseAction.REPLY, CaseAction.APPEAL})
"""What officials and riders write to one another is shown when WeChat has let it pass."""
_HELD = frozenset({Status.CLAIMED, Status.HANDLING})
_PARTY_BY_ROLE = {
    RoleName.OFFICER: Party.OFFICER,
    RoleName.GRID_LEAD: Party.LEAD,
    RoleName.COMMUNITY: Party.SUPERVISOR,
    RoleName.DISTRICT: Party.SUPERVISOR,
    RoleName.DUTY: Party.SUPERVISOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What makes a command the same command, and what it said."""

    key: str
    content: str

    @classmethod
    def of(cls, actor: Actor, client_request_id: str, content: Mapping[str, Any]) -> Request:
        """``content`` is all of the command except its id."""
        key = derived_id("req", actor.member_id, client_request_id)
        return cls(key=key, content=content_hash(content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Who does what, as it goes into the history."""

    action: StrEnum
    party: Party
    now: datetime
    member_id: str | None = None
    display: str | None = None
    reason: str | None = None
    text: str | None = None
    request: Request | None = None


def scopes_of(row: CaseRow) -> tuple[str, ...]:
    """The scopes that a case lies in, narrowest first."""
    zone = (f"zone:{row.zone_id}",) if row.zone_id else ()
    return f"grid:{row.grid_id}", f"community:{row.community_id}", *zone, f"county:{row.county}"


def parties_in(actor: Actor, row: CaseRow) -> tuple[Party, ...]:
    """In which official parts the actor may act on a case; none outside his scopes and county."""
    scopes = scopes_of(row)
    held = {
        _PARTY_BY_ROLE[role.role]
        for role in actor.roles
        if role.role in _PARTY_BY_ROLE and role.county == row.county and role.scope in scopes
    }
    return tuple(sorted(held, key=list(Party).index))


def case_in_scope(actor: Actor, case_id: str) -> CaseRow:
    """Read a case for an official; one outside his scopes is as unknown as one that is not."""
    row = get(CaseRow, case_id) if rules.is_id(case_id) else None
    if row is None or not parties_in(actor, row):
        raise NotFound("case.not_found")
    return row


def own_report(actor: Actor, report_id: str) -> ReportRow:
    """Read a report of the actor's own; another's is structurally out of reach."""
    row = get(ReportRow, actor.member_id, report_id) if rules.is_id(report_id) else None
    if row is None:
        raise NotFound("report.not_found")
    return row


def is_reporter(actor: Actor, row: CaseRow) -> bool:
    """Whether the actor reported this case or one merged into it, first or joining."""
    return has_reported(actor.member_id, row)


def history(case_id: str) -> list[CaseEventRow]:
    """All events of a case, read strongly, in the order of their ids."""
    events: list[CaseEventRow] = query(CaseEventRow, case_id)
    return events


def earlier_answer(events: Sequence[CaseEventRow], request: Request) -> Mapping[str, Any] | None:
    """What this command was told before; None when it is new.

    Raises ``Conflict("request.reused")`` when its id came with other content.
    """
    event = next((event for event in events if event.request_key == request.key), None)
    if event is None:
        return None
    if event.request_hash != request.content:
        raise Conflict("request.reused")
    answer: Mapping[str, Any] = event.answer
    return answer


def advance(
    tx: Transaction,
    row: CaseRow,
    doing: Doing,
    *,
    working: WorkingTime,
    condition: Condition | None = None,
    named: str = "case",
    **values: Any,
) -> Mapping[str, Any]:
    """Make the case's next version with its event; answers what the command is told.

    A change of state stops the case's clocks or lets them go on, as ``pausing`` has it.

    ``row`` is changed too, so that it shows what will be stored. None removes an attribute.
    ``named`` tells the cases of one transaction apart.
    """
    seen = _seen(row)
    condition = seen if condition is None else seen & condition
    target = Status(values.get("status", row.status))
    clocks = pausing.kept(row, target, doing.now, working)
    values = {**clocks, **values, "version": row.version + 1}
    write(tx, row, values, working=working, condition=condition, named=named)
    answer = answer_of(row)
    tx.guard(f"{named}.event", event_row(row, version_id(row.version), doing, answer))
    return answer


def write(
    tx: Transaction,
    row: CaseRow,
    values: Mapping[str, Any],
    *,
    working: WorkingTime,
    condition: Condition,
    named: str = "case",
) -> None:
    """Write attributes of a case, and those that follow from them: queue, wake, cell."""
    tx.update(named, row, written(row, values, working), condition)


def written(row: CaseRow, values: Mapping[str, Any], working: WorkingTime) -> list[Action]:
    """The update that writes attributes of a case and those that follow; ``row`` is changed too."""
    actions = [_set(row, name, value) for name, value in values.items()]
    actions += [
        _set(row, name, value)
        for name, value in _following(row, working).items()
        if getattr(row, name) != value
    ]
    return actions


def unmoved(row: CaseRow) -> Condition:
    """That nothing has changed that the schedule's next instant hangs on."""
    condition: Condition = _seen(row) & (CaseRow.steps == list(row.steps))
    return condition


def _seen(row: CaseRow) -> Condition:
    """That the case is as it was read; the start of its clock makes no version."""
    clock = CaseRow.clock_from
    same = clock.does_not_exist() if row.clock_from is None else clock == row.clock_from
    condition: Condition = (CaseRow.version == row.version) & same
    return condition


def commit(tx: Transaction) -> None:
    """Commit; whatever condition failed, the world moved: raises ``Stale``."""
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused


def event_row(
    row: CaseRow, event_id: str, doing: Doing, answer: Mapping[str, Any] | None = None
) -> CaseEventRow:
    """The event as it will be stored; who did it stands there under the case's pseudonym."""
    request = doing.request
    return CaseEventRow(
        row.case_id,
        event_id,
        schema=SCHEMA,
        county=row.county,
        at=doing.now,
        action=doing.action.value,
        status=row.status,
        party=doing.party.value,
        actor=derived_id("act", row.case_id, doing.member_id) if doing.member_id else None,
        display=doing.display,
        reason=doing.reason,
        text=doing.text,
        text_verdict=Verdict.WAITING.value if doing.text and doing.action in _JUDGED else None,
        request_key=request.key if request else None,
        request_hash=request.content if request else None,
        answer=answer,
    )


def version_id(version: int) -> str:
    """The event id of a version; such ids sort by version."""
    return f"v{version:05d}"


def name_of(event: CaseEventRow) -> str:
    """What happened, in one word; steps of the schedule are ``step:…``."""
    return f"step:{event.action}" if event.event_id.startswith("s") else event.action


def answer_of(row: CaseRow) -> Mapping[str, Any]:
    """What a command on a case answers: small, because it is kept for whoever asks again."""
    return {
        "id": row.case_id,
        "number": row.number,
        "status": row.status,
        "version": row.version,
        "claimed_by": row.claimed_by,
        "due_at": utc_text(row.due_at),
    }


def pseudonym(key: bytes, case_id: str, member_id: str) -> str:
    """What officials call a reporter: the same within one case, another in the next."""
    mark = keyed_id("p", key, "reporter", case_id, member_id)
    return f"骑手·{mark[-3:]}"


def number_of(case_id: str, day: str) -> str:
    """The number people say on the phone: day of filing and six characters of the id.

    >>> number_of("case_0123456789ABCDEFGHJKMNPQRS", "2026-03-18")
    '260318-MNPQRS'
    """
    return f"{day[2:].replace('-', '')}-{case_id[-6:]}"


def _following(row: CaseRow, working: WorkingTime) -> dict[str, Any]:
    status = Status(row.status)
    wake = rules.next_wake(timing_of(row), working)
    return {
        "queue": queue_of(row.grid_id, status),
        "wake_at": wake.at if wake else None,
        "wake_shard": wake_shard_of(row.case_id) if wake else None,
        "cell": None if status in _FORGOTTEN else row.cell,
        # An undecided proposal is void when the work it was made for has ended.
        "proposal": row.proposal if status in _HELD else None,
    }


def _set(row: CaseRow, name: str, value: Any) -> Action:
    attribute = getattr(CaseRow, name)
    setattr(row, name, value)
    action: Action = attribute.remove() if value is None else attribute.set(value)
    return action
