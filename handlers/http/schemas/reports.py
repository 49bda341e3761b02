"""What riders send and are answered about their reports."""

from __future__ import annotations

from typing import Annotated, Literal

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
from handlers.http.schemas.cases import (
    CaseState,
    Code,
    Event,
    Id,
    Level,
    ObjectId,
    Photo,
    RelatedCase,
    Routing,
)
from models.cases import rules
from models.cases.entities import Status, Verdict


class NewReport(Command):
    """A rider's report; positions are GCJ-02."""

    category: Code
    lon: Lon
    lat: Lat
    accuracy_m: AccuracyM
    captured_at: ClientInstant
    photos: Annotated[list[Id], Field(min_length=rules.PHOTOS_MIN, max_length=rules.PHOTOS_MAX)]
    speed_mps: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    text: Annotated[str, Field(max_length=rules.TEXT_MAX_CHARACTERS)] | None = None
    same_as: Id | None = None
    object_id: ObjectId | None = None


class ReceiptReport(Answer):
    """The report as filed."""

    id: str
    case_id: str
    joined: bool
    submitted_at: Instant


class ReceiptCase(Answer):
    """The case as it was filed; it does not change when the case moves on."""

    id: str
    number: str
    category: str
    category_name: str
    level: Level
    grid_name: str
    place: str
    claim_due_at: Instant
    due_at: Instant
    routing: Routing | None


class Receipt(Answer):
    """What a report became. ``call_first`` lists numbers to ring at once; ``advice`` is for the
    rider's own safety."""

    report: ReceiptReport
    case: ReceiptCase
    call_first: list[str]
    advice: str | None


class Nearby(Query):
    """Where, and what kind of problem; ``object_id`` is what is written on the thing."""

    lon: Lon
    lat: Lat
    category: Code
    accuracy_m: AccuracyM | None = None
    object_id: ObjectId | None = None


class NearbyCase(Answer):
    """A case that may be the same; ``same``: it is likelier than all others and none of them."""

    case_id: str
    category: str
    category_name: str
    status: Status
    status_text: str
    distance_m: int
    score: float
    same: bool
    age_s: int
    created_at: Instant
    thumbnail_url: str | None


class NearbyCases(Answer):
    """Likeliest first."""

    items: list[NearbyCase]


class ListedReportCase(Answer):
    """Where the case of a report stands."""

    id: str
    number: str
    category: str
    category_name: str
    level: Level
    status: Status
    status_text: str
    place: str
    due_at: Instant
    closed_at: Instant | None
    closed_as: str | None
    closed_as_text: str | None


class ListedReport(Answer):
    """One's own report in a list."""

    id: str
    category: str
    category_name: str
    joined: bool
    submitted_at: Instant
    case: ListedReportCase


class Reports(Answer):
    """Newest first."""

    items: list[ListedReport]
    next_cursor: str | None


class ReportPoints(Answer):
    """What a report has brought; ``unpaid`` says why that is less than usual, if so."""

    points: int
    state: Literal["pending", "available"]
    matures_at: Instant
    unpaid: str | None


class Report(Answer):
    """One's own report with all that became of it.

    ``merged_from`` is the number under which it was sent, once another case goes on for it.
    """

    id: str
    joined: bool
    merged_from: str | None
    parts: list[RelatedCase]
    category: str
    category_name: str
    submitted_at: Instant
    text: str | None
    text_verdict: Verdict | None
    case: CaseState
    routing: Routing | None
    photos: list[Photo]
    after_photos: list[Photo]
    history: list[Event]
    points: ReportPoints | None
    allowed_actions: list[str]


class NewWithdrawal(Command):
    """Take a report back."""


class NewVerdict(Command):
    """Whether it is fixed."""

    satisfied: bool
    comment: Annotated[str, Field(max_length=rules.TEXT_MAX_CHARACTERS)] | None = None


class NewReply(Command):
    """Answer what was asked: a text, photos, or both."""

    text: Annotated[str, Field(max_length=rules.TEXT_MAX_CHARACTERS)] | None = None
    photos: Annotated[tuple[Id, ...], Field(max_length=rules.PHOTOS_MAX)] = ()


class NewAppeal(Command):
    """Why a refused case should be looked at again."""

    text: Annotated[str, Field(min_length=1, max_length=rules.TEXT_MAX_CHARACTERS)]
