"""The ledger under everything that befalls it: histories, the same on the engine, every fault."""

from __future__ import annotations

import gc
import logging
import math
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from infra.local import engine as engines
from infra.prove.figures import CutShort, Figure, Show, at_least, at_most, complain
from infra.prove.ledger import mirror, seeds
from infra.prove.ledger.exhaustive import Search, Searched
from infra.prove.ledger.seeds import Ended

EVENTS = 200_000
FAULTS = 25_000
ENGINE_EVENTS = 20_000
SINGLE_FAULTS = 400
FAULT_PAIRS = 17_000
AT_ONCE = 2_000
"""Events of one history."""
SEED = 20260318
RARE = (
    *("crash_before", "crash_after", "unsent", "reply_lost", "throttled", "conflict", "stale"),
    *("award in debt", "debt repaid", "odd award", "matured early", "matured by itself"),
    *("back into a month of grace", "cancelled past the end", "undone past the end"),
    *("the last one", "from another shard", "refunded", "frozen", "thawed"),
    *("queued", "queued in hardship", "one overtaken", "allotted", "declined"),
    *("an imported code", "revealed", "let go by a merchant who closes"),
    *("refused for good", "a refusal ran out", "refused reward.limit_reached"),
    *(f"met {limit}" for limit in ("act_day", "act_week", "act_month")),
    *(f"met {limit}" for limit in ("total_day", "total_month", "budget")),
    *(f"claw-back {where}" for where in ("of pending", "of available", "into debt")),
    *("claw-back after debt offset", "claw-back beyond the cap of debt"),
    *("deducted into debt", "written off", "refused proposal.own"),
    *("refused proposal.decided_before", "refused proposal.reference_posted"),
    "refused proposal.too_old",
    *("a rest met a cap on acts", "a rest that was counted"),
    *("verified on a later day", "rule changed in between", "cap at midnight", "zero award"),
    *("came again at once", "came again after 8 days"),
    *("29 February", "31 December", "a minute around midnight"),
)
"""What a run without would prove nothing about; *Source:* ledger.md §4.4."""

_done: Any = None


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 200,000 events.

    Raises ``CutShort`` on Ctrl-C.
    """
    measured = Measured()
    engine = engines.Engine().start()
    try:
        _measure(measured, engine.url, max(EVENTS, round(EVENTS * scale)), show)
    except KeyboardInterrupt:
        raise CutShort(measured.figures()) from None
    finally:
        engine.stop()
        complain(measured.wrong())
    return measured.figures()


@dataclass(slots=True)
class Measured:
    """What is known by now."""

    lived: Ended = field(default_factory=Ended)
    mirrored: Ended = field(default_factory=Ended)
    searched: Searched = field(default_factory=Searched)

    def wrong(self) -> list[str]:
        """Every violation, in words."""
        return [*self.searched.wrong, *self.lived.wrong, *self.mirrored.wrong]

    def figures(self) -> tuple[Figure, ...]:
        """What is written down; a branch that nobody took would prove nothing."""
        rarest = min(self.lived.met[what] for what in RARE)
        return (
            at_least("ledger.events", self.lived.events, "events", EVENTS),
            at_least("ledger.faults", self.lived.faults, "faults", FAULTS),
            at_least("ledger.rarest_branch", rarest, "times", 1),
            at_least("ledger.engine_events", self.mirrored.events, "events", ENGINE_EVENTS),
            at_least("ledger.single_faults", self.searched.singles, "faults", SINGLE_FAULTS),
            at_least("ledger.fault_pairs", self.searched.pairs, "pairs", FAULT_PAIRS),
            at_most("ledger.violations", len(self.wrong()), "violations", 0),
        )

    def never(self) -> list[str]:
        """The rare branches that nobody took."""
        return [what for what in RARE if not self.lived.met[what]]


def _measure(measured: Measured, url: str, events: int, show: Show) -> None:
    """Live on the engine in one process, and do everything else in all others, at last in all."""
    context = multiprocessing.get_context("spawn")
    done = context.Value("i", 0)
    with context.Pool(max(2, os.cpu_count() or 1), _begin, (done,)) as pool:
        mirrored = pool.apply_async(_mirror, (url,))
        for result in pool.imap_unordered(_work, _jobs(events)):
            if isinstance(result, Searched):
                measured.searched.add(result)
            else:
                measured.lived.add(result)
            lived, pairs = measured.lived, measured.searched.pairs
            show(
                f"{lived.events}/{events} events, {lived.faults} faults, {pairs} pairs, "
                f"{done.value} on the engine, {len(measured.wrong())} violations"
            )
        while not mirrored.ready():
            mirrored.wait(1)
            show(f"{done.value}/{ENGINE_EVENTS} events on the engine")
        measured.mirrored = mirrored.get()


def _jobs(events: int) -> Iterator[tuple[str, int]]:
    for request in range(len(_search().operations)):
        yield "search", request
    for number in range(math.ceil(events / AT_ONCE)):
        yield "live", SEED + number


def _begin(done: Any) -> None:
    """Prepare a process: what fails on purpose is not logged, and nothing is collected but the
    histories' own."""
    global _done
    _done = done
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    gc.freeze()


@cache
def _search() -> Search:
    return Search()


def _work(job: tuple[str, int]) -> Ended | Searched:
    kind, number = job
    gc.disable()
    if kind == "search":
        found: Ended | Searched = _search().search(range(number, number + 1))
    else:
        found = seeds.live(number, AT_ONCE)
    gc.enable()
    gc.collect()
    return found


def _mirror(url: str) -> Ended:
    mirrored, seed = Ended(), SEED
    while mirrored.events < ENGINE_EVENTS and not mirrored.wrong:
        seed += 1
        mirrored.add(mirror.live(url, -seed, AT_ONCE))
        _done.value = mirrored.events
    return mirrored
