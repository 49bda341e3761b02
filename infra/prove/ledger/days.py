"""The judge's own calendar: days and months as plain numbers, without the product's.

An instant is milliseconds since 1970 in UTC. A day is a number of days since 1970 in China, a
month the number ``year * 12 + month - 1``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SKEW_MS = 150 * SECOND_MS
"""No clock is further off than this, and no command takes as long."""
_CHINA_MS = 8 * HOUR_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at_ms: int) -> datetime:
    """The instant as the product takes it."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def ms(at: datetime) -> int:
    """Milliseconds of an aware instant, exactly."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def ms_of(text: str) -> int:
    """Milliseconds of an instant as rows write it (``2026-01-02T03:04:05.678Z``).

    >>> ms_of("1970-01-02T00:00:00.001Z")
    86400001
    """
    days = _days_before(int(text[:4]), int(text[5:7])) + int(text[8:10]) - 1
    seconds = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    return days * DAY_MS + seconds * SECOND_MS + int(text[20:23])


def day_of(at_ms: int) -> int:
    """The day in China."""
    return (at_ms + _CHINA_MS) // DAY_MS


def midnight(day: int) -> int:
    """The instant at which a day begins in China."""
    return day * DAY_MS - _CHINA_MS


@lru_cache(maxsize=8192)
def month_of(day: int) -> int:
    """The month that a day lies in.

    >>> month_of(day_of(ms_of("2028-02-29T15:59:59.999Z"))) - 2028 * 12
    1
    >>> month_of(day_of(ms_of("2028-02-29T16:00:00.000Z"))) - 2028 * 12
    2
    """
    return _civil(day)[0] * 12 + _civil(day)[1] - 1


@lru_cache(maxsize=512)
def month_start(month: int) -> int:
    """The first day of a month."""
    return _days_before(month // 12, month % 12 + 1)


@lru_cache(maxsize=8192)
def day_text(day: int) -> str:
    """A day as rows write it."""
    year, month, date = _civil(day)
    return f"{year:04d}-{month:02d}-{date:02d}"


@lru_cache(maxsize=512)
def month_text(month: int) -> str:
    """A month as rows write it."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def week_of(day: int) -> int:
    """The week a day lies in, from Monday to Sunday, as its Monday's day."""
    return day - (day + 3) % 7


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _lengths(year: int) -> tuple[int, ...]:
    return (31, 29 if _is_leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=1024)
def _days_before(year: int, month: int) -> int:
    """Days from 1970 to the first of a month, counted year by year."""
    days = sum(366 if _is_leap(one) else 365 for one in range(1970, year))
    return days + sum(_lengths(year)[: month - 1])


@lru_cache(maxsize=8192)
def _civil(day: int) -> tuple[int, int, int]:
    year = 1970
    while day >= (366 if _is_leap(year) else 365):
        day -= 366 if _is_leap(year) else 365
        year += 1
    month = 1
    for length in _lengths(year):
        if day < length:
            break
        day -= length
        month += 1
    return year, month, day + 1
