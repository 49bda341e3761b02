"""What may go wrong with a request, and a seeded plan of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from itertools import accumulate


class Fault(StrEnum):
    """One thing that goes wrong."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    UNSENT = "unsent"
    REPLY_LOST = "reply_lost"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    STALE = "stale"


class Died(BaseException):
    """The process is dead: nothing of it may go on, so no ``except Exception`` catches this."""


_MEETING = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "TransactGetItems", "TransactWriteItems"}
)
"""What can meet a transaction of somebody else."""


class Plan:
    """Draws a fault for a request from given rates, the same each time for the same seed.

    ``rates`` are shares between 0 and 1 of the requests that a fault can happen to: a conflict
    only to writes and to reads of several rows together, a stale read only to queries of an index.
    ``met`` counts what was drawn.
    """

    def __init__(self, seed: int | str, rates: Mapping[Fault, float]) -> None:
        self._chance = random.Random(seed)
        self._ends = tuple(zip(rates, accumulate(rates.values()), strict=True))
        self._total = self._ends[-1][1] if rates else 0.0
        self.met: Counter[Fault] = Counter()

    def draw(self, operation: str, *, is_index: bool) -> Fault | None:
        """The fault of the next request; None when it goes well."""
        drawn = self._chance.random()
        if drawn >= self._total:
            return None
        fault = next(fault for fault, end in self._ends if drawn < end)
        if fault is Fault.CONFLICT and operation not in _MEETING:
            return None
        if fault is Fault.STALE and not is_index:
            return None
        self.met[fault] += 1
        return fault

    def lag(self, longest: int) -> int:
        """How many writes a stale index is behind."""
        return self._chance.randint(1, longest)
