"""Delivery of the outbox: woken by its stream, and by a sweep that finds what was left."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.wiring import services
from models.alerts import outbox
from models.alerts.entities import Event
from models.base.errors import DomainError

log = logging.getLogger(__name__)

BATCH = 200
PASS = timedelta(seconds=10)
"""A sweep looks again after this long: what is new must not wait behind a slow WeChat."""

STUCK_AFTER = 20
"""From this attempt on (some hours, or minutes where it is urgent) somebody must look."""


def on_stream(event: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Deliver the rows that were just put. What fails stays in the table for the sweep."""
    for record in event["Records"]:
        if record["eventName"] == "INSERT":
            deliver(record["dynamodb"]["Keys"]["outbox_id"]["S"])
    return {"batchItemFailures": []}


def on_schedule() -> dict[str, int]:
    """Deliver what is due: after a lost stream record, or after a failure's pause."""
    clock = services().clock
    started = clock.now()
    delivered = 0
    for outbox_id in outbox.due(started, BATCH):
        delivered += deliver(outbox_id)
        if clock.now() - started > PASS:
            break
    return {"delivered": delivered}


def deliver(outbox_id: str) -> bool:
    """Deliver one row; False when another has it, or when it must be tried again later.

    This is the outermost place of a delivery: one row that fails, for whatever reason, must not
    keep the others from being told.
    """
    now = services().clock.now()
    try:
        event = outbox.lease(outbox_id, now)
        return event is not None and _told(event)
    except DomainError as error:
        log.warning("outbox.left", extra={"outbox_id": outbox_id, "reason": error.code})
    except Exception:
        log.exception("outbox.unreadable", extra={"outbox_id": outbox_id})
        with contextlib.suppress(Exception):
            outbox.set_aside(outbox_id, now)
    return False


def _told(event: Event) -> bool:
    wired = services()
    facts = {"outbox_id": event.outbox_id, "topic": event.topic, "attempts": event.attempts}
    try:
        wired.outbox_handlers[event.topic](event)
    except DomainError as error:
        level = logging.ERROR if event.attempts >= STUCK_AFTER else logging.WARNING
        log.log(level, "outbox.postponed", extra={**facts, "reason": error.code})
    except Exception:
        log.exception("outbox.failed", extra=facts)
    else:
        outbox.done(event)
        return True
    outbox.postpone(event, wired.clock.now())
    return False
