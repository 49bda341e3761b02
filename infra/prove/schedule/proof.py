"""Each step exactly once: a thousand stories on the fake, and one whole year on the engine."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterable
from typing import Any

from infra.local import engine as engines
from infra.prove.figures import Figure, Show, at_least, at_most, complain
from infra.prove.schedule import stories, year
from infra.prove.schedule.stories import Ended

SEEDS = 1_000
SEED = 20260318
AT_ONCE = 5
"""Stories that a process tells before it answers."""

_lived: Any = None


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 1,000 stories and one year."""
    seeds = max(SEEDS, round(SEEDS * scale))
    context = multiprocessing.get_context("spawn")
    lived = context.Value("i", 0)
    all_ended = Ended()
    engine = engines.Engine().start()
    try:
        engines.create_tables(engine.url)
        with context.Pool(max(2, os.cpu_count() or 1), _begin, (lived,)) as pool:
            lives = pool.apply_async(_live, (engine.url,))
            told = 0
            for ended in pool.imap_unordered(_tell, _chunks(seeds)):
                all_ended.add(ended)
                told += AT_ONCE
                show(f"{told}/{seeds} stories, {lived.value}/{year.REPORTS} reports of the year")
            while not lives.ready():
                lives.wait(1)
                show(f"{lived.value}/{year.REPORTS} reports of the year")
            lived_year = lives.get()
    finally:
        engine.stop()
    wrong = [*all_ended.wrong, *lived_year.wrong]
    complain(wrong)
    return (
        at_least("escalation.seeds", all_ended.stories, "seeds", SEEDS),
        at_least("escalation.steps", all_ended.steps.total(), "steps", 40 * SEEDS),
        at_least("escalation.misfortunes", _rarest(all_ended.happened), "times each", SEEDS // 20),
        at_least("escalation.year_reports", lived_year.reports, "reports", year.REPORTS),
        at_least("escalation.year_steps", lived_year.steps, "steps", year.REPORTS),
        at_most("escalation.violations", len(wrong), "violations", 0),
    )


def _rarest(happened: Counter[str]) -> int:
    """How often the rarest of the schedule's misfortunes happened: one that never does proves
    nothing."""
    return min(happened[what] for what in stories.MISFORTUNES)


def _chunks(seeds: int) -> Iterable[range]:
    for first in range(SEED, SEED + seeds, AT_ONCE):
        yield range(first, min(first + AT_ONCE, SEED + seeds))


def _begin(lived: Any) -> None:
    """Prepare a process: what fails on purpose is not logged, and nothing is collected but the
    stories' own."""
    global _lived
    _lived = lived
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    gc.freeze()


def _tell(seeds: range) -> Ended:
    told = Ended()
    gc.disable()
    for seed in seeds:
        told.add(stories.tell(seed))
    gc.enable()
    gc.collect()
    return told


def _live(url: str) -> year.Year:
    def note(reports: int) -> None:
        _lived.value = reports

    return year.live(url, year.REPORTS, SEED, note)
