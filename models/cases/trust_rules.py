"""What hints at abuse, what it weighs, and what follows from it: for nobody's points or access.

*Source:* the project's table of abuse patterns; 33 m/s is faster than any bike, 22 m/s than most;
2 of 128 bits of a difference hash are the same picture (benhoyt/dhash).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from models.base.clock import CHINA
from models.base.geometry import Position, distance_m

HALF_LIFE = timedelta(days=90)
KEPT = HALF_LIFE * 8
"""After eight halvings nothing is left that would move the value by a point."""
PRIOR = 2.0
IMPOSSIBLE_MPS, SUSPICIOUS_MPS = 33.0, 22.0
TRAVEL_SLACK_M = 300.0
"""Two positions are as far apart as both phones admit, and a joiner's is his case's."""
SAME_PICTURE_BITS = 2
EXIF_TIME_GAP = timedelta(minutes=10)
EXIF_PLACE_GAP_M = 200.0
REPEATS = 3
LOOKED_BACK = timedelta(days=7)
DECIDED_LOOKED_AT = 20
ACCEPTANCE_LOW = 0.5
PAIR_HIGH = 0.8


class Kind(StrEnum):
    """What was noticed of a rider; the last three are outcomes, decided by people."""

    SAME_PHOTO = "same_photo"
    NEAR_PHOTO = "near_photo"
    PHOTO_TIME = "photo_time"
    PHOTO_PLACE = "photo_place"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    FAST_TRAVEL = "fast_travel"
    SAME_COORDINATES = "same_coordinates"
    NO_ERROR = "no_error"
    MOVING = "moving"
    SAME_THING = "same_thing"
    LOW_ACCEPTANCE = "low_acceptance"
    ONE_OFFICER = "one_officer"
    VALID = "valid"
    RECHECKED = "rechecked"
    REJECTED = "rejected"


GOOD = frozenset({Kind.VALID, Kind.RECHECKED})
OUTCOMES = GOOD | {Kind.REJECTED}
WEIGHT: Mapping[Kind, float] = {
    Kind.SAME_PHOTO: 1.0,
    Kind.NEAR_PHOTO: 0.5,
    Kind.PHOTO_TIME: 0.25,
    Kind.PHOTO_PLACE: 0.25,
    Kind.IMPOSSIBLE_TRAVEL: 0.5,
    Kind.FAST_TRAVEL: 0.25,
    Kind.SAME_COORDINATES: 0.5,
    Kind.NO_ERROR: 0.25,
    Kind.MOVING: 0.1,
    Kind.SAME_THING: 0.25,
    Kind.LOW_ACCEPTANCE: 0.5,
    Kind.ONE_OFFICER: 0.25,
    Kind.VALID: 1.0,
    Kind.RECHECKED: 0.25,
    Kind.REJECTED: 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that moves a rider's trust; a dismissed one has weight 0."""

    kind: Kind
    weight: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """All that can follow from signals. There is no field for points, access or refusal."""

    hints: tuple[Kind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Where and when a report was captured; ``thing`` tells what kind of thing, or which."""

    position: Position
    at: datetime
    accuracy_m: float
    thing: str


def consequence(marks: Iterable[Mark]) -> Consequence:
    """The one place where signals lead to anything: officials see neutral hints, and that is all.

    What a person must lose, people decide; hence there is nothing else here to be returned.
    """
    hints = {mark.kind for mark in marks if mark.weight > 0 and mark.kind not in OUTCOMES}
    return Consequence(hints=tuple(sorted(hints)))


def trust_of(marks: Iterable[Mark], now: datetime) -> int:
    """How much a rider's reports have been worth, 0 to 100; 50 while nothing is known.

    The mean of a Beta distribution that starts at (2, 2); everything halves every 90 days.

    >>> trust_of([], datetime(2026, 1, 1, tzinfo=UTC))
    50
    """
    good = bad = PRIOR
    for mark in marks:
        share = share_of(mark, now)
        if mark.kind in GOOD:
            good += share
        else:
            bad += share
    return round(100 * good / (good + bad))


def share_of(mark: Mark, now: datetime) -> float:
    """What is left of a mark's weight."""
    age = max(timedelta(), now - mark.at)
    return float(mark.weight * 0.5 ** (age / HALF_LIFE))


def signals_of(new: Sighting, before: Sequence[Sighting], *, is_moving: bool) -> Mapping[Kind, str]:
    """What a new report hints at beside the rider's earlier ones; kind → what was measured."""
    found = {}
    if is_moving:
        found[Kind.MOVING] = "≥2 m/s"
    if new.accuracy_m == 0:
        found[Kind.NO_ERROR] = "0 m"
    speed = max((_speed_mps(new, earlier) for earlier in before), default=0.0)
    if speed > SUSPICIOUS_MPS:
        kind = Kind.IMPOSSIBLE_TRAVEL if speed > IMPOSSIBLE_MPS else Kind.FAST_TRAVEL
        found[kind] = f"{min(speed, 9999):.0f} m/s"
    recent = [one for one in before if abs(new.at - one.at) <= LOOKED_BACK]
    same_place = [one for one in recent if _six(one.position) == _six(new.position)]
    if len(same_place) + 1 >= REPEATS:
        found[Kind.SAME_COORDINATES] = str(len(same_place) + 1)
    same_thing = [one for one in recent if one.thing == new.thing]
    if len(same_thing) + 1 >= REPEATS:
        found[Kind.SAME_THING] = str(len(same_thing) + 1)
    return found


def photo_signals(
    exif: Mapping[str, object], *, captured_at: datetime, gap_m: float | None
) -> Mapping[Kind, str]:
    """What a camera's own words hint at: another time, another place."""
    found = {}
    taken = _instant(exif.get("taken_at"))
    if taken is not None and abs(taken - captured_at) > EXIF_TIME_GAP:
        found[Kind.PHOTO_TIME] = f"{abs(taken - captured_at) // timedelta(minutes=1)} min"
    if gap_m is not None and gap_m > EXIF_PLACE_GAP_M:
        found[Kind.PHOTO_PLACE] = f"{gap_m:.0f} m"
    return found


def is_same_picture(one: str, other: str) -> bool:
    """Whether two difference hashes (hexadecimal) are of one picture."""
    return (int(one, 16) ^ int(other, 16)).bit_count() <= SAME_PICTURE_BITS


def habits(outcomes: Sequence[tuple[Kind, str | None]]) -> Mapping[Kind, str]:
    """What a rider's last twenty decided reports hint at; each with who handled it, newest first.

    Fewer than twenty say nothing.
    """
    last = outcomes[:DECIDED_LOOKED_AT]
    if len(last) < DECIDED_LOOKED_AT:
        return {}
    found = {}
    valid = sum(kind is Kind.VALID for kind, _ in last)
    if valid / len(last) < ACCEPTANCE_LOW:
        found[Kind.LOW_ACCEPTANCE] = f"{valid}/{len(last)}"
    handlers = [officer for kind, officer in last if kind is Kind.VALID and officer]
    most = max((handlers.count(one) for one in set(handlers)), default=0)
    if most / len(last) >= PAIR_HIGH:
        found[Kind.ONE_OFFICER] = f"{most}/{len(last)}"
    return found


def _speed_mps(new: Sighting, earlier: Sighting) -> float:
    apart = distance_m(new.position, earlier.position) - TRAVEL_SLACK_M
    if apart <= 0:
        return 0.0
    return apart / max(1.0, abs((new.at - earlier.at).total_seconds()))


def _six(position: Position) -> tuple[float, float]:
    return round(position.lon, 6), round(position.lat, 6)


def _instant(text: object) -> datetime | None:
    """A camera's time; without an offset it is the street's own."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=CHINA)).astimezone(UTC)
