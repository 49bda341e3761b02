"""Letting a frozen wallet spend again: two admins' command, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers import telemetry
from handlers.console import refusals
from handlers.wiring import services
from models.base.errors import DomainError
from models.points.freezing import thaw
from models.points.proposal_rules import read_person


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for ``{"member_id", "actor"}``, or agree as another actor; safe to repeat.

    Answers ``{"member_id", "outcome"}``: ``asked`` (another must agree) or ``thawed``; or what is
    wrong: ``{"code", "details", "fields"}``.
    """
    bad = refusals.bad_texts(event, "member_id", "actor")
    if bad:
        telemetry.count("thaw_wallet", "request.invalid")
        return refusals.fields(bad)
    now = services().clock.now()
    try:
        outcome = thaw(event["member_id"], actor=read_person(event["actor"]).name, now=now)
    except DomainError as error:
        telemetry.count("thaw_wallet", error.code)
        return refusals.told(error)
    telemetry.count("thaw_wallet", outcome)
    return {"member_id": event["member_id"], "outcome": outcome}
