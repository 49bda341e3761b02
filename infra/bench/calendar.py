"""What one computation on the calendar costs: a deadline, and what remains of it."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from models.calendar.china import working_time

ROUNDS, PER_ROUND = 20, 1_000
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
HOURS = 2 * 365 * 24
LONGEST_HOURS = 7 * 20


def cost_us() -> float:
    """Microseconds per computation: the median of twenty rounds over random limits."""
    chance = random.Random(20260318)
    cases = [
        (
            FIRST + timedelta(hours=chance.uniform(0, HOURS)),
            timedelta(hours=chance.uniform(0, LONGEST_HOURS)),
        )
        for _ in range(PER_ROUND)
    ]
    clock = working_time()
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for at, limit in cases:
            due = clock.deadline(at, limit, "working")
            clock.remaining(at, due.at, "working")
        rounds.append((time.perf_counter() - started) / (2 * PER_ROUND))
    return median(rounds) * 1e6
