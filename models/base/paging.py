"""Cursors: where a list goes on, signed so that a client can carry but not forge it."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.base.errors import FieldError, Invalid

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_Item]):
    """One page; ``next_cursor`` None means that this was the last."""

    items: Sequence[_Item]
    next_cursor: str | None = None


class Cursors:
    """Seals and opens cursors for one list each; a cursor of one list does not open another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, scope: str, position: Mapping[str, Any] | None) -> str | None:
        """Turn the last key of a page into a cursor; None (nothing follows) stays None."""
        if position is None:
            return None
        body = json.dumps(position, separators=(",", ":"), sort_keys=True).encode()
        return base64.urlsafe_b64encode(self._tag(scope, body) + body).decode().rstrip("=")

    def open(self, scope: str, cursor: str | None) -> dict[str, Any] | None:
        """Read a cursor back. Raises ``Invalid`` (field ``cursor``) for one that is not ours."""
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        tag, body = raw[:12], raw[12:]
        if not body or not hmac.compare_digest(tag, self._tag(scope, body)):
            raise Invalid(fields=[FieldError(field="cursor", code="field.invalid")])
        position: dict[str, Any] = json.loads(body)
        return position

    def _tag(self, scope: str, body: bytes) -> bytes:
        return hmac.digest(self._key, scope.encode() + b"\0" + body, "sha256")[:12]
