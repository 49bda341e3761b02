"""Letting a frozen wallet spend again: two admins' command, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.wiring import services
from models.points.freezing import thaw


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for ``{"member_id", "actor"}``, or agree as another actor; safe to repeat.

    Answers ``outcome``: ``asked`` (another must agree) or ``thawed``.
    """
    now = services().clock.now()
    return {"outcome": thaw(event["member_id"], actor=event["actor"], now=now)}
