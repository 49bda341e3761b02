"""The one tree of errors that a use case may raise.

    DomainError
    ├── Invalid        422  the request is wrong; ``fields`` names every bad one
    ├── Unauthorised   401  who is asking is not (or no longer) known
    ├── Forbidden      403  the role lacks the action
    ├── NotFound       404  unknown, and foreign just the same
    ├── Conflict       409  it was possible, but the world has moved on
    ├── Exhausted      429  a quota or a rate is used up; ``retry_after_s`` says until when
    └── Unavailable    503  the outcome is unknown or a part is away: ask again with the same id

Every error carries a stable dotted ``code``; its text in Chinese and English is looked up by that
code at the edge, with ``details`` as the values to fill in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One bad field of a request: its dotted path, and a stable code such as ``field.too_long``."""

    field: str
    code: str
    limit: str | int | float | None = None


class DomainError(Exception):
    """Base of all errors: a stable code, and JSON-ready ``details`` without personal data."""

    code = "error"

    def __init__(self, code: str | None = None, /, **details: Any) -> None:
        self.code = code or type(self).code
        self.details: Mapping[str, Any] = details
        super().__init__(self.code)


class Invalid(DomainError):
    """The request itself is wrong; repeating it cannot help."""

    code = "request.invalid"

    def __init__(
        self, code: str | None = None, /, *, fields: Sequence[FieldError] = (), **details: Any
    ) -> None:
        super().__init__(code, **details)
        self.fields = tuple(fields)


class Unauthorised(DomainError):
    """The caller has no valid session; the client signs in again."""

    code = "session.missing"


class Forbidden(DomainError):
    """The caller is known, but no role of his may do this."""

    code = "role.lacks_action"


class NotFound(DomainError):
    """There is no such thing for this caller."""

    code = "not_found"


class Conflict(DomainError):
    """The state of the world refuses; ``details`` says what it is now."""

    code = "conflict"


class Exhausted(DomainError):
    """A limit is reached. ``retry_after_s`` counts seconds until trying again makes sense."""

    code = "rate.exceeded"

    def __init__(self, code: str | None = None, /, *, retry_after_s: int, **details: Any) -> None:
        super().__init__(code, **details)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Nothing is known about the outcome; asking again with the same id is safe."""

    code = "unavailable"

    def __init__(
        self, code: str | None = None, /, *, retry_after_s: int = 2, **details: Any
    ) -> None:
        super().__init__(code, **details)
        self.retry_after_s = retry_after_s
