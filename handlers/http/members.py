"""The member himself: profile, consents, phone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.people import Me, PhoneCode, ProfileChange
from handlers.http.texts.catalogue import text
from models.people.entities import Profile, Role

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/me", answer=Me, errors=(404,))
def get_me(call: Call[Nothing, Nothing]) -> Reply:
    """Show the member his own data."""
    return _me(call.services.members.profile(call.actor), call.language)


@endpoint(blueprint, "PUT", "/v1/me", body=ProfileChange, answer=Me, errors=(404,))
def change_me(call: Call[ProfileChange, Nothing]) -> Reply:
    """Record consents and the occupation."""
    profile = call.services.members.change_profile(
        call.actor, consents=call.body.consents.named(), occupation=call.body.occupation
    )
    return _me(profile, call.language)


@endpoint(blueprint, "POST", "/v1/me/phone", body=PhoneCode, answer=Me, errors=(404,))
def bind_phone(call: Call[PhoneCode, Nothing]) -> Reply:
    """Bind the phone; the roster's roles for it hold at once."""
    profile = call.services.members.bind_phone(call.actor, call.body.code, call.body.request_id)
    return _me(profile, call.language)


def role_answers(roles: Iterable[Role], language: str) -> list[dict[str, str]]:
    """Roles as an answer shows them."""
    return [
        {
            "role": held.role.value,
            "role_text": text(f"role.{held.role.value}", language),
            "scope": held.scope,
            "county": held.county,
        }
        for held in roles
    ]


def _me(profile: Profile, language: str) -> dict[str, Any]:
    member, level = profile.member, profile.standing.value
    occupation = member.occupation.value if member.occupation else None
    return {
        "id": member.member_id,
        "level": level,
        "level_text": text(f"member.level.{level}", language),
        "roles": role_answers(profile.roles, language),
        "county": member.county,
        "has_phone": member.has_phone,
        "occupation": occupation,
        "occupation_text": text(f"occupation.{occupation}", language) if occupation else None,
        "confirmed_until": member.confirmed_until,
        "consents": {
            purpose: {"version": consent.version, "at": consent.at}
            for purpose, consent in member.consents.items()
        },
    }
