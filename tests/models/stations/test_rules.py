"""Opening hours, distances and journeys; the numbers of the product's check-in rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import CHINA
from models.stations import rules
from models.stations.entities import MINUTES_PER_DAY, Door, Hours, Span
from tests.support.stations import ALL_DAY, NIGHT, OFFICE, SPLIT, a_station

WEDNESDAY = datetime(2026, 3, 18, tzinfo=CHINA)

spans = st.builds(
    Span, opens=st.integers(0, MINUTES_PER_DAY - 1), closes=st.integers(1, MINUTES_PER_DAY)
)
weeks = st.lists(st.lists(spans, max_size=3).map(tuple), min_size=7, max_size=7).map(tuple)
minutes = st.integers(0, 3 * 7 * MINUTES_PER_DAY)


def china(hour: int, minute: int = 0, *, day: int = 18) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=CHINA).astimezone(UTC)


def promised(hours: Hours, at: datetime) -> bool:
    """Minute by minute, straight from the definition of a span."""
    local = at.astimezone(CHINA)
    minute = local.hour * 60 + local.minute
    today, yesterday = hours[local.weekday()], hours[local.weekday() - 1]
    return any(
        span.opens <= minute and (minute < span.closes or span.closes <= span.opens)
        for span in today
    ) or any(span.closes <= span.opens and minute < span.closes for span in yesterday)


@pytest.mark.parametrize(
    ("hours", "at", "closes"),
    [
        (OFFICE, china(7, 59), None),
        (OFFICE, china(8), china(18)),
        (OFFICE, china(17, 59), china(18)),
        (OFFICE, china(18), None),
        (SPLIT, china(11, 59), china(12)),
        (SPLIT, china(12), None),
        (SPLIT, china(14, 30), china(18)),
        (NIGHT, china(22), china(6, day=19)),
        (NIGHT, china(5, 59), china(6)),
        (NIGHT, china(6), None),
    ],
)
def test_a_station_is_open_from_its_opening_to_before_its_closing(
    hours: Hours, at: datetime, closes: datetime | None
) -> None:
    assert rules.is_open(hours, at) is (closes is not None)
    assert rules.closes_at(hours, at) == closes


def test_a_station_open_all_week_never_closes() -> None:
    assert rules.is_open(ALL_DAY, china(3))
    assert rules.closes_at(ALL_DAY, china(3)) is None


def test_days_that_follow_on_each_other_are_one_opening() -> None:
    from_wednesday_to_friday: Hours = (
        (),
        (),
        (Span(opens=480, closes=1440),),
        (Span(opens=0, closes=1440),),
        (Span(opens=0, closes=600),),
        (),
        (),
    )

    assert rules.closes_at(from_wednesday_to_friday, china(9)) == china(10, day=20)


def test_a_sunday_night_reaches_into_monday() -> None:
    sunday_night: Hours = ((),) * 6 + ((Span(opens=1320, closes=360),),)

    assert rules.closes_at(sunday_night, china(23, day=22)) == china(6, day=23)
    assert rules.closes_at(sunday_night, china(5, day=23)) == china(6, day=23)


@given(hours=weeks, minute=minutes)
def test_open_is_what_the_spans_say_minute_by_minute(hours: Hours, minute: int) -> None:
    at = WEDNESDAY + timedelta(minutes=minute)

    assert rules.is_open(hours, at) is promised(hours, at)


@given(hours=weeks, minute=minutes, second=st.integers(0, 59))
def test_a_station_is_open_until_it_closes_and_not_then(
    hours: Hours, minute: int, second: int
) -> None:
    at = WEDNESDAY + timedelta(minutes=minute, seconds=second)

    closes = rules.closes_at(hours, at)

    if closes is None:
        days = (at + timedelta(minutes=step) for step in range(0, 7 * MINUTES_PER_DAY, 7))
        assert not promised(hours, at) or all(promised(hours, day) for day in days)
    else:
        assert closes > at
        assert promised(hours, closes - timedelta(minutes=1))
        assert not promised(hours, closes)


@given(hours=weeks)
def test_hours_come_back_from_their_text(hours: Hours) -> None:
    assert rules.parse_hours(rules.hours_text(hours)) == hours


@pytest.mark.parametrize(
    "text", [{"someday": ["08:00-18:00"]}, {"mon": ["08:00"]}, {"mon": ["08:00-25:00"]}]
)
def test_hours_that_are_none_are_refused(text: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError):
        rules.parse_hours(text)


def test_a_week_has_seven_days() -> None:
    with pytest.raises(ValueError, match="seven"):
        a_station(hours=OFFICE[:6])


@pytest.mark.parametrize(("accuracy_m", "metres"), [(0, 80), (20, 100), (50, 130), (51, 130)])
def test_eighty_metres_and_at_most_fifty_for_the_phone(accuracy_m: float, metres: float) -> None:
    assert rules.allowed_m(accuracy_m) == metres


@pytest.mark.parametrize(
    ("metres", "elapsed_s", "implausible"),
    [(1000, 60, False), (1001, 60, True), (0, 0, False), (1, 0, True)],
)
def test_more_than_sixty_kilometres_an_hour_is_implausible(
    metres: float, elapsed_s: float, *, implausible: bool
) -> None:
    assert rules.is_implausible(metres, timedelta(seconds=elapsed_s)) is implausible


@pytest.mark.parametrize(
    ("earlier", "confirmed"),
    [
        (None, False),
        (("another", china(9, 30)), True),
        (("another", china(9, 29)), False),
        (("the same", china(9, 50)), False),
    ],
)
def test_two_independent_reports_within_thirty_minutes_agree(
    earlier: tuple[str, datetime] | None, *, confirmed: bool
) -> None:
    assert rules.confirms(earlier, reporter="the same", at=china(10)) is confirmed


@pytest.mark.parametrize("door", [Door.CLOSED, Door.UNVERIFIED_CLOSED])
def test_a_shut_door_closes_a_station_until_its_opening_ends(door: Door) -> None:
    station = a_station(hours=OFFICE, door=door, door_at=china(10))

    assert not rules.openness(station, china(17, 59)).is_open
    assert rules.openness(station, china(17, 59)).door is door
    assert rules.openness(station, china(8, day=19)).is_open


def test_a_shut_door_holds_for_a_day_where_nothing_ever_closes() -> None:
    station = a_station(hours=ALL_DAY, door=Door.CLOSED, door_at=china(10))

    assert not rules.openness(station, china(9, 59, day=19)).is_open
    assert rules.openness(station, china(10, day=19)).is_open


def test_what_is_said_outside_the_hours_changes_nothing() -> None:
    station = a_station(hours=OFFICE, door=Door.CLOSED, door_at=china(7, 30))

    assert rules.openness(station, china(9)).is_open


def test_an_open_door_does_not_lengthen_the_hours() -> None:
    station = a_station(hours=OFFICE, door=Door.OPEN, door_at=china(17, 50))

    assert rules.openness(station, china(17, 55)).closes_at == china(18)
    assert not rules.openness(station, china(18)).is_open
