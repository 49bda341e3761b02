"""Once a day: does a rider wait too long for what becomes of his appeal?"""

from __future__ import annotations

from handlers import telemetry
from handlers.wiring import services


def on_schedule() -> dict[str, int]:
    """Count the appeals that have waited for a week, county by county, for an alarm."""
    wired = services()
    counties = {grid.county for grid in wired.places.grids()}
    waiting = sum(wired.point_appeals.overdue(county) for county in sorted(counties))
    if waiting:
        telemetry.count("points", "appeals_waiting")
    return {"waiting": waiting}
