import json
import time as timer
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.clock import CHINA
from models.calendar.china import TABLE, read_season, read_year, working_time
from models.calendar.entities import Holiday, Hours, Season, YearTable
from models.calendar.rules import WorkingTime

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ROWS = json.loads(TABLE.read_text(encoding="utf-8"))
YEARS = [read_year(row) for row in ROWS["years"]]
SEASONS = [read_season(row) for row in ROWS["seasons"]]
SUMMER = Season(
    month=6,
    day=1,
    hours=(
        Hours(opens=time(8), closes=time(12)),
        Hours(opens=time(15), closes=time(18)),
    ),
)
AUTUMN = Season(month=9, day=1, hours=SEASONS[0].hours)

instants = st.timedeltas(timedelta(0), timedelta(days=3 * 365)).map(
    lambda passed: datetime(2024, 6, 1, tzinfo=UTC) + passed
)


def china(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def is_counted(at: datetime) -> bool:
    """Decide one minute in the plainest way there is, to compare the quick way with."""
    local = at.astimezone(CHINA)
    tables = [table for table in YEARS if table.year == local.year]
    if not tables:
        return True
    clock = local.hour * 60 + local.minute
    if not (8 * 60 + 30 <= clock < 12 * 60 or 14 * 60 + 30 <= clock < 18 * 60):
        return False
    if local.date() in tables[0].swap_days:
        return True
    is_off = any(one.first <= local.date() <= one.last for one in tables[0].holidays)
    return local.isoweekday() <= 5 and not is_off


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-02-13 17:50", 4, "2026-02-14 14:50"),
        ("2026-02-14 16:00", 4, "2026-02-24 10:30"),
        ("2026-09-30 17:00", 7, "2026-10-08 17:00"),
        ("2025-09-27 09:00", 4, "2025-09-28 15:00"),
        ("2025-12-31 17:00", 2, "2026-01-04 09:30"),
    ],
)
def test_limits_run_over_swap_days_holidays_and_new_year_as_published(start, hours, due):
    assert working_time().add(china(start), hours * HOUR) == china(due)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-05-29 17:30", 1, "2026-06-01 08:30"),
        ("2026-06-01 11:30", 1, "2026-06-01 15:30"),
        ("2026-08-31 17:30", 1, "2026-09-01 09:00"),
    ],
)
def test_a_season_has_hours_of_its_own_from_its_first_day_on(start, hours, due):
    clock = WorkingTime(years=YEARS, seasons=(*SEASONS, SUMMER, AUTUMN), zone=CHINA)

    assert clock.add(china(start), hours * HOUR) == china(due)


def test_the_last_season_holds_over_new_year():
    clock = WorkingTime(years=YEARS, seasons=(SUMMER, AUTUMN), zone=CHINA)

    assert clock.add(china("2026-01-05 08:30"), HOUR) == china("2026-01-05 09:30")


@given(instants, st.timedeltas(timedelta(0), timedelta(days=40)))
@pytest.mark.parametrize("kind", ["working", "continuous"])
def test_a_clock_set_back_has_the_same_elapsed_again(kind, at, elapsed):
    clock = working_time()

    start = clock.back(at, elapsed, kind)

    assert clock.remaining(start, at, kind) == elapsed


def test_a_clock_is_not_set_back_by_less_than_nothing():
    with pytest.raises(ValueError, match="negative"):
        working_time().back(china("2026-03-02 09:00"), -HOUR, "working")


@pytest.mark.parametrize("year", [2025, 2026])
def test_both_published_years_have_248_working_days(year):
    spent = working_time().between(china(f"{year}-01-01"), china(f"{year + 1}-01-01"))

    assert spent == 248 * 7 * HOUR


def test_a_limit_that_fills_the_morning_ends_at_noon():
    assert working_time().add(china("2026-03-02 08:30"), 3.5 * HOUR) == china("2026-03-02 12:00")


def test_a_limit_that_fills_the_day_ends_at_closing():
    assert working_time().add(china("2026-03-02 08:30"), 7 * HOUR) == china("2026-03-02 18:00")


def test_an_empty_limit_ends_where_it_starts_even_at_night():
    assert working_time().add(china("2026-03-02 23:00"), timedelta(0)) == china("2026-03-02 23:00")


def test_seconds_are_counted_to_the_microsecond():
    start = china("2026-03-02 11:59:59.999999")

    assert working_time().add(start, 2 * timedelta(microseconds=1)) == china(
        "2026-03-02 14:30:00.000001"
    )


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-3 * 1440, 2 * 365 * 1440 + 3 * 1440),
    st.integers(0, 30 * 60),
)
def test_working_time_is_the_count_of_working_minutes(start_minute, limit_minutes):
    start = china("2025-01-01 00:00") + start_minute * MINUTE

    due = working_time().add(start, limit_minutes * MINUTE)

    at, counted = start, 0
    while counted < limit_minutes:
        counted += is_counted(at)
        at += MINUTE
    assert due == at
    assert working_time().between(start, due) == limit_minutes * MINUTE


@given(
    instants,
    instants,
    st.timedeltas(timedelta(0), timedelta(days=90)),
)
def test_adding_and_measuring_agree(one, other, limit):
    clock = working_time()
    start, end = min(one, other), max(one, other)

    assert clock.between(start, clock.add(start, limit)) == limit
    assert timedelta(0) <= clock.between(start, end) <= end - start
    assert clock.between(end, start) == -clock.between(start, end)
    assert clock.add(start, limit) <= clock.add(end, limit)


def test_results_are_in_utc():
    due = working_time().deadline(china("2026-03-02 09:00"), HOUR, "working").at

    assert due.tzinfo is UTC


def test_the_continuous_clock_knows_no_night():
    deadline = working_time().deadline(china("2026-02-14 23:50"), 15 * MINUTE, "continuous")

    assert deadline.at == china("2026-02-15 00:05")
    assert deadline.missing_years == ()


def test_a_working_deadline_names_its_clock():
    deadline = working_time().deadline(china("2026-03-02 09:00"), 2 * HOUR, "working")

    assert (deadline.at, deadline.kind) == (china("2026-03-02 11:00"), "working")
    assert deadline.missing_years == ()


def test_a_year_without_a_table_counts_every_minute_and_says_so():
    deadline = working_time().deadline(china("2026-12-31 17:00"), 4 * HOUR, "working")

    assert deadline.at == china("2027-01-01 03:00")
    assert deadline.missing_years == (2027,)


def test_a_year_before_the_first_table_counts_every_minute_and_says_so():
    deadline = working_time().deadline(china("2024-12-31 22:00"), 3 * HOUR, "working")

    assert deadline.at == china("2025-01-02 09:30")
    assert deadline.missing_years == (2024,)


def test_a_limit_may_end_with_the_last_minute_before_the_first_table():
    due = working_time().add(china("2024-12-31 22:00"), 2 * HOUR)

    assert due == china("2025-01-01 00:00")


def test_a_gap_between_two_tables_counts_every_minute():
    later = YearTable(year=2028, holidays=(), swap_days=frozenset(), source="invented")
    clock = WorkingTime(years=(*YEARS, later), seasons=SEASONS, zone=CHINA)

    assert clock.between(china("2027-01-01"), china("2028-01-01")) == timedelta(days=365)
    assert clock.deadline(china("2027-12-31 23:00"), HOUR, "working").missing_years == (2027,)


def test_what_remains_turns_negative_after_the_deadline():
    clock, due_at = working_time(), china("2026-03-02 12:00")

    assert clock.remaining(china("2026-03-02 11:00"), due_at, "working") == HOUR
    assert clock.remaining(china("2026-03-02 14:00"), due_at, "working") == timedelta(0)
    assert clock.remaining(china("2026-03-02 15:30"), due_at, "working") == -HOUR
    assert clock.remaining(china("2026-03-02 15:30"), due_at, "continuous") == -3.5 * HOUR


@pytest.mark.parametrize(
    ("percent", "at"),
    [
        (80, "2026-03-02 11:42"),
        (100, "2026-03-02 15:00"),
        (150, "2026-03-02 17:00"),
        (200, "2026-03-03 09:30"),
    ],
)
def test_each_step_of_the_ladder_falls_on_the_working_clock(percent, at):
    start, limit = china("2026-03-02 08:30"), 4 * HOUR

    assert working_time().at_percent(start, limit, "working", percent) == china(at)


def test_eighty_percent_of_a_continuous_limit_is_plain_time():
    assert working_time().at_percent(
        china("2026-03-02 08:30"), 15 * MINUTE, "continuous", 80
    ) == china("2026-03-02 08:42")


def test_naive_instants_are_refused_on_both_clocks():
    aware = china("2026-03-02 09:00")
    naive = aware.replace(tzinfo=None)

    for call in (
        lambda: working_time().add(naive, HOUR),
        lambda: working_time().between(aware, naive),
        lambda: working_time().deadline(naive, HOUR, "continuous"),
        lambda: working_time().remaining(naive, aware, "continuous"),
    ):
        with pytest.raises(ValueError, match="offset"):
            call()


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="negative"):
        working_time().add(china("2026-03-02 09:00"), -HOUR)


def test_hours_out_of_order_are_refused():
    with pytest.raises(ValueError, match="order"):
        Season(month=1, day=1, hours=SEASONS[0].hours[::-1])
    with pytest.raises(ValueError, match="no two begin"):
        WorkingTime(years=YEARS, seasons=(*SEASONS, *SEASONS), zone=CHINA)
    with pytest.raises(ValueError, match="close after"):
        Hours(opens=time(12), closes=time(8))


def test_a_table_with_a_day_of_another_year_or_both_off_and_worked_is_refused():
    new_year = Holiday(name="元旦", first=date(2027, 1, 1), last=date(2027, 1, 3))

    with pytest.raises(ValueError, match="another year"):
        YearTable(year=2026, holidays=(new_year,), swap_days=frozenset(), source="invented")
    with pytest.raises(ValueError, match="both off and worked"):
        YearTable(
            year=2027,
            holidays=(new_year,),
            swap_days=frozenset({date(2027, 1, 2)}),
            source="invented",
        )


def test_a_deadline_costs_less_than_fifty_microseconds():
    clock, start = working_time(), china("2026-02-14 16:00")

    rounds = []
    for _ in range(20):
        begun = timer.perf_counter()
        for _ in range(100):
            clock.deadline(start, 35 * HOUR, "working")
        rounds.append((timer.perf_counter() - begun) / 100)

    assert min(rounds) < 50e-6
