"""A rider's word against points that were taken from him: said once, decided by people.

Nothing is edited: an appeal that is upheld becomes an adjustment, which its decider proposes and
another person approves. The rider hears of the outcome, not of the way to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from models.base.clock import Clock, utc_text
from models.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from models.base.ids import content_hash, derived_id, seq_text
from models.base.paging import Cursors, Page
from models.base.store import (
    Refused,
    Stale,
    Transaction,
    get,
    page_of,
    put_if_absent,
    query,
    retrying,
)
from models.people import links
from models.people.entities import Actor
from models.points import corrections
from models.points.appeal_states import AppealState, appeal_until, takers
from models.points.decisions import Tell
from models.points.ledger import transfer
from models.points.proposal_rules import APPEAL_UPHELD, Draft, Kind, Person, is_id, read_person
from models.points.proposal_tables import EntryAppealRow, ProposalRow
from models.points.proposals import row_of
from models.points.tables import EntryRow

log = logging.getLogger(__name__)

PATIENCE = timedelta(days=7)
"""How long an appeal may wait unheard. *Source:* the project's own rule."""
TEXT_MAX_CHARACTERS = 200
MAX_SHOWN = 500
DISMISSED = "points.appeal_dismissed"
"""The topic by which a rider is told that his appeal was dismissed."""


class Verdict(StrEnum):
    """What a person says of an appeal."""

    UPHOLD = "uphold"
    DISMISS = "dismiss"


_LEADS_TO: Mapping[Verdict, tuple[AppealState, ...]] = {
    Verdict.UPHOLD: (AppealState.UPHOLDING, AppealState.UPHELD),
    Verdict.DISMISS: (AppealState.DISMISSED,),
}


class Appeals:
    """Takes appeals, and has people decide them. ``clean`` masks what must not stand in a text."""

    def __init__(
        self,
        *,
        clock: Clock,
        cursors: Cursors,
        clean: Callable[[str | None], str | None],
        tell: Tell,
    ) -> None:
        self._clock = clock
        self._cursors = cursors
        self._clean = clean
        self._tell = tell

    def appeal(
        self, actor: Actor, seq: str, text: str, client_request_id: str
    ) -> Mapping[str, Any]:
        """Say why an entry is wrong that took points: once, within 30 days.

        Raises ``NotFound("points.entry_not_found")``, ``Invalid`` without a text, and ``Conflict``
        (``points.not_appealable``, ``points.appeal_too_late``, ``points.appealed_before``,
        ``request.reused``). Safe to repeat, also when it was decided. Two reads, one write.
        """
        said = self._clean(text)
        if not said:
            raise Invalid(fields=[FieldError(field="text", code="field.missing")])
        content = content_hash({"appeal": seq, "text": text})
        key = derived_id("req", actor.member_id, client_request_id)
        return retrying(lambda: self._appeal(actor.member_id, seq, said, (key, content)))

    def mine(
        self, actor: Actor, *, limit: int, cursor: str | None = None
    ) -> Page[Mapping[str, Any]]:
        """His own appeals, of the newest entry first. One query. Raises ``Invalid`` (cursor)."""
        scope = f"point-appeals:{actor.member_id}"
        after = self._cursors.open(scope, cursor)
        rows, last = page_of(EntryAppealRow, actor.member_id, limit=limit, after=after)
        following = self._cursors.seal(scope, last)
        return Page(items=[shown(row) for row in rows], next_cursor=following)

    def open(self, county: str) -> list[Mapping[str, Any]]:
        """Appeals of a county that wait, oldest first, with their texts. One query of an index."""
        rows: list[EntryAppealRow] = query(EntryAppealRow.by_open, county)
        return [_waiting(row) for row in rows[:MAX_SHOWN]]

    def overdue(self, county: str) -> int:
        """How many of a county have waited for a week, for a first or a second person; logged as
        an error, for an alarm to hear. Two queries of indexes."""
        before = self._clock.now() - PATIENCE
        first = query(EntryAppealRow.by_open, county, EntryAppealRow.at < before)
        second = query(ProposalRow.by_open, county, ProposalRow.proposed_at < before)
        waiting = len(first) + sum(row.appeal_seq is not None for row in second)
        if waiting:
            log.error("points.appeals_waiting", extra={"county": county, "appeals": waiting})
        return waiting

    def decide(
        self, member_id: str, seq: int, verdict: Verdict, *, county: str, actor: str
    ) -> Mapping[str, Any]:
        """Dismiss an appeal, or uphold it: then the points wait for a second person's approval.

        Not for who made or checked the taking, nor for the rider and those close to him. Raises
        ``NotFound("appeal.not_found")``, ``Forbidden`` (``appeal.own_decision``,
        ``proposal.own_account``), ``Conflict("appeal.decided_before")`` and ``Invalid`` (field
        ``actor``). Safe to repeat.
        """
        decider = read_person(actor)
        return retrying(lambda: self._decide(member_id, seq, verdict, county, decider))

    def _appeal(
        self, member_id: str, seq: str, text: str, request: tuple[str, str]
    ) -> Mapping[str, Any]:
        key = seq_text(int(seq)) if seq.isascii() and seq.isdigit() and len(seq) <= 10 else ""
        entry = get(EntryRow, member_id, key) if key else None
        if entry is None:
            raise NotFound("points.entry_not_found")
        standing = get(EntryAppealRow, member_id, key)
        if standing is not None:
            return _same(standing, request)
        now, until = self._clock.now(), appeal_until(entry.kind, entry.legs, entry.posted_at)
        if until is None:
            raise Conflict("points.not_appealable")
        if now > until:
            raise Conflict("points.appeal_too_late")
        row = EntryAppealRow(
            member_id,
            key,
            county=entry.county,
            transfer_id=entry.transfer_id,
            text=text,
            request_key=request[0],
            request_hash=request[1],
            at=now,
            state=AppealState.OPEN.value,
            attempt=0,
            open_county=entry.county,
        )
        if not put_if_absent(row):
            raise Stale
        log.info("points.appealed", extra={"county": entry.county, "kind": entry.kind})
        return shown(row)

    def _decide(
        self, member_id: str, seq: int, verdict: Verdict, county: str, decider: Person
    ) -> Mapping[str, Any]:
        row = get(EntryAppealRow, member_id, seq_text(seq)) if is_id(member_id) else None
        if row is None or row.county != county:
            raise NotFound("appeal.not_found")
        if row.state != AppealState.OPEN:
            if row.decided_by != decider.name or row.state not in _LEADS_TO[verdict]:
                raise Conflict("appeal.decided_before", state=row.state)
            return shown(row)
        _check_may(row, decider)
        tx, now = Transaction(), self._clock.now()
        state = _LEADS_TO[verdict][0]
        attempt = row.attempt
        if verdict is Verdict.UPHOLD:
            attempt += 1
            draft = _restoring(row, attempt)
            tx.guard("proposal", row_of(draft, maker=decider.name, now=now, appeal=row.seq))
        else:
            payload = {"member_id": member_id, "seq": seq, "at": utc_text(now)}
            key = f"{member_id}#{row.seq}"
            tx.put("told", self._tell(DISMISSED, key, county, payload, now))
        actions = [
            EntryAppealRow.state.set(state.value),
            EntryAppealRow.attempt.set(attempt),
            EntryAppealRow.decided_by.set(decider.name),
            EntryAppealRow.decided_at.set(now),
            EntryAppealRow.open_county.remove(),
        ]
        still = (EntryAppealRow.state == AppealState.OPEN.value) & (
            EntryAppealRow.attempt == row.attempt
        )
        tx.update("appeal", row, actions, still)
        try:
            tx.commit()
        except Refused as refused:
            raise Stale from refused
        log.info("points.appeal_decided", extra={"county": county, "state": state.value})
        row.state, row.decided_by, row.decided_at = state.value, decider.name, now
        return shown(row)


def shown(row: EntryAppealRow) -> Mapping[str, Any]:
    """An appeal as its rider may see it."""
    return {
        "seq": int(row.seq),
        "state": row.state,
        "at": utc_text(row.at),
        "decided_at": utc_text(row.decided_at) if row.decided_at else None,
    }


def _waiting(row: EntryAppealRow) -> Mapping[str, Any]:
    """An appeal as who decides may see it."""
    return {
        "member_id": row.member_id,
        "seq": int(row.seq),
        "text": row.text,
        "at": utc_text(row.at),
        "transfer_id": row.transfer_id,
    }


def _same(standing: EntryAppealRow, request: tuple[str, str]) -> Mapping[str, Any]:
    """That what stands is this very request's. Raises ``Conflict``."""
    if standing.request_key != request[0]:
        raise Conflict("points.appealed_before")
    if standing.request_hash != request[1]:
        raise Conflict("request.reused")
    return shown(standing)


def _check_may(row: EntryAppealRow, decider: Person) -> None:
    if links.is_close(decider.given, row.member_id):
        raise Forbidden("proposal.own_account")
    if decider.name in takers(row.member_id, row.seq):
        raise Forbidden("appeal.own_decision")


def _restoring(row: EntryAppealRow, attempt: int) -> Draft:
    """The adjustment that gives back what the entry took of its member."""
    taken = transfer(row.transfer_id)
    assert taken is not None, "an entry has its transfer"
    return Draft(
        kind=Kind.ADJUSTMENT,
        member_id=row.member_id,
        county=row.county,
        amount=corrections.restores(taken.own_legs)[0],
        reason=APPEAL_UPHELD,
        reference=row.transfer_id,
        attempt=attempt,
    )
