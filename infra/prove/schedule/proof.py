"""Each step exactly once: a thousand stories on the fake, and one whole year on the engine."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from infra.local import engine as engines
from infra.prove.figures import CutShort, Figure, Show, at_least, at_most, complain
from infra.prove.schedule import stories, year
from infra.prove.schedule.stories import Ended

SEEDS = 1_000
SEED = 20260318
AT_ONCE = 5
"""Stories that a process tells before it answers."""

_lived: Any = None


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 1,000 stories and one year.

    Raises ``CutShort`` on Ctrl-C.
    """
    measured = Measured()
    engine = engines.Engine().start()
    try:
        engines.create_tables(engine.url)
        _measure(measured, engine.url, max(SEEDS, round(SEEDS * scale)), show)
    except KeyboardInterrupt:
        raise CutShort(measured.figures()) from None
    finally:
        engine.stop()
        complain(measured.wrong())
    return measured.figures()


@dataclass(slots=True)
class Measured:
    """What is known by now."""

    told: Ended = field(default_factory=Ended)
    lived: year.Year = field(
        default_factory=lambda: year.Year(reports=0, steps=0, sweeps=0, wrong=())
    )

    def wrong(self) -> list[str]:
        """Every violation, in words."""
        return [*self.told.wrong, *self.lived.wrong]

    def figures(self) -> tuple[Figure, ...]:
        """What is written down; a misfortune that never happened would prove nothing."""
        rarest = min(self.told.happened[what] for what in stories.MISFORTUNES)
        reports, steps = self.lived.reports, self.lived.steps
        return (
            at_least("escalation.seeds", self.told.stories, "seeds", SEEDS),
            at_least("escalation.steps", self.told.steps.total(), "steps", SEEDS * stories.CASES),
            at_least("escalation.rarest_misfortune", rarest, "times", SEEDS // 20),
            at_least("escalation.year_reports", reports, "reports", year.REPORTS),
            at_least("escalation.year_steps", steps, "steps", year.REPORTS),
            at_most("escalation.violations", len(self.wrong()), "violations", 0),
        )


def _measure(measured: Measured, url: str, seeds: int, show: Show) -> None:
    """Live the year in one process, tell stories in all others, and at last in all."""
    context = multiprocessing.get_context("spawn")
    lived = context.Value("i", 0)
    with context.Pool(max(2, os.cpu_count() or 1), _begin, (lived,)) as pool:
        living = pool.apply_async(_live, (url,))
        for ended in pool.imap_unordered(_tell, _chunks(seeds)):
            measured.told.add(ended)
            told, wrong = measured.told.stories, len(measured.told.wrong)
            show(f"{told}/{seeds} stories, {wrong} violations; {lived.value} reports of a year")
        while not living.ready():
            living.wait(1)
            show(f"{lived.value}/{year.REPORTS} reports of a year")
        measured.lived = living.get()


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
