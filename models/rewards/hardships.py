"""Who is helped as one in hardship: known by the grants that the ledger has counted."""

from __future__ import annotations

from datetime import datetime

from models.base.store import get_many
from models.points.cap_tables import CapRow
from models.rewards import supply_rules

GRANT = "hardship.grant"
MONTHS = 2
"""This month and the last one: grants are decided month by month."""


def in_hardship(member_id: str, now: datetime) -> bool:
    """Whether he had a hardship grant this month or last. One read.

    Nothing is kept of it but the group in a redemption's rank: the reason stays with the grant.
    """
    month = supply_rules.month_of(now)
    months = [supply_rules.month_after(month, -back) for back in range(MONTHS)]
    rows = get_many([(CapRow, (member_id, each)) for each in months])
    return any(isinstance(row, CapRow) and row.acts.get(GRANT) for row in rows)
