"""Fixes that a second rider looks at."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http import naming
from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.rechecks import (
    Here,
    NewRecheckAnswer,
    RecheckAnswer,
    Rechecks,
)
from models.cases.rechecks import AnswerRecheck

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/rechecks", query=Here, answer=Rechecks)
def list_rechecks(call: Call[Nothing, Here]) -> Reply:
    """List fixes within 500 m that wait for a second pair of eyes, nearest first."""
    found = call.services.rechecks.near(call.actor, lon=call.query.lon, lat=call.query.lat)
    return {"items": [naming.named(item, call) for item in found]}


@endpoint(
    blueprint,
    "POST",
    "/v1/rechecks/{recheck_id}",
    body=NewRecheckAnswer,
    answer=RecheckAnswer,
    status=201,
    errors=(404, 409),
)
def answer_recheck(call: Call[NewRecheckAnswer, Nothing]) -> Reply:
    """Say whether it is fixed, with a photo of it as it is now."""
    body = call.body
    command = AnswerRecheck(
        client_request_id=body.request_id,
        fixed=body.fixed,
        photos=tuple(body.photos),
        lon=body.lon,
        lat=body.lat,
        accuracy_m=body.accuracy_m,
        captured_at=body.captured_at,
    )
    answer = call.services.rechecks.answer(call.actor, call.params["recheck_id"], command)
    return {"recheck": answer}
