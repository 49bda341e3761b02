"""Stations, riders and keepers with readable defaults."""

from __future__ import annotations

from datetime import datetime

from models.base.geometry import Position
from models.base.ids import new_id
from models.people.entities import Actor, Role, RoleName, Standing
from models.stations.entities import Door, Hours, Span, Station, StationKind

COUNTY = "411503"
HALL = Position(lon=114.091, lat=32.1485)
KEY = b"a key for the tests of the stations"

ALL_DAY: Hours = ((Span(opens=0, closes=1440),),) * 7
OFFICE: Hours = ((Span(opens=480, closes=1080),),) * 7
"""08:00-18:00 every day."""
SPLIT: Hours = ((Span(opens=510, closes=720), Span(opens=870, closes=1080)),) * 7
"""08:30-12:00 and 14:30-18:00 every day."""
NIGHT: Hours = ((Span(opens=1320, closes=360),),) * 7
"""22:00-06:00 of the next day, every day."""


def a_station(
    *,
    station_id: str | None = None,
    county: str = COUNTY,
    position: Position = HALL,
    hours: Hours = OFFICE,
    facilities: tuple[str, ...] = ("microwave", "charging"),
    door: Door | None = None,
    door_at: datetime | None = None,
) -> Station:
    """A synthetic neighbour station, open 08:00-18:00 every day."""
    return Station(
        station_id=station_id or new_id("st"),
        name="示例社区·睦邻驿站",
        kind=StationKind.NEIGHBOR,
        county=county,
        place="示例路1号",
        position=position,
        hours=hours,
        facilities=facilities,
        managed_by="FZ-YANGSHAN",
        synthetic=True,
        door=door,
        door_at=door_at,
    )


def an_actor(*roles: Role) -> Actor:
    """A member with a session; a rider unless roles say more."""
    return Actor(
        member_id=new_id("mbr"),
        session_id=new_id("ses"),
        roles=roles,
        standing=Standing.PHONE,
        county=None,
        consents={},
        confirmed_until=None,
    )


def a_keeper(station: Station, *, county: str | None = None) -> Actor:
    """The keeper of one station."""
    return an_actor(
        Role(
            role=RoleName.KEEPER,
            scope=f"station:{station.station_id}",
            county=county or station.county,
        )
    )
