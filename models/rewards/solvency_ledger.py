"""What members have and what they were given lately, as the newest root of the ledger says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.base.clock import business_day
from models.points import checking, roots

LATELY = timedelta(days=30)
ISSUED = "iss:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Points by account over everybody, and those ``issued`` in the last 30 days (0: unknown)."""

    totals: Mapping[str, int]
    issued: int = 0

    @property
    def outstanding(self) -> int:
        """Points that members have: available, pending and held. Nobody's debt lessens them."""
        return sum(max(0, self.totals.get(kind, 0)) for kind in ("a", "p", "h"))


def standing(now: datetime) -> Ledger:
    """The ledger at the last night's root; three reads.

    Before the first root every entry is read: there are few, the first night has not passed.
    """
    newest = roots.newest(business_day(now))
    if newest is None:
        return Ledger(totals=checking.totals())
    before = roots.root_of((date.fromisoformat(newest.day) - LATELY).isoformat())
    given = _given(newest.totals) - _given(before.totals) if before else 0
    return Ledger(totals=newest.totals, issued=max(0, given))


def _given(totals: Mapping[str, int]) -> int:
    """Points ever issued, without what was taken back."""
    return -sum(points for account, points in totals.items() if account.startswith(ISSUED))
