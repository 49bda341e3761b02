"""What all request bodies share.

pydantic, not msgspec: a form in Chinese needs every bad field at once, and msgspec stops at the
first. It costs about 40 ms of import (measured on top of chalice and pynamodb), paid once per
process; ``defer_build`` moves the building of a model to its first use.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from models.base.clock import parse_utc


class Body(BaseModel):
    """A request's JSON object. Unknown fields are ignored (and counted by ``endpoint``)."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True, strict=False)


class Command(Body):
    """A body that changes something: the client made and stored its id before the first send."""

    client_request_id: UUID

    @property
    def request_id(self) -> str:
        return str(self.client_request_id)


class Answer(BaseModel):
    """An answer's JSON object, for the contract; clients ignore fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Query(Body):
    """The values after the question mark."""


class Paged(Query):
    """A list goes on at ``cursor``; ``limit`` counts rows."""

    cursor: Annotated[str, Field(max_length=1000)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
AccuracyM = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


def _rfc3339(value: str) -> str:
    parse_utc(value)
    return value


Instant = Annotated[str, AfterValidator(_rfc3339), Field(json_schema_extra={"format": "date-time"})]
"""An instant in an answer: RFC 3339 with ``Z``."""

ClientInstant = AwareDatetime
"""An instant in a request; one without an offset is refused."""
