"""Rest stations: where they are, when they promise to be open, and the visits to them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from models.base.geometry import Position

MINUTES_PER_DAY = 24 * 60


class StationKind(StrEnum):
    """睦邻 in a compound, 暖新 built to a high standard, 爱心 of the union, 服务 of a community."""

    NEIGHBOR = "neighbor"
    WARM_NEW = "warm_new"
    CARING = "caring"
    SERVICE = "service"


class Door(StrEnum):
    """What was last said of the door; nobody has confirmed ``unverified_closed`` but riders."""

    OPEN = "open"
    CLOSED = "closed"
    UNVERIFIED_CLOSED = "unverified_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Opening time in minutes after midnight in China; not after ``opens`` is the next day.

    ``opens=0, closes=1440`` is the whole day. Raises ValueError outside the day.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not (0 <= self.opens < MINUTES_PER_DAY and 0 < self.closes <= MINUTES_PER_DAY):
            raise ValueError(f"a span lies within a day: {self.opens}, {self.closes}")


Hours: TypeAlias = tuple[tuple[Span, ...], ...]
"""The spans that begin on each weekday, Monday first: seven entries, an empty one is a day off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place to rest. ``facilities`` are codes such as ``microwave``; ``managed_by`` names the
    functional zone that runs it, None the county. ``door`` None: nobody has said anything yet.
    """

    station_id: str
    name: str
    kind: StationKind
    county: str
    place: str
    position: Position
    hours: Hours
    facilities: tuple[str, ...] = ()
    managed_by: str | None = None
    synthetic: bool = False
    door: Door | None = None
    door_at: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.hours) != 7:
            raise ValueError(f"station {self.station_id} needs hours for seven weekdays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Openness:
    """Whether a station is open at an instant; ``closes_at`` None: closed, or never closing."""

    is_open: bool
    closes_at: datetime | None
    door: Door | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyStation:
    """A station as seen from a position."""

    station: Station
    distance_m: int
    openness: Openness


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatingCode:
    """What a screen shows as a QR until ``valid_until``; it is taken one slot longer."""

    payload: str
    valid_until: datetime


class PointsReason(StrEnum):
    """Why a check-in gave the points it gave."""

    FIRST_OF_THE_DAY = "first_of_the_day"
    ONCE_A_DAY = "once_a_day"
    MONTHLY_LIMIT = "monthly_limit"
    OVERALL_LIMIT = "overall_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """A visit that was accepted, as the rider is told of it."""

    check_in_id: str
    station_id: str
    at: datetime
    points: int
    reason: PointsReason


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorState:
    """What holds for a station's door after a statement or a report."""

    station_id: str
    door: Door | None
    at: datetime
