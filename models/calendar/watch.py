"""Nobody guesses the holidays of a year that was never announced: whoever relies on one is heard.

Until a year has its table every minute of it counts, which makes a deadline early rather than
late. Each such deadline is an ERROR in the log, for an alarm to find; and so is, once a day, the
nearing end of the last table, while there is still time to add the next one.
"""

import logging
from datetime import datetime, timedelta

from models.base.clock import CHINA
from models.calendar.entities import Deadline
from models.calendar.rules import WorkingTime

log = logging.getLogger(__name__)

AHEAD = timedelta(days=30)
"""The State Council announces a year in November: a month before, its table can be there.

*Source:* the notices for 2025 (2024-11-12) and 2026 (2025-11-04)."""


def watched(deadline: Deadline) -> Deadline:
    """The same deadline; one that crosses a year without a table is logged as an error."""
    if deadline.missing_years:
        log.error("calendar.year_missing", extra={"years": list(deadline.missing_years)})
    return deadline


def years_missing_soon(working: WorkingTime, now: datetime) -> list[int]:
    """The years without a table that begin within thirty days of ``now``, or have begun."""
    first, last = now.astimezone(CHINA).year, (now + AHEAD).astimezone(CHINA).year
    missing = [year for year in range(first, last + 1) if year not in working.years]
    if missing:
        log.error("calendar.year_missing", extra={"years": missing})
    return missing
