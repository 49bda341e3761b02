"""When a station is open, who is near enough, and which journeys are hard to believe."""

from datetime import datetime, timedelta, timezone
from functools import lru_cache

from models.stations.entities import MINUTES_PER_DAY, Door, Hours, Openness, Span, Station

RADIUS_M = 80
"""*Source:* the check-in rules: within 80 m plus the phone's accuracy, of it 50 m at most."""
MAX_ACCURACY_M = 50
BETWEEN_VISITS = timedelta(hours=4)
"""*Source:* the product's check-in rules: 4 hours apart per station."""
"""*Source:* the product's check-in rules: one point, once a day in China."""
FASTEST_KMH = 60
"""*Source:* domain rules, stations: faster than this between two check-ins is implausible."""
REPORTS_AGREE_WITHIN = timedelta(minutes=30)
"""*Source:* domain rules, stations: two independent "locked" within 30 minutes close a door."""
LONGEST_STATEMENT = timedelta(hours=24)

_CHINA = timezone(timedelta(hours=8))
_WEEK = 7 * MINUTES_PER_DAY
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether the posted hours promise the station to be open at ``at``."""
    return _opening(hours, at) is not None


def closes_at(hours: Hours, at: datetime) -> datetime | None:
    """When the opening that holds at ``at`` ends; None when closed then, or open all week."""
    found = _opening(hours, at)
    if found is None or found[1] - found[0] >= _WEEK:
        return None
    whole_minute = at.replace(second=0, microsecond=0)
    return whole_minute + timedelta(minutes=found[1] - _minute_of_week(at))


def openness(station: Station, at: datetime) -> Openness:
    """What a rider may expect at ``at``: the posted hours, unless the door was said to be shut.

    A statement holds until the opening ends in which it was made, for 24 hours at most: a keeper
    who forgets to take it back does not close his station for good. One that was made outside the
    hours changes nothing.
    """
    door = station.door if _still_holds(station, at) else None
    promised = is_open(station.hours, at)
    open_now = promised and door in (None, Door.OPEN)
    return Openness(
        is_open=open_now,
        closes_at=closes_at(station.hours, at) if open_now else None,
        door=door,
    )


def allowed_m(accuracy_m: float) -> float:
    """How far from a station a phone of this accuracy may say it is.

    >>> allowed_m(20), allowed_m(3000)
    (100, 130)
    """
    return RADIUS_M + min(accuracy_m, MAX_ACCURACY_M)


def is_implausible(distance_m: float, elapsed: timedelta) -> bool:
    """Whether nobody rides so far in such a time; flagged for a human, never refused.

    >>> is_implausible(1001, timedelta(minutes=1)), is_implausible(1000, timedelta(minutes=1))
    (True, False)
    """
    return distance_m * 3.6 > FASTEST_KMH * elapsed.total_seconds()


def confirms(earlier: tuple[str, datetime] | None, *, reporter: str, at: datetime) -> bool:
    """Whether a report of a locked door has an earlier one by somebody else beside it."""
    if earlier is None:
        return False
    first_reporter, first_at = earlier
    return first_reporter != reporter and at - first_at <= REPORTS_AGREE_WITHIN


def hours_text(hours: Hours) -> dict[str, list[str]]:
    """Write hours as an admin reads them: ``{"mon": ["08:00-12:00"], …}``."""
    return {
        day: [f"{_clock_text(span.opens)}-{_clock_text(span.closes)}" for span in spans]
        for day, spans in zip(_WEEKDAYS, hours, strict=True)
    }


def parse_hours(text: dict[str, list[str]]) -> Hours:
    """Read hours back; a weekday left out is a day off. Raises ValueError for anything else."""
    unknown = set(text) - set(_WEEKDAYS)
    if unknown:
        raise ValueError(f"not a weekday: {sorted(unknown)}")
    return tuple(tuple(_span(span) for span in text.get(day, ())) for day in _WEEKDAYS)


def _span(text: str) -> Span:
    opens, _, closes = text.partition("-")
    return Span(opens=_minutes(opens), closes=_minutes(closes))


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _still_holds(station: Station, at: datetime) -> bool:
    said_at = station.door_at
    if said_at is None or not is_open(station.hours, said_at):
        return False
    ends = closes_at(station.hours, said_at) or said_at + LONGEST_STATEMENT
    return said_at <= at < min(ends, said_at + LONGEST_STATEMENT)


def _opening(hours: Hours, at: datetime) -> tuple[int, int] | None:
    minute = _minute_of_week(at)
    return next((span for span in _openings(hours) if span[0] <= minute < span[1]), None)


def _minute_of_week(at: datetime) -> int:
    local = at.astimezone(_CHINA)
    return local.weekday() * MINUTES_PER_DAY + local.hour * 60 + local.minute


@lru_cache(maxsize=1024)
def _openings(hours: Hours) -> tuple[tuple[int, int], ...]:
    """Openings in minutes from this week's Monday, joined where one follows on another.

    The weeks before and after are laid beside this one, so that a Sunday night reaches into Monday.
    """
    spans = sorted(
        (week * _WEEK + begin, week * _WEEK + end)
        for week in (-1, 0, 1)
        for begin, end in _one_week(hours)
    )
    joined: list[tuple[int, int]] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def _one_week(hours: Hours) -> list[tuple[int, int]]:
    return [
        (
            day * MINUTES_PER_DAY + span.opens,
            day * MINUTES_PER_DAY
            + span.closes
            + (MINUTES_PER_DAY if span.closes <= span.opens else 0),
        )
        for day, spans in enumerate(hours)
        for span in spans
    ]
