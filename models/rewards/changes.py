"""How a redemption changes: points, state and stock flip in one transaction, or nothing does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pynamodb.expressions.update import Action as Change

from models.base.clock import business_day, parse_utc, utc_text
from models.base.errors import Conflict, NotFound
from models.base.ids import content_hash, derived_id
from models.base.store import Refused, Stale, Transaction, get
from models.base.tables import Table
from models.points.ledger import HoldStep, Ledger, transfer
from models.points.posting import Posting
from models.points.tables import answer_of
from models.rewards import limits, pools, stocks
from models.rewards.entities import Action, DeclineReason, Outcome, Redemption, State
from models.rewards.reversals import reversal
from models.rewards.rules import UNDO_WITHIN
from models.rewards.tables import RedemptionRow

DUE_SHARDS = 8
UNTAKEN = (State.CANCELLED, State.EXPIRED, State.DECLINED)
"""Nothing was handed over: what the redemption took from stock goes back."""
ENDED = (*UNTAKEN, State.REFUNDED)
"""The member's place under the reward's limit is free again."""
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One asking for an action; the transfer it posts is also the proof that it was done.

    ``request`` is the client's id, and for the schedule a constant: it asks once.
    """

    action: Action
    member_id: str
    request: str
    redemption: Redemption

    @property
    def transfer_id(self) -> str:
        return transfer_of(self.action, self.member_id, self.request)

    @property
    def request_hash(self) -> str:
        return content_hash({"redemption_id": self.redemption.redemption_id})

    def earlier(self) -> Outcome | None:
        """What the same command was told before; None when it has not been done.

        One strong read, which must follow the reading of the redemption: the other way round a
        twin could post in between and be told that it came too late.
        Raises ``Conflict("request.reused")`` when the id stood for another redemption.
        """
        posted = transfer(self.transfer_id)
        if posted is None:
            return None
        if posted.request_hash != self.request_hash:
            raise Conflict("request.reused")
        answer = answer_of(posted)
        return self.outcome(State(answer["state"]), parse_utc(answer["at"]))

    def outcome(self, state: State, at: datetime) -> Outcome:
        """What the command is told when it leads to ``state``."""
        return Outcome(
            redemption=self.redemption,
            state=state,
            at=at,
            undo_until=at + UNDO_WITHIN if self.action is Action.FULFIL else None,
        )

    def plan(
        self, ledger: Ledger, state: State, now: datetime, *, place: str | None = None
    ) -> Posting:
        """The movement of points that goes with it.

        ``place`` hands over. Its entry names it, as do those that take a handover back: so what a
        merchant is owed can be told from the ledger alone.
        """
        place = place or self.redemption.fulfilled_by
        step = HoldStep(
            member_id=self.redemption.member_id,
            hold_transfer_id=hold_transfer(self.redemption.redemption_id),
            transfer_id=self.transfer_id,
            now=now,
            source={
                "redemption_id": self.redemption.redemption_id,
                **({"place": place} if place else {}),
            },
            request_hash=self.request_hash,
            answer={
                "redemption_id": self.redemption.redemption_id,
                "state": state.value,
                "at": utc_text(now),
            },
        )
        if self.action is Action.FULFIL:
            return ledger.plan_settle(step, reward_id=self.redemption.reward_id)
        if self.action not in (Action.UNDO, Action.REFUND):
            return ledger.plan_release(step)
        if state is State.RESERVED:
            return ledger.plan_reinstate(step, reward_id=self.redemption.reward_id)
        return ledger.plan_refund(step, reward_id=self.redemption.reward_id)


def flip(
    row: RedemptionRow,
    state: State,
    posting: Posting,
    *,
    now: datetime,
    scope: str | None = None,
    decided_by: str | None = None,
    declined: DeclineReason | None = None,
    events: Mapping[str, Table] | None = None,
) -> None:
    """Change the redemption with its points; 8 write units, 10 with stock, 12 with a limit's place,
    and 1 or 2 of indexes.

    A handover that is taken back leaves its place a ``ReversalRow``: 2 more. ``scope`` is who hands
    over, ``decided_by`` who decides a refund, ``declined`` why nothing is allotted.

    Raises ``Stale`` when anything moved since it was read: read and judge again.
    """
    if posting.already:
        raise Stale
    tx = Transaction()
    posting.add_to(tx)
    changes = _changes(row, state, now=now, scope=scope)
    if decided_by is not None:
        changes.append(RedemptionRow.refunded_by.set(decided_by))
    if declined is not None:
        changes.append(RedemptionRow.decline_reason.set(declined.value))
    tx.update("redemption", row, changes, RedemptionRow.version == row.version)
    if state in UNTAKEN:
        stocks.give_back(tx, row)
        pools.give_back(tx, row)
    if state in ENDED:
        limits.giving_back(tx, row)
    if row.state == State.FULFILLED.value:
        tx.put("reversal", reversal(row, state, posting.transfer_id, now))
    for name, event in (events or {}).items():
        tx.put(name, event)
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused


def find(redemption_id: str) -> RedemptionRow | None:
    """Read a redemption strongly; None also for what cannot be an id of ours."""
    return get(RedemptionRow, redemption_id) if ID.fullmatch(redemption_id) else None


def known(redemption_id: str) -> RedemptionRow:
    """Read a redemption strongly. Raises ``NotFound("redemption.not_found")``."""
    row = find(redemption_id)
    if row is None:
        raise NotFound("redemption.not_found")
    return row


def transfer_of(action: Action, member_id: str, request: str) -> str:
    """The id of the transfer that a command posts."""
    return derived_id("trf", action.value, member_id, request)


def hold_transfer(redemption_id: str) -> str:
    """The id of the transfer that held the redemption's points."""
    return derived_id("trf", "hold", redemption_id)


def due_shard(redemption_id: str) -> str:
    """The part of the due index that a reserved redemption stands in."""
    return str(sum(redemption_id.encode()) % DUE_SHARDS)


def merchant_day(scope: str, at: datetime) -> str:
    """The key under which a fulfiller's day is totalled."""
    return f"{scope}#{business_day(at)}"


def _changes(row: RedemptionRow, state: State, *, now: datetime, scope: str | None) -> list[Change]:
    changes: list[Change] = [
        RedemptionRow.version.set(row.version + 1),
        RedemptionRow.state.set(state.value),
    ]
    if state is State.RESERVED:
        changes.append(RedemptionRow.due_shard.set(due_shard(row.redemption_id)))
    else:
        changes.append(RedemptionRow.due_shard.remove())
    if row.queue is not None:
        changes.append(RedemptionRow.queue.remove())
    if state in ENDED:
        changes.append(RedemptionRow.ended_at.set(now))
    return changes + _handed_over(state, now, scope)


def _handed_over(state: State, now: datetime, scope: str | None) -> list[Change]:
    if state is State.FULFILLED:
        assert scope is not None
        return [
            RedemptionRow.fulfilled_at.set(now),
            RedemptionRow.fulfilled_by.set(scope),
            RedemptionRow.merchant_day.set(merchant_day(scope, now)),
        ]
    if state is State.REFUNDED:  # it was handed over, whatever became of it
        return []
    return [
        RedemptionRow.refund_reason.remove(),
        RedemptionRow.refund_asked_by.remove(),
        RedemptionRow.refund_asked_at.remove(),
        RedemptionRow.fulfilled_at.remove(),
        RedemptionRow.fulfilled_by.remove(),
        RedemptionRow.merchant_day.remove(),
    ]
