"""Where time comes from. Nothing else in the product reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

CHINA = timezone(timedelta(hours=8), "+08:00")
"""Business time: no summer time since 1991, so a fixed offset is exact and needs no tzdata."""


class Clock(Protocol):
    """Gives the present as aware UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class OffsetFileClock:
    """The machine's time plus the seconds written in a file; the local stage only.

    Every process of the local stage reads the same file, so a demonstration can move time for all
    of them. A missing or empty file means no offset.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = -1
        self._offset = timedelta()

    def now(self) -> datetime:
        try:
            stamp = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return datetime.now(UTC)
        if stamp != self._seen:
            text = self._path.read_text().strip()
            self._offset = timedelta(seconds=float(text or 0))
            self._seen = stamp
        return datetime.now(UTC) + self._offset


class FixedClock:
    """A clock that stands still until it is moved: for tests and simulations."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, step: timedelta) -> None:
        self._at += step

    def set(self, at: datetime) -> None:
        self._at = at


def parse_utc(text: str) -> datetime:
    """Read an RFC 3339 instant; a text without an offset is refused with ``ValueError``."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return at.astimezone(UTC)


def utc_text(at: datetime) -> str:
    """Write an instant as RFC 3339 with ``Z`` and milliseconds; such texts sort by time.

    >>> utc_text(datetime(2026, 1, 2, 3, 4, 5, 678999, tzinfo=UTC))
    '2026-01-02T03:04:05.678Z'
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_to_midnight(at: datetime) -> int:
    """Seconds until the day in China ends, at least 1.

    >>> seconds_to_midnight(datetime(2026, 1, 1, 15, 59, tzinfo=UTC))
    60
    """
    here = at.astimezone(CHINA)
    since_midnight = timedelta(hours=here.hour, minutes=here.minute, seconds=here.second)
    return int((timedelta(days=1) - since_midnight).total_seconds())


def business_day(at: datetime) -> str:
    """The day in China as ``YYYY-MM-DD``.

    >>> business_day(datetime(2026, 1, 1, 16, 0, tzinfo=UTC))
    '2026-01-02'
    """
    return at.astimezone(CHINA).date().isoformat()
