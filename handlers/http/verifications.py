"""Having an occupation confirmed."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.people import (
    ConfirmationAnswer,
    NewConfirmation,
    NewVerification,
    Verification,
)
from handlers.http.texts.catalogue import text
from models.people.rules import CONFIRMING_ROLES

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "POST",
    "/v1/me/verification",
    body=NewVerification,
    answer=Verification,
    status=201,
)
def request_verification(call: Call[NewVerification, Nothing]) -> Reply:
    """Give the code that a keeper, a depot or an officer confirms the occupation by."""
    given = call.services.verifications.request(
        call.actor, call.body.occupation, call.body.request_id
    )
    return {
        "code": given.code,
        "occupation": given.occupation.value,
        "occupation_text": text(f"occupation.{given.occupation.value}", call.language),
        "expires_at": given.expires_at,
    }


@endpoint(
    blueprint,
    "POST",
    "/v1/verifications/{code}/confirm",
    body=NewConfirmation,
    answer=ConfirmationAnswer,
    roles=CONFIRMING_ROLES,
)
def confirm_verification(call: Call[NewConfirmation, Nothing]) -> Reply:
    """Confirm the occupation of whoever shows the code."""
    confirmed = call.services.verifications.confirm(
        call.actor, call.params["code"], call.body.request_id
    )
    return {
        "occupation": confirmed.occupation.value,
        "occupation_text": text(f"occupation.{confirmed.occupation.value}", call.language),
        "confirmed_until": confirmed.confirmed_until,
    }
