"""Caps of a member: how they are read with an award, and how they join its transaction.

One row holds a month, so that an award reads and writes one; a week that lies in two months reads
both. The wallet's version already lets one award of a member in at a time; the row's own version
is a second guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.base.clock import CHINA
from models.base.store import Transaction
from models.base.tables import Table
from models.points.acts import Grant, Used
from models.points.cap_tables import SCHEMA, CapRow
from models.points.entities import Act, Rule

KEPT_FOR = timedelta(days=430)
"""From the month's first day: a report may be accepted long after it was sent."""

Tally = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapChange:
    """What an award changes in a member's month; ``version`` is the row's new one."""

    member_id: str
    month: str
    version: int
    points: Mapping[str, int]
    acts: Tally

    def add_to(self, tx: Transaction, name: str) -> None:
        """Join a transaction: 2 write units up to a month of about a kilobyte."""
        actions = [
            CapRow.schema.set(SCHEMA),
            CapRow.version.set(self.version),
            CapRow.points.set(self.points),
            CapRow.acts.set(self.acts),
            CapRow.ttl.set(_ttl(self.month)),
        ]
        is_first = self.version == 1
        unchanged = (
            CapRow.member_id.does_not_exist() if is_first else CapRow.version == self.version - 1
        )
        tx.update(name, CapRow(self.member_id, self.month), actions, unchanged)


def months_of(rule: Rule, day: str) -> list[str]:
    """The months whose rows an act of ``day`` needs, its own first.

    >>> months_of(Rule(rule="r", version=1, points=5, per_week=2), "2026-12-01")
    ['2026-12', '2026-11']
    """
    months = [day[:7]]
    if rule.per_week is not None:
        months += [one[:7] for one in _week(day) if one[:7] != day[:7]]
    return list(dict.fromkeys(months))


def used(rows: Iterable[Table | None], group: str, day: str) -> Used:
    """What the rows say of a cap group and a day; rows that do not exist say nothing."""
    by_month = {row.month: row for row in rows if isinstance(row, CapRow)}
    own = by_month.get(day[:7])

    def units(of: str) -> int:
        row = by_month.get(of[:7])
        return row.acts.get(group, {}).get(of[8:], 0) if row is not None else 0

    return Used(
        day=units(day),
        week=sum(units(one) for one in _week(day)),
        month=sum(own.acts.get(group, {}).values()) if own is not None else 0,
        points_day=own.points.get(day[8:], 0) if own is not None else 0,
        points_month=sum(own.points.values()) if own is not None else 0,
    )


def counted(
    row: Table | None, member_id: str, act: Act, rule: Rule, granted: Grant, day: str
) -> CapChange | None:
    """What an award adds to its month; None where it uses nothing up."""
    units, points = granted.uses(act), granted.granted if rule.counts else 0
    if not units and not points:
        return None
    before = row if isinstance(row, CapRow) else None
    return CapChange(
        member_id=member_id,
        month=day[:7],
        version=before.version + 1 if before is not None else 1,
        points=_plus(before.points if before is not None else {}, day[8:], points),
        acts=_with(before.acts if before is not None else {}, rule.group, day[8:], units),
    )


def _with(acts: Tally, group: str, day: str, units: int) -> Tally:
    return {**acts, group: _plus(acts.get(group, {}), day, units)} if units else acts


def _plus(by_day: Mapping[str, int], day: str, more: int) -> Mapping[str, int]:
    return {**by_day, day: by_day.get(day, 0) + more} if more else by_day


def _week(day: str) -> list[str]:
    """The days of its week, from Monday."""
    of = date.fromisoformat(day)
    monday = of - timedelta(days=of.weekday())
    return [(monday + timedelta(days=n)).isoformat() for n in range(7)]


def _ttl(month: str) -> int:
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=CHINA)
    return int((first + KEPT_FOR).timestamp())
