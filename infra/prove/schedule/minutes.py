"""Time as the oracle counts it: milliseconds, and each minute judged by itself.

Nothing of the product's calendar is used: the published table is read anew, every minute of three
years is a working minute or not, and running counts of those judgements say the rest.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate

from infra.prove.calendar import FIRST, judged_minutes
from models.base.clock import parse_utc
from models.calendar.china import TABLE

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_START = FIRST.astimezone(UTC)


def ms_of(at: datetime | str) -> int:
    """An instant, or its text in a row, as milliseconds since the first counted minute."""
    instant = parse_utc(at) if isinstance(at, str) else at
    return (instant - _START) // timedelta(milliseconds=1)


def instant_of(ms: int) -> datetime:
    """The instant of so many milliseconds."""
    return _START + timedelta(milliseconds=ms)


class Minutes:
    """Counts working time by its minutes."""

    def __init__(self) -> None:
        self._flags = list(judged_minutes(json.loads(TABLE.read_text(encoding="utf-8"))))
        self._before = list(accumulate(self._flags, initial=0))

    def elapsed(self, start: int, end: int, kind: str) -> int:
        """How much time passed on a clock between two instants, in ms."""
        if kind == "continuous":
            return end - start
        return self._counted(end) - self._counted(start)

    def after(self, start: int, ms: int, kind: str) -> int:
        """The first instant by which so much has passed on a clock."""
        if kind == "continuous" or ms <= 0:
            return start + ms
        target = self._counted(start) + ms
        minute = bisect_left(self._before, -(-target // MINUTE_MS)) - 1
        return minute * MINUTE_MS + target - self._before[minute] * MINUTE_MS

    def _counted(self, at: int) -> int:
        minute, rest = divmod(at, MINUTE_MS)
        return self._before[minute] * MINUTE_MS + (rest if self._flags[minute] else 0)


@cache
def minutes() -> Minutes:
    """The count, made once in a process: about a second."""
    return Minutes()
