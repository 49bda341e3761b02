"""The clock's function for held alerts: whoever has some that are due is told of them."""

from __future__ import annotations

import logging
from datetime import timedelta

from handlers import telemetry
from handlers.wiring import services
from models.alerts.held import due_members
from models.base.errors import DomainError

log = logging.getLogger(__name__)

PASS = timedelta(seconds=15)
"""A run ends after this long, before its function does; the next one goes on."""


def on_schedule() -> dict[str, int]:
    """Release what is due now. Safe to run late, twice, or beside itself."""
    clock = services().clock
    started = clock.now()
    messages = 0
    for member_id in due_members(started):
        messages += release(member_id)
        if clock.now() - started > PASS:
            break
    return {"messages": messages}


def release(member_id: str) -> int:
    """Release one member's alerts; 0 when that fails, for the next run finds him again.

    This is the outermost place of a release: one that fails, for whatever reason, must not keep
    the others from being told.
    """
    try:
        messages = services().alert_desk.release(member_id)
    except DomainError as error:
        log.warning("alert.release_failed", extra={"member_id": member_id, "reason": error.code})
    except Exception:
        log.exception("alert.release_broken", extra={"member_id": member_id})
    else:
        if messages:
            telemetry.count("alert", "released")
        return messages
    return 0
