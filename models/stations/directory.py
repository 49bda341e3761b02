"""Keep the city's stations in memory, find the nearest, and change them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from models.base import store
from models.base.clock import Clock
from models.base.errors import NotFound, Unavailable
from models.base.geometry import Position, distance_m
from models.base.snapshots import Snapshots
from models.base.store import Transaction
from models.stations import rules
from models.stations.entities import NearbyStation, Station
from models.stations.tables import (
    VERSION_ID,
    StationRow,
    StationsVersionRow,
    describe,
    to_station,
)

DEFAULT_RADIUS_M = 2700
"""*Source:* domain rules, 15-minute circle: a quarter of an hour by e-bike as the crow flies."""
MAX_RADIUS_M = 5000

# A transaction takes 100 writes and one of them is the version.
_ROWS_PER_WRITE = 99
_PAGE_SIZE = 200


class Directory:
    """Answers questions about stations from memory; safe to share between threads.

    At most ``ttl`` behind what other processes change; ``Unavailable`` is raised only where the
    table has never answered yet. See ``Snapshots``.
    """

    def __init__(self, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._stations = Snapshots(
            clock=clock, ttl=ttl, version=_read_version, load=_read_all, name="stations"
        )

    def station(self, station_id: str) -> Station:
        """Find a station. Raises ``NotFound`` (station.not_found)."""
        found = self._stations.current().get(station_id)
        if found is None:
            raise NotFound("station.not_found")
        return found

    def stations(self) -> tuple[Station, ...]:
        """List all stations by id."""
        known = self._stations.current()
        return tuple(known[station_id] for station_id in sorted(known))

    def near(
        self,
        position: Position,
        *,
        radius_m: float = DEFAULT_RADIUS_M,
        open_only: bool = False,
        facility: str | None = None,
    ) -> tuple[NearbyStation, ...]:
        """List the stations within ``radius_m``, nearest first, ties by id."""
        now = self._clock.now()
        found = [
            NearbyStation(
                station=station,
                distance_m=round(metres),
                openness=rules.openness(station, now),
            )
            for station in self._stations.current().values()
            if (metres := distance_m(position, station.position)) <= radius_m
            and (facility is None or facility in station.facilities)
        ]
        return tuple(
            sorted(
                (near for near in found if near.openness.is_open or not open_only),
                key=lambda near: (near.distance_m, near.station.station_id),
            )
        )

    def put_stations(self, stations: Sequence[Station]) -> int:
        """Add stations or change what is said of them; answer how many differed.

        Safe to repeat: what is the same is not written. A door keeps its state. Rows go 99 to a
        transaction together with the version, so no reader keeps an old row for good.
        """
        known = _read_all()
        changed = [
            station
            for station in stations
            if station.station_id not in known
            or describe(known[station.station_id]) != describe(station)
        ]
        for start in range(0, len(changed), _ROWS_PER_WRITE):
            transaction = Transaction()
            for number, station in enumerate(changed[start : start + _ROWS_PER_WRITE]):
                _describe_in(transaction, f"station_{number}", station)
            count_change(transaction)
            transaction.commit()
        self.forget()
        return len(changed)

    def forget(self) -> None:
        """Look again at the next question: what this process changes itself, it sees at once."""
        self._stations.forget()


def count_change(transaction: Transaction) -> None:
    """Let every directory know, with the change itself, that stations have changed."""
    transaction.update(
        "stations.version", StationsVersionRow(), [StationsVersionRow.version.add(1)]
    )


def _describe_in(transaction: Transaction, name: str, station: Station) -> None:
    actions = [
        getattr(StationRow, column).set(value)
        if value is not None
        else getattr(StationRow, column).remove()
        for column, value in describe(station).items()
    ]
    transaction.update(name, StationRow(station.station_id), actions)


def _read_version() -> int:
    row = store.get(StationsVersionRow, VERSION_ID)
    return row.version if row else 0


def _read_all() -> dict[str, Station]:
    return {row.station_id: to_station(row) for row in _rows()}


def _rows() -> Iterator[StationRow]:
    # The table whole, because any station may be near: a scan, but only after a change.
    try:
        rows = StationRow.scan(
            StationRow.station_id != VERSION_ID, page_size=_PAGE_SIZE, consistent_read=True
        )
        yield from cast(Iterator[StationRow], rows)
    except (PynamoDBException, BotoCoreError) as error:
        raise Unavailable("store.busy") from error
