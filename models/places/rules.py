"""Route a position to its grid."""

from collections.abc import Iterable, Sequence

from models.base import geometry
from models.base.geometry import Position
from models.places.entities import Grid, Routing

# A grid over more cells than this is tested against every position instead of being indexed:
# about 10 km2, the size from which a grid is one by mistake.
MAX_INDEXED_CELLS = 256


def route(position: Position, grids: Iterable[Grid]) -> Routing | None:
    """Choose the smallest grid holding the position, ties by id; None when no grid does.

    Nearness to a centre is never asked: it is wrong for 31 % of the points in the two urban
    districts. *Source:* 12,579 random points compared with the districts' outlines.
    """
    holding = sorted(
        (grid for grid in grids if geometry.contains(grid.polygon, position)),
        key=lambda grid: (grid.area_m2, grid.grid_id),
    )
    if not holding:
        return None
    return _explained(position, holding)


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

    def route(self, position: Position) -> Routing | None:
        """Choose as ``route`` does over all grids, testing only those near."""
        return route(position, self.near(position))


def _cell_count(box: geometry.Box) -> float:
    columns = (box.east - box.west) / geometry.CELL_DEGREES
    rows = (box.north - box.south) / geometry.CELL_DEGREES
    return (columns + 1) * (rows + 1)


def _explained(position: Position, holding: Sequence[Grid]) -> Routing:
    chosen = holding[0]
    boundary_m = round(geometry.distance_to_boundary_m(chosen.polygon, position))
    is_only = len(holding) == 1
    reason = f"位于“{chosen.name}”内，距边界{boundary_m}米"
    reason_en = f"inside {chosen.name}, {boundary_m} m from its edge"
    if not is_only:
        reason += f"；{len(holding)}个网格重叠，取面积最小者"
        reason_en += f"; the smallest of {len(holding)} overlapping grids"
    return Routing(
        grid_id=chosen.grid_id,
        rule="only_grid" if is_only else "smallest_area",
        boundary_m=boundary_m,
        candidates=tuple(grid.grid_id for grid in holding),
        reason=reason,
        reason_en=reason_en,
    )
