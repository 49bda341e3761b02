"""Keep the city's grids and divisions in memory, and change them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar, cast

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition

from models.base import store
from models.base.clock import CHINA, Clock
from models.base.errors import Unavailable
from models.base.geometry import Position, contains
from models.base.snapshots import Snapshots
from models.base.tables import Table
from models.places.entities import Division, Grid, Neighbour, Routing, Unused, WhyUnused
from models.places.rules import NEIGHBOUR_WITHIN_M, GridIndex, neighbours, route
from models.places.tables import (
    VERSION_ID,
    DivisionRow,
    GridRow,
    PlacesVersionRow,
    to_division,
    to_division_row,
    to_grid,
    to_grid_row,
)

# A transaction takes 100 writes and one of them is the version.
_ROWS_PER_WRITE = 99
_ROWS_PER_READ = 100
_PAGE_SIZE = 200

_Row = TypeVar("_Row", bound=Table)
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    grids: dict[str, Grid]
    divisions: dict[str, Division]
    index: GridIndex

    def why_unused(self, grid: Grid, day: date) -> WhyUnused | None:
        """Why a grid is not asked on a day; None when it is."""
        if not grid.is_valid(day):
            return "grid_not_valid"
        community = self.divisions.get(grid.community_id)
        if community is not None and not community.is_valid(day):
            return "community_not_valid"
        return None

    def standing(self, grids: Sequence[Grid], day: date) -> list[Grid]:
        return [grid for grid in grids if self.why_unused(grid, day) is None]


class Places:
    """Answer questions about places from memory; safe to share between threads.

    At most ``ttl`` behind what other processes change; ``Unavailable`` is raised only where the
    tables have never answered yet. See ``Snapshots``.
    """

    def __init__(self, clock: Clock, ttl: timedelta = timedelta(seconds=30)) -> None:
        self._clock = clock
        self._known = Snapshots(
            clock=clock, ttl=ttl, version=_read_version, load=_load, name="places"
        )

    def route(self, position: Position, at: datetime | None = None) -> Routing | None:
        """Find the grid of a position at an instant (None: now) and say why; None outside all.

        A grid counts only while it and its community are valid: a grid drawn for a street that
        comes into being next month waits for it.
        """
        known, day = self._known.current(), self._day(at)
        return route(position, known.standing(known.index.near(position), day))

    def neighbours(
        self, position: Position, grid_id: str, *, accuracy_m: float, at: datetime | None = None
    ) -> tuple[Neighbour, ...]:
        """Name the grids the position may belong to instead, likeliest first.

        See ``rules.neighbours``; empty for a grid that is unknown.
        """
        known, day = self._known.current(), self._day(at)
        chosen = known.grids.get(grid_id)
        if chosen is None or accuracy_m <= 0:
            return ()
        near = known.index.within(position, min(accuracy_m, NEIGHBOUR_WITHIN_M) + 1)
        grids = known.standing(near, day)
        return neighbours(position, chosen, accuracy_m=accuracy_m, grids=grids)

    def unused(self, position: Position, at: datetime | None = None) -> tuple[Unused, ...]:
        """Name the grids that hold a position and are not asked at an instant, by id."""
        known, day = self._known.current(), self._day(at)
        found = []
        for grid in sorted(known.index.near(position), key=lambda grid: grid.grid_id):
            why = known.why_unused(grid, day)
            if why is not None and contains(grid.polygon, position):
                found.append(Unused(grid_id=grid.grid_id, why=why))
        return tuple(found)

    def zone(self, grid: Grid, at: datetime | None = None) -> Division | None:
        """The functional zone that runs a grid at an instant; None where the county does."""
        zone = self.division(grid.managed_by) if grid.managed_by else None
        return zone if zone is not None and zone.is_valid(self._day(at)) else None

    def grid(self, grid_id: str) -> Grid | None:
        """Find a grid; None when it is unknown."""
        return self._known.current().grids.get(grid_id)

    def grids(self, county: str | None = None) -> tuple[Grid, ...]:
        """List the grids of a county, or all, by id."""
        grids = self._known.current().grids
        return tuple(grids[key] for key in sorted(grids) if county in (None, grids[key].county))

    def division(self, division_id: str) -> Division | None:
        """Find a division, also one no longer valid; None when it is unknown."""
        return self._known.current().divisions.get(division_id)

    def divisions(self) -> tuple[Division, ...]:
        """List all divisions by id, also those no longer valid."""
        divisions = self._known.current().divisions
        return tuple(divisions[key] for key in sorted(divisions))

    def check(self) -> None:
        """Read one row strongly, past every cache. Raises ``Unavailable`` when no table answers."""
        _read_version()

    def put_grids(self, grids: Sequence[Grid]) -> int:
        """Add or replace grids; answer how many differed from what stood there.

        Safe to repeat: what is the same is not written. Rows go 99 to a transaction together with
        the version, so no reader keeps an old row after a failure half-way. A grid that changes
        counts its own ``version`` up; two who change it at once are one after the other.
        """
        return store.retrying(lambda: self._put_grids(grids))

    def _put_grids(self, grids: Sequence[Grid]) -> int:
        standing = _standing(GridRow, [grid.grid_id for grid in grids])
        known = [to_grid(row) if row else None for row in standing]
        changed = [
            (replace(new, version=old.version + 1 if old else 1), row)
            for new, old, row in zip(grids, known, standing, strict=True)
            if new != old
        ]
        return self._write([(to_grid_row(grid), _unchanged(row)) for grid, row in changed])

    def put_divisions(self, divisions: Sequence[Division]) -> int:
        """Add or replace divisions, as ``put_grids`` does with grids."""
        standing = _standing(DivisionRow, [division.division_id for division in divisions])
        known = [to_division(row) if row else None for row in standing]
        changed = [new for new, old in zip(divisions, known, strict=True) if new != old]
        return self._write([(to_division_row(division), None) for division in changed])

    def _day(self, at: datetime | None) -> date:
        return (at or self._clock.now()).astimezone(CHINA).date()

    def _write(self, rows: Sequence[tuple[Table, Condition | None]]) -> int:
        for chunk in _chunks(rows, _ROWS_PER_WRITE):
            _write_with_version(chunk)
        self._known.forget()
        return len(rows)


def _read_version() -> int:
    row = store.get(PlacesVersionRow, VERSION_ID)
    return row.version if row else 0


def _load() -> _Known:
    # Both tables whole, because a route may need any row: a scan, but only after a change.
    grids = [to_grid(row) for row in _all_rows(GridRow, GridRow.grid_id != VERSION_ID)]
    divisions = [to_division(row) for row in _all_rows(DivisionRow)]
    return _Known(
        grids={grid.grid_id: grid for grid in grids},
        divisions={division.division_id: division for division in divisions},
        index=GridIndex(grids),
    )


def _all_rows(table: type[_Row], condition: Condition | None = None) -> list[_Row]:
    try:
        return list(table.scan(condition, page_size=_PAGE_SIZE, consistent_read=True))
    except (PynamoDBException, BotoCoreError) as error:
        raise Unavailable("store.busy") from error


def _standing(table: type[_Row], ids: Sequence[str]) -> list[_Row | None]:
    rows = [
        row
        for chunk in _chunks(ids, _ROWS_PER_READ)
        for row in store.get_many([(table, (one,)) for one in chunk])
    ]
    return cast(list[_Row | None], rows)


def _unchanged(row: GridRow | None) -> Condition:
    condition: Condition = GridRow.version.does_not_exist()
    if row is None:
        condition = GridRow.name.does_not_exist()
    elif row.version is not None:
        condition = GridRow.version == row.version
    return condition


def _write_with_version(rows: Sequence[tuple[Table, Condition | None]]) -> None:
    transaction = store.Transaction()
    for number, (row, condition) in enumerate(rows):
        transaction.put(f"row_{number}", row, condition)
    transaction.update("version", PlacesVersionRow(), [PlacesVersionRow.version.add(1)])
    try:
        transaction.commit()
    except store.Refused as refused:
        raise store.Stale from refused


def _chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))
