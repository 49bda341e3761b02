"""What may happen to a redemption, and when. Pure decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.base.errors import Conflict, Forbidden
from models.people.entities import Standing
from models.rewards.entities import (
    ON_OFFER,
    Action,
    Candidate,
    Missing,
    Redemption,
    Reward,
    RewardState,
    State,
)

UNDO_WITHIN = timedelta(minutes=5)
"""*Source:* the contract, `POST /v1/redemptions/{id}/undo`."""

EXPIRY_GRACE = timedelta(minutes=5)
"""The schedule waits this long, so that no skew between clocks lets both it and a merchant win."""

_STANDINGS = (Standing.GUEST, Standing.PHONE, Standing.CONFIRMED)

TRANSITIONS: Mapping[tuple[State, Action], State] = {
    (State.QUEUED, Action.ALLOT): State.RESERVED,
    (State.QUEUED, Action.DECLINE): State.DECLINED,
    (State.QUEUED, Action.CANCEL): State.CANCELLED,
    (State.RESERVED, Action.FULFIL): State.FULFILLED,
    (State.FULFILLED, Action.UNDO): State.RESERVED,
    (State.RESERVED, Action.CANCEL): State.CANCELLED,
    (State.RESERVED, Action.EXPIRE): State.EXPIRED,
    (State.FULFILLED, Action.REFUND): State.REFUNDED,
    (State.RESERVED, Action.CLOSE): State.CANCELLED,
}
"""(state, action) → state. An undo past the voucher's end goes on to ``EXPIRED`` at once."""

_REFUSALS: Mapping[State, str] = {
    State.QUEUED: "redemption.queued",
    State.DECLINED: "redemption.declined",
    State.RESERVED: "redemption.not_fulfilled",
    State.FULFILLED: "redemption.already_fulfilled",
    State.CANCELLED: "redemption.cancelled",
    State.EXPIRED: "redemption.expired",
    State.REFUNDED: "redemption.refunded",
}


def after(redemption: Redemption, action: Action, *, now: datetime) -> State:
    """The state that an action leads to.

    Raises ``Conflict`` (``redemption.already_fulfilled``, ``.not_fulfilled``, ``.cancelled``,
    ``.queued``, ``.declined``, ``.expired``, ``.refunded``, ``.undo_too_late``, ``.not_due``) with
    the present ``state``.
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


def is_shown(reward: Reward) -> bool:
    """Whether members see a reward: also one that is paused, for which somebody may be saving."""
    return reward.state in ON_OFFER


def missing(
    reward: Reward,
    candidate: Candidate,
    *,
    available: int,
    stock_left: int,
    has_room: bool,
    now: datetime,
) -> tuple[Missing, ...]:
    """What stands between a member and a reward, in the order in which it is to be done.

    ``has_room``: his limit leaves room for another. A queue takes whoever asks, in stock or not.
    """
    wants = {
        Missing.LIMIT: not has_room,
        Missing.POINTS: available < reward.price,
        Missing.PAUSED: reward.state is RewardState.PAUSED,
        Missing.STOCK: stock_left < 1 and not takes_queue(reward),
    }
    return (
        *ineligible(reward, candidate, now=now),
        *(want for want, is_missing in wants.items() if is_missing),
    )


def takes_queue(reward: Reward) -> bool:
    """Whether one who asks is put into a queue; not where no month is funded any more."""
    return reward.needs_approval and reward.state is not RewardState.SOLD_OUT


def ineligible(reward: Reward, candidate: Candidate, *, now: datetime) -> tuple[Missing, ...]:
    """What a member lacks to be one of those for whom the reward is."""
    wanted = reward.eligibility
    lacking = _STANDINGS.index(candidate.standing) < _STANDINGS.index(wanted.standing)
    is_other = bool(wanted.occupations) and candidate.occupation not in wanted.occupations
    wants = {
        Missing.PHONE: lacking and wanted.standing is Standing.PHONE,
        Missing.OCCUPATION: lacking and wanted.standing is Standing.CONFIRMED,
        Missing.KIND: is_other,
        Missing.MEMBER_DAYS: days_to_wait(reward, candidate, now=now) > 0,
    }
    return tuple(want for want, is_missing in wants.items() if is_missing)


def days_to_wait(reward: Reward, candidate: Candidate, *, now: datetime) -> int:
    """Days until he has been a member for as long as the reward asks; 0: long enough."""
    if not reward.eligibility.member_days:
        return 0
    since = candidate.member_since or now
    left = since + timedelta(days=reward.eligibility.member_days) - now
    return max(0, -(-left // timedelta(days=1)))


def require_eligible(reward: Reward, candidate: Candidate, *, now: datetime) -> None:
    """Raise ``Forbidden``: ``occupation.unconfirmed``, or ``reward.not_eligible`` with what is
    ``missing``, and the ``days`` to wait."""
    lacks = ineligible(reward, candidate, now=now)
    if Missing.OCCUPATION in lacks:
        raise Forbidden("occupation.unconfirmed")
    if lacks:
        raise Forbidden(
            "reward.not_eligible",
            missing=[each.value for each in lacks],
            days=days_to_wait(reward, candidate, now=now),
        )


def _refusal(redemption: Redemption, code: str) -> Conflict:
    return Conflict(code, state=redemption.state.value)
