"""Refunds for riders whom a merchant failed: two admins' command, run from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.console import refusals
from handlers.wiring import services
from models.base.errors import DomainError
from models.rewards.entities import RefundReason

STEPS = ("propose", "approve", "decline")


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Take a step of ``{"redemption_id", "actor", "step", "reason"?}``; each may be repeated.

    ``propose`` needs a ``reason`` (``not_delivered``, ``defective``, ``wrong_item``, ``closed``);
    ``approve`` is another actor's, and gives the points back; ``decline`` drops the proposal.
    Answers ``{"redemption_id", "step", "state"?}``, or what is wrong: ``{"code", "fields"}``.
    """
    bad = _bad_fields(event)
    if bad:
        return refusals.fields(bad)
    refunds, answer = services().refunds, {key: event[key] for key in ("redemption_id", "step")}
    redemption_id, actor = event["redemption_id"], event["actor"]
    try:
        if event["step"] == "propose":
            refunds.propose(redemption_id, reason=RefundReason(event["reason"]), actor=actor)
            return answer
        if event["step"] == "decline":
            refunds.decline(redemption_id, actor=actor)
            return answer
        outcome = refunds.approve(redemption_id, actor=actor)
    except DomainError as error:
        return refusals.told(error)
    return {**answer, "state": outcome.state.value}


def _bad_fields(event: Mapping[str, Any]) -> dict[str, str]:
    bad = refusals.bad_texts(event, "redemption_id", "actor")
    if event.get("step") not in STEPS:
        bad["step"] = "field.not_allowed"
    elif event["step"] == "propose" and event.get("reason") not in tuple(RefundReason):
        bad["reason"] = "field.not_allowed"
    return bad
