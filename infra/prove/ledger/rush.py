"""Two hundred riders after five pieces: exactly five are sold, and who goes away loses nothing.

Every second round is on the bad network of the histories, where a rider asks again with the same
key until he knows.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.prove.figures import CutShort, Figure, Show, at_least, at_most, complain
from infra.prove.ledger import engines
from infra.prove.ledger.counters import Counter
from infra.prove.ledger.network import Network, between
from models.base.errors import DomainError, Unavailable
from models.people.entities import Actor
from models.points.reading import balances

ROUNDS = 20
RIDERS, THREADS, STOCK = 200, 16, 5
PRICE, POINTS = 1, 20
"""A rider could buy in every round before one counter: only the stock stops him."""
SEED = 20260318
ASKS = 60
SOLD, SOLD_OUT = "reserved", "reward.sold_out"


@dataclass(slots=True)
class Rushed:
    """What is known by now; ``oversold`` counts pieces beyond the stock."""

    rounds: int = 0
    sold: int = 0
    oversold: int = 0
    refused: int = 0
    faults: int = 0
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> tuple[Figure, ...]:
        """What is written down."""
        return (
            at_least("ledger.rush_rounds", self.rounds, "rounds", ROUNDS),
            at_least("ledger.rush_sold", self.sold, "pieces", STOCK * self.rounds),
            at_least("ledger.rush_faults", self.faults, "faults", 100),
            at_most("ledger.rush_oversold", self.oversold, "pieces", 0),
            at_most("ledger.rush_violations", len(self.wrong), "violations", 0),
        )


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 20 rounds. Raises ``CutShort``."""
    rounds, rushed, network = max(ROUNDS, round(ROUNDS * scale)), Rushed(), Network(SEED)
    try:
        with engines.opened() as database, between(database, network):
            for number in range(rounds):
                if number % ROUNDS == 0:
                    counter = Counter(left=(STOCK,) * ROUNDS, price=PRICE).opened()
                    crowd = Crowd(counter, network)
                crowd.rush(rushed, number % ROUNDS, is_bad=number % 2 == 1)
                show(f"{number + 1}/{rounds} rounds, {rushed.sold} sold")
    except KeyboardInterrupt:
        raise CutShort(rushed.figures()) from None
    finally:
        complain(rushed.wrong)
    return rushed.figures()


class Crowd:
    """The riders before one counter, which has another reward for each round."""

    def __init__(self, counter: Counter, network: Network, riders: int = RIDERS) -> None:
        self._counter = counter
        self._network = network
        self._riders = [counter.rider() for _ in range(riders)]
        self._bought = [0] * riders
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self._give, self._riders))

    def rush(self, rushed: Rushed, number: int, *, is_bad: bool) -> None:
        """One round: everybody asks for the same reward at once."""
        order = list(range(len(self._riders)))
        random.Random(f"{SEED}:{number}").shuffle(order)
        before = self._network.met["unsent"] + self._network.met["lost"]
        with self._weather(is_bad=is_bad), ThreadPoolExecutor(THREADS) as threads:
            told = dict(zip(order, threads.map(lambda i: self._buy(i, number), order), strict=True))
        rushed.rounds += 1
        rushed.faults += self._network.met["unsent"] + self._network.met["lost"] - before
        sold = sum(answer == SOLD for answer in told.values())
        rushed.sold += sold
        rushed.oversold += max(0, sold - STOCK)
        rushed.refused += sum(answer == SOLD_OUT for answer in told.values())
        for rider, answer in told.items():
            self._bought[rider] += answer == SOLD
        rushed.wrong += [f"round {number}: {line}" for line in self._wrong(told.values(), sold)]

    def _wrong(self, told: Iterable[str], sold: int) -> Iterator[str]:
        if sold != STOCK:
            yield f"{sold} sold of {STOCK}"
        yield from (f"told {answer}" for answer in sorted({*told} - {SOLD, SOLD_OUT}))
        with ThreadPoolExecutor(THREADS) as threads:
            for rider, has in enumerate(threads.map(self._balance, self._riders)):
                bought = self._bought[rider]
                if has != (POINTS - bought * PRICE, bought * PRICE):
                    yield f"rider {rider} has {has} after buying {bought}"

    def _buy(self, rider: int, number: int) -> str:
        reward_id = self._counter.rewards[number].reward_id
        for _ in range(ASKS):
            try:
                voucher = self._counter.redemptions.redeem(
                    self._riders[rider], reward_id=reward_id, client_request_id=f"round-{number}"
                )
            except Unavailable:
                continue
            except DomainError as refused:
                return refused.code
            return voucher.redemption.state.value
        return "unknown"

    def _give(self, rider: Actor) -> None:
        for turn in range(POINTS // 10):
            self._counter.award(rider, f"event-{turn}", 10)

    def _balance(self, rider: Actor) -> tuple[int, int]:
        found = balances(rider.member_id, self._counter.clock.now())
        return found.available, found.held

    @contextmanager
    def _weather(self, *, is_bad: bool) -> Iterator[None]:
        self._network.is_bad = is_bad
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
            self._network.is_bad = False
