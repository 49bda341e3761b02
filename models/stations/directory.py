"""Keep the city's stations in memory, find the nearest, and change them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from models.base import store
from models.base.clock import Clock
from models.base.errors import NotFound, Unavailable
from models.base.geometry import Position, distance_m
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

logger = logging.getLogger(__name__)

DEFAULT_RADIUS_M = 2700
"""*Source:* domain rules, 15-minute circle: a quarter of an hour by e-bike as the crow flies."""
MAX_RADIUS_M = 5000

# A transaction takes 100 writes and one of them is the version.
_ROWS_PER_WRITE = 99
_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    version: int
    stations: dict[str, Station]


class Directory:
    """Answers questions about stations from memory; safe to share between threads.

    When the memory is older than ``ttl``, the next question reads the version row (one strong
    read), and the table only if it changed. While the table does not answer, the last known
    stations go on serving; with none known yet, ``Unavailable`` is raised.
    """

    def __init__(self, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._ttl = ttl
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._checked_at: datetime | None = None

    def station(self, station_id: str) -> Station:
        """Find a station. Raises ``NotFound`` (station.not_found)."""
        found = self._current().stations.get(station_id)
        if found is None:
            raise NotFound("station.not_found")
        return found

    def stations(self) -> tuple[Station, ...]:
        """List all stations by id."""
        known = self._current().stations
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
            for station in self._current().stations.values()
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
        known = self._read_all()
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
        with self._lock:
            self._checked_at = None

    def _current(self) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is not None and self._is_fresh():
            return snapshot
        # One thread refreshes; the others go on with what is known, unless nothing is.
        if not self._lock.acquire(blocking=snapshot is None):
            assert snapshot is not None
            return snapshot
        try:
            if self._snapshot is None or not self._is_fresh():
                self._snapshot = self._refreshed(self._snapshot)
                self._checked_at = self._clock.now()
            return self._snapshot
        finally:
            self._lock.release()

    def _is_fresh(self) -> bool:
        checked_at = self._checked_at
        if checked_at is None:
            return False
        # A local clock may also be moved back; then the age says nothing.
        return timedelta(0) <= self._clock.now() - checked_at <= self._ttl

    def _refreshed(self, known: _Snapshot | None) -> _Snapshot:
        try:
            row = store.get(StationsVersionRow, VERSION_ID)
            version = row.version if row else 0
            if known is not None and known.version == version:
                return known
            # Read after the version: a change in between is read again under its own one.
            return _Snapshot(version=version, stations=self._read_all())
        except Unavailable:
            if known is None:
                raise
            logger.warning("stations.refresh_failed", extra={"version": known.version})
            return known

    def _read_all(self) -> dict[str, Station]:
        return {row.station_id: to_station(row) for row in _rows()}


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


def _rows() -> Iterator[StationRow]:
    # The table whole, because any station may be near: a scan, but only after a change.
    try:
        rows = StationRow.scan(
            StationRow.station_id != VERSION_ID, page_size=_PAGE_SIZE, consistent_read=True
        )
        yield from cast(Iterator[StationRow], rows)
    except (PynamoDBException, BotoCoreError) as error:
        raise Unavailable("store.busy") from error
