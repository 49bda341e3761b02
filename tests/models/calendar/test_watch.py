import logging
from datetime import datetime, timedelta

import pytest

from models.base.clock import CHINA
from models.calendar.china import working_time
from models.calendar.watch import watched, years_missing_soon

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "missing"),
    [("2026-03-02 09:00", []), ("2026-12-31 17:30", [2027]), ("2030-01-01 09:00", [2030])],
)
def test_a_deadline_in_a_year_without_a_table_is_an_error_in_the_log(
    start: str, missing: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    at = datetime.fromisoformat(start).replace(tzinfo=CHINA)

    deadline = working_time().deadline(at, HOUR, "working")
    assert watched(deadline) is deadline

    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.years for record in errors] == ([missing] if missing else [])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("now", "missing"),
    [("2026-12-01 12:00", []), ("2026-12-02 12:00", [2027]), ("2027-12-15 12:00", [2027, 2028])],
)
def test_a_missing_year_is_an_alarm_a_month_before_it_begins(
    now: str, missing: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=CHINA)

    assert years_missing_soon(working_time(), at) == missing

    assert [r.msg for r in caplog.records] == (["calendar.year_missing"] if missing else [])
