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

DEBT_CAP = 500
"""Nobody owes more: what would go beyond is written off at once."""

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
class Waiting:
    """What an award put into the heap of one day: ``left`` of it is still to become available."""

    given: int
    left: int
    heap: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """Where points that were taken away came from; ``lost`` was beyond the cap of debt."""

    pending: int
    available: int
    owed: int
    lost: int


@dataclass(slots=True)
class Purse:
    """Everything of one member; ``head`` and ``version`` are those of his last entry.

    Points that become available on one day and last equally long are one heap: nobody could say
    which of them were taken, so what an award may still claim of its heap is kept with the award.
    """

    lots: list[Lot] = field(default_factory=list)
    held: dict[str, Sequence[Piece]] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
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
        waits = ripe if ripe is not None and ripe > day else None
        return self.credit(points, repays=points // 2, day=day, ripe=waits, award=award)

    def credit(
        self, points: int, *, repays: int, day: int, ripe: int | None = None, award: str = ""
    ) -> int:
        """Give points; at most ``repays`` of them go into debt. How many did."""
        repaid = min(self.debt, repays, points)
        self.debt -= repaid
        rest, month = points - repaid, month_of(day) + LIFETIME_MONTHS
        if rest:
            self.lots.append(Lot(rest, month, ripe, award))
        if rest and ripe is not None:
            self.waiting[award] = Waiting(rest, rest, (ripe, month))
        return repaid

    def ripen(self, award: str) -> int:
        """Make what is left of an award available before its day."""
        waiting = self.waiting.get(award)
        if waiting is None:
            return 0
        moved = self._drain(self._heap(waiting.heap, award), max(0, waiting.left))
        waiting.left = 0
        if moved:
            self.lots.append(Lot(moved, waiting.heap[1], None, award))
        return moved

    def claw_back(self, award: str, points: int) -> Taken:
        """Take points of an award back: of its own heap what it gave there, then other pending
        points, the last to come first, then available ones, the first to go first, then debt.
        """
        waiting, pending, before = self.waiting.get(award), 0, 0
        if waiting is not None:
            before = self._in_heap(waiting.heap)
            own = self._heap(waiting.heap, award)
            pending = self._drain(own, min(points, waiting.given))
        others = [lot for lot in self.lots if lot.ripe is not None]
        others.sort(key=lambda lot: (lot.ripe, lot.month), reverse=True)
        pending += self._drain(others, points - pending)
        if waiting is not None:
            waiting.left -= before - self._in_heap(waiting.heap)
        return Taken(pending, *self._deduct(points - pending))

    def deduct(self, points: int) -> Taken:
        """Take points away: available ones, the first to go first, then debt."""
        return Taken(0, *self._deduct(points))

    def forgive(self, points: int) -> int:
        """Write debt off, as far as there is any."""
        forgiven = min(points, self.debt)
        self.debt -= forgiven
        return forgiven

    def _deduct(self, points: int) -> tuple[int, int, int]:
        available = self._drain(
            sorted((lot for lot in self.lots if lot.ripe is None), key=lambda lot: lot.month),
            points,
        )
        owed = min(points - available, DEBT_CAP - self.debt)
        self.debt += owed
        self._tidy()
        return available, owed, points - available - owed

    def _heap(self, heap: tuple[int, int], award: str) -> list[Lot]:
        """The lots of a heap, an award's own first."""
        found = [lot for lot in self.lots if (lot.ripe, lot.month) == heap]
        return sorted(found, key=lambda lot: lot.award != award)

    def _in_heap(self, heap: tuple[int, int]) -> int:
        return sum(lot.points for lot in self.lots if (lot.ripe, lot.month) == heap)

    def _drain(self, lots: Sequence[Lot], points: int) -> int:
        """Take up to so many points out of lots, in their order."""
        taken = 0
        for lot in lots:
            part = min(points - taken, lot.points)
            lot.points -= part
            taken += part
        self._tidy()
        return taken

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

    def holds(self) -> int:
        """What is set aside."""
        return sum(points for pieces in self.held.values() for points, _ in pieces)

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
        if self.held:
            sums["h"] = self.holds()
        if self.debt:
            sums["d"] = -self.debt
        return sums

    def _tidy(self) -> None:
        self.lots = [lot for lot in self.lots if lot.points]
