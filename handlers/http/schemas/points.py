"""Points, as the contract shows them. All amounts are whole points."""

from __future__ import annotations

from handlers.http.schemas.base import Answer, Instant, Paged
from models.points.entities import EntryKind


class Entries(Paged):
    """Where in the statement to go on."""


class Bucket(Answer):
    """Available points that are valid up to and including a day in China."""

    last_day: str
    points: int


class Maturing(Answer):
    """Pending points that become available on a day in China at the latest."""

    day: str
    points: int


class Balances(Answer):
    """What the member has now."""

    available: int
    pending: int
    held: int
    debt: int
    buckets: list[Bucket]
    maturing: list[Maturing]


class Line(Answer):
    """One line of the statement: how it changed each balance, and why."""

    seq: int
    at: Instant
    kind: EntryKind
    reason: str
    available: int
    pending: int
    held: int
    debt: int
    expired: int
    source: dict[str, str]
    hash: str


class Statement(Answer):
    """Newest first."""

    items: list[Line]
    next_cursor: str | None
