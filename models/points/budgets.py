"""A campaign's budget: points for one grid on one day, taken in the award's own transaction.

What is left is stored, not what was spent, so that one condition keeps it from being overdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.base.clock import CHINA
from models.base.store import Transaction
from models.base.tables import Table
from models.points.cap_tables import SCHEMA, BudgetRow
from models.points.entities import Act, Rule

KEPT_FOR = timedelta(days=430)

NOWHERE = "-"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetChange:
    """What an award takes from a budget of ``cap`` points."""

    key: Key
    points: int
    cap: int

    def add_to(self, tx: Transaction, name: str) -> None:
        """Join a transaction: 2 write units. Refused where less is left by now."""
        _, _, day = self.key[1].rpartition("#")
        actions = [
            BudgetRow.schema.set(SCHEMA),
            BudgetRow.rem.set((BudgetRow.rem | self.cap) - self.points),
            BudgetRow.cap.set(BudgetRow.cap | self.cap),
            BudgetRow.ttl.set(_ttl(day)),
        ]
        enough = BudgetRow.campaign.does_not_exist() | (BudgetRow.rem >= self.points)
        tx.update(name, BudgetRow(*self.key), actions, enough)


def key_of(rule: Rule, act: Act, day: str) -> Key | None:
    """The budget that an act is paid from; None where its rule has none.

    Acts that belong to no grid share one.
    """
    if rule.campaign is None or rule.budget_per_grid_day is None:
        return None
    return rule.campaign, f"{act.grid_id or NOWHERE}#{day}"


def left(row: Table | None, rule: Rule) -> int:
    """The points that are left of a budget whose row may not stand yet."""
    return row.rem if isinstance(row, BudgetRow) else rule.budget_per_grid_day or 0


def taken(key: Key, rule: Rule, points: int) -> BudgetChange | None:
    """What an award takes; None where it gives nothing."""
    if not points:
        return None
    return BudgetChange(key=key, points=points, cap=rule.budget_per_grid_day or 0)


def _ttl(day: str) -> int:
    return int((datetime.fromisoformat(day).replace(tzinfo=CHINA) + KEPT_FOR).timestamp())
