"""Subscription answers as the client saw them."""

from __future__ import annotations

import logging

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.alerts import SubscriptionAnswer, SubscriptionNoted
from models.alerts import quotas

log = logging.getLogger(__name__)

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/v1/subscriptions", body=SubscriptionAnswer, answer=SubscriptionNoted)
def note_subscription(call: Call[SubscriptionAnswer, Nothing]) -> Reply:
    """Take the client's hint; what counts is WeChat's own push, or its answer to a message."""
    log.info("subscription.hinted", extra={"result": call.body.result})
    if call.body.result == "accept":
        quotas.note_bound(call.actor.member_id, call.body.template)
    remaining = quotas.remaining(call.actor.member_id, call.body.template)
    return {"template": call.body.template, "remaining": remaining}
