"""Reservations that nobody fetched: points and stock go back."""

from __future__ import annotations

from handlers.wiring import services

BATCH = 200


def on_schedule() -> dict[str, int]:
    """Expire what is due now. Safe to run late, twice, or beside itself."""
    wired = services()
    return {"expired": wired.redemptions.expire_due(wired.clock.now(), BATCH)}
