"""Photos that arrived in the bucket, and verdicts that never came."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from handlers.wiring import services
from models.base.errors import DomainError

log = logging.getLogger(__name__)

BATCH = 100


def on_queue(event: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Take in each arrived object; one that fails is given back alone, not with its batch."""
    failures = []
    for message in event["Records"]:
        failed = {"itemIdentifier": message["messageId"]}
        try:
            for key in _keys(json.loads(message["body"])):
                services().evidence.photo_arrived(key)
        except DomainError as error:
            log.warning("photo.intake_deferred", extra={"reason": error.code})
            failures.append(failed)
        except Exception:  # the outermost place: the others of the batch are not held up
            log.exception("photo.intake_failed")
            failures.append(failed)
    return {"batchItemFailures": failures}


def on_schedule() -> dict[str, int]:
    """Ask WeChat again about photos whose verdict is overdue."""
    wired = services()
    return {"asked": wired.evidence.sweep_checks(wired.clock.now(), BATCH)}


def _keys(notification: Mapping[str, Any]) -> Iterator[str]:
    """The object keys of an S3 notification, query-encoded by S3; a test event has none."""
    for record in notification.get("Records", ()):
        yield unquote_plus(record["s3"]["object"]["key"])
