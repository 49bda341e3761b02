"""What a place handed over in a month, for the settlement with who pays it.

A line counts handovers as they happened; what was undone and what was refunded stand apart, each
in the month that ``reversals`` says, so a sheet that was paid never changes. Months are China's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.base.clock import CHINA, Clock, business_day
from models.base.errors import FieldError, Invalid, NotFound
from models.base.store import get, query
from models.rewards.changes import ID
from models.rewards.entities import Name
from models.rewards.reversals import REFUNDED, UNDONE
from models.rewards.rules import UNDO_WITHIN
from models.rewards.settlement_tables import ReversalRow
from models.rewards.tables import MerchantRow, RedemptionRow

LAG = timedelta(minutes=10)
"""Clocks differ, and an index shows a handover a moment late; both by far less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many, and their points."""

    count: int = 0
    points: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(count=self.count + other.count, points=self.points + other.points)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(count=self.count - other.count, points=self.points - other.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One reward's month; ``net`` is what the place is owed for."""

    reward_id: str
    reward_name: Name
    handed_over: Tally
    undone: Tally
    refunded: Tally

    @property
    def net(self) -> Tally:
        return self.handed_over - self.undone - self.refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A place's month (``YYYY-MM``); ``is_final`` says that nothing in it can change any more."""

    place: str
    place_name: str
    month: str
    is_final: bool
    lines: tuple[SheetLine, ...]

    @property
    def total(self) -> SheetLine:
        return SheetLine(
            reward_id="",
            reward_name=Name(zh="合计", en="Total"),
            handed_over=sum((line.handed_over for line in self.lines), Tally()),
            undone=sum((line.undone for line in self.lines), Tally()),
            refunded=sum((line.refunded for line in self.lines), Tally()),
        )


class Settlements:
    """Makes sheets; reads only."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def sheet(self, merchant_id: str, month: str) -> Sheet:
        """A merchant's month, lines in the order of rewards' names; one query a day and one more.

        Raises ``Invalid`` for a month that is none or has not begun, and
        ``NotFound("merchant.not_found")``.
        """
        now = self._clock.now()
        days = days_of(month)
        if not days or days[0] > business_day(now):
            raise Invalid(fields=[FieldError(field="month", code="field.invalid")])
        merchant = get(MerchantRow, merchant_id) if ID.fullmatch(merchant_id) else None
        if merchant is None:
            raise NotFound("merchant.not_found")
        place = f"merchant:{merchant_id}"
        kept = [row for day in days for row in _handed_over(place, day)]
        reversals = query(ReversalRow, f"{place}#{month}")
        return Sheet(
            place=place,
            place_name=merchant.name,
            month=month,
            is_final=_end_of(days[-1]) + UNDO_WITHIN + LAG <= now,
            lines=_lines(kept, reversals),
        )


def days_of(month: str) -> tuple[str, ...]:
    """The days of a month ``YYYY-MM``; none when it is no month.

    >>> days_of("2026-02")[-1], days_of("2026-13")
    ('2026-02-28', ())
    """
    try:
        day = date.fromisoformat(f"{month}-01")
    except ValueError:
        return ()
    days: list[str] = []
    while day.isoformat()[:7] == month and day < date.max:
        days.append(day.isoformat())
        day += timedelta(days=1)
    return tuple(days)


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=CHINA) + timedelta(days=1)


def _handed_over(place: str, day: str) -> list[RedemptionRow]:
    return query(RedemptionRow.by_merchant_day, f"{place}#{day}")


def _lines(
    kept: Iterable[RedemptionRow], reversals: Iterable[ReversalRow]
) -> tuple[SheetLine, ...]:
    tallies: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    names: dict[str, Name] = {}
    for row in kept:
        _count(tallies[row.reward_id], "handed_over", row.points)
        names[row.reward_id] = Name(zh=row.name_zh, en=row.name_en)
    for back in reversals:
        _count(tallies[back.reward_id], back.kind, back.points)
        if back.kind == UNDONE:  # it has left the index of what was handed over
            _count(tallies[back.reward_id], "handed_over", back.points)
        names.setdefault(back.reward_id, Name(zh=back.name_zh, en=back.name_en))
    ordered = sorted(tallies, key=lambda reward_id: (names[reward_id].zh, reward_id))
    return tuple(_line(reward_id, names[reward_id], tallies[reward_id]) for reward_id in ordered)


def _count(tallies: dict[str, Tally], kind: str, points: int) -> None:
    tallies[kind] += Tally(count=1, points=points)


def _line(reward_id: str, name: Name, tallies: Mapping[str, Tally]) -> SheetLine:
    return SheetLine(
        reward_id=reward_id,
        reward_name=name,
        handed_over=tallies["handed_over"],
        undone=tallies[UNDONE],
        refunded=tallies[REFUNDED],
    )
