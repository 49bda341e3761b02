"""Who left the duty roster by the calendar: by the last day of an entry, or by a leave."""

from __future__ import annotations

from handlers.wiring import services
from models.alerts import leavers
from models.people import leaving


def on_schedule() -> dict[str, int]:
    """Tell of every post whose time is up. Safe to run late, twice, or beside itself."""
    return {"left": leaving.sweep(services().clock.now(), leavers.row)}
