"""A rider's word against points that were taken from him."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.point_appeals import (
    EntryAppeal,
    EntryAppealList,
    EntryAppeals,
    NewEntryAppeal,
)
from handlers.http.texts.catalogue import text

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "POST",
    "/v1/points/entries/{seq}/appeal",
    body=NewEntryAppeal,
    answer=EntryAppeal,
    status=201,
    errors=(404, 409),
)
def appeal_entry(call: Call[NewEntryAppeal, Nothing]) -> Reply:
    """Say once, within 30 days, why an entry that took points is wrong; people decide."""
    body = call.body
    found = call.services.point_appeals.appeal(
        call.actor, call.params["seq"], body.text, body.request_id
    )
    return _shown(found, call.language)


@endpoint(blueprint, "GET", "/v1/points/appeals", query=EntryAppeals, answer=EntryAppealList)
def list_appeals(call: Call[Nothing, EntryAppeals]) -> Reply:
    """List the own appeals with what became of them, of the newest entry first."""
    page = call.services.point_appeals.mine(
        call.actor, limit=call.query.limit, cursor=call.query.cursor
    )
    items = [_shown(found, call.language) for found in page.items]
    return {"items": items, "next_cursor": page.next_cursor}


def _shown(found: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {**found, "text": text(f"points.appeal.{found['state']}", language)}
