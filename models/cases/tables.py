"""The rows of cases: what is stored, and how a row becomes what the rules speak of."""

from __future__ import annotations

import zlib

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    KeysOnlyProjection,
)

from models.base.geometry import Position, cell_of
from models.base.tables import Instant, Table, Whole
from models.cases.columns import Document, texts
from models.cases.entities import Status

SCHEMA = 1
WAKE_SHARDS = 16

QUEUE_ATTRIBUTES = (
    "number",
    "county",
    "category",
    "severity",
    "status",
    "version",
    "grid_name",
    "place",
    "claim_due_at",
    "created_at",
    "claimed_by",
    "photo_count",
    "reporter_count",
    "clock",
    "category_version",
    "paused_at",
    "resolved_at",
    "closed_at",
)
"""What a list of cases shows, so that it never reads the cases themselves."""


OPEN_CELL_ATTRIBUTES = (
    "category",
    "category_version",
    "county",
    "status",
    "lon",
    "lat",
    "accuracy_m",
    "spot",
    "object_id",
    "resolved_at",
    "closed_at",
)
"""What tells whether a case may be the one meant."""


# pynamodb leaves ``Index.__init_subclass__`` untyped, hence the comments on every index.
class _ByQueue(GlobalSecondaryIndex["CaseRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_queue"
        projection = IncludeProjection(list(QUEUE_ATTRIBUTES))

    queue = UnicodeAttribute(hash_key=True)
    due_at = Instant(range_key=True)


class _ByWake(GlobalSecondaryIndex["CaseRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_wake"
        projection = KeysOnlyProjection()

    wake_shard = UnicodeAttribute(hash_key=True)
    wake_at = Instant(range_key=True)


class _ByOpenCell(GlobalSecondaryIndex["CaseRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_open_cell"
        projection = IncludeProjection(list(OPEN_CELL_ATTRIBUTES))

    cell = UnicodeAttribute(hash_key=True)
    created_at = Instant(range_key=True)


class CaseRow(Table):
    """The thing to be fixed. ``version`` counts what an officer sees change.

    ``queue`` is ``<grid_id>#<status>``. ``wake_shard``, ``wake_at`` and ``cell`` are absent when
    they do not apply, so their indexes hold only what is looked for. ``photos`` are upload ids of
    every reporter (27 at most, later ones stay with their report); ``after`` those of the last
    resolution.

    ``cell`` is ``<square>#<family>``, so that looking around for bikes reads no waste. ``spot`` is
    where all sightings together place the thing, absent while there is one; ``object_id`` what was
    first read on it. ``echoes`` counts those who joined after the time of co-discovery; cases
    older than it count all who joined. ``is_moving`` stands where the first reporter was riding.

    ``zone_id`` is the functional zone that runs the grid; ``neighbour_grid_id`` the grid to which
    the case belongs if the phone erred by what it admitted.

    ``category_version`` is the list of categories that the case was filed under, and ``clock`` what
    that list said; cases older than both have the first list's.

    ``started_at`` and ``due_at`` are the round's public clock; ``clock_from`` is where the clock of
    who works on it starts, ``told_at`` when he (``told_id``) was first told, ``given_at`` when it
    became his after it had been somebody else's. Without ``clock_from`` nobody has been told yet;
    rows older than ``claim_limit_s`` have neither, and their clocks are the round's.
    ``paused_at`` stands while both clocks stand still, ``resume_at`` when they go on by themselves;
    ``waited_s`` is how long they stood still for the reporter. ``extensions`` were granted in all,
    ``extended_s`` in this round. ``proposal`` waits for the next step's decision. ``merged`` are
    the cases merged into this one, ``merged_into`` the other way, ``first_at`` the age of the whole
    that they make; ``parts`` were split off, ``parent_id`` the other way. ``receiver`` has a case
    that was handed over, as ``external_ref``, since ``accepted_at``.
    """

    class Meta:
        table_name = "cases"

    case_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    number = UnicodeAttribute()
    category = UnicodeAttribute()
    severity = UnicodeAttribute()
    status = UnicodeAttribute()
    version = Whole()
    grid_id = UnicodeAttribute()
    grid_name = UnicodeAttribute()
    community_id = UnicodeAttribute()
    place = UnicodeAttribute()
    routing = Document()
    zone_id = UnicodeAttribute(null=True)
    neighbour_grid_id = UnicodeAttribute(null=True)
    lon = NumberAttribute()
    lat = NumberAttribute()
    accuracy_m = Whole()
    created_at = Instant()
    claim_due_at = Instant()
    due_at = Instant()
    started_at = Instant()
    resolve_limit_s = Whole()
    member_id = UnicodeAttribute()
    report_id = UnicodeAttribute()
    reporter_count = Whole()
    photo_count = Whole()
    photos: ListAttribute[str] = texts()
    reopened = Whole()
    rounds = Whole()
    steps: ListAttribute[str] = texts()
    queue = UnicodeAttribute()
    wake_shard = UnicodeAttribute(null=True)
    wake_at = Instant(null=True)
    cell = UnicodeAttribute(null=True)
    assigned_to = UnicodeAttribute(null=True)
    claimed_by = UnicodeAttribute(null=True)
    claimer_id = UnicodeAttribute(null=True)
    claimed_at = Instant(null=True)
    resolved_at = Instant(null=True)
    resolution = UnicodeAttribute(null=True)
    after: ListAttribute[str] = texts(null=True)
    closed_at = Instant(null=True)
    closed_as = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    clock = UnicodeAttribute(null=True)
    category_version = UnicodeAttribute(null=True)
    rejecter_id = UnicodeAttribute(null=True)
    appealed_at = Instant(null=True)
    told_at = Instant(null=True)
    told_id = UnicodeAttribute(null=True)
    given_at = Instant(null=True)
    claim_limit_s = Whole(null=True)
    clock_from = Instant(null=True)
    paused_at = Instant(null=True)
    resume_at = Instant(null=True)
    waited_s = Whole(null=True)
    extended_s = Whole(null=True)
    extensions = Whole(null=True)
    deferred_at = Instant(null=True)
    proposal = Document(null=True)
    receiver = UnicodeAttribute(null=True)
    external_ref = UnicodeAttribute(null=True)
    accepted_at = Instant(null=True)
    merged_into = UnicodeAttribute(null=True)
    merged: ListAttribute[str] = texts(null=True)
    first_at = Instant(null=True)
    spot = Document(null=True)
    object_id = UnicodeAttribute(null=True)
    echoes = Whole(null=True)
    is_moving = BooleanAttribute(null=True)
    parent_id = UnicodeAttribute(null=True)
    parts: ListAttribute[str] = texts(null=True)

    by_queue = _ByQueue()
    by_wake = _ByWake()
    by_open_cell = _ByOpenCell()


class CaseEventRow(Table):
    """One thing that happened to a case; never edited.

    ``event_id``: ``v00004`` made the case's version 4, ``n…`` changed no version (notes, joining,
    a joiner's verdict), ``s0#remind`` is a step of the schedule in round 0. ``request_key`` and
    ``answer`` let a repeated command find what it was told.
    """

    class Meta:
        table_name = "case-events"

    case_id = UnicodeAttribute(hash_key=True)
    event_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    at = Instant()
    action = UnicodeAttribute()
    status = UnicodeAttribute()
    party = UnicodeAttribute()
    actor = UnicodeAttribute(null=True)
    display = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    text_verdict = UnicodeAttribute(null=True)
    request_key = UnicodeAttribute(null=True)
    request_hash = UnicodeAttribute(null=True)
    answer = Document(null=True)


class _ByTime(GlobalSecondaryIndex["ReportRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_time"
        projection = AllProjection()

    member_id = UnicodeAttribute(hash_key=True)
    submitted_at = Instant(range_key=True)


class _ByCase(GlobalSecondaryIndex["ReportRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_case"
        projection = KeysOnlyProjection()

    joined_case_id = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute(range_key=True)


class ReportRow(Table):
    """What one rider sent. ``joined_case_id`` stands only with those who joined another's case.

    ``ordinal`` is 1 for who reported first, 2 for the first to join, and so on without a gap;
    ``echo`` likewise counts those who joined after the time of co-discovery.
    A joiner keeps his ``photos`` here; the first reporter's are the case's.
    """

    class Meta:
        table_name = "reports"

    member_id = UnicodeAttribute(hash_key=True)
    report_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    case_id = UnicodeAttribute()
    joined_case_id = UnicodeAttribute(null=True)
    ordinal = Whole()
    echo = Whole(null=True)
    object_id = UnicodeAttribute(null=True)
    category = UnicodeAttribute()
    category_version = UnicodeAttribute(null=True)
    submitted_at = Instant()
    captured_at = Instant()
    text = UnicodeAttribute(null=True)
    text_verdict = UnicodeAttribute(null=True)
    speed_mps = NumberAttribute(null=True)
    photos: ListAttribute[str] = texts(null=True)
    request_hash = UnicodeAttribute()

    by_time = _ByTime()
    by_case = _ByCase()


class _ByMember(GlobalSecondaryIndex["UploadRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_member"
        projection = KeysOnlyProjection()

    member_id = UnicodeAttribute(hash_key=True)


class UploadRow(Table):
    """A photo on its way. ``public_name`` is random: who knows the id cannot guess the address."""

    class Meta:
        table_name = "uploads"

    upload_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute(null=True)
    member_id = UnicodeAttribute()
    purpose = UnicodeAttribute()
    content_type = UnicodeAttribute()
    size_bytes = Whole()
    sha256 = UnicodeAttribute()
    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    public_name = UnicodeAttribute()
    signed_at = Instant()
    created_at = Instant()
    request_hash = UnicodeAttribute()
    case_id = UnicodeAttribute(null=True)
    report_id = UnicodeAttribute(null=True)
    width = Whole(null=True)
    height = Whole(null=True)
    dhash = UnicodeAttribute(null=True)
    exif = Document(null=True)
    verdict = UnicodeAttribute(null=True)
    ready_at = Instant(null=True)

    by_member = _ByMember()


class _ByWaiting(GlobalSecondaryIndex["MediaCheckRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_waiting"
        projection = KeysOnlyProjection()

    waiting = UnicodeAttribute(hash_key=True)
    asked_at = Instant(range_key=True)


class MediaCheckRow(Table):
    """A picture given to WeChat; ``waiting`` is absent once it has answered or was given up."""

    class Meta:
        table_name = "media-checks"

    trace_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute(null=True)
    upload_id = UnicodeAttribute()
    asked_at = Instant()
    tries = Whole()
    waiting = UnicodeAttribute(null=True)
    ttl = Whole()

    by_waiting = _ByWaiting()


class LimitRow(Table):
    """When a member last used what is limited: epoch milliseconds, oldest first.

    ``moving`` is his last report from a moving bike: what is needed to know it when sent again.
    """

    class Meta:
        table_name = "limits"

    member_id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(range_key=True)
    schema = Whole()
    version = Whole()
    used: ListAttribute[int] = ListAttribute(of=Whole)  # type: ignore[arg-type]
    moving = Document(null=True)
    ttl = Whole()


def open_cell_of(position: Position, family: str) -> str:
    """The partition of ``by_open_cell``: one family's cases in one square.

    >>> open_cell_of(Position(lon=114.0825, lat=32.1225), "parking")
    '57041_16061#parking'
    """
    return open_cell(cell_of(position), family)


def open_cell_of_case(case: CaseRow, family: str) -> str:
    """The same of where a case's first report places it."""
    return open_cell_of(Position(lon=case.lon, lat=case.lat), family)


def open_cell(cell: str, family: str) -> str:
    """The same of a square that is known."""
    return f"{cell}#{family}"


def queue_of(grid_id: str, status: Status) -> str:
    """The partition of ``by_queue``: one grid's cases in one state."""
    return f"{grid_id}#{status.value}"


def status_of(queue: str) -> Status:
    """The state that a partition of ``by_queue`` holds.

    >>> status_of("411503-0606#claimed").value
    'claimed'
    """
    return Status(queue.rpartition("#")[2])


def wake_shard_of(case_id: str) -> str:
    """The partition of ``by_wake``; the number of shards may grow, never shrink."""
    return str(zlib.crc32(case_id.encode()) % WAKE_SHARDS)
