"""Rechecks, as the contract shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.http.schemas.base import (
    AccuracyM,
    Answer,
    ClientInstant,
    Command,
    Instant,
    Lat,
    Lon,
    Query,
)
from handlers.http.schemas.cases import Id
from models.cases import recheck_rules


class Here(Query):
    """Where the rider is; GCJ-02."""

    lon: Lon
    lat: Lat


class Recheck(Answer):
    """A fix that waits for a second pair of eyes; ``points`` come with an accepted photo."""

    id: str
    category: str
    category_name: str
    place: str
    lon: float
    lat: float
    distance_m: int
    closes_at: Instant
    points: int


class Rechecks(Answer):
    """Nearest first, twenty at most."""

    items: list[Recheck]


class NewRecheckAnswer(Command):
    """What the rider found, and photos of it (uploads with the purpose ``recheck``)."""

    fixed: bool
    photos: Annotated[list[Id], Field(min_length=1, max_length=recheck_rules.PHOTOS_MAX)]
    lon: Lon
    lat: Lat
    accuracy_m: AccuracyM
    captured_at: ClientInstant


class AnsweredRecheck(Answer):
    """An answer as it was taken; ``points`` will come, or 0 after the day's fifth."""

    id: str
    fixed: bool
    answered_at: Instant
    points: int


class RecheckAnswer(Answer):
    """What an answer is told."""

    recheck: AnsweredRecheck
