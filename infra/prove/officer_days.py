"""Ten thousand days of officials under alerts, with everything that WeChat does to messages.

Each seed is a small city for five days: the product's own intake, outbox, desk, messenger and
escalation over the request-level fake, and channels with exhausted quota, 43101, 47003, 45009,
people who do not follow, time-outs, lost replies and hours of absence. Afterwards it is asked from
the outside: was a grave case left alone, was anybody told twice, was the budget exceeded.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from infra.prove.fake.service import Fake, attached
from infra.prove.figures import CutShort, Figure, Show, at_least, at_most, complain
from infra.prove.officers.checks import Judge
from infra.prove.officers.city import City, services
from infra.prove.officers.wechat import MISFORTUNES

DAYS = 10_000
FIRST_SEED = 20260318
FEWEST_DAYS = 40
"""Fewer officer-days than any seed has: so many seeds are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One seed: how many officer-days it had, what befell it, and what was wrong, in words."""

    seed: int
    days: int
    messages: int
    met: Counter[str]
    violations: tuple[str, ...]


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 10,000 officer-days.

    Raises ``CutShort`` on Ctrl-C.
    """
    wanted = max(DAYS, round(DAYS * scale))
    seeds = range(FIRST_SEED, FIRST_SEED + wanted // FEWEST_DAYS)
    measured = Measured()
    context = multiprocessing.get_context("spawn")
    try:
        with context.Pool(max(2, os.cpu_count() or 1), _begin) as pool:
            for judged in pool.imap_unordered(_judge_one, seeds):
                measured.add(judged)
                show(f"{measured.days}/{wanted} officer-days, {measured.messages} messages")
                if measured.days >= wanted:
                    break
    except KeyboardInterrupt:
        raise CutShort(measured.figures()) from None
    finally:
        complain(measured.wrong)
    return measured.figures()


@dataclass(slots=True)
class Measured:
    """What is known by now."""

    days: int = 0
    messages: int = 0
    met: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, judged: Judged) -> None:
        self.days += judged.days
        self.messages += judged.messages
        self.met += judged.met
        self.wrong += [f"seed {judged.seed}: {line}" for line in judged.violations]

    def figures(self) -> tuple[Figure, ...]:
        """What is written down; a misfortune that never happened would prove nothing."""
        rarest = min(self.met[what] for what in (*MISFORTUNES, "died", "stood_still"))
        return (
            at_least("alerts.days", self.days, "officer-days", DAYS),
            at_least("alerts.messages", self.messages, "messages", DAYS),
            at_least("alerts.rarest_misfortune", rarest, "times", 10),
            at_most("alerts.violations", len(self.wrong), "violations", 0),
        )


def judge(seeds: Iterable[int]) -> Iterator[Judged]:
    """Run seeds one after the other, in this process."""
    wired = services()
    with attached(Fake()) as fake:
        for seed in seeds:
            happened = City(seed, wired, fake).run()
            judging = Judge(happened, fake)
            yield Judged(
                seed=seed,
                days=judging.officer_days(),
                messages=len(happened.rings),
                met=happened.met,
                violations=tuple(judging.violations()),
            )


def _begin() -> None:
    """Prepare a process: what fails on purpose is not logged."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    gc.freeze()


def _judge_one(seed: int) -> Judged:
    """One seed; nothing is collected within it."""
    gc.disable()
    judged = next(judge([seed]))
    gc.enable()
    gc.collect()
    return judged
