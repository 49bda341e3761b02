"""Cases, as the contract shows them, and what reports share with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.http.schemas.base import Answer, ClientInstant, Instant, Paged
from handlers.http.schemas.categories import Criterion
from handlers.http.schemas.service import Reason
from handlers.http.schemas.trust import Hint
from models.cases import rules
from models.cases.entities import Proposed, Receiver, Severity, Status, UploadState

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$")]
Level = Severity
ClockState = Literal["running", "paused", "stopped"]
ObjectId = Annotated[str, Field(max_length=rules.OBJECT_ID_MAX_CHARACTERS)]


class Polygon(Answer):
    """A grid's outline as it was: ``version`` counts its changes."""

    id: str
    name: str
    version: int


class Routing(Answer):
    """Why a report went to its grid; ``boundary_m`` is the distance to the grid's edge.

    ``zone`` is the functional zone that runs the grid. ``officer`` names a post; ``why`` says why
    he, in codes: ``first_on_duty``, ``deputy_for_leave`` (of ``stands_in_for``),
    ``lead_for_nobody``, ``nobody``, ``not_the_reporter``. ``neighbour`` is the grid next door,
    ``neighbour_m`` away, when the phone may have erred by as much. Old reports lack most of it.
    """

    rule: str
    boundary_m: int
    reason: str
    grid: Polygon | None
    zone: str | None
    officer: str | None
    stands_in_for: str | None
    why: list[str]
    neighbour: str | None
    neighbour_m: int | None


class CaseState(Answer):
    """A case, as everybody concerned may see it. ``remaining_seconds`` count on its own clock,
    down while it is ``running``; ``resume_at``: when a paused one goes on by itself."""

    id: str
    number: str
    category: str
    category_name: str
    level: Level
    status: Status
    status_text: str
    version: int
    grid_name: str
    place: str
    created_at: Instant
    due_at: Instant
    remaining_seconds: int
    clock: ClockState
    resume_at: Instant | None
    claimed_by: str | None
    claimed_at: Instant | None
    resolved_at: Instant | None
    resolution: str | None
    closed_at: Instant | None
    closed_as: str | None
    closed_as_text: str | None
    reason: str | None
    reason_text: str | None
    reopened: int
    call_first: list[str]


class Photo(Answer):
    """A photo; ``checked`` tells that WeChat let it pass. No address: not (yet) to be shown."""

    state: UploadState
    reason: str | None
    checked: bool
    url: str | None
    thumbnail_url: str | None


class Evidence(Photo):
    """A photo as officials see it; ``exif_gap_m`` null: the camera noted no position."""

    exif_gap_m: int | None


class Event(Answer):
    """One thing that happened; steps of the schedule are ``step:…``."""

    at: Instant
    action: str
    action_text: str
    status: Status
    status_text: str
    party: str
    by: str | None
    reason: str | None
    reason_text: str | None
    text: str | None


class RelatedCase(Answer):
    """A case that was merged with this one, or split from it."""

    id: str
    number: str
    category: str
    category_name: str
    status: Status
    status_text: str
    version: int


class LikenessPart(Answer):
    """One reason: a positive ``weight`` speaks for the same thing (natural logarithm of odds)."""

    part: str
    weight: float
    text: str


class SimilarCase(Answer):
    """A standing case that may be the same: what a merge needs, how certain it is, and why.

    ``same``: it is likelier than all others and none of them.
    """

    case_id: str
    number: str
    category: str
    category_name: str
    status: Status
    status_text: str
    version: int
    created_at: Instant
    distance_m: int
    score: float
    same: bool
    parts: list[LikenessPart]


class Related(Answer):
    """What a case was merged into or split from, what was merged into it, and its parts."""

    merged_into: RelatedCase | None
    merged: list[RelatedCase]
    split_from: RelatedCase | None
    parts: list[RelatedCase]


class CaseAnswer(Answer):
    """The case after a command."""

    id: str
    number: str
    status: Status
    status_text: str
    version: int
    claimed_by: str | None
    due_at: Instant


class Handled(Answer):
    """What a command answers, also when it is repeated later."""

    case: CaseAnswer


class CaseCount(Answer):
    """How many cases of a state there are, at least; exactly when ``is_exact``."""

    status: Status
    status_text: str
    count: int
    overdue: int
    is_exact: bool


class QueueQuery(Paged):
    """Which cases to list; without ``status`` those waiting or being worked on."""

    status: Status | None = None
    grid: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    level: Level | None = None
    due_before: ClientInstant | None = None


class ListedCase(Answer):
    """A case in an official's list."""

    id: str
    number: str
    category: str
    category_name: str
    level: Level
    status: Status
    status_text: str
    version: int
    grid_name: str
    place: str
    created_at: Instant
    claim_due_at: Instant
    due_at: Instant
    remaining_seconds: int
    clock: ClockState
    claimed_by: str | None
    photo_count: int
    reporter_count: int


class Cases(Answer):
    """Soonest due first; ``counts`` come with the first page."""

    items: list[ListedCase]
    counts: list[CaseCount]
    next_cursor: str | None


class Reporter(Answer):
    """A reporter under a name that holds for this case only."""

    pseudonym: str
    joined: bool
    submitted_at: Instant
    text: str | None
    text_hidden: bool


class Officer(Answer):
    """To whom a case may be assigned."""

    officer: str
    display: str


class Offer(Answer):
    """An action that is possible now, and what it needs."""

    action: str
    action_text: str
    needs: list[str]
    reasons: list[Reason]
    officers: tuple[Officer, ...] = ()


class Proposal(Answer):
    """More time that was asked for and that nobody has decided on yet."""

    kind: Proposed
    by: str | None
    reason: str | None
    reason_text: str | None
    at: Instant
    until: Instant | None


class Case(CaseState):
    """A case for the official who handles it.

    ``conditions`` and ``closing_conditions`` are those of its category when it was filed.
    """

    claim_due_at: Instant
    reporter_count: int
    lon: float
    lat: float
    accuracy_m: int
    routing: Routing
    receiver: Receiver | None
    external_ref: str | None
    accepted_at: Instant | None
    related: Related
    similar: list[SimilarCase]
    signals: list[Hint]
    object_id: str | None
    reporters: list[Reporter]
    photos: list[Evidence]
    after_photos: list[Evidence]
    history: list[Event]
    conditions: list[Criterion]
    closing_conditions: list[Criterion]
    proposal: Proposal | None
    extensions: int
    allowed_actions: list[Offer]
