"""Delivery of the outbox: woken by its stream, and by a sweep that finds what was left."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from handlers.wiring import services
from models.alerts import outbox
from models.base.errors import DomainError

log = logging.getLogger(__name__)

BATCH = 200


def on_stream(event: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Deliver the rows that were just put. What fails stays in the table for the sweep."""
    for record in event["Records"]:
        if record["eventName"] == "INSERT":
            deliver(record["dynamodb"]["Keys"]["outbox_id"]["S"])
    return {"batchItemFailures": []}


def on_schedule() -> dict[str, int]:
    """Deliver what is due: after a lost stream record, or after a failure's pause."""
    waiting = outbox.due(services().clock.now(), BATCH)
    return {"delivered": sum(deliver(outbox_id) for outbox_id in waiting)}


def deliver(outbox_id: str) -> bool:
    """Deliver one row; False when another has it, or when it must be tried again later.

    This is the outermost place of a delivery: one row that fails, for whatever reason, must not
    keep the others from being told.
    """
    wired = services()
    event = outbox.lease(outbox_id, wired.clock.now())
    if event is None:
        return False
    handler = wired.outbox_handlers.get(event.topic)
    try:
        if handler is None:
            raise LookupError(event.topic)
        handler(event)
    except DomainError as error:
        extra = {"topic": event.topic, "reason": error.code, "attempts": event.attempts}
        log.warning("outbox.postponed", extra=extra)
        outbox.postpone(event, wired.clock.now())
        return False
    except Exception:
        log.exception("outbox.failed", extra={"topic": event.topic, "attempts": event.attempts})
        outbox.postpone(event, wired.clock.now())
        return False
    outbox.done(event)
    return True
