"""The brute-force counter finds what is wrong with a calendar, and nothing with ours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from infra.prove import calendar
from models.calendar.rules import WorkingTime


class _ForgetsLunch(WorkingTime):
    def add(self, start: datetime, working: timedelta) -> datetime:
        return super().add(start, working) + timedelta(minutes=1)


class _LosesAMinute(WorkingTime):
    def between(self, start: datetime, end: datetime) -> timedelta:
        return super().between(start, end) - timedelta(minutes=1)


class _SetsBackTooFar(WorkingTime):
    def back(self, at: datetime, elapsed: timedelta, kind: str) -> datetime:
        return super().back(at, elapsed, kind) - timedelta(days=3)  # type: ignore[arg-type]


def test_the_calendar_agrees_with_every_minute_counted_by_itself() -> None:
    checked = calendar.check(2_000, seed=1)

    assert (checked.cases, checked.violations) == (2_000, ())


@pytest.mark.parametrize("wrong", [_ForgetsLunch, _LosesAMinute, _SetsBackTooFar])
def test_a_wrong_calendar_is_found(wrong: type[WorkingTime]) -> None:
    assert calendar.check(50, seed=1, calendar=wrong).violations
