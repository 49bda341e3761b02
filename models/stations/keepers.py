"""Who keeps a station."""

from __future__ import annotations

from models.base.errors import NotFound
from models.people.entities import Actor, RoleName
from models.stations.directory import Directory
from models.stations.entities import Station


def keeps(actor: Actor, station: Station) -> bool:
    """Whether the actor is keeper of exactly this station, in its county."""
    return any(
        role.role is RoleName.KEEPER
        and role.scope == f"station:{station.station_id}"
        and role.county == station.county
        for role in actor.roles
    )


def kept_station(directory: Directory, actor: Actor, station_id: str) -> Station:
    """The station, for its keeper; to all others ``NotFound``, as if there were none."""
    station = directory.station(station_id)
    if not keeps(actor, station):
        raise NotFound("station.not_found")
    return station
