"""Time is aware UTC inside, Chinese days outside, and moves for tests and the local stage only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import (
    FixedClock,
    OffsetFileClock,
    SystemClock,
    business_day,
    parse_utc,
    utc_text,
)

ZONES = st.integers(min_value=-14 * 60, max_value=14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
INSTANTS = st.datetimes(
    min_value=datetime(1980, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=ZONES,
)


@given(INSTANTS)
def test_an_instant_reads_back_to_the_millisecond(at: datetime) -> None:
    assert timedelta(0) <= at - parse_utc(utc_text(at)) < timedelta(milliseconds=1)


@given(INSTANTS, INSTANTS)
def test_written_instants_sort_by_time(one: datetime, other: datetime) -> None:
    if parse_utc(utc_text(one)) < parse_utc(utc_text(other)):
        assert utc_text(one) < utc_text(other)


@pytest.mark.parametrize("text", ["2026-03-18T02:00:00", "2026-03-18", "", "yesterday"])
def test_a_text_that_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_utc(text)


def test_an_instant_without_an_offset_is_not_written() -> None:
    with pytest.raises(ValueError, match="offset"):
        utc_text(datetime(2026, 3, 18))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 17, 15, 59, 59, tzinfo=UTC), date(2026, 3, 17)),
        (datetime(2026, 3, 17, 16, 0, tzinfo=UTC), date(2026, 3, 18)),
    ],
)
def test_a_business_day_begins_at_midnight_in_china(at: datetime, day: date) -> None:
    assert business_day(at) == day.isoformat()


def test_a_fixed_clock_moves_only_when_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 3, 18, tzinfo=UTC))

    clock.advance(timedelta(hours=1))
    moved = clock.now()
    clock.set(datetime(2027, 1, 1, tzinfo=UTC))

    assert moved == datetime(2026, 3, 18, 1, tzinfo=UTC)
    assert clock.now() == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "seconds"), [(None, 0), ("", 0), ("3600", 3600), ("-60\n", -60)]
)
def test_the_local_stages_clock_adds_what_the_file_says(
    tmp_path: Path, written: str | None, seconds: int
) -> None:
    path = tmp_path / "offset"
    if written is not None:
        path.write_text(written)

    drift = OffsetFileClock(path).now() - SystemClock().now()

    assert abs(drift - timedelta(seconds=seconds)) < timedelta(seconds=5)


def test_the_local_stages_clock_notices_a_new_offset(tmp_path: Path) -> None:
    path = tmp_path / "offset"
    path.write_text("0")
    clock = OffsetFileClock(path)
    before = clock.now()

    loose = tmp_path / "offset.new"
    loose.write_text("7200")
    loose.replace(path)

    assert timedelta(hours=2) <= clock.now() - before < timedelta(hours=2, seconds=5)
