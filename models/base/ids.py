"""Opaque, prefixed ids: random ones, and ones derived from what makes a thing the same thing."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def crockford(number: int, length: int) -> str:
    """Write the low ``5 * length`` bits of ``number`` in Crockford's base 32.

    >>> crockford(32, 3)
    '010'
    """
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(5 * (length - 1), -1, -5))


def new_id(prefix: str) -> str:
    """Make a random id of 130 bits, such as ``up_…``; nobody can guess the next one."""
    return f"{prefix}_{crockford(secrets.randbits(130), 26)}"


def derived_id(prefix: str, *parts: str) -> str:
    """Make the id that the same ``parts`` always give: repeating a command meets its own guard.

    >>> derived_id("rpt", "a", "bc") == derived_id("rpt", "ab", "c")
    False
    """
    digest = hashlib.sha256(_framed(parts)).digest()
    return f"{prefix}_{crockford(int.from_bytes(digest[:17], 'big'), 26)}"


def keyed_id(prefix: str, key: bytes, *parts: str) -> str:
    """As ``derived_id``, but only who holds ``key`` can tell which parts it came from."""
    digest = hmac.digest(key, _framed(parts), "sha256")
    return f"{prefix}_{crockford(int.from_bytes(digest[:17], 'big'), 26)}"


def seq_text(seq: int) -> str:
    """Write a number as a sort key, so that keys sort as their numbers do, up to 10 digits.

    >>> seq_text(12)
    '0000000012'
    """
    return f"{seq:010d}"


def content_hash(content: Mapping[str, Any]) -> str:
    """Hash a request's content, so that a repeated id with other content is noticed.

    ``content`` must be JSON-ready; the order of keys does not matter.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _framed(parts: tuple[str, ...]) -> bytes:
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
