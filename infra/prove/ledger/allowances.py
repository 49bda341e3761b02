"""What acts are worth, by the judge's own reading of rules, caps and budgets.

An act counts to the day, week and month in China in which it was done, however late it is posted,
under the version of its rule that held at that instant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.prove.ledger.days import DAY_MS, day_of, month_of, week_of
from infra.prove.ledger.tasks import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A version of a rule as it is published; caps are units, those of ``totals`` are points."""

    rule: str
    version: int = 1
    points: int = 0
    urgent: int = 0
    day: int | None = None
    week: int | None = None
    month: int | None = None
    counts: bool = True
    group: str = ""
    campaign: str | None = None
    budget: int | None = None
    since: int | None = None


def later(start: int) -> int:
    """When the rules of a history change."""
    return start + 150 * DAY_MS


def sheets(start: int) -> Sequence[Sheet]:
    """The rules of a history that begins at an instant; some change on the way.

    Amounts are odd where they can be: what is halved or shared shows only there.
    """
    change = later(start)
    return (
        Sheet(rule="totals", day=60, month=91),
        Sheet(rule="totals", version=2, day=47, month=73, since=change),
        Sheet(rule="report.first", points=10, urgent=10, day=5, group="report"),
        Sheet(
            rule="report.first", version=2, points=9, urgent=12, day=4, group="report", since=change
        ),
        Sheet(rule="report.early", points=11, urgent=10, day=5, group="report"),
        Sheet(rule="report.joiner", points=3),
        Sheet(rule="report.moving"),
        Sheet(rule="recheck.passed", points=3, day=2),
        Sheet(rule="station.check_in", points=1, day=1, month=20),
        Sheet(rule="correction.accepted", points=5, day=5),
        Sheet(rule="service.hour", points=10, day=4),
        Sheet(rule="activity.attended", points=5, week=2),
        Sheet(rule="hardship.grant", points=60, month=1, counts=False),
        Sheet(rule="clean.street", points=7, campaign="clean", budget=23),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What an act brings; ``limits`` are the names of those that may be said to have met it."""

    rule: str
    gross: int
    granted: int
    units: int
    limits: frozenset[str]


class Allowances:
    """What every member and every budget has had by now."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._sheets = sheets
        self.units: dict[tuple[str, int], Counter[tuple[str, int]]] = {}
        """By member and month: units by group and day."""
        self.points: dict[tuple[str, int], Counter[int]] = {}
        """By member and month: points that count, by day."""
        self.spent: Counter[tuple[str, str, int]] = Counter()
        """By campaign, grid and day."""

    def sheet(self, rule: str, at: int) -> Sheet:
        """The version of a rule that holds at an instant."""
        found = [s for s in self._sheets if s.rule == rule and (s.since is None or s.since <= at)]
        return max(found, key=lambda sheet: sheet.version)

    def grant(self, member: str, act: Act) -> Granted:
        """What an act brings now."""
        sheet = self.sheet(act.rule, act.at)
        gross = _worth(sheet, act, act.quantity)
        units, limits = act.quantity, set()
        if gross and not act.counted:
            rooms = dict(self._rooms(member, sheet, day_of(act.at)))
            units = min([act.quantity, *rooms.values()])
            limits |= {name for name, room in rooms.items() if room == units < act.quantity}
        worth = _worth(sheet, act, units)
        over = self._over(member, sheet, act)
        granted = min([worth, *over.values()])
        if granted < worth:
            limits = {name for name, room in over.items() if room == granted}
        return Granted(
            rule=f"{sheet.rule}@{sheet.version}",
            gross=gross,
            granted=granted,
            units=units,
            limits=frozenset(limits),
        )

    def use(self, member: str, act: Act, granted: Granted) -> None:
        """Take what an act brought from what is left."""
        sheet, day = self.sheet(act.rule, act.at), day_of(act.at)
        if not granted.granted:
            return
        if not act.counted:
            tally = self.units.setdefault((member, month_of(day)), Counter())
            tally[sheet.group or sheet.rule, day] += granted.units
        if sheet.counts:
            self.points.setdefault((member, month_of(day)), Counter())[day] += granted.granted
        if sheet.campaign is not None:
            self.spent[sheet.campaign, act.grid or "-", day] += granted.granted

    def _rooms(self, member: str, sheet: Sheet, day: int) -> Iterator[tuple[str, int]]:
        group = sheet.group or sheet.rule
        if sheet.day is not None:
            yield "act_day", self._had(member, group, [day], sheet.day)
        if sheet.week is not None:
            monday = week_of(day)
            yield "act_week", self._had(member, group, range(monday, monday + 7), sheet.week)
        if sheet.month is not None:
            tally = self.units.get((member, month_of(day)), Counter())
            had = sum(units for (of, _), units in tally.items() if of == group)
            yield "act_month", max(0, sheet.month - had)

    def _had(self, member: str, group: str, days: Sequence[int], cap: int) -> int:
        had = sum(self.units.get((member, month_of(day)), Counter())[group, day] for day in days)
        return max(0, cap - had)

    def _over(self, member: str, sheet: Sheet, act: Act) -> dict[str, int]:
        """What is left under the overall caps and the budget, in points."""
        rooms, day = {}, day_of(act.at)
        if sheet.counts:
            totals = self.sheet("totals", act.at)
            had = self.points.get((member, month_of(day)), Counter())
            assert totals.day is not None
            assert totals.month is not None
            rooms["total_day"] = max(0, totals.day - had[day])
            rooms["total_month"] = max(0, totals.month - sum(had.values()))
        if sheet.campaign is not None and sheet.budget is not None:
            rooms["budget"] = sheet.budget - self.spent[sheet.campaign, act.grid or "-", day]
        return rooms


def _worth(sheet: Sheet, act: Act, units: int) -> int:
    urgent = sheet.urgent if units and act.severity in ("A", "B") else 0
    return max(0, units * sheet.points + urgent - act.paid)
