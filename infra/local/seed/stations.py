"""The seed's stations as the product knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.seed import geography
from models.base.geometry import Position
from models.stations.entities import Station, StationKind
from models.stations.rules import parse_hours


def stations() -> tuple[Station, ...]:
    """羊山新区's 57 stations; all of them invented."""
    return tuple(_station(row) for row in geography.stations())


def _station(row: Mapping[str, Any]) -> Station:
    lock = ("code_lock",) if row["access"] == "code_lock" else ()
    return Station(
        station_id=row["station_id"],
        name=row["name"],
        kind=StationKind(row["kind"].lower()),
        county=row["county"],
        place=row["name"].partition("·")[0],
        position=Position(lon=row["lon"], lat=row["lat"]),
        hours=parse_hours(
            {
                day: [f"{opens}-{closes}" for opens, closes in spans]
                for day, spans in row["hours"].items()
            }
        ),
        facilities=(*row["facilities"], *lock),
        managed_by=row["managed_by"],
        synthetic=row["synthetic"],
    )
