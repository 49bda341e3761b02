"""Typed codes are few: five misses in any minute, for a session and for a place.

A try is counted before anything is looked up, so guesses made side by side cannot pass together,
and given back when the code led to a voucher of the place. A QR payload is signed and not counted.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from models.base.clock import parse_utc, utc_text
from models.base.errors import Exhausted
from models.base.ids import derived_id
from models.base.store import Stale, get, put_if_absent, retrying, update_if
from models.rewards.try_tables import TryRow

PER_MINUTE = 5
"""*Source:* ledger.md §2.9, five a minute per merchant device, for a code of 50 bits."""

MINUTE = timedelta(minutes=1)
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One typed code, as it was counted for each of ``who``."""

    mark: str
    who: tuple[str, ...]


class Tries:
    """Counts typed codes. The rows' keys are hashes: they tell neither session nor place."""

    def count(self, who: Iterable[str], now: datetime) -> Try:
        """Count one for each of ``who`` (``session:…``, ``merchant:…``); a write and a read each.

        Raises ``Exhausted("redemption.too_many_tries")`` until the oldest of five is a minute old;
        what was counted for the others until then is given back, for nothing was looked up.
        """
        mark = f"{utc_text(now)}#{secrets.token_hex(4)}"
        counted: list[str] = []
        for name in who:
            key = derived_id("try", name)
            try:
                retrying(partial(_count, key, mark, now))
            except Exhausted:
                self.give_back(Try(mark=mark, who=tuple(counted)))
                raise
            counted.append(key)
        return Try(mark=mark, who=tuple(counted))

    def give_back(self, counted: Try) -> None:
        """Forget a try that was none: the code was right. Repeating does nothing."""
        for key in counted.who:
            changes = [TryRow.tries.delete({counted.mark}), TryRow.version.add(1)]
            update_if(TryRow(key), changes, TryRow.version.exists())


def _count(key: str, mark: str, now: datetime) -> None:
    """Add one to a row. A reply that was lost is found again by the mark."""
    row = get(TryRow, key)
    recent = {made for made in (row.tries or () if row else ()) if _at(made) > now - MINUTE}
    if mark in recent:
        return
    if len(recent) >= PER_MINUTE:
        wait = min(map(_at, recent)) + MINUTE - now
        seconds = max(1, -(-wait // timedelta(seconds=1)))
        raise Exhausted("redemption.too_many_tries", retry_after_s=seconds)
    ttl = int((now + KEPT_FOR).timestamp())
    if row is None:
        counted = put_if_absent(TryRow(key, version=1, tries={mark}, ttl=ttl))
    else:
        counted = update_if(
            row,
            [
                TryRow.version.set(row.version + 1),
                TryRow.tries.set({*recent, mark}),
                TryRow.ttl.set(ttl),
            ],
            TryRow.version == row.version,
        )
    if not counted:
        raise Stale


def _at(made: str) -> datetime:
    return parse_utc(made.partition("#")[0])
