"""Turn what would name a person into keys that only this service can make again.

WeChat's ids, phones, codes and tokens never stand in a key, a URL or a log; these stand instead.
Each purpose has a key of its own: who prepares a roster needs the phone key and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from models.base.errors import FieldError, Invalid
from models.base.ids import crockford, keyed_id

VERIFICATION_CODE_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonyms:
    """Makes every derived name of a person. The keys are 32 bytes each and never change."""

    identity_key: bytes = field(repr=False)
    phone_key: bytes = field(repr=False)
    session_key: bytes = field(repr=False)

    def member_id(self, openid: str) -> str:
        """The member's id, always the same for a mini-program's openid."""
        return keyed_id("mbr", self.identity_key, "openid", openid)

    def union_key(self, unionid: str) -> str:
        """What joins the mini-program's user and the service account's follower."""
        return keyed_id("uni", self.identity_key, "unionid", unionid)

    def follower_id(self, service_openid: str) -> str:
        """The id of a user of the service account."""
        return keyed_id("fol", self.identity_key, "service", service_openid)

    def phone(self, phone: str) -> str:
        """The roster's key for a phone. Raises ``Invalid`` for what is no phone number."""
        return phone_key_for(phone, self.phone_key)

    def login_id(self, code: str) -> str:
        """The row that remembers a login code, so that using it twice is noticed."""
        return keyed_id("lgn", self.session_key, "code", code)

    def request_key(self, code: str, client_request_id: str) -> str:
        """What makes a request with a one-time code the same request."""
        return keyed_id("req", self.session_key, "request", code, client_request_id)

    def token(self, code: str, client_request_id: str, member_id: str) -> str:
        """The session token: repeating a sign-in gives it again, though it is stored nowhere."""
        framed = json.dumps(["token", code, client_request_id, member_id]).encode()
        secret = base64.urlsafe_b64encode(hmac.digest(self.session_key, framed, "sha256"))
        return f"{member_id}.{secret.decode().rstrip('=')}"

    def verification_code(self, member_id: str, client_request_id: str, attempt: int) -> str:
        """The code a rider shows; repeating the request gives it again, stored is only its key."""
        parts = json.dumps(["verification", member_id, client_request_id, attempt]).encode()
        digest = hmac.digest(self.session_key, parts, "sha256")
        return crockford(int.from_bytes(digest[:5], "big"), VERIFICATION_CODE_LENGTH)

    def verification_key(self, code: str) -> str:
        """Under which key a verification code is stored."""
        return keyed_id("vrf", self.session_key, "verification", code)


def session_id_of(token: str) -> str:
    """The id under which a token's session is kept: nobody can go back from it to the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def phone_key_for(phone: str, key: bytes) -> str:
    """The roster's ``phone_key`` of a phone, for whoever prepares the roster's file.

    Raises ``Invalid`` (field ``phone``) for what is no phone number.
    """
    return keyed_id("ph", key, "phone", e164(phone))


def e164(phone: str) -> str:
    """Write a phone number with its country code; eleven digits from 1 on are Chinese ones.

    >>> e164("138-0000 0000"), e164("0085290000000"), e164("86 13800000000")
    ('+8613800000000', '+85290000000', '+8613800000000')
    """
    digits = "".join(mark for mark in phone if mark not in " -()\u00a0")
    international = digits.startswith(("+", "00"))
    digits = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        raise Invalid(fields=[FieldError(field="phone", code="field.invalid")])
    is_chinese = len(digits) == 11 and digits.startswith("1") and not international
    return f"+86{digits}" if is_chinese else f"+{digits}"
