"""The Chinese office calendar: Xinyang's hours and the years announced so far.

*Source:* the State Council's notices on holidays for 2025 (2024-11-12) and 2026 (2025-11-04).
A new year is a new table here; until it is added, its deadlines say that it is missing.
"""

from datetime import date, time
from functools import cache

from models.base.clock import CHINA
from models.calendar.entities import Holiday, Hours, YearTable
from models.calendar.rules import WorkingTime

# Xinyang's usual hours; whether its offices keep other ones in summer is not published.
HOURS = (
    Hours(opens=time(8, 30), closes=time(12)),
    Hours(opens=time(14, 30), closes=time(18)),
)

YEARS = (
    YearTable(
        year=2025,
        source="https://m.gmw.cn/2024-11/12/content_1303894933.htm",
        holidays=(
            Holiday(name="元旦", first=date(2025, 1, 1), last=date(2025, 1, 1)),
            Holiday(name="春节", first=date(2025, 1, 28), last=date(2025, 2, 4)),
            Holiday(name="清明", first=date(2025, 4, 4), last=date(2025, 4, 6)),
            Holiday(name="劳动节", first=date(2025, 5, 1), last=date(2025, 5, 5)),
            Holiday(name="端午", first=date(2025, 5, 31), last=date(2025, 6, 2)),
            Holiday(name="国庆中秋", first=date(2025, 10, 1), last=date(2025, 10, 8)),
        ),
        swap_days=frozenset(
            {
                date(2025, 1, 26),
                date(2025, 2, 8),
                date(2025, 4, 27),
                date(2025, 9, 28),
                date(2025, 10, 11),
            }
        ),
    ),
    YearTable(
        year=2026,
        source="https://politics.gmw.cn/2025-11/04/content_38391083.htm",
        holidays=(
            Holiday(name="元旦", first=date(2026, 1, 1), last=date(2026, 1, 3)),
            Holiday(name="春节", first=date(2026, 2, 15), last=date(2026, 2, 23)),
            Holiday(name="清明", first=date(2026, 4, 4), last=date(2026, 4, 6)),
            Holiday(name="劳动节", first=date(2026, 5, 1), last=date(2026, 5, 5)),
            Holiday(name="端午", first=date(2026, 6, 19), last=date(2026, 6, 21)),
            Holiday(name="中秋", first=date(2026, 9, 25), last=date(2026, 9, 27)),
            Holiday(name="国庆", first=date(2026, 10, 1), last=date(2026, 10, 7)),
        ),
        swap_days=frozenset(
            {
                date(2026, 1, 4),
                date(2026, 2, 14),
                date(2026, 2, 28),
                date(2026, 5, 9),
                date(2026, 9, 20),
                date(2026, 10, 10),
            }
        ),
    ),
)


@cache
def working_time() -> WorkingTime:
    """Build the calendar on first use and keep it for the life of the process."""
    return WorkingTime(years=YEARS, hours=HOURS, zone=CHINA)
