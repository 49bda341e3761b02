"""Handing cases over, as the contract shows it."""

from __future__ import annotations

from typing import Literal

from handlers.http.schemas.base import Answer, Instant, Query
from handlers.http.schemas.cases import Event, Level, Routing
from models.cases.entities import Receiver, Status


class FileQuery(Query):
    """``html`` is a page to print, in Chinese."""

    format: Literal["json", "html"] = "json"


class HandOverFile(Answer):
    """All that who fixes a case needs, and nobody's name; positions are in ``datum``."""

    made_at: Instant
    number: str
    category: str
    category_name: str
    level: Level
    status: Status
    status_text: str
    place: str
    grid_name: str
    object_id: str | None
    lon: float
    lat: float
    datum: Literal["GCJ-02"]
    accuracy_m: int
    created_at: Instant
    claimed_at: Instant | None
    due_at: Instant
    reporter_count: int
    receiver: Receiver | None
    receiver_text: str | None
    external_ref: str | None
    accepted_at: Instant | None
    routing: Routing | None
    texts: list[str]
    photos: list[str]
    after_photos: list[str]
    photos_withheld: int
    history: list[Event]
