"""Rows of ``stations``, ``check-ins`` and ``visits``, and how they are read and written."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from models.base.clock import parse_utc, utc_text
from models.base.geometry import Position
from models.base.tables import Instant, Table, Whole
from models.stations.entities import (
    CheckIn,
    Door,
    DoorState,
    PointsReason,
    Station,
    StationKind,
)
from models.stations.rules import hours_text, parse_hours

SCHEMA = 1
VERSION_ID = "#version"
LAST_VISIT = "#last"


class StationRow(Table):
    """A station. ``locked_by`` is a pseudonym that means nothing beside this station."""

    class Meta:
        table_name = "stations"

    station_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    name = UnicodeAttribute()
    kind = UnicodeAttribute()
    place = UnicodeAttribute()
    lon = NumberAttribute()
    lat = NumberAttribute()
    hours = JSONAttribute()
    facilities = JSONAttribute()
    managed_by = UnicodeAttribute(null=True)
    synthetic = BooleanAttribute()
    door = UnicodeAttribute(null=True)
    door_at = Instant(null=True)
    door_revision = Whole(null=True)
    locked_by = UnicodeAttribute(null=True)
    locked_at = Instant(null=True)


class StationsVersionRow(Table):
    """Counts changes of stations; stands in ``stations`` under an id no station has."""

    class Meta:
        table_name = "stations"

    station_id = UnicodeAttribute(hash_key=True, default=VERSION_ID)
    version = Whole()


class ByStation(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """The visits to a station by time."""

    class Meta:
        index_name = "by_station"
        projection = KeysOnlyProjection()

    station_id = UnicodeAttribute(hash_key=True)
    at = Instant(range_key=True)


class ReceiptRow(Table):
    """The answer to one command of a member: his repeated request finds it standing there.

    It has no ``at``, so it is not in the index; a check-in is a receipt with one. The index stands
    here all the same, because both classes share what the connection knows of their table.
    """

    class Meta:
        table_name = "check-ins"

    member_id = UnicodeAttribute(hash_key=True)
    check_in_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    answer = JSONAttribute()
    by_station = ByStation()


class CheckInRow(ReceiptRow):
    """A visit. Where the phone was is not kept, only how far from the station it said it was."""

    class Meta:
        table_name = "check-ins"

    station_id = UnicodeAttribute()
    at = Instant()
    how = UnicodeAttribute()
    distance_m = Whole(null=True)
    accuracy_m = Whole(null=True)
    is_implausible = BooleanAttribute()


class VisitRow(Table):
    """The last visit of a member to a station; under ``#last`` his last one to any station."""

    class Meta:
        table_name = "visits"

    member_id = UnicodeAttribute(hash_key=True)
    station_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    last_at = Instant()
    check_in_id = UnicodeAttribute()
    lon = NumberAttribute(null=True)
    lat = NumberAttribute(null=True)


def to_station(row: StationRow) -> Station:
    """Read a row as its station; a kind or door unknown to this version is taken as the plainest.

    Raises ValueError for hours that cannot be read.
    """
    return Station(
        station_id=row.station_id,
        name=row.name,
        kind=StationKind(row.kind) if row.kind in set(StationKind) else StationKind.SERVICE,
        county=row.county,
        place=row.place,
        position=Position(lon=row.lon, lat=row.lat),
        hours=parse_hours(row.hours),
        facilities=tuple(row.facilities),
        managed_by=row.managed_by,
        synthetic=row.synthetic,
        door=Door(row.door) if row.door in set(Door) else None,
        door_at=row.door_at,
    )


def describe(station: Station) -> dict[str, Any]:
    """What an import says of a station, by column: all but its key and its door."""
    return {
        "schema": SCHEMA,
        "county": station.county,
        "name": station.name,
        "kind": station.kind.value,
        "place": station.place,
        "lon": station.position.lon,
        "lat": station.position.lat,
        "hours": hours_text(station.hours),
        "facilities": list(station.facilities),
        "managed_by": station.managed_by,
        "synthetic": station.synthetic,
    }


def check_in_answer(check_in: CheckIn) -> dict[str, Any]:
    """Write a check-in as JSON."""
    return {
        "check_in_id": check_in.check_in_id,
        "station_id": check_in.station_id,
        "at": utc_text(check_in.at),
        "points": check_in.points,
        "reason": check_in.reason.value,
    }


def to_check_in(answer: dict[str, Any]) -> CheckIn:
    """Read a check-in back."""
    return CheckIn(
        check_in_id=answer["check_in_id"],
        station_id=answer["station_id"],
        at=parse_utc(answer["at"]),
        points=answer["points"],
        reason=PointsReason(answer["reason"]),
    )


def door_answer(state: DoorState) -> dict[str, Any]:
    """Write a door's state as JSON."""
    door = state.door.value if state.door else None
    return {"station_id": state.station_id, "door": door, "at": utc_text(state.at)}


def to_door_state(answer: dict[str, Any]) -> DoorState:
    """Read a door's state back."""
    return DoorState(
        station_id=answer["station_id"],
        door=Door(answer["door"]) if answer["door"] else None,
        at=parse_utc(answer["at"]),
    )
