"""Once a day: does the calendar reach far enough?"""

from __future__ import annotations

from handlers import telemetry
from handlers.wiring import services
from models.calendar.china import working_time
from models.calendar.watch import years_missing_soon


def on_schedule() -> dict[str, int]:
    """Count and log, as an error, a year that begins within a month and has no table."""
    missing = years_missing_soon(working_time(), services().clock.now())
    if missing:
        telemetry.count("calendar", "year_missing")
    return {"missing_years": len(missing)}
