"""A second person decides: the proposal flips and the points move in one transaction, or neither.

``state = proposed AND maker <> checker`` decides every race: of two who approve at once one posts,
and who repeats his own decision is told what it led to. What is approved is what was proposed: a
row whose content no longer gives its id is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from models.base.clock import Clock, utc_text
from models.base.errors import Conflict, DomainError, Forbidden, NotFound
from models.base.store import Refused, Stale, Transaction, get, retrying
from models.base.tables import Table
from models.people import links
from models.points import appeal_states, decided
from models.points.ledger import Ledger
from models.points.proposal_rules import (
    ACT_WITHIN,
    ACTS,
    LEADS_TO,
    REASONS,
    Decision,
    Kind,
    Person,
    State,
    is_id,
    read_person,
)
from models.points.proposal_tables import ProposalRow
from models.points.proposals import draft_of, open_rows, shown

log = logging.getLogger(__name__)

TOPIC = "points.decided"
"""The topic by which a member is told that two people moved his points."""


class Tell(Protocol):
    """Makes the row, written in the same transaction, by which something becomes known."""

    def __call__(
        self, topic: str, key: str, county: str, payload: Mapping[str, Any], now: datetime, /
    ) -> Table: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What deciding many came to; ``refused`` are (proposal, code), still open or not."""

    decided: tuple[Mapping[str, Any], ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Posted:
    transfer_id: str
    points: int
    limit: str | None


class Decisions:
    """Decides on proposals."""

    def __init__(self, *, clock: Clock, ledger: Ledger, tell: Tell) -> None:
        self._clock = clock
        self._ledger = ledger
        self._tell = tell

    def decide(
        self, proposal_id: str, decision: Decision, *, county: str, actor: str
    ) -> Mapping[str, Any]:
        """Approve or decline what somebody else proposed, or withdraw what one proposed oneself.

        Safe to repeat: the same decision of the same person answers the same. Raises ``NotFound``
        (``proposal.not_found``), ``Forbidden`` (``proposal.own``, ``proposal.not_own``,
        ``proposal.own_account``, ``appeal.own_decision``), ``Conflict``
        (``proposal.decided_before`` with the ``state``, ``proposal.changed``,
        ``proposal.too_old``, ``proposal.reference_posted``) and ``Invalid`` (field ``actor``).
        """
        checker = read_person(actor)
        return retrying(lambda: self._decide(proposal_id, decision, county, checker))

    def decide_batch(
        self, batch: str | None, decision: Decision, *, county: str, actor: str
    ) -> Batch:
        """Decide on everything of a file that still waits; each in a transaction of its own.

        Safe to repeat, and to stop half-way: what is refused harms no other. The index may lag by
        moments behind the proposing, so ask again until nothing waits.
        """
        read_person(actor)
        decided: list[Mapping[str, Any]] = []
        refused: list[tuple[str, str]] = []
        for row in open_rows(county, batch):
            try:
                told = self.decide(row.proposal_id, decision, county=county, actor=actor)
            except DomainError as error:
                refused.append((row.proposal_id, error.code))
            else:
                decided.append(told)
        return Batch(decided=tuple(decided), refused=tuple(refused))

    def _decide(
        self, proposal_id: str, decision: Decision, county: str, checker: Person
    ) -> Mapping[str, Any]:
        row = _found(proposal_id, county)
        state = LEADS_TO[decision]
        if row.state != State.PROPOSED:
            if (row.state, row.checker) != (state, checker.name):
                raise Conflict("proposal.decided_before", state=row.state)
            return shown(row)
        now = self._clock.now()
        _check_may(row, decision, checker, now)
        tx = Transaction()
        _flip(tx, row, state, checker.name, now, self._add_posting(tx, row, decision, now))
        if row.appeal_seq is not None:
            appeal_states.add_outcome(tx, row, is_upheld=state is State.POSTED)
        try:
            tx.commit()
        except Refused as refused:
            raise Stale from refused
        facts = {"proposal_id": row.proposal_id, "kind": row.kind, "state": state.value}
        log.info("points.decided", extra=facts)
        return shown(row)

    def _add_posting(
        self, tx: Transaction, row: ProposalRow, decision: Decision, now: datetime
    ) -> _Posted | None:
        """Let the points join, with the word to their member; None where none move."""
        if decision is not Decision.APPROVE:
            return None
        draft = draft_of(row)
        posting = decided.plan(self._ledger, draft, now)
        if posting.already:
            raise _posted_before(row)
        posting.add_to(tx)
        points = decided.moved(draft, posting)
        posted = _Posted(posting.transfer_id, points, posting.limit)
        if posted.points and posting.writes is not None:
            self._add_notice(tx, row, posted, int(posting.writes.entry.seq), now)
        return posted

    def _add_notice(
        self, tx: Transaction, row: ProposalRow, posted: _Posted, seq: int, now: datetime
    ) -> None:
        why_zh, why_en = REASONS[Kind(row.kind)][row.reason]
        payload = {
            "proposal_id": row.proposal_id,
            "member_id": row.member_id,
            "kind": row.kind,
            "points": posted.points,
            "why_zh": why_zh,
            "why_en": why_en,
            "seq": seq,
            "upheld": row.appeal_seq is not None,
            "at": utc_text(now),
        }
        tx.put("told", self._tell(TOPIC, row.proposal_id, row.county, payload, now))


def _found(proposal_id: str, county: str) -> ProposalRow:
    row = get(ProposalRow, proposal_id) if is_id(proposal_id) else None
    if row is None or row.county != county:
        raise NotFound("proposal.not_found")
    return row


def _check_may(row: ProposalRow, decision: Decision, checker: Person, now: datetime) -> None:
    is_maker = row.maker == checker.name
    if decision is Decision.WITHDRAW:
        if not is_maker:
            raise Forbidden("proposal.not_own")
        return
    if is_maker:
        raise Forbidden("proposal.own")
    if links.is_close(checker.given, row.member_id):
        raise Forbidden("proposal.own_account")
    if row.appeal_seq and checker.name in appeal_states.takers(row.member_id, row.appeal_seq):
        raise Forbidden("appeal.own_decision")
    if decision is Decision.APPROVE and draft_of(row).proposal_id != row.proposal_id:
        raise Conflict("proposal.changed")
    is_old = row.kind in set(ACTS) and now - row.proposed_at > ACT_WITHIN
    if decision is Decision.APPROVE and is_old:
        raise Conflict("proposal.too_old")


def _posted_before(row: ProposalRow) -> Exception:
    """Its transfer stands. If a twin of this very decision made it stand, that is no refusal."""
    again = get(ProposalRow, row.proposal_id)
    is_still_open = again is not None and again.state == State.PROPOSED
    return Conflict("proposal.reference_posted") if is_still_open else Stale()


def _flip(
    tx: Transaction,
    row: ProposalRow,
    state: State,
    checker: str,
    now: datetime,
    posted: _Posted | None,
) -> None:
    row.state, row.checker, row.decided_at = state.value, checker, now
    actions: list[Action] = [
        ProposalRow.state.set(state.value),
        ProposalRow.checker.set(checker),
        ProposalRow.decided_at.set(now),
        ProposalRow.open_county.remove(),
    ]
    if posted is not None:
        row.points, row.transfer_id = posted.points, posted.transfer_id
        actions += [
            ProposalRow.points.set(posted.points),
            ProposalRow.transfer_id.set(posted.transfer_id),
        ]
        if posted.limit is not None:
            row.limit = posted.limit
            actions.append(ProposalRow.limit.set(posted.limit))
    tx.update("proposal", row, actions, _unchanged(row, state, checker))


def _unchanged(row: ProposalRow, state: State, checker: str) -> Condition:
    """That it waits, that another made it, and that it still says what the points follow from."""
    wanted: Condition = ProposalRow.state == State.PROPOSED.value
    if state is State.WITHDRAWN:
        wanted &= ProposalRow.maker == checker
        return wanted
    wanted &= ProposalRow.maker != checker
    wanted &= ProposalRow.member_id == row.member_id
    wanted &= ProposalRow.amount == row.amount
    wanted &= ProposalRow.kind == row.kind
    wanted &= ProposalRow.reference == row.reference
    return wanted
