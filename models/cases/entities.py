"""What cases are made of: reports, the thing to be fixed, and the words for its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from models.base.geometry import Position
from models.calendar.entities import ClockKind


class Severity(StrEnum):
    """A danger, B serious, C ordinary."""

    A = "A"
    B = "B"
    C = "C"


class Status(StrEnum):
    """Where a case stands."""

    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    HANDLING = "handling"
    WAITING = "waiting"
    DEFERRED = "deferred"
    TRANSFERRED = "transferred"
    EXTERNAL = "external"
    RESOLVED = "resolved"
    DISPUTED = "disputed"
    CLOSED = "closed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    NO_EVIDENCE = "no_evidence"
    MERGED = "merged"


class ClosedAs(StrEnum):
    """How a case came to be closed; silence is counted apart from a word of praise."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    LEAD = "lead"


class Party(StrEnum):
    """In which part somebody acts on a case."""

    REPORTER = "reporter"
    JOINER = "joiner"
    OFFICER = "officer"
    LEAD = "lead"
    SUPERVISOR = "supervisor"
    SYSTEM = "system"
    RECEIVER = "receiver"
    CHECKER = "checker"


class Action(StrEnum):
    """What can be done to a case; the first three make no new state of one that stands."""

    SUBMIT = "submit"
    JOIN = "join"
    JOINER_VERDICT = "joiner_verdict"
    CLAIM = "claim"
    REJECT = "reject"
    ASSIGN = "assign"
    START = "start"
    RETURN = "return"
    RELEASE = "release"
    RESOLVE = "resolve"
    ASK = "ask"
    REPLY = "reply"
    EXTEND = "extend"
    DEFER = "defer"
    APPROVE = "approve"
    DECLINE = "decline"
    RESUME = "resume"
    TRANSFER = "transfer"
    ACCEPT = "accept"
    MERGE = "merge"
    UNMERGE = "unmerge"
    SPLIT = "split"
    CORRECT = "correct"
    APPEAL = "appeal"
    RECHECK = "recheck"
    VERIFY = "verify"
    REOPEN = "reopen"
    NOTE = "note"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    CONTEST = "contest"
    DISPUTE = "dispute"
    LAPSE = "lapse"
    CLOSE_WITHOUT_EVIDENCE = "close_without_evidence"


class Step(StrEnum):
    """What the schedule does to a case, each once per round."""

    UNCLAIMED = "unclaimed"
    UNCLAIMED_COMMUNITY = "unclaimed_community"
    UNCLAIMED_DUTY = "unclaimed_duty"
    REMIND = "remind"
    LEAD = "lead"
    COMMUNITY = "community"
    DISTRICT = "district"
    RESUME = "resume"
    NO_EVIDENCE = "no_evidence"
    LAPSE = "lapse"
    FORGET = "forget"


class Proposed(StrEnum):
    """What somebody who works on a case has asked for and nobody has decided yet."""

    EXTENSION = "extension"
    DEFERRAL = "deferral"


class Receiver(StrEnum):
    """To whom a case can be handed over: the hotline, city management, the police, a platform."""

    HOTLINE_12345 = "12345"
    CITY_MANAGEMENT = "city_management"
    POLICE = "police"
    PLATFORM = "platform"


class UploadState(StrEnum):
    """What became of a photo."""

    WAITING = "waiting"
    PROCESSING = "processing"
    READY = "ready"
    REFUSED = "refused"


class Purpose(StrEnum):
    """What a photo is for."""

    REPORT = "report"
    RESOLUTION = "resolution"
    RECHECK = "recheck"


class Verdict(StrEnum):
    """What WeChat said of a text or a picture; ``NONE``: it never answered."""

    WAITING = "waiting"
    PASS = "pass"
    REVIEW = "review"
    RISKY = "risky"
    NONE = "none"


class ObjectKind(StrEnum):
    """The thing whose number tells one problem from the next: a bike's plate, a pole's number."""

    PLATE = "plate"
    POLE = "pole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One of the conditions for filing or for closing a case; ``code`` counts within its list."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of problem and its limits; ``code`` is the city-management table's where it has one.

    ``kind`` says on which clock both limits run. Categories of one ``family`` may be the same thing
    seen differently; ``group`` is the big class for menus. ``conditions`` and ``closings`` are
    alternatives: one of each is enough. ``featured`` is the place of its big icon, from 1; None for
    the rest. ``call_first`` lists the numbers to ring before anything is sent. ``near_far``: two
    photos are suggested, one near and one far. ``keywords`` are what it is searched by besides its
    name. One that is not ``enabled`` is no longer offered. ``version`` is the list it stands in.
    """

    code: str
    zh: str
    en: str
    severity: Severity
    family: str
    group: str
    claim_within: timedelta
    resolve_within: timedelta
    kind: ClockKind
    conditions: tuple[Criterion, ...]
    closings: tuple[Criterion, ...]
    version: str
    call_first: tuple[str, ...] = ()
    featured: int | None = None
    after_photo: bool = True
    near_far: bool = False
    object_id: ObjectKind | None = None
    keywords: tuple[str, ...] = ()
    enabled: bool = True

    def __post_init__(self) -> None:
        if not timedelta() < self.claim_within <= self.resolve_within:
            raise ValueError(f"category {self.code} is claimed after it is resolved")
        if (self.severity is Severity.A) != bool(self.call_first):
            raise ValueError(f"category {self.code}: danger, and only danger, has numbers to call")
        if self.severity is not Severity.C and self.kind != "continuous":
            raise ValueError(f"category {self.code}: danger does not wait for working hours")
        if not (self.conditions and self.closings):
            raise ValueError(f"category {self.code} says not when it is one, or when it is closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReport:
    """A rider's report as sent. ``lon, lat`` are GCJ-02 degrees, checked by ``rules``.

    ``object_id`` is what is written on the thing: a bike's plate, a pole's number.
    """

    client_request_id: str
    category: str
    lon: float
    lat: float
    accuracy_m: float
    captured_at: datetime
    photos: tuple[str, ...]
    speed_mps: float | None = None
    text: str | None = None
    same_as: str | None = None
    object_id: str | None = None

    @property
    def position(self) -> Position:
        return Position(lon=self.lon, lat=self.lat)

    def content(self) -> Mapping[str, Any]:
        """Everything but the request's id, for noticing other content under the same id."""
        content: dict[str, Any] = {
            "category": self.category,
            "lon": self.lon,
            "lat": self.lat,
            "accuracy_m": self.accuracy_m,
            "captured_at": self.captured_at.timestamp(),
            "photos": list(self.photos),
            "speed_mps": self.speed_mps,
            "text": self.text,
            "same_as": self.same_as,
        }
        # What requests from before it had an id was their whole content, and must stay so.
        return content if self.object_id is None else {**content, "object_id": self.object_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All that decides when the schedule must look at a case again.

    ``started_at`` and ``resolve_limit`` are the present round's, with its extensions;
    ``steps_taken`` are the ladder's steps of that round. ``clock_from`` is where the clock of who
    works on it starts (None: with the round), ``claim_limit`` the time to claim (None: up to
    ``claim_due_at``). ``withheld_since`` stands while nobody has been told of a case that is not
    urgent.
    """

    status: Status
    created_at: datetime
    started_at: datetime
    resolve_limit: timedelta
    kind: ClockKind
    claim_due_at: datetime
    steps_taken: frozenset[Step]
    was_claimed: bool
    photo_count: int
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    clock_from: datetime | None = None
    claim_limit: timedelta | None = None
    withheld_since: datetime | None = None
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """The next instant at which the schedule must look at a case, and the step then due."""

    at: datetime
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the guards of the transition table ask about a case and whoever acts on it.

    ``is_linked``: whoever acts is known to be close to a reporter. ``was_held``: somebody had
    claimed the case before it was merged into its parent. ``has_waited``: the case's clocks have
    stood still for its reporter as long as they may. ``is_part``: it was split from the case that
    was reported, which alone its reporter answers for.
    """

    is_reporter: bool
    is_claimer: bool
    was_claimed: bool
    reporter_count: int
    reopened: int
    photo_count: int
    is_verdict_open: bool
    is_linked: bool = False
    is_overdue: bool = False
    is_reopen_open: bool = False
    is_appeal_open: bool = False
    was_appealed: bool = False
    is_rejecter: bool = False
    extensions: int = 0
    was_deferred: bool = False
    has_waited: bool = False
    proposed: Proposed | None = None
    may_decide: bool = False
    has_merged: bool = False
    was_split: bool = False
    is_part: bool = False
    is_parent_open: bool = False
    was_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """An open or recently closed case that may be the same; ``distance_m`` is coarse."""

    case_id: str
    category: str
    category_version: str | None
    status: Status
    distance_m: int
    score: float
    is_same: bool
    created_at: datetime
