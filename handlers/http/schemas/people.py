"""Sessions, members and verifications, as the contract shows them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from handlers.http.schemas.base import Answer, Body, Command, Instant
from models.people.entities import Occupation, RoleName, Standing

OneTimeCode = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
"""A code that WeChat made; it works once."""

ConsentVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,20}$")]


class NewSession(Command):
    """The code of ``wx.login``."""

    code: OneTimeCode


class PhoneCode(Command):
    """The code of the phone button (``getPhoneNumber``), not the one of ``wx.login``."""

    code: OneTimeCode


class Consents(Body):
    """Per purpose the version agreed to; null withdraws, what is not named stays."""

    report: ConsentVersion | None = None
    points: ConsentVersion | None = None
    photos: ConsentVersion | None = None

    def named(self) -> dict[str, str | None]:
        """The purposes that the request names, with their version or None."""
        return {purpose: getattr(self, purpose) for purpose in self.model_fields_set}


class ProfileChange(Body):
    """What a member says of himself; what is not named stays."""

    client_request_id: UUID | None = None
    """Taken as every command's; but a PUT is the same again however often it comes."""
    consents: Consents = Consents()
    occupation: Occupation | None = None


class NewVerification(Command):
    """Which occupation is to be confirmed."""

    occupation: Occupation


class NewConfirmation(Command):
    """The code is in the path."""


class HeldRole(Answer):
    """A role where it holds."""

    role: RoleName
    role_text: str
    scope: str
    county: str


class SessionMember(Answer):
    """Who has signed in."""

    id: str
    level: Standing
    level_text: str
    roles: list[HeldRole]


class Session(Answer):
    """A session; its token goes into ``Authorization: Bearer``."""

    token: str
    expires_at: Instant
    member: SessionMember


class SessionEnd(Answer):
    """The session is over."""

    state: Literal["ended"]


class GivenConsent(Answer):
    """Which version was agreed to, and when."""

    version: str
    at: Instant


class Me(SessionMember):
    """The member as he sees himself."""

    county: str | None
    has_phone: bool
    occupation: Occupation | None
    occupation_text: str | None
    confirmed_until: Instant | None
    consents: dict[str, GivenConsent]


class Verification(Answer):
    """The code to show to a keeper, a depot or an officer."""

    code: str
    occupation: Occupation
    occupation_text: str
    expires_at: Instant


class ConfirmationAnswer(Answer):
    """What was confirmed, and until when it holds."""

    occupation: Occupation
    occupation_text: str
    confirmed_until: Instant
