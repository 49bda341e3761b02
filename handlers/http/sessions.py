"""Signing in and out."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.members import role_answers
from handlers.http.schemas.people import NewSession, Session, SessionEnd
from handlers.http.texts.catalogue import text

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "POST",
    "/v1/sessions",
    body=NewSession,
    answer=Session,
    status=201,
    is_open=True,
    errors=(401,),
)
def sign_in(call: Call[NewSession, Nothing]) -> Reply:
    """Sign in with the code of wx.login."""
    opened = call.services.sessions.sign_in(call.body.code, call.body.request_id)
    actor = opened.actor
    return {
        "token": opened.token,
        "expires_at": opened.expires_at,
        "member": {
            "id": actor.member_id,
            "level": actor.standing.value,
            "level_text": text(f"member.level.{actor.standing.value}", call.language),
            "roles": role_answers(actor.roles, call.language),
        },
    }


@endpoint(blueprint, "DELETE", "/v1/sessions/current", answer=SessionEnd)
def sign_out(call: Call[Nothing, Nothing]) -> Reply:
    """End the session that the request came with."""
    call.services.sessions.sign_out(call.actor)
    return {"state": "ended"}
