"""What may happen to a redemption, and when. Pure decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.base.errors import Conflict
from models.rewards.entities import Action, Missing, Redemption, Reward, State

UNDO_WITHIN = timedelta(minutes=5)
"""*Source:* the contract, `POST /v1/redemptions/{id}/undo`."""

EXPIRY_GRACE = timedelta(minutes=5)
"""The schedule waits this long, so that no skew between clocks lets both it and a merchant win."""

TRANSITIONS: Mapping[tuple[State, Action], State] = {
    (State.RESERVED, Action.FULFIL): State.FULFILLED,
    (State.FULFILLED, Action.UNDO): State.RESERVED,
    (State.RESERVED, Action.CANCEL): State.CANCELLED,
    (State.RESERVED, Action.EXPIRE): State.EXPIRED,
}
"""(state, action) → state. An undo past the voucher's end goes on to ``EXPIRED`` at once."""

_REFUSALS: Mapping[State, str] = {
    State.RESERVED: "redemption.not_fulfilled",
    State.FULFILLED: "redemption.already_fulfilled",
    State.CANCELLED: "redemption.cancelled",
    State.EXPIRED: "redemption.expired",
}


def after(redemption: Redemption, action: Action, *, now: datetime) -> State:
    """The state that an action leads to.

    Raises ``Conflict`` (``redemption.already_fulfilled``, ``.not_fulfilled``, ``.cancelled``,
    ``.expired``, ``.undo_too_late``, ``.not_due``) with the present ``state``.
    """
    target = TRANSITIONS.get((redemption.state, action))
    if target is None:
        raise _refusal(redemption, _REFUSALS[redemption.state])
    if action is Action.FULFIL and now >= redemption.expires_at:
        raise _refusal(redemption, "redemption.expired")
    if action is Action.EXPIRE and not is_due(redemption, now=now):
        raise _refusal(redemption, "redemption.not_due")
    if action is Action.UNDO:
        assert redemption.fulfilled_at is not None
        if now > redemption.fulfilled_at + UNDO_WITHIN:
            raise _refusal(redemption, "redemption.undo_too_late")
        if now >= redemption.expires_at:
            return State.EXPIRED
    return target


def is_due(redemption: Redemption, *, now: datetime) -> bool:
    """Whether the schedule gives the points back."""
    return redemption.state is State.RESERVED and redemption.expires_at + EXPIRY_GRACE <= now


def is_usable(redemption: Redemption, *, now: datetime) -> bool:
    """Whether its code would be taken."""
    return redemption.state is State.RESERVED and now < redemption.expires_at


def expires_at(reward: Reward, *, now: datetime) -> datetime:
    """When a voucher reserved now ends.

    *Source:* domain.md §4.3, 30 days, a health check 60; each reward's row says.
    """
    return now + timedelta(days=reward.valid_days)


def missing(
    reward: Reward, *, available: int, stock_left: int, may_spend: bool
) -> tuple[Missing, ...]:
    """What stands between a member and a reward, in the order in which it is to be done."""
    wants = {
        Missing.OCCUPATION: not may_spend,
        Missing.POINTS: available < reward.price,
        Missing.STOCK: stock_left < 1,
    }
    return tuple(want for want, is_missing in wants.items() if is_missing)


def _refusal(redemption: Redemption, code: str) -> Conflict:
    return Conflict(code, state=redemption.state.value)
