"""The clock's function: every step that is due on a case is taken, once."""

from __future__ import annotations

from handlers.wiring import services

BATCH = 200


def on_schedule() -> dict[str, int]:
    """Sweep what is due now. Safe to run late, twice, or beside itself."""
    wired = services()
    return {"steps": wired.escalation.sweep(wired.clock.now(), BATCH)}
