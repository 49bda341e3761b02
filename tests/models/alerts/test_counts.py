"""Counts of a day and of a minute: never more than the limit, and room again in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts import counts
from models.alerts.entities import ChannelRefused, Refusal
from models.base.clock import FixedClock, seconds_to_midnight
from models.base.ids import new_id
from tests.support.faults import lost_reply

pytestmark = pytest.mark.usefixtures("tables")

LIMIT = 3


def refused_for(take: object, counter: str, clock: FixedClock) -> timedelta:
    """How long a count that has no room says to wait."""
    with pytest.raises(ChannelRefused) as refused:
        take(counter, LIMIT, clock.now())  # type: ignore[operator]
    assert refused.value.reason is Refusal.RATE_LIMITED
    assert refused.value.retry_after is not None
    return refused.value.retry_after


def test_a_day_has_its_number_and_the_next_day_again(clock: FixedClock) -> None:
    counter = new_id("cnt")
    for _ in range(LIMIT):
        counts.take_of_day(counter, LIMIT, clock.now())

    wait = refused_for(counts.take_of_day, counter, clock)

    assert wait == timedelta(seconds=seconds_to_midnight(clock.now()))
    clock.advance(wait)
    counts.take_of_day(counter, LIMIT, clock.now())


def test_the_minute_slides(clock: FixedClock) -> None:
    counter = new_id("cnt")
    for _ in range(LIMIT):
        counts.take_of_minute(counter, LIMIT, clock.now())
        clock.advance(timedelta(seconds=10))

    assert refused_for(counts.take_of_minute, counter, clock) == timedelta(seconds=30)
    clock.advance(timedelta(seconds=30))
    counts.take_of_minute(counter, LIMIT, clock.now())
    assert refused_for(counts.take_of_minute, counter, clock) == timedelta(seconds=10)


@pytest.mark.parametrize("take", [counts.take_of_day, counts.take_of_minute])
def test_many_at_once_never_pass_the_limit(take: object, clock: FixedClock) -> None:
    counter = new_id("cnt")

    def taken(_: int) -> bool:
        try:
            take(counter, LIMIT, clock.now())  # type: ignore[operator]
        except ChannelRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(taken, range(8))) == LIMIT


@pytest.mark.parametrize(
    ("close", "take"),
    [
        (counts.close_day, counts.take_of_day),
        (counts.close_minute, counts.take_of_minute),
    ],
)
def test_a_closed_count_opens_after_a_minute(
    close: object, take: object, clock: FixedClock
) -> None:
    counter = new_id("cnt")
    close(counter, clock.now())  # type: ignore[operator]

    assert refused_for(take, counter, clock) == counts.MINUTE
    clock.advance(counts.MINUTE)
    take(counter, LIMIT, clock.now())  # type: ignore[operator]


def test_a_lost_reply_counts_rather_too_many(clock: FixedClock) -> None:
    counter = new_id("cnt")

    with lost_reply("UpdateItem"):
        counts.take_of_minute(counter, LIMIT, clock.now())
    counts.take_of_minute(counter, LIMIT, clock.now())

    refused_for(counts.take_of_minute, counter, clock)
