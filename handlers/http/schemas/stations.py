"""Stations and check-ins, as the contract shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.http.schemas.base import AccuracyM, Answer, Command, Instant, Lat, Lon, Paged
from models.stations.directory import DEFAULT_RADIUS_M, MAX_RADIUS_M
from models.stations.entities import Door, PointsReason, StationKind


class NearbyStations(Paged):
    """Where to look, and for what."""

    lon: Lon
    lat: Lat
    radius_m: Annotated[int, Field(ge=1, le=MAX_RADIUS_M)] = DEFAULT_RADIUS_M
    open_now: bool = False
    facility: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None


class NewCheckIn(Command):
    """The rider is here and has scanned the code on the screen."""

    lon: Lon
    lat: Lat
    accuracy_m: AccuracyM
    code: Annotated[str, Field(min_length=1, max_length=200)]


class NewMemberCheckIn(Command):
    """The keeper has scanned the rider's code."""

    member_code: Annotated[str, Field(min_length=1, max_length=200)]


class NewDoor(Command):
    """What the keeper says of the door."""

    open: bool


class NewDoorReport(Command):
    """The rider stands before a locked door."""

    lon: Lon
    lat: Lat
    accuracy_m: AccuracyM


class Facility(Answer):
    """What a station has."""

    code: str
    text: str


class Station(Answer):
    """A station as seen from where one is; ``closes_at`` null: closed, or open all week."""

    id: str
    name: str
    kind: StationKind
    kind_text: str
    place: str
    lon: float
    lat: float
    distance_m: int
    open: bool
    closes_at: Instant | None
    door: Door | None
    door_text: str | None
    hours: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], list[str]]
    facilities: list[Facility]
    synthetic: bool


class Stations(Answer):
    """Nearest first."""

    items: list[Station]
    next_cursor: str | None


class Code(Answer):
    """What a screen shows as a QR until ``valid_until``."""

    code: str
    valid_until: Instant


class CheckIn(Answer):
    """A visit that was accepted."""

    id: str
    station_id: str
    at: Instant


class CheckInAnswer(Answer):
    """The visit, and the points with their reason."""

    check_in: CheckIn
    points: int
    reason: PointsReason
    reason_text: str


class DoorAnswer(Answer):
    """What holds for the door now; null: nobody has said anything."""

    station_id: str
    door: Door | None
    door_text: str | None
    at: Instant
