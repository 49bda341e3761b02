"""What we send within a time, counted before it is sent, so that WeChat is never asked in vain.

A reply of the table's that was lost may count one message twice: a count is too high rather than
too low.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import NoReturn

from pynamodb.expressions.update import Action

from models.alerts.entities import ChannelRefused, Refusal
from models.alerts.tables import SCHEMA, CountRow
from models.base.clock import business_day, seconds_to_midnight
from models.base.store import Stale, change, get, retrying, update_if

MINUTE = timedelta(minutes=1)
KEPT = timedelta(days=7)
_LAST_MINUTE = "#minute"


def take_of_day(counter: str, limit: int, now: datetime) -> None:
    """Count one message of today. Raises ``ChannelRefused`` when ``limit`` is reached or the count
    is closed. One update."""
    row = CountRow(counter, _day(now))
    actions = [
        CountRow.used.add(1),
        CountRow.schema.set(SCHEMA),
        CountRow.ttl.set(_ttl(now)),
    ]
    has_room = CountRow.used.does_not_exist() | (CountRow.used < limit)
    is_open = CountRow.closed_until.does_not_exist() | (CountRow.closed_until <= now)
    if not update_if(row, actions, has_room & is_open):
        found = get(CountRow, counter, row.window)
        _refuse_while_closed(found, now)
        _refuse(timedelta(seconds=seconds_to_midnight(now)))


def take_of_minute(counter: str, limit: int, now: datetime) -> None:
    """Count one message of the 60 seconds that end now. Raises ``ChannelRefused`` when there were
    ``limit`` or the count is closed. A read and an update."""
    retrying(partial(_take_of_minute, counter, limit, now))


def close_day(counter: str, now: datetime) -> None:
    """WeChat said that the account has reached a limit: nothing is sent for a minute."""
    change(CountRow(counter, _day(now)), _closing(now))


def close_minute(counter: str, now: datetime) -> None:
    """WeChat said that a limit of the minute is reached: nothing is sent for one."""
    change(CountRow(counter, _LAST_MINUTE), _closing(now))


def _take_of_minute(counter: str, limit: int, now: datetime) -> None:
    row = get(CountRow, counter, _LAST_MINUTE)
    _refuse_while_closed(row, now)
    now_ms, minute_ms = _ms(now), MINUTE // timedelta(milliseconds=1)
    kept = (row.turns_ms if row else None) or []
    turns = [turn for turn in kept if now_ms - minute_ms < turn]
    if len(turns) >= limit:
        _refuse(timedelta(milliseconds=min(turns) + minute_ms - now_ms))
    version = (row.version if row else None) or 0
    unmoved = CountRow.version == version if version else CountRow.version.does_not_exist()
    actions = [
        CountRow.turns_ms.set([*turns, now_ms]),
        CountRow.version.set(version + 1),
        CountRow.schema.set(SCHEMA),
        CountRow.ttl.set(_ttl(now)),
    ]
    if not update_if(CountRow(counter, _LAST_MINUTE), actions, unmoved):
        raise Stale


def _closing(now: datetime) -> list[Action]:
    return [
        CountRow.closed_until.set(now + MINUTE),
        CountRow.schema.set(SCHEMA),
        CountRow.ttl.set(_ttl(now)),
    ]


def _refuse_while_closed(row: CountRow | None, now: datetime) -> None:
    if row is not None and row.closed_until is not None and row.closed_until > now:
        _refuse(row.closed_until - now)


def _refuse(retry_after: timedelta) -> NoReturn:
    raise ChannelRefused(Refusal.RATE_LIMITED, retry_after=retry_after)


def _day(now: datetime) -> str:
    return f"#day#{business_day(now)}"


def _ttl(now: datetime) -> int:
    return int((now + KEPT).timestamp())


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
