"""Reservations that nobody fetched: points and stock go back."""

from __future__ import annotations

from handlers.wiring import services

BATCH = 200


def on_schedule() -> dict[str, int]:
    """Expire what is due now. Safe to run late, twice, or beside itself."""
    wired = services()
    swept = wired.expiry.expire_due(wired.clock.now(), BATCH)
    return {"expired": swept.expired, "failed": swept.failed}
