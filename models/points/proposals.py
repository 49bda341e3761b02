"""Proposing what two people decide about points: one thing, or a file of many.

A file is judged whole: one bad line and nothing is written. A proposal's id follows from its
content, so the same proposal is the same row whoever makes it how often, and what is approved is
what was proposed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from models.base.clock import Clock, business_day, utc_text
from models.base.errors import FieldError, Invalid
from models.base.ids import derived_id
from models.base.store import get, get_many, put_if_absent, query
from models.base.tables import Table
from models.people import links, members
from models.people.accounts import load_phone
from models.points import corrections
from models.points.entities import EntryKind
from models.points.ledger import claw_back_id, transfer
from models.points.proposal_rules import (
    ACTS,
    REASONS,
    Draft,
    Kind,
    Person,
    State,
    is_id,
    read_draft,
    read_person,
)
from models.points.proposal_tables import ProposalRow
from models.points.tables import TransferRow

log = logging.getLogger(__name__)

FIRST_LINE = 2
"""The number of the first line after the heading, as a spreadsheet shows it."""
MAX_LINES = 1_000
MAX_SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """What is wrong with one column of a line; line 0 is the command itself."""

    line: int
    error: FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What stands after proposing; if anything is ``refused``, nothing was written."""

    proposals: tuple[Mapping[str, Any], ...] = ()
    batch: str | None = None
    refused: tuple[BadLine, ...] = ()


class Proposals:
    """Takes proposals in and lists what waits."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def propose(self, columns: Mapping[str, object], *, county: str, actor: str) -> Proposed:
        """Propose one thing. See ``propose_all``."""
        return self._propose([columns], county, actor, first=0)

    def propose_all(
        self, lines: Sequence[Mapping[str, object]], *, county: str, actor: str
    ) -> Proposed:
        """Propose what a file says, as one batch; safe to repeat, and to stop half-way.

        Columns: ``member_id`` or ``phone_key`` (the keyed hash of a phone), and those of
        ``read_draft``. ``actor`` names the post that proposes; he proposes nothing for himself or
        for somebody close to him, as far as he is known here by a member's id or a phone's key.
        Raises ``Invalid`` (field ``actor``). Reads three to five rows a line, and writes one.
        """
        return self._propose(lines, county, actor, first=FIRST_LINE)

    def open(self, county: str, *, batch: str | None = None) -> list[Mapping[str, Any]]:
        """What waits for a second person, oldest first, 500 at most; of a claw-back also what the
        ``award`` was. One query of an index, which may lag by moments, and a read for each hundred.
        """
        rows = open_rows(county, batch)[:MAX_SHOWN]
        awards = get_many([(TransferRow, (row.reference,)) for row in rows]) if rows else []
        return [
            {**shown(row), "award": _about(row, award)}
            for row, award in zip(rows, awards, strict=True)
        ]

    def _propose(
        self, lines: Sequence[Mapping[str, object]], county: str, actor: str, *, first: int
    ) -> Proposed:
        maker = read_person(actor)
        if not 0 < len(lines) <= MAX_LINES:
            code = "field.too_long" if lines else "field.missing"
            bad = FieldError(field="csv", code=code, limit=MAX_LINES if lines else None)
            return Proposed(refused=(BadLine(line=0, error=bad),))
        drafts, refused = self._judge(lines, county, maker, first)
        if refused:
            return Proposed(refused=tuple(refused))
        ids = [draft.proposal_id for draft in drafts]
        batch = derived_id("bat", county, *ids) if first else None
        now = self._clock.now()
        standing = [_stand(draft, maker.name, batch, now) for draft in drafts]
        log.info("points.proposed", extra={"county": county, "proposals": len(drafts)})
        return Proposed(proposals=tuple(shown(row) for row in standing), batch=batch)

    def _judge(
        self, lines: Sequence[Mapping[str, object]], county: str, maker: Person, first: int
    ) -> tuple[list[Draft], list[BadLine]]:
        drafts: list[Draft] = []
        refused: list[BadLine] = []
        seen: set[tuple[Kind, str, str]] = set()
        today = business_day(self._clock.now())
        for number, columns in enumerate(lines, first):
            try:
                draft = _judged(columns, county, maker, today)
            except Invalid as bad:
                refused.extend(BadLine(line=number, error=error) for error in bad.fields)
                continue
            key = (draft.kind, draft.member_id, draft.occasion)
            if key in seen:
                error = FieldError(field="reference", code="proposal.duplicate")
                refused.append(BadLine(line=number, error=error))
            seen.add(key)
            drafts.append(draft)
        return drafts, refused


def open_rows(county: str, batch: str | None = None) -> list[ProposalRow]:
    """The proposals of a county that wait, oldest first; one query of an index."""
    rows: list[ProposalRow] = query(ProposalRow.by_open, county)
    return [row for row in rows if batch is None or row.batch == batch]


def draft_of(row: ProposalRow) -> Draft:
    """What a row proposes."""
    return Draft(
        kind=Kind(row.kind),
        member_id=row.member_id,
        county=row.county,
        amount=row.amount,
        reason=row.reason,
        reference=row.reference,
        day=row.day,
        grid_id=row.grid_id,
        attempt=row.attempt,
    )


def row_of(
    draft: Draft, *, maker: str, now: datetime, batch: str | None = None, appeal: str | None = None
) -> ProposalRow:
    """The row of something that is proposed now."""
    return ProposalRow(
        draft.proposal_id,
        kind=draft.kind.value,
        member_id=draft.member_id,
        county=draft.county,
        amount=draft.amount,
        reason=draft.reason,
        reference=draft.reference,
        day=draft.day,
        grid_id=draft.grid_id,
        attempt=draft.attempt,
        batch=batch,
        appeal_seq=appeal,
        maker=maker,
        proposed_at=now,
        state=State.PROPOSED.value,
        open_county=draft.county,
    )


def shown(row: ProposalRow) -> Mapping[str, Any]:
    """A proposal as both people see it; ``points`` what was posted, None while nothing is, and
    ``limit`` which limit that met, if any."""
    return {
        "proposal_id": row.proposal_id,
        "kind": row.kind,
        "member_id": row.member_id,
        "quantity" if row.kind in set(ACTS) else "asked": row.amount,
        "reason": row.reason,
        "why": REASONS[Kind(row.kind)][row.reason][0],
        "reference": row.reference,
        "day": row.day,
        "batch": row.batch,
        "maker": row.maker,
        "proposed_at": utc_text(row.proposed_at),
        "state": row.state,
        "checker": row.checker,
        "decided_at": utc_text(row.decided_at) if row.decided_at else None,
        "points": row.points,
        "limit": row.limit,
    }


def _about(row: ProposalRow, award: Table | None) -> Mapping[str, Any] | None:
    """The award that a claw-back would take back; None for anything else."""
    if row.kind != Kind.CLAW_BACK or not isinstance(award, TransferRow):
        return None
    return {
        "rule": corrections.rule_of(award.own_legs),
        "points": award.points,
        "seq": award.seq,
        "at": utc_text(award.posted_at),
    }


def transfer_of(draft: Draft) -> str:
    """The transfer that a proposal posts, once."""
    is_back = draft.kind is Kind.CLAW_BACK
    return claw_back_id(draft.reference) if is_back else draft.transfer_id


def _stand(draft: Draft, maker: str, batch: str | None, now: datetime) -> ProposalRow:
    """Write a proposal unless it stands; a lost reply finds its own row."""
    row = row_of(draft, maker=maker, now=now, batch=batch)
    if put_if_absent(row):
        return row
    return get(ProposalRow, draft.proposal_id) or row


def _judged(columns: Mapping[str, object], county: str, maker: Person, today: str) -> Draft:
    errors: list[FieldError] = []
    column = "phone_key" if columns.get("phone_key") else "member_id"
    member_id = _member(columns.get(column), column, county)
    if member_id is None:
        errors.append(FieldError(field=column, code="proposal.unknown_member"))
    elif links.is_close(maker.given, member_id):
        errors.append(FieldError(field=column, code="proposal.own_account"))
    try:
        draft = read_draft(columns, county=county, member_id=member_id or "", today=today)
    except Invalid as bad:
        raise Invalid(fields=[*errors, *bad.fields]) from bad
    if errors:
        raise Invalid(fields=errors)
    return _fitting(draft)


def _member(given: object, column: str, county: str) -> str | None:
    """The member whom a line means; None where there is nobody, or he is another county's."""
    name = given.strip() if isinstance(given, str) else ""
    if not is_id(name):
        return None
    member_id = load_phone(name).member_id if column == "phone_key" else name
    member = members.get(member_id) if member_id else None
    return member_id if member and member.county in (None, county) else None


def _fitting(draft: Draft) -> Draft:
    """The draft, with all that its award left where a claw-back says no number.

    Raises ``Invalid`` for what cannot be posted any more, unless this very proposal stands.
    """
    if draft.kind is Kind.CLAW_BACK:
        draft = _fitting_claw_back(draft)
    is_posted = transfer(transfer_of(draft)) is not None
    if is_posted and get(ProposalRow, draft.proposal_id) is None:
        raise _refused("reference", "proposal.reference_posted")
    return draft


def _fitting_claw_back(draft: Draft) -> Draft:
    award = transfer(draft.reference)
    whose = (draft.member_id, draft.county, EntryKind.AWARD)
    if award is None or (award.member_id, award.county, award.kind) != whose:
        raise _refused("reference", "proposal.unknown_award")
    net = corrections.net_credit(award.own_legs)
    if not net:
        raise _refused("reference", "proposal.nothing_left")
    if draft.amount > net:
        raise Invalid(fields=[FieldError(field="points", code="field.too_large", limit=net)])
    return replace(draft, amount=draft.amount or net)


def _refused(field: str, code: str) -> Invalid:
    return Invalid(fields=[FieldError(field=field, code=code)])
