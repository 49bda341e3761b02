"""What an admin plans for, where a simulated year cannot know it."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from models.base.tables import Instant, Table, Whole
from models.points.tables import Amounts

PLAN = "plan"


class PlanRow(Table):
    """How many active ``members`` each county is planned for; one row."""

    class Meta:
        table_name = "solvency-plan"

    plan_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    members = Amounts()
    changed_by = UnicodeAttribute()
    changed_at = Instant()
