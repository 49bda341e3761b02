"""The queue for a reward that is allotted: an admin looks at it, or refuses one who waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.console import refusals
from handlers.wiring import services
from models.base.clock import utc_text
from models.base.errors import DomainError
from models.rewards.entities import DeclineReason
from models.rewards.queues import Waiting

DECISIONS = (DeclineReason.NOT_GRANTED,)


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Show ``{"reward_id", "county"}``, or refuse ``{"redemption_id", "decline", "actor"}``.

    Shown are all who wait, first to be served first, and why there; nobody is named. ``decline``
    is ``not_granted``: the points go back and the rider is told. Safe to repeat. Answers
    ``{"queue"}`` or ``{"redemption_id", "state"}``, or what is wrong: ``{"code", "fields"}``.
    """
    if "decline" not in event:
        bad = refusals.bad_texts(event, "reward_id", "county")
        if bad:
            return refusals.fields(bad)
        waiting = services().allocation.waiting(event["reward_id"], event["county"])
        return {"queue": [_shown(number, each) for number, each in enumerate(waiting, 1)]}
    bad = refusals.bad_texts(event, "redemption_id", "actor")
    if event["decline"] not in DECISIONS:
        bad["decline"] = "field.not_allowed"
    if bad:
        return refusals.fields(bad)
    wired, redemption_id = services(), event["redemption_id"]
    try:
        state = wired.allocation.decline(
            redemption_id,
            DeclineReason(event["decline"]),
            actor=refusals.post_of(event),
            now=wired.clock.now(),
        )
    except DomainError as error:
        return refusals.told(error)
    return {"redemption_id": redemption_id, "state": state.value}


def _shown(place: int, waiting: Waiting) -> dict[str, Any]:
    return {
        "place": place,
        "redemption_id": waiting.redemption_id,
        "reason": waiting.reason.value,
        "points": waiting.points,
        "asked_at": utc_text(waiting.asked_at),
    }
