"""Check AWS Signature Version 4: in the header, in the query, on a POST policy.

*Source:* Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from infra.local.photos.faults import Fault

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
_MAX_SKEW_S = 900
_MAX_EXPIRES_S = 604_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The parts of a request that are signed: as they stood on the wire, names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The one pair of access keys that this store knows."""

    access_key: str
    secret_key: str

    def sign(self, credential: str, stamp: str, text: str) -> str:
        """Sign ``text`` under a credential scope; refuses another's key or a crooked scope."""
        parts = credential.split("/")
        if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"] or parts[1] != stamp[:8]:
            raise Fault("AccessDenied", "The credential scope is malformed")
        if not hmac.compare_digest(parts[0].encode(), self.access_key.encode()):
            raise Fault("InvalidAccessKeyId", "The access key does not exist in our records")
        key = f"AWS4{self.secret_key}".encode()
        for part in (*parts[1:], text):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()

    def check(self, credential: str, stamp: str, text: str, signature: str) -> None:
        """Raise ``SignatureDoesNotMatch`` unless the signature is ours."""
        expected = self.sign(credential, stamp, text)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise Fault("SignatureDoesNotMatch", "The signature does not match the request")


def check_request(keys: Keys, request: Request) -> str | None:
    """Check whichever signature a request carries.

    Returns the payload hash that was signed (hex, or ``UNSIGNED-PAYLOAD``); None for a request
    that carries no signature at all.
    """
    if "authorization" in request.headers:
        return _check_header(keys, request)
    if "X-Amz-Signature=" in request.query:
        return _check_query(keys, request)
    return None


def _check_header(keys: Keys, request: Request) -> str:
    algorithm, _, rest = request.headers["authorization"].partition(" ")
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    signed = given.get("SignedHeaders", "").split(";")
    stamp = request.headers.get("x-amz-date", "")
    if algorithm != ALGORITHM or not {"host", "x-amz-date"} <= set(signed):
        raise Fault("AccessDenied", "Requests are signed with AWS4-HMAC-SHA256, host and date")
    if abs(time.time() - _seconds(stamp)) > _MAX_SKEW_S:
        raise Fault("RequestTimeTooSkewed", "The request time differs too much from ours")
    payload = request.headers.get("x-amz-content-sha256", "")
    text = _text_to_sign(
        request, request.query, signed, stamp, given.get("Credential", ""), payload
    )
    keys.check(given.get("Credential", ""), stamp, text, given.get("Signature", ""))
    return payload


def _check_query(keys: Keys, request: Request) -> str:
    given = dict(parse_qsl(request.query))
    stamp, credential = given.get("X-Amz-Date", ""), given.get("X-Amz-Credential", "")
    signed = given.get("X-Amz-SignedHeaders", "").split(";")
    lifetime = given.get("X-Amz-Expires", "")
    if given.get("X-Amz-Algorithm") != ALGORITHM or "host" not in signed:
        raise Fault("AccessDenied", "Requests are signed with AWS4-HMAC-SHA256 and host")
    if not lifetime.isdecimal() or not 1 <= int(lifetime) <= _MAX_EXPIRES_S:
        raise Fault("AccessDenied", "X-Amz-Expires must lie between 1 and 604800")
    age_s = time.time() - _seconds(stamp)
    if not -_MAX_SKEW_S <= age_s <= int(lifetime):
        raise Fault("AccessDenied", "Request has expired")
    query = "&".join(
        part for part in request.query.split("&") if not part.startswith("X-Amz-Signature=")
    )
    text = _text_to_sign(request, query, signed, stamp, credential, UNSIGNED)
    keys.check(credential, stamp, text, given["X-Amz-Signature"])
    return UNSIGNED


def _text_to_sign(
    request: Request, query: str, signed: list[str], stamp: str, credential: str, payload: str
) -> str:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed
    )
    pairs = sorted(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    canonical = "\n".join(
        (request.method, request.path, "&".join(pairs), headers, ";".join(signed), payload)
    )
    scope = credential.partition("/")[2]
    return "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))


def _seconds(stamp: str) -> int:
    try:
        return timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError as exc:
        raise Fault("AccessDenied", "The request date is malformed") from exc
