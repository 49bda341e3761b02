"""A member's points as the judge keeps them: lots that remember what they came from.

The product keeps sums by month and by day; here every award is a lot of its own that ripens, is
taken from and runs out by itself. That both come to the same is what the simulation shows. Nothing
here is taken from the product but the names under which it writes its sums down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.prove.ledger.days import day_text, month_of, month_text

LIFETIME_MONTHS = 24
GRACE_DAYS = 30

Piece = tuple[int, int]
"""Points that a hold took, and the month they last to."""


class Impossible(Exception):
    """A movement that these lots do not allow."""


@dataclass(slots=True)
class Lot:
    """Points of one award: pending until ``ripe`` (a day), then good until ``month`` ends."""

    points: int
    month: int
    ripe: int | None
    award: str


@dataclass(slots=True)
class Purse:
    """Everything of one member; ``head`` and ``version`` are those of his last entry."""

    lots: list[Lot] = field(default_factory=list)
    held: dict[str, Sequence[Piece]] = field(default_factory=dict)
    debt: int = 0
    version: int = 0
    head: str = "0" * 64

    def roll(self, day: int) -> int:
        """Let time pass up to a day; how many points ran out with it."""
        month, expired = month_of(day), 0
        for lot in self.lots:
            if lot.ripe is not None and lot.ripe <= day:
                lot.ripe = None
            if lot.ripe is None and lot.month < month:
                expired += lot.points
                lot.points = 0
        self._tidy()
        return expired

    def available(self, day: int) -> int:
        """What can be spent on a day, though nothing was written since."""
        month = month_of(day)
        return sum(
            lot.points
            for lot in self.lots
            if lot.month >= month and (lot.ripe is None or lot.ripe <= day)
        )

    def award(self, *, points: int, day: int, ripe: int | None, award: str) -> int:
        """Give points; half of them, rounded down, repays debt. How much was repaid."""
        repaid = min(self.debt, points // 2)
        self.debt -= repaid
        if points > repaid:
            waits = ripe if ripe is not None and ripe > day else None
            month = month_of(day) + LIFETIME_MONTHS
            self.lots.append(Lot(points - repaid, month, waits, award))
        return repaid

    def ripen(self, award: str) -> int:
        """Make what is left of an award available before its day."""
        moved = 0
        for lot in self.lots:
            if lot.award == award and lot.ripe is not None:
                lot.ripe = None
                moved += lot.points
        return moved

    def hold(self, redemption: str, points: int) -> None:
        """Set points aside, those that last shortest first. Raises ``Impossible``."""
        if redemption in self.held:
            raise Impossible(f"{redemption} holds twice")
        free = sorted((lot for lot in self.lots if lot.ripe is None), key=lambda lot: lot.month)
        if sum(lot.points for lot in free) < points:
            raise Impossible(f"{points} points are not there")
        pieces: list[Piece] = []
        for lot in free:
            taken = min(points, lot.points)
            if taken:
                pieces.append((taken, lot.month))
                lot.points -= taken
                points -= taken
        self.held[redemption] = pieces
        self._tidy()

    def let_go(self, redemption: str) -> Sequence[Piece]:
        """Hold no longer; the pieces are the caller's to spend or to give back."""
        pieces = self.held.pop(redemption, None)
        if pieces is None:
            raise Impossible(f"{redemption} holds nothing")
        return pieces

    def give_back(self, pieces: Sequence[Piece], day: int) -> int:
        """Put pieces back where they came from, or into a month of grace when that is past.

        How many points were given grace.
        """
        late = 0
        for points, month in pieces:
            is_past = month < month_of(day)
            late += points if is_past else 0
            lasts = month_of(day + GRACE_DAYS) if is_past else month
            self.lots.append(Lot(points, lasts, None, ""))
        return late

    def accounts(self) -> Mapping[str, int]:
        """The sums under the names that the product writes."""
        sums: Counter[str] = Counter()
        for lot in self.lots:
            month = month_text(lot.month)
            name = f"a:{month}" if lot.ripe is None else f"p:{day_text(lot.ripe)}:{month}"
            sums[name] += lot.points
        held = sum(points for pieces in self.held.values() for points, _ in pieces)
        if held:
            sums["h"] = held
        if self.debt:
            sums["d"] = -self.debt
        return sums

    def _tidy(self) -> None:
        self.lots = [lot for lot in self.lots if lot.points]
