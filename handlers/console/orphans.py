"""Looking for cases whose officer has left, grid by grid: an admin's command, from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.wiring import services


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Release the orphans of ``{"county", "grid"?}``; safe to repeat, and to stop half-way."""
    wired = services()
    grids = [
        grid.grid_id
        for grid in wired.places.grids(event["county"])
        if event.get("grid") in (None, grid.grid_id)
    ]
    released = {grid_id: wired.orphans.sweep(grid_id) for grid_id in grids}
    return {"grids": len(grids), "released": sum(released.values())}
