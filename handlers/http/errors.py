"""Domain error → HTTP status and body: one table."""

from __future__ import annotations

import json
from typing import Any

from chalice.app import Response

from handlers.http.texts.catalogue import text
from models.base.clock import utc_text
from models.base.errors import (
    Conflict,
    DomainError,
    Exhausted,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorised,
    Unavailable,
)

STATUS_BY_ERROR: dict[type[DomainError], int] = {
    Invalid: 422,
    Unauthorised: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Exhausted: 429,
    Unavailable: 503,
}
STATUS_BY_CODE = {"request.too_large": 413, "request.wrong_media_type": 415}


def status_of(error: DomainError) -> int:
    """The honest status: 413 and 415 are kinds of invalid with a status of their own."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    return next(code for kind, code in STATUS_BY_ERROR.items() if isinstance(error, kind))


def render(error: DomainError, *, language: str, request_id: str) -> Response:
    """Write a domain error as the contract says."""
    body = error_body(error.code, language, request_id, dict(error.details))
    if isinstance(error, Invalid) and error.fields:
        first = error.fields[0]
        if first.code == error.code:  # the one bad field speaks for the whole
            body["message"] = text(error.code, language, {**error.details, "limit": first.limit})
        body["fields"] = [
            {
                "field": bad.field,
                "code": bad.code,
                "message": text(bad.code, language, {"limit": bad.limit}),
            }
            for bad in error.fields
        ]
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json; charset=utf-8"}
    if isinstance(error, Exhausted | Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    return Response(
        body=json.dumps(body, ensure_ascii=False, default=utc_text),
        status_code=status_of(error),
        headers=headers,
    )


def unexpected(*, language: str, request_id: str) -> Response:
    """Answer a bug: nothing of it reaches the client but the id by which the log is found."""
    body = error_body("internal", language, request_id, {})
    return Response(
        body=json.dumps(body, ensure_ascii=False),
        status_code=500,
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def error_body(
    code: str, language: str, request_id: str, details: dict[str, Any]
) -> dict[str, Any]:
    """The body that every error has, also the gateway's own."""
    body: dict[str, Any] = {
        "code": code,
        "message": text(code, language, details),
        "request_id": request_id,
    }
    if details:
        body["details"] = details
    return body
