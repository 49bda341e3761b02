"""Count working time: hours, lunch, weekends, holidays and make-up workdays."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import accumulate

from models.calendar.entities import ClockKind, Deadline, Season, YearTable

# A stretch of a day in microseconds since its midnight.
_Span = tuple[int, int]

_MICROSECOND = timedelta(microseconds=1)
_DAY_US = timedelta(days=1) // _MICROSECOND
_WHOLE_DAY: tuple[_Span, ...] = ((0, _DAY_US),)


class WorkingTime:
    """Add and compare limits on the working and on the continuous clock.

    Instants come in aware (a naive one raises ValueError) and go out in UTC; ``zone`` must be of
    fixed offset. In a year without a table every minute counts: nobody guesses its holidays.
    A call is a search in sums made once, so its cost does not grow with the limit.
    """

    def __init__(
        self, *, years: Iterable[YearTable], seasons: Iterable[Season], zone: tzinfo
    ) -> None:
        table_by_year = {table.year: table for table in years}
        self.years = tuple(sorted(table_by_year))
        self._zone = zone
        self._seasons = [
            (season.starts, _spans(season))
            for season in sorted(seasons, key=lambda one: one.starts)
        ]
        _check_seasons(self._seasons)
        first, last = self.years[0], self.years[-1]
        self._first_day = date(first, 1, 1).toordinal()
        self._spans = [
            self._spans_of(date.fromordinal(day), table_by_year)
            for day in range(self._first_day, date(last, 12, 31).toordinal() + 1)
        ]
        self._counted_before = list(accumulate(map(_length, self._spans), initial=0))

    def add(self, start: datetime, working: timedelta) -> datetime:
        """Find the first instant by which that much working time has passed since ``start``.

        A limit ending with the day's hours ends at closing, not at the next opening. Raises
        ValueError for a negative limit.
        """
        if working < timedelta(0):
            raise ValueError("a limit is not negative")
        end = self._instant(self._counted(start) + working // _MICROSECOND)
        # Nothing to wait for: an empty limit that starts at night ends where it starts.
        return max(end, start.astimezone(UTC))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Measure the working time from ``start`` to ``end``; negative when ``end`` is earlier."""
        return (self._counted(end) - self._counted(start)) * _MICROSECOND

    def back(self, at: datetime, elapsed: timedelta, kind: ClockKind) -> datetime:
        """Find an instant from which ``elapsed`` on the given clock leads to ``at``.

        So a clock that stood still goes on: what had elapsed when it stopped has elapsed again.
        Raises ValueError for a negative ``elapsed``.
        """
        if elapsed < timedelta(0):
            raise ValueError("what has elapsed is not negative")
        if kind == "continuous" or not elapsed:
            return _aware(at).astimezone(UTC) - elapsed
        return self._instant(self._counted(at) - elapsed // _MICROSECOND)

    def deadline(self, start: datetime, limit: timedelta, kind: ClockKind) -> Deadline:
        """Find when a limit ends on the given clock, naming the years that had no table."""
        if kind == "continuous":
            return Deadline(at=_aware(start).astimezone(UTC) + limit, kind=kind)
        at = self.add(start, limit)
        return Deadline(at=at, kind=kind, missing_years=self._missing_years(start, at))

    def remaining(self, now: datetime, due_at: datetime, kind: ClockKind) -> timedelta:
        """Measure what is left of a limit on its clock; negative when overdue."""
        if kind == "continuous":
            return _aware(due_at) - _aware(now)
        return self.between(now, due_at)

    def at_percent(
        self, start: datetime, limit: timedelta, kind: ClockKind, percent: int
    ) -> datetime:
        """Find when a share of the limit has passed; 200 is the limit twice over."""
        return self.deadline(start, limit * percent // 100, kind).at

    def _spans_of(self, day: date, table_by_year: dict[int, YearTable]) -> tuple[_Span, ...]:
        table = table_by_year.get(day.year)
        if table is None:
            return _WHOLE_DAY
        return self._hours_of(day) if table.is_worked(day) else ()

    def _hours_of(self, day: date) -> tuple[_Span, ...]:
        """The hours of the season a day lies in; before the year's first it is still the last."""
        at = bisect_right([starts for starts, _ in self._seasons], (day.month, day.day))
        return self._seasons[at - 1][1]

    def _missing_years(self, start: datetime, end: datetime) -> tuple[int, ...]:
        first, last = (_aware(at).astimezone(self._zone).year for at in (start, end))
        return tuple(year for year in range(first, last + 1) if year not in self.years)

    def _counted(self, at: datetime) -> int:
        """Sum the counted time from the first tabled day to ``at``; negative before it."""
        local = _aware(at).astimezone(self._zone)
        day, clock_us = local.toordinal() - self._first_day, _since_midnight(local)
        if day < 0:
            return day * _DAY_US + clock_us
        if day >= len(self._spans):
            return self._counted_before[-1] + (day - len(self._spans)) * _DAY_US + clock_us
        passed = sum(
            min(clock_us, closes) - opens for opens, closes in self._spans[day] if clock_us > opens
        )
        return self._counted_before[day] + passed

    def _instant(self, counted: int) -> datetime:
        """Undo ``_counted``: the first instant with that sum."""
        if counted <= 0:
            return self._utc(0, counted)
        if counted > self._counted_before[-1]:
            return self._utc(len(self._spans), counted - self._counted_before[-1])
        day = bisect_left(self._counted_before, counted) - 1
        clock_us, closed = counted - self._counted_before[day], 0
        for opens, closes in self._spans[day]:
            if clock_us > closed:
                clock_us += opens - closed
            closed = closes
        return self._utc(day, clock_us)

    def _utc(self, day: int, clock_us: int) -> datetime:
        midnight = datetime.combine(
            date.fromordinal(self._first_day + day), time.min, tzinfo=self._zone
        )
        return (midnight + clock_us * _MICROSECOND).astimezone(UTC)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return at


def _since_midnight(at: time | datetime) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond


def _length(spans: Iterable[_Span]) -> int:
    return sum(closes - opens for opens, closes in spans)


def _spans(season: Season) -> tuple[_Span, ...]:
    return tuple((_since_midnight(one.opens), _since_midnight(one.closes)) for one in season.hours)


def _check_seasons(seasons: Sequence[tuple[tuple[int, int], tuple[_Span, ...]]]) -> None:
    starts = [start for start, _ in seasons]
    if not starts or len(set(starts)) != len(starts):
        raise ValueError("there is a season, and no two begin on one day")
