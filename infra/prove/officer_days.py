"""Ten thousand days of officials under alerts, with everything that WeChat does to messages.

Each seed is a small city for five days: the product's own intake, outbox, desk, messenger and
escalation over the request-level fake, and channels with exhausted quota, 43101, 47003, 45009,
people who do not follow, time-outs, lost replies and hours of absence. Afterwards it is asked from
the outside: was a grave case left alone, was anybody told twice, was the budget exceeded.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.prove.fake.service import Fake, attached
from infra.prove.figures import Figure, Show, at_least, at_most, complain
from infra.prove.officers.checks import Judge
from infra.prove.officers.city import City, services

DAYS = 10_000
FIRST_SEED = 20260318
PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One seed: how many officer-days it had, and what was wrong, in words."""

    seed: int
    days: int
    messages: int
    violations: tuple[str, ...]


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 10,000 officer-days."""
    wanted = max(DAYS, round(DAYS * scale))
    days, messages, violations = 0, 0, list[str]()
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for judged in pool.imap_unordered(judge_quietly, _seeds()):
            days, messages = days + judged.days, messages + judged.messages
            violations += [f"seed {judged.seed}: {line}" for line in judged.violations]
            show(f"{days}/{wanted} officer-days, {messages} messages")
            if days >= wanted:
                pool.terminate()
                break
    complain(violations)
    return (
        at_least("alerts.days", days, "officer-days", DAYS),
        at_most("alerts.violations", len(violations), "violations", 0),
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
                violations=tuple(judging.violations()),
            )


def judge_quietly(seed: int) -> Judged:
    """One seed in a process of its own, whose many warnings nobody is to read."""
    logging.disable(logging.CRITICAL)
    return next(judge([seed]))


def _seeds() -> Iterator[int]:
    """Seeds without end; a pool takes only what it can work on, and some more."""
    yield from range(FIRST_SEED, FIRST_SEED + 400)
