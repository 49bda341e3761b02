"""A rider's word against points that were taken from him."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.point_appeals import EntryAppeal, NewEntryAppeal
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
    return {**found, "text": text(f"points.appeal.{found['state']}", call.language)}
