"""What an approved proposal posts: the movement that goes with each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from models.base.clock import CHINA
from models.base.errors import Conflict
from models.base.store import query
from models.points import corrections, rules
from models.points.entities import Accounts, Act, EntryKind, Legs
from models.points.ledger import Build, Ledger, claw_back_id, transfer
from models.points.posting import Event, Posting
from models.points.proposal_rules import ACTS, APPEAL_UPHELD, OLD, Draft, Kind
from models.points.tables import EntryRow, TransferRow

OLD_AFTER = timedelta(days=365)
"""*Source:* the ledger's policy of debt, 2026-11-23: written off after twelve months."""


def plan(ledger: Ledger, draft: Draft, now: datetime) -> Posting:
    """Plan what a proposal posts; two reads at most but for old debt. Repeatable as every plan is.

    The entry keeps the proposal, the reason's code and the reference: nothing personal. Raises
    ``Conflict("proposal.changed")`` where there is no award to take back.
    """
    if draft.kind in ACTS:
        return _act(ledger, draft, now)
    if draft.kind is Kind.CLAW_BACK:
        return _claw_back(ledger, draft, now)
    if draft.kind is Kind.WRITE_OFF:
        return _write_off(ledger, draft, now)
    return ledger.plan(
        _event(draft, EntryKind.ADJUSTMENT, draft.transfer_id, now), _set_right(draft)
    )


def moved(draft: Draft, posting: Posting) -> int:
    """The points that a plan moves: of debt, no more is written off than is left."""
    if draft.kind is Kind.WRITE_OFF and posting.writes is not None:
        return posting.writes.transfer.own_legs.get(rules.DEBT, 0)
    return posting.points


def _claw_back(ledger: Ledger, draft: Draft, now: datetime) -> Posting:
    award = _taken(draft)
    event = _event(draft, EntryKind.CLAW_BACK, claw_back_id(draft.reference), now)
    event = replace(event, source={**event.source, "rule": corrections.rule_of(award.own_legs)})

    def build(accounts: Accounts, _: str) -> Legs:
        return corrections.claw_back(accounts, award.own_legs, points=draft.amount)

    return ledger.plan(event, build)


def _write_off(ledger: Ledger, draft: Draft, now: datetime) -> Posting:
    """For its age, debt is written off once it is twelve months old; for other reasons at once."""
    young = _debt_since(draft.member_id, now - OLD_AFTER) if draft.reason == OLD else 0
    event = _event(draft, EntryKind.WRITE_OFF, draft.transfer_id, now)

    def build(accounts: Accounts, _: str) -> Legs:
        return corrections.write_off(
            accounts, points=draft.amount, reason=draft.reason, keeps=young
        )

    return ledger.plan(event, build)


def _debt_since(member_id: str, since: datetime) -> int:
    """The debt that is younger; reads the member's entries, for an admin's command alone."""
    recent = query(EntryRow, member_id, filter_condition=EntryRow.posted_at > since)
    return corrections.incurred(row.legs for row in recent)


def _set_right(draft: Draft) -> Build:
    points, reason = draft.amount, draft.reason
    if points < 0:
        return lambda accounts, _: corrections.deduct(accounts, points=-points, reason=reason)
    # What an appeal gives back repays the debt that the taking made; else half, as of an award.
    repays = points // 2
    if reason == APPEAL_UPHELD:
        repays = corrections.restores(_taken(draft).own_legs)[1]

    def build(accounts: Accounts, today: str) -> Legs:
        month = rules.expiry_month(today)
        return corrections.credit(
            accounts, points=points, repays=repays, reason=reason, month=month
        )

    return build


def _taken(draft: Draft) -> TransferRow:
    """What the draft refers to: an award to be taken back, or a taking to be given back."""
    row = transfer(draft.reference)
    if row is None or row.member_id != draft.member_id:
        raise Conflict("proposal.changed")
    return row


def _event(draft: Draft, kind: EntryKind, transfer_id: str, now: datetime) -> Event:
    return Event(
        member_id=draft.member_id,
        county=draft.county,
        transfer_id=transfer_id,
        kind=kind,
        points=draft.amount,
        source=_source(draft),
        now=now,
    )


def _source(draft: Draft) -> Mapping[str, str]:
    return {
        "proposal": draft.proposal_id,
        "reason": draft.reason,
        "reference": draft.reference,
    }


def _act(ledger: Ledger, draft: Draft, now: datetime) -> Posting:
    """An act is judged by the rules and caps of its own day: at noon of it in China."""
    at = datetime.combine(date.fromisoformat(draft.day or ""), time(12), CHINA)
    act = Act(rule=ACTS[draft.kind], at=at, grid_id=draft.grid_id, quantity=draft.amount)
    return ledger.plan_award(
        member_id=draft.member_id,
        county=draft.county,
        transfer_id=draft.transfer_id,
        act=act,
        now=now,
        matures_at=None,
        source={**_source(draft), "day": draft.day},
    )
