"""Rewards that are allotted: those who wait are served in their order."""

from __future__ import annotations

from handlers.wiring import services


def on_schedule() -> dict[str, int]:
    """Serve every queue, and mark what is funded no longer. Safe to run late, twice, or beside
    itself."""
    wired = services()
    now = wired.clock.now()
    done = wired.allocation.run(now)
    return {
        "reserved": done.reserved,
        "declined": done.declined,
        "failed": done.failed,
        "sold_out": wired.publication.sell_out(now),
    }
