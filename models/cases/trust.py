"""A rider's trust: what it is, everything that moved it, and his word against any of it.

It is no ranking and decides nothing: he alone sees the value, officials see neutral hints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.alerts import outbox
from models.base.clock import Clock, utc_text
from models.base.errors import Conflict, FieldError, Invalid, NotFound
from models.base.ids import derived_id
from models.base.store import Transaction, get, query, retrying
from models.cases import changes, closing, judging, rules, trust_rules
from models.cases.changes import Request
from models.cases.entities import Party, Verdict
from models.cases.followers import is_close_to_reporter
from models.cases.tables import SCHEMA, CaseRow
from models.cases.trust_rules import GOOD, Kind, Mark
from models.cases.trust_tables import AppealRow, SignalRow
from models.people.entities import Actor

APPEALED = "trust.appealed"
MAX_SHOWN = 100
_KNOWN = frozenset(kind.value for kind in Kind)


class Trust:
    """Shows a rider his trust, takes his appeals, and has people decide them."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def mine(self, actor: Actor) -> Mapping[str, Any]:
        """The actor's own value with what moved it, newest first, 100 at most. One query."""
        now = self._clock.now()
        rows = sorted(_signals_of(actor.member_id), key=lambda row: row.at, reverse=True)
        return {
            "value": trust_rules.trust_of(map(_mark, rows), now),
            "items": [
                {
                    "id": row.signal_id,
                    "kind": row.kind,
                    "measured": row.value,
                    "raises": row.kind in GOOD,
                    "weight": round(row.weight, 2),
                    "counts_now": round(trust_rules.share_of(_mark(row), now), 2),
                    "at": utc_text(row.at),
                    "report_id": row.report_id,
                    "may_appeal": _may_appeal(row),
                    "appealed": row.appeal is not None,
                    "decision": row.decision["decision"] if row.decision else None,
                }
                for row in rows[:MAX_SHOWN]
            ],
        }

    def appeal(
        self, actor: Actor, signal_id: str, text: str, client_request_id: str
    ) -> Mapping[str, Any]:
        """Say why a signal is wrong, once; the community's post hears of it.

        Raises ``NotFound("trust.signal_not_found")``, ``Invalid`` without a text and ``Conflict``
        (``trust.not_appealable``, ``trust.appealed_before``, ``request.reused``). Safe to repeat.
        """
        said = rules.clean_text(text)
        if not said:
            raise Invalid(fields=[FieldError(field="text", code="field.missing")])
        content = {"appeal": signal_id, "text": text}
        request = Request.of(actor, client_request_id, content)
        return retrying(lambda: self._appeal(actor, signal_id, said, request))

    def decide(
        self, actor: Actor, appeal_id: str, decision: str, client_request_id: str
    ) -> Mapping[str, Any]:
        """Let a signal stand (``uphold``), or count for nothing (``dismiss``); once.

        For who is above the grid where the report lies, and neither the rider nor close to him.
        Raises ``NotFound("trust.appeal_not_found")`` and ``Conflict`` (``case.own_report``,
        ``case.linked_report``, ``trust.decided_before``, ``request.reused``). Safe to repeat.
        """
        content = {"decide": appeal_id, "decision": decision}
        request = Request.of(actor, client_request_id, content)
        return retrying(lambda: self._decide(actor, appeal_id, decision, request))

    def _appeal(
        self, actor: Actor, signal_id: str, text: str, request: Request
    ) -> Mapping[str, Any]:
        row = get(SignalRow, actor.member_id, signal_id) if rules.is_id(signal_id) else None
        case = get(CaseRow, row.case_id) if row is not None else None
        if row is None or case is None:
            raise NotFound("trust.signal_not_found")
        appeal_id, now = derived_id("tap", actor.member_id, signal_id), self._clock.now()
        answer = {"id": appeal_id, "signal_id": signal_id, "decision": None}
        if row.appeal is not None:
            _check_same(row.appeal, request, "trust.appealed_before")
            return answer
        if not _may_appeal(row):
            raise Conflict("trust.not_appealable")
        said = {"text": text, "at": utc_text(now), "key": request.key, "hash": request.content}
        tx = Transaction()
        tx.update(
            "signal",
            row,
            [
                SignalRow.appeal.set(said),
                SignalRow.appeal_id.set(appeal_id),
                SignalRow.appeal_verdict.set(Verdict.WAITING.value),
            ],
            SignalRow.signal_id.exists() & SignalRow.appeal.does_not_exist(),
        )
        appeal = AppealRow(
            appeal_id,
            signal_id,
            schema=SCHEMA,
            county=row.county,
            owner_id=actor.member_id,
            ttl=row.ttl,
        )
        tx.guard("appeal", appeal)
        closing.tell(tx, APPEALED, case, now, key=appeal_id)
        judged = {"member_id": actor.member_id, "signal_id": signal_id}
        tx.put("judge", outbox.row(judging.APPEAL, appeal_id, row.county, judged, now))
        changes.commit(tx)
        return answer

    def _decide(
        self, actor: Actor, appeal_id: str, decision: str, request: Request
    ) -> Mapping[str, Any]:
        row, case = _appealed(appeal_id)
        if row is None or case is None or Party.SUPERVISOR not in changes.parties_in(actor, case):
            raise NotFound("trust.appeal_not_found")
        answer = {"id": appeal_id, "signal_id": row.signal_id, "decision": decision}
        if row.decision is not None:
            _check_same(row.decision, request, "trust.decided_before")
            return answer
        if row.member_id == actor.member_id:
            raise Conflict("case.own_report")
        if is_close_to_reporter(actor.member_id, case):
            raise Conflict("case.linked_report")
        decided = {
            "decision": decision,
            "at": utc_text(self._clock.now()),
            "by": derived_id("act", appeal_id, actor.member_id),
            "weighed": row.weight,
            "key": request.key,
            "hash": request.content,
        }
        actions = [SignalRow.decision.set(decided)]
        if decision == "dismiss":
            actions.append(SignalRow.weight.set(0))
        tx = Transaction()
        tx.update("signal", row, actions, SignalRow.decision.does_not_exist())
        changes.commit(tx)
        return answer


def hints_of(case: CaseRow) -> list[Mapping[str, Any]]:
    """What officials see of a case's reports: neutral words, no value, no weight. One query.

    A rider's words are shown once WeChat has let them pass.
    """
    rows: list[SignalRow] = [
        row for row in query(SignalRow.by_case, case.case_id) if row.kind in _KNOWN
    ]
    hints = trust_rules.consequence(map(_mark, rows)).hints
    return [
        {
            "kind": row.kind,
            "appeal_id": row.appeal_id,
            "appeal": _readable(row),
            "decision": row.decision["decision"] if row.decision else None,
        }
        for row in rows
        if row.kind in hints or (row.appeal is not None and row.decision is None)
    ]


def _signals_of(member_id: str) -> Iterable[SignalRow]:
    """What this code understands of a member's signals; a newer code may have written others."""
    return [row for row in query(SignalRow, member_id) if row.kind in _KNOWN]


def _appealed(appeal_id: str) -> tuple[SignalRow | None, CaseRow | None]:
    found: list[AppealRow] = query(AppealRow, appeal_id) if appeal_id.startswith("tap_") else []
    if not rules.is_id(appeal_id) or not found:
        return None, None
    row = get(SignalRow, found[0].owner_id, found[0].signal_id)
    return row, get(CaseRow, row.case_id) if row is not None else None


def _mark(row: SignalRow) -> Mark:
    return Mark(kind=Kind(row.kind), weight=row.weight, at=row.at)


def _readable(row: SignalRow) -> str | None:
    """What the rider says of a signal, for others."""
    if row.appeal is None or row.appeal_verdict != Verdict.PASS:
        return None
    text: str = row.appeal["text"]
    return text


def _may_appeal(row: SignalRow) -> bool:
    return row.kind not in GOOD and row.appeal is None


def _check_same(kept: Mapping[str, Any], request: Request, refusal: str) -> None:
    """That what stands is this very request's. Raises ``Conflict``."""
    if kept["key"] != request.key:
        raise Conflict(refusal)
    if kept["hash"] != request.content:
        raise Conflict("request.reused")
