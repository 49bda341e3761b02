"""The Chinese office calendar, read from its table: hours by season, and the years announced.

The table is ``data/china.json``: a new year or other summer hours are new rows there, with their
source. Until a year is added every minute of it counts and its deadlines say that it is missing.
*Source:* the State Council's notices on holidays for 2025 (2024-11-12) and 2026 (2025-11-04).
"""

import json
from collections.abc import Mapping
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any

from models.base.clock import CHINA
from models.calendar.entities import Holiday, Hours, Season, YearTable
from models.calendar.rules import WorkingTime

TABLE = Path(__file__).parent / "data" / "china.json"


@cache
def working_time() -> WorkingTime:
    """Build the calendar on first use and keep it for the life of the process.

    Raises ValueError, naming what is wrong, for a table that contradicts itself.
    """
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return WorkingTime(
        years=[read_year(year) for year in table["years"]],
        seasons=[read_season(season) for season in table["seasons"]],
        zone=CHINA,
    )


def read_year(row: Mapping[str, Any]) -> YearTable:
    """A year's row: days as ``2026-02-15``, first and last of a holiday included."""
    return YearTable(
        year=row["year"],
        source=row["source"],
        holidays=tuple(
            Holiday(
                name=one["name"],
                first=date.fromisoformat(one["from"]),
                last=date.fromisoformat(one["to"]),
            )
            for one in row["holidays"]
        ),
        swap_days=frozenset(date.fromisoformat(day) for day in row["swap_days"]),
    )


def read_season(row: Mapping[str, Any]) -> Season:
    """A season's row: ``from`` is ``MM-DD``, ``hours`` are pairs of ``HH:MM``."""
    month, day = row["from"].split("-")
    return Season(
        month=int(month),
        day=int(day),
        hours=tuple(
            Hours(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))
            for opens, closes in row["hours"]
        ),
    )
