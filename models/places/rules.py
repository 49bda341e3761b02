"""Route a position to its grid, and tell which others it may belong to.

At a boundary: an edge belongs to exactly one of the two grids that share it, and of grids that lie
over one another the smallest is meant. "The grid with the longer shared edge" does not decide
between two neighbours, since the edge they share is equally long for both; it lives on in
``neighbours``, where the one reaching furthest into the phone's error circle is the one informed.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from models.base import geometry
from models.base.geometry import Position
from models.places.entities import Grid, Neighbour, Routing

# A grid over more cells than this is tested against every position instead of being indexed:
# about 10 km2, the size from which a grid is one by mistake.
MAX_INDEXED_CELLS = 256

NEIGHBOUR_WITHIN_M = 50.0
"""However badly a phone knows where it is, no grid further off is informed: the report's place is
the rider's, and half a street away somebody else's problem. Also the join radius of duplicates."""
_DIRECTIONS = 16
"""Seen from 50 m inside a straight edge, a circle one metre wider crosses it over 22.7 degrees;
16 directions are 22.5 apart, so one of them always lies beyond the nearest edge."""


def route(position: Position, grids: Iterable[Grid]) -> Routing | None:
    """Choose the smallest grid holding the position, ties by id; None when no grid does.

    Nearness to a centre is never asked: it is wrong for 31 % of the points in the two urban
    districts. *Source:* 12,579 random points compared with the districts' outlines.
    """
    holding = _smallest(position, grids)
    return _explained(position, holding) if holding else None


def neighbours(
    position: Position, chosen: Grid, *, accuracy_m: float, grids: Sequence[Grid]
) -> tuple[Neighbour, ...]:
    """Name the grids that may be meant instead of ``chosen``, likeliest first, ties by id.

    Empty unless the edge of ``chosen`` is nearer than ``accuracy_m`` (at most
    ``NEIGHBOUR_WITHIN_M``). The surroundings are routed as any position is, in 16 directions just
    beyond the edge and as many at the accuracy: over an edge lies whatever grid is chosen there,
    also one that overlaps.
    """
    within_m = min(accuracy_m, NEIGHBOUR_WITHIN_M)
    boundary_m = geometry.distance_to_boundary_m(chosen.polygon, position)
    if boundary_m >= within_m:
        return ()
    near = [grid for grid in grids if _gap_m(grid, position) <= within_m + 1]
    if len(near) < 2:
        return ()
    rings = (boundary_m + 1, max(within_m, boundary_m + 1))
    found: dict[str, int] = {}
    for around in (point for radius_m in rings for point in _circle(position, radius_m)):
        there = _smallest(around, near)
        if there and there[0].grid_id != chosen.grid_id:
            found[there[0].grid_id] = found.get(there[0].grid_id, 0) + 1
    gap_m = {grid.grid_id: _gap_m(grid, position) for grid in near}
    counted = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Neighbour(
            grid_id=grid_id,
            distance_m=round(gap_m[grid_id]),
            share=round(count / (len(rings) * _DIRECTIONS), 3),
        )
        for grid_id, count in counted
    )


class GridIndex:
    """Find the few grids worth testing for a position; unchangeable once built."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        by_cell: dict[str, list[Grid]] = {}
        self._wide: list[Grid] = []
        for grid in grids:
            box = geometry.bbox(grid.polygon)
            if _cell_count(box) > MAX_INDEXED_CELLS:
                self._wide.append(grid)
                continue
            for cell in geometry.cells_of_box(box):
                by_cell.setdefault(cell, []).append(grid)
        self._by_cell = by_cell

    def near(self, position: Position) -> list[Grid]:
        """List every grid that may hold the position, in no order; some may not."""
        return [*self._by_cell.get(geometry.cell_of(position), ()), *self._wide]

    def within(self, position: Position, radius_m: float) -> list[Grid]:
        """List every grid that may reach into a circle, each once, in no order; some may not."""
        found = {
            grid.grid_id: grid
            for cell in geometry.cells_within(position, radius_m)
            for grid in self._by_cell.get(cell, ())
        }
        return [*found.values(), *self._wide]

    def route(self, position: Position) -> Routing | None:
        """Choose as ``route`` does over all grids, testing only those near."""
        return route(position, self.near(position))


def _smallest(position: Position, grids: Iterable[Grid]) -> list[Grid]:
    return sorted(
        (grid for grid in grids if geometry.contains(grid.polygon, position)),
        key=lambda grid: (grid.area_m2, grid.grid_id),
    )


def _gap_m(grid: Grid, position: Position) -> float:
    if geometry.contains(grid.polygon, position):
        return 0.0
    return geometry.distance_to_boundary_m(grid.polygon, position)


def _circle(centre: Position, radius_m: float) -> Iterator[Position]:
    for number in range(_DIRECTIONS):
        bearing = 2 * math.pi * number / _DIRECTIONS
        yield geometry.offset(
            centre, east_m=radius_m * math.sin(bearing), north_m=radius_m * math.cos(bearing)
        )


def _cell_count(box: geometry.Box) -> float:
    columns = (box.east - box.west) / geometry.CELL_DEGREES
    rows = (box.north - box.south) / geometry.CELL_DEGREES
    return (columns + 1) * (rows + 1)


def where(name: str, boundary_m: int, overlapping: int) -> tuple[str, str]:
    """Say why a position belongs to a grid, in Chinese and English.

    >>> where("东一网格", 94, 1)
    ('位于“东一网格”内，距边界94米', 'inside 东一网格, 94 m from its edge')
    """
    reason, reason_en = (
        f"位于“{name}”内，距边界{boundary_m}米",
        f"inside {name}, {boundary_m} m from its edge",
    )
    if overlapping > 1:
        reason += f"；{overlapping}个网格重叠，取面积最小者"
        reason_en += f"; the smallest of {overlapping} overlapping grids"
    return reason, reason_en


def _explained(position: Position, holding: Sequence[Grid]) -> Routing:
    chosen = holding[0]
    boundary_m = round(geometry.distance_to_boundary_m(chosen.polygon, position))
    is_only = len(holding) == 1
    reason, reason_en = where(chosen.name, boundary_m, len(holding))
    return Routing(
        grid_id=chosen.grid_id,
        rule="only_grid" if is_only else "smallest_area",
        boundary_m=boundary_m,
        candidates=tuple(grid.grid_id for grid in holding),
        reason=reason,
        reason_en=reason_en,
    )
