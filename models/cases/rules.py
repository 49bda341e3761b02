"""Pure decisions about reports and cases: what may be sent, what is alike, what is due.

*Source:* the limits of a report, the ladder come from the project's rule table
(accuracy, capture age, 20 a day, 5 in 10 minutes, 80/100/150/200 %). What a report is worth is in
``models/points``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from models.base.errors import FieldError
from models.base.geometry import Position, distance_m
from models.calendar.rules import WorkingTime
from models.cases.entities import Category, Status, Step, SubmitReport, Timing, Wake

TEXT_MAX_CHARACTERS = 200
OBJECT_ID_MAX_CHARACTERS = 20
PHOTOS_MIN = 1
PHOTOS_MAX = 9
PHOTO_MAX_BYTES = 10 * 1024 * 1024
PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp")
CASE_PHOTOS_MAX = 27
CAPTURE_MAX_AGE = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)
ACCURACY_MAX_M = 200
REPORTS_PER_DAY = 20
REPORTS_PER_BURST = 5
UPLOADS_PER_DAY = 100
"""Upload requests for upload forms: five times what the reports of a day can use."""
DAY = timedelta(hours=24)
BURST = timedelta(minutes=10)

WEST, EAST, SOUTH, NORTH = 113.71, 115.95, 31.38, 32.66
"""Xinyang's bounding box in degrees."""

USUAL_ACCURACY_M = 15
"""What a phone says in a street, where one did not say (``infra/bench/duplicates``: median 10)."""
NEARBY_M = 80.0
"""How far a similar case is looked for: the circle never touches more than four cells."""
JOIN_M = 150.0
SHOWN_AFTER_CLOSING = timedelta(hours=72)
VERDICT_WITHIN = timedelta(hours=72)
EVIDENCE_WITHIN = timedelta(hours=24)
FORGET_AFTER = timedelta(days=7)
REOPEN_WITHIN = timedelta(days=7)
APPEAL_WITHIN = timedelta(days=7)
WAIT_WITHIN = timedelta(hours=48)
"""How long a case's clocks stand still for its reporter, all his waits together."""
DEFER_WITHIN = timedelta(days=365)
WITHHELD_WITHIN = timedelta(hours=24)
"""A safety net: an alert withheld so long counts as given."""
MATURES_AFTER = timedelta(days=7)

CO_DISCOVERY = timedelta(minutes=10)
PAID_JOINERS = 3
MOVING_MPS = 2.0
"""From this speed on a photo was taken while riding. *Source:* the project's rule: nobody is paid
for reporting from a moving bike."""
SENT_AGAIN_M = 50.0
SENT_AGAIN_WITHIN = timedelta(minutes=10)
MOVING_RULE = "report.moving"
FIRST_RULE, CO_DISCOVERY_RULE, JOINER_RULE = "report.first", "report.early", "report.joiner"

LADDER: tuple[tuple[Step, int], ...] = (
    (Step.REMIND, 80),
    (Step.LEAD, 100),
    (Step.COMMUNITY, 150),
    (Step.DISTRICT, 200),
)
"""Which share of the resolve limit, in percent, tells whom."""
UNCLAIMED: tuple[tuple[Step, int], ...] = (
    (Step.UNCLAIMED, 100),
    (Step.UNCLAIMED_COMMUNITY, 200),
    (Step.UNCLAIMED_DUTY, 400),
)
"""Which share of the claim limit, in percent, tells whom that nobody has claimed."""

WORKED_ON = frozenset({Status.ASSIGNED, Status.CLAIMED, Status.HANDLING, Status.TRANSFERRED})
"""Where the clock runs; a case handed over is still ours until its receiver accepts it."""
PAUSED = frozenset({Status.WAITING, Status.DEFERRED, Status.EXTERNAL})
OPEN = WORKED_ON | PAUSED | {Status.RESOLVED, Status.DISPUTED}

_PHONE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_MASK = "***"
_DROPPED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn"}


def is_id(text: str) -> bool:
    """Whether a text can be one of our ids at all; what cannot is never asked of a table."""
    return _ID.fullmatch(text) is not None


def clean_text(text: str | None) -> str | None:
    """Strip what cannot be seen, and mask phone and identity numbers; None when nothing is left.

    Controls, bidirectional marks and zero-width characters go; line ends become spaces.

    >>> clean_text("打 138 1234 5678\\n\\u202e找我")
    '打 *** 找我'
    """
    if text is None:
        return None
    spaced = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    seen = "".join(char for char in spaced if unicodedata.category(char) not in _DROPPED_CATEGORIES)
    masked = _PHONE.sub(_MASK, _IDENTITY.sub(_MASK, seen)).strip()
    return masked or None


def clean_object_id(text: str | None) -> str | None:
    """What was read on a thing, as two riders would write it alike; None when nothing is left.

    Letters and digits stay, as capitals and of normal width. What looks like a person's identity
    number is none of a thing.

    >>> clean_object_id(" 豫s-ａ12·34 ")
    '豫SA1234'
    """
    if text is None or _IDENTITY.search(text):
        return None
    normal = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in normal if char.isalnum()) or None


def submission_errors(
    command: SubmitReport, *, category: Category | None, now: datetime
) -> list[FieldError]:
    """List everything wrong with a report as sent, in the order of its fields."""
    errors = []
    if category is None:
        errors.append(FieldError(field="category", code="category.unknown"))
    errors += _position_errors(command)
    errors += _capture_errors(command.captured_at, now)
    if command.text is not None and len(command.text) > TEXT_MAX_CHARACTERS:
        errors.append(FieldError(field="text", code="field.too_long", limit=TEXT_MAX_CHARACTERS))
    if command.object_id is not None and len(command.object_id) > OBJECT_ID_MAX_CHARACTERS:
        limit = OBJECT_ID_MAX_CHARACTERS
        errors.append(FieldError(field="object_id", code="field.too_long", limit=limit))
    errors += _photo_list_errors(command.photos)
    return errors


def _position_errors(command: SubmitReport) -> list[FieldError]:
    errors = []
    if not in_city(command.lon, command.lat):
        code = "report.outside_service_area"
        if in_city(command.lat, command.lon):
            code = "position.swapped"
        errors.append(FieldError(field="lon", code=code))
    if not 0 <= command.accuracy_m <= ACCURACY_MAX_M:
        errors.append(
            FieldError(field="accuracy_m", code="position.inaccurate", limit=ACCURACY_MAX_M)
        )
    return errors


def _capture_errors(captured_at: datetime, now: datetime) -> list[FieldError]:
    if captured_at > now + CLOCK_SKEW:
        return [FieldError(field="captured_at", code="report.from_the_future")]
    if captured_at < now - CAPTURE_MAX_AGE:
        return [FieldError(field="captured_at", code="report.too_old", limit=24)]
    return []


def _photo_list_errors(photos: Sequence[str]) -> list[FieldError]:
    if len(photos) < PHOTOS_MIN:
        return [FieldError(field="photos", code="field.too_short", limit=PHOTOS_MIN)]
    if len(photos) > PHOTOS_MAX:
        return [FieldError(field="photos", code="field.too_long", limit=PHOTOS_MAX)]
    return [
        FieldError(field=f"photos.{index}", code="photo.twice")
        for index, photo in enumerate(photos)
        if photo in photos[:index]
    ]


def in_city(lon: float, lat: float) -> bool:
    """Whether degrees lie in Xinyang's bounding box; the grids decide more exactly."""
    return WEST <= lon <= EAST and SOUTH <= lat <= NORTH


def retry_after_s(used_ms: Sequence[int], now: datetime) -> int:
    """Seconds until one more report fits into both limits; 0 when it fits now.

    Both windows slide: exactly 5 in any 10 minutes and 20 in any 24 hours are possible.
    ``used_ms`` are epoch milliseconds, oldest first.
    """
    now_ms = _epoch_ms(now)
    waits = [0]
    for allowed, window in ((REPORTS_PER_BURST, BURST), (REPORTS_PER_DAY, DAY)):
        if len(used_ms) >= allowed:
            free_ms = used_ms[-allowed] + window // timedelta(milliseconds=1)
            waits.append(free_ms - now_ms)
    return max(0, -(-max(waits) // 1000))


def used_with(used_ms: Sequence[int], now: datetime) -> list[int]:
    """Remember one more use; only as many as a limit asks for are kept."""
    return sorted([*used_ms, _epoch_ms(now)])[-REPORTS_PER_DAY:]


def _epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def may_be_joined(status: Status) -> bool:
    """Whether a report may still join: a problem that came back after closing is a new case,
    because nobody would be alerted to the old one."""
    return status in OPEN


def may_be_same(status: Status, *, closed_at: datetime | None, now: datetime) -> bool:
    """Whether a case is worth showing to who is about to report: open, or closed for ≤72 hours."""
    if status in OPEN:
        return True
    return (
        status is Status.CLOSED and closed_at is not None and now < closed_at + SHOWN_AFTER_CLOSING
    )


def is_near_enough(case: Position, report: Position) -> bool:
    """Whether a report may join a case by its place."""
    return distance_m(case, report) <= JOIN_M


def coarse_m(distance: float) -> int:
    """Round a distance up to ten metres: enough to find it, too little to place a reporter.

    >>> coarse_m(41.2)
    50
    """
    return int(-(-distance // 10) * 10)


def next_wake(timing: Timing, working: WorkingTime) -> Wake | None:
    """Find when the schedule must look at a case again, and the step then due; None: never.

    A step that was missed is due at once, so a late schedule takes every step it owes, in order.
    """
    wakes = list(_wakes(timing, working))
    return min(wakes, key=lambda wake: wake.at, default=None)


def _wakes(timing: Timing, working: WorkingTime) -> Iterable[Wake]:
    if timing.status in WORKED_ON:
        yield from _next_of(LADDER, timing, working, limit=timing.resolve_limit)
    if timing.status is Status.ASSIGNED:
        if timing.photo_count == 0 and not timing.was_claimed:
            yield Wake(at=timing.created_at + EVIDENCE_WITHIN, step=Step.NO_EVIDENCE)
        yield from _unclaimed_wakes(timing, working)
    if timing.status in PAUSED and timing.resume_at is not None:
        yield Wake(at=timing.resume_at, step=Step.RESUME)
    if timing.status is Status.RESOLVED and timing.resolved_at is not None:
        yield Wake(at=timing.resolved_at + VERDICT_WITHIN, step=Step.LAPSE)
    is_remembered = Step.FORGET not in timing.steps_taken
    if timing.status is Status.CLOSED and timing.closed_at is not None and is_remembered:
        yield Wake(at=timing.closed_at + FORGET_AFTER, step=Step.FORGET)


def _unclaimed_wakes(timing: Timing, working: WorkingTime) -> Iterable[Wake]:
    """Withheld for a day, a case goes to the lead at once, and on from there by its limit.

    A case that was given back walks on where it would be, each step once in a round.
    """
    if Step.UNCLAIMED not in timing.steps_taken:
        is_withheld = timing.withheld_since is not None
        yield Wake(
            at=_clock_from(timing) if is_withheld else timing.claim_due_at, step=Step.UNCLAIMED
        )
        return
    limit = timing.claim_limit
    if limit is None:
        limit = working.remaining(timing.created_at, timing.claim_due_at, timing.kind)
    yield from _next_of(UNCLAIMED, timing, working, limit=limit)


def _next_of(
    steps: Iterable[tuple[Step, int]], timing: Timing, working: WorkingTime, *, limit: timedelta
) -> Iterable[Wake]:
    for step, percent in steps:
        if step not in timing.steps_taken:
            at = working.at_percent(_clock_from(timing), limit, timing.kind, percent)
            yield Wake(at=at, step=step)
            return


def _clock_from(timing: Timing) -> datetime:
    """Where the steps are measured from: nobody answers for what he was not told, for a day."""
    if timing.withheld_since is not None:
        return timing.withheld_since + WITHHELD_WITHIN
    return timing.clock_from or timing.started_at


def is_echo(waited: timedelta) -> bool:
    """Whether who reports so long after the first may have heard of it: who comes within ten
    minutes found it himself, however many others did."""
    return waited > CO_DISCOVERY


def is_moving(speed_mps: float | None) -> bool:
    """Whether a report was captured while riding; a phone that does not know its speed is not.

    >>> is_moving(1.96), is_moving(1.9), is_moving(None)
    (True, False, False)
    """
    return speed_mps is not None and round(speed_mps, 1) >= MOVING_MPS


def is_sent_again(report: SubmitReport, now: datetime, *, earlier: Position, at: datetime) -> bool:
    """Whether a report may be the one that was sent from a moving bike, after stopping."""
    is_soon = now - at <= SENT_AGAIN_WITHIN
    return is_soon and distance_m(earlier, report.position) <= SENT_AGAIN_M


def award_for(
    *, ordinal: int, waited: timedelta, echo: int, is_moving: bool = False
) -> tuple[str, int]:
    """The rule that pays a report, and how many units of it: none for who is not paid.

    ``ordinal`` 1 came first; ``waited`` after the first.

    What was captured while moving is handled like any other, and never paid.

    Whoever found it himself is paid like the first, in whatever order they came; of the echoes,
    whose how-many-th ``echo`` is, three are paid.

    >>> award_for(ordinal=5, waited=timedelta(minutes=1), echo=0)
    ('report.early', 1)
    >>> award_for(ordinal=5, waited=timedelta(hours=1), echo=4)
    ('report.joiner', 0)
    """
    if is_moving:
        return MOVING_RULE, 0
    if ordinal == 1:
        return FIRST_RULE, 1
    if not is_echo(waited):
        return CO_DISCOVERY_RULE, 1
    return JOINER_RULE, 1 if echo <= PAID_JOINERS else 0
