"""What a working calendar is made of: hours, a year's holidays and make-up workdays, deadlines."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias

ClockKind: TypeAlias = Literal["continuous", "working"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One span of a working day in local time, opening included, closing excluded."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError("hours close after they open, on the same day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """The hours of a working day from a day of the year on, until the next season begins.

    The year's last season also holds from New Year's Day to its first one.
    """

    month: int
    day: int
    hours: tuple[Hours, ...]

    def __post_init__(self) -> None:
        date(2025, self.month, self.day)  # also refuses 29 February, which most years lack
        bounds = [bound for span in self.hours for bound in (span.opens, span.closes)]
        if not bounds or bounds != sorted(bounds):
            raise ValueError("hours are given in order and do not overlap")

    @property
    def starts(self) -> tuple[int, int]:
        """Month and day, which sort as seasons do."""
        return self.month, self.day


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """Statutory days off, first and last included."""

    name: str
    first: date
    last: date

    def days(self) -> tuple[date, ...]:
        """List the days off in order."""
        count = (self.last - self.first).days + 1
        return tuple(self.first + timedelta(days=day) for day in range(count))


@dataclass(frozen=True, slots=True, kw_only=True)
class YearTable:
    """A year as the State Council announced it; ``swap_days`` are weekend days worked (调休)."""

    year: int
    holidays: tuple[Holiday, ...]
    swap_days: frozenset[date]
    source: str

    def __post_init__(self) -> None:
        days_off = self.days_off()
        if any(day.year != self.year for day in days_off | self.swap_days):
            raise ValueError(f"the table of {self.year} holds days of another year")
        if days_off & self.swap_days:
            raise ValueError(f"the table of {self.year} has a day both off and worked")

    def days_off(self) -> frozenset[date]:
        """Collect every day of every holiday."""
        return frozenset(day for holiday in self.holidays for day in holiday.days())

    def is_worked(self, day: date) -> bool:
        """Tell whether offices work that day of this year."""
        is_weekday = day.weekday() < 5
        return day in self.swap_days or (is_weekday and day not in self.days_off())


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When a limit ends (UTC), on which clock it was counted, and how surely.

    ``missing_years`` names the years it touches that have no table yet. Every minute of those was
    counted, so the deadline is early rather than late; empty on the continuous clock.
    """

    at: datetime
    kind: ClockKind
    missing_years: tuple[int, ...] = ()
