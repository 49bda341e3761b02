"""Reservations that nobody fetched, or nobody can any more: points and stock go back."""

from __future__ import annotations

from handlers.wiring import services
from models.rewards.reminders import remind

BATCH = 200


def on_reminders() -> dict[str, int]:
    """Tell the owners of vouchers that will soon end. Safe to run late, twice, or beside itself."""
    return {"reminded": remind(services().clock.now())}


def on_schedule() -> dict[str, int]:
    """Expire what is due now, and go on with what merchants who close leave behind.

    Safe to run late, twice, or beside itself.
    """
    wired = services()
    swept = wired.expiry.expire_due(wired.clock.now(), BATCH)
    passes = wired.closings.go_on()
    ended = sum(len(made.results) for made in passes)
    return {"expired": swept.expired, "failed": swept.failed, "closed": ended}
