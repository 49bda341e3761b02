"""A rider's trust, and his appeals."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.trust import (
    NewTrustAppeal,
    NewTrustDecision,
    TrustAppeal,
    TrustShown,
)
from handlers.http.texts.catalogue import text
from models.people.entities import RoleName

blueprint = Blueprint(__name__)

ROLES = (RoleName.COMMUNITY, RoleName.DISTRICT)


@endpoint(blueprint, "GET", "/v1/me/trust", answer=TrustShown)
def show_trust(call: Call[Nothing, Nothing]) -> Reply:
    """Show one's own trust, and everything that moved it."""
    shown, language = call.services.trust.mine(call.actor), call.language
    items = [{**item, "text": text(f"trust.{item['kind']}", language)} for item in shown["items"]]
    return {
        "value": shown["value"],
        "meaning": text("trust.meaning", language),
        "how_to_appeal": text("trust.how_to_appeal", language),
        "items": items,
    }


@endpoint(
    blueprint,
    "POST",
    "/v1/me/trust/appeal",
    body=NewTrustAppeal,
    answer=TrustAppeal,
    status=201,
    errors=(404, 409),
)
def appeal_signal(call: Call[NewTrustAppeal, Nothing]) -> Reply:
    """Say that a signal is wrong, once; people decide."""
    body = call.body
    return call.services.trust.appeal(call.actor, body.signal_id, body.text, body.request_id)


@endpoint(
    blueprint,
    "POST",
    "/v1/trust-appeals/{appeal_id}/uphold",
    body=NewTrustDecision,
    answer=TrustAppeal,
    roles=ROLES,
    errors=(409,),
)
def uphold_signal(call: Call[NewTrustDecision, Nothing]) -> Reply:
    """Let a signal stand after an appeal."""
    return call.services.trust.decide(
        call.actor, call.params["appeal_id"], "uphold", call.body.request_id
    )


@endpoint(
    blueprint,
    "POST",
    "/v1/trust-appeals/{appeal_id}/dismiss",
    body=NewTrustDecision,
    answer=TrustAppeal,
    roles=ROLES,
    errors=(409,),
)
def dismiss_signal(call: Call[NewTrustDecision, Nothing]) -> Reply:
    """Let a signal count for nothing after an appeal."""
    return call.services.trust.decide(
        call.actor, call.params["appeal_id"], "dismiss", call.body.request_id
    )
