"""What can be reported, as the contract shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.http.schemas.base import Answer, Lat, Lon, Query


class Wanted(Query):
    """Whose list, and what in it: a ``county``'s, that of a position, or else the city's.

    With the ``version`` that the client has, a list that has not changed comes without items.
    """

    county: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    q: Annotated[str, Field(max_length=40)] | None = None
    version: Annotated[str, Field(max_length=60)] | None = None


class Criterion(Answer):
    """A condition for filing or closing; one of a list is enough."""

    code: str
    text: str


class Category(Answer):
    """A kind of problem; both limits are seconds on ``clock``.

    ``condition`` and ``closing_condition`` are the alternatives in one sentence. ``featured``: it
    has a big icon. ``object_id`` names the number to ask for, ``near_and_far`` suggests two photos.
    """

    code: str
    name: str
    level: Literal["A", "B", "C"]
    group: str
    family: str
    clock: Literal["continuous", "working"]
    claim_within: int
    resolve_within: int
    condition: str
    conditions: list[Criterion]
    closing_condition: str
    closing_conditions: list[Criterion]
    evidence: Literal["after_photo", "none"]
    near_and_far: bool
    object_id: Literal["plate", "pole"] | None
    call_first: list[str]
    featured: bool
    keywords: list[str]


class Group(Answer):
    """A big class, with the codes of its categories."""

    code: str
    name: str
    categories: list[str]


class Categories(Answer):
    """The categories: big icons in their order, then the rest, danger first.

    Of a search only what was found, best first. ``changed`` is False, and there are no items, where
    the client has this very version.
    """

    version: str
    changed: bool
    groups: list[Group]
    items: list[Category]
