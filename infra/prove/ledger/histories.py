"""Riders, a merchant and the schedule at once on a real engine and a bad network, written down.

An episode is some fifty requests by six threads. Each is written down with when it was made, when
it was answered and with what; then it is asked whether the same could have been told had they come
one after the other. So a wrong refusal is found as well as a wrong sum. Seeds fix what is asked and
which faults are drawn, the threads' order is the machine's.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import random
from collections import Counter as Counts
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.prove.figures import CutShort, Figure, Show, at_least, at_most, complain
from infra.prove.ledger import engines, sequential
from infra.prove.ledger.counters import VALID_DAYS, Counter
from infra.prove.ledger.linearizable import NEVER, Operation, explain
from infra.prove.ledger.network import Network, between
from infra.prove.ledger.sequential import AWARD, PRICE, Ask, World
from models.base.errors import DomainError, Unavailable
from models.people.entities import Actor
from models.points import checking
from models.points.reading import balances
from models.rewards.entities import State, Voucher

OPERATIONS = 1_000
SEED = 20260318
RIDERS, THREADS, ROUNDS, ASKS = 3, 6, 8, 6
LEFT = (3, 2)
FIRST_AWARDS = 2
WISHES = {"reserve": 28, "again": 16, "award": 14, "fulfil": 12, "undo": 8, "cancel": 14,
          "expire": 4, "balance": 8, "look": 4}  # fmt: skip
"""What a thread does next, by weight; ``again`` repeats what another one may be asking now."""

OUTCOMES = (
    "+10", "+5", "+0", "reserved", "fulfilled", "cancelled", "expired", "points.insufficient",
    "reward.sold_out", "redemption.already_fulfilled", "redemption.not_fulfilled",
    "redemption.cancelled", "redemption.expired",
)  # fmt: skip
"""Each must occur: one that never happened would prove nothing."""


@dataclass(slots=True)
class Measured:
    """What is known by now."""

    operations: int = 0
    unknown: int = 0
    episodes: int = 0
    outcomes: Counts[str] = field(default_factory=Counts)
    met: Counts[str] = field(default_factory=Counts)
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> tuple[Figure, ...]:
        """What is written down."""
        faults = 100 * (self.met["unsent"] + self.met["lost"]) / max(1, self.met["requests"])
        rarest = min(self.outcomes[what] for what in OUTCOMES)
        return (
            at_least("ledger.history_ops", self.operations, "operations", OPERATIONS),
            at_least("ledger.history_faults", round(faults, 1), "% of requests", 10),
            at_least("ledger.history_unknown", self.unknown, "operations", 10),
            at_least("ledger.history_rarest_outcome", rarest, "times", 1),
            at_most("ledger.not_linearizable", len(self.wrong), "episodes", 0),
        )


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 1,000 operations. Raises ``CutShort``."""
    wanted, measured = max(OPERATIONS, round(OPERATIONS * scale)), Measured()
    try:
        with engines.opened() as database:
            for seed in itertools.count(SEED):
                network = Network(seed)
                with between(database, network):
                    add(measured, Episode(seed, network))
                show(f"{measured.operations}/{wanted} operations, {len(measured.wrong)} wrong")
                if measured.operations >= wanted:
                    break
    except KeyboardInterrupt:
        raise CutShort(measured.figures()) from None
    finally:
        complain(measured.wrong)
    return measured.figures()


def add(measured: Measured, episode: Episode) -> None:
    """Live an episode and judge it."""
    history, failures = episode.live()
    stuck = explain(history, episode.start, sequential.step)
    told = [f"not linearizable: {stuck}"] if stuck else []
    if failures or told:
        measured.wrong.append(f"seed {episode.seed}: {'; '.join([*failures, *told])}")
    measured.episodes += 1
    measured.operations += sum(one.outcome is not None for one in history)
    measured.unknown += sum(one.outcome is None for one in history)
    measured.outcomes.update(str(one.outcome) for one in history)
    measured.met.update(episode.network.met)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taking:
    """A voucher that somebody was told of, and by which request."""

    ask: Ask
    voucher: Voucher


class Episode:
    """Six threads before one counter, whose stock stands in one row or, every second time, in two.

    ``build`` may make one with a planted bug.
    """

    def __init__(
        self,
        seed: int,
        network: Network,
        build: Callable[..., Counter] = Counter,
    ) -> None:
        self.seed = seed
        self.network = network
        self.counter = build(left=LEFT, price=PRICE, shards=1 + seed % 2).opened()
        self._riders = [self.counter.rider() for _ in range(RIDERS)]
        self._merchant = self.counter.merchant()
        self._time = itertools.count()
        self._names = itertools.count()
        self._asked: list[Ask] = []
        self._takings: list[_Taking] = []
        self._history: list[Operation] = []
        self._sweeps: list[tuple[datetime, int, int]] = []
        for number, rider in enumerate(self._riders):
            for turn in range(FIRST_AWARDS):
                self.counter.award(rider, f"first-{number}-{turn}", AWARD)
        begins = FIRST_AWARDS * AWARD
        self.start = World(free=(begins,) * RIDERS, held=(0,) * RIDERS, left=LEFT)

    def live(self) -> tuple[list[Operation], list[str]]:
        """What was asked and told, with everybody's last balance; and what broke besides."""
        self.network.is_bad = True
        logging.disable(logging.WARNING)
        try:
            with ThreadPoolExecutor(THREADS) as threads:
                list(threads.map(self._act, range(THREADS)))
        finally:
            logging.disable(logging.NOTSET)
            self.network.is_bad = False
        self._history += self._swept()
        for number in range(RIDERS):
            self._send(Ask(what="balance", key="last", rider=number))
        return self._history, [
            f"ledger of rider {number}: {fault.code} at {fault.seq}"
            for number, rider in enumerate(self._riders)
            for fault in checking.check_member(rider.member_id)
        ]

    def _act(self, thread: int) -> None:
        dice = random.Random(f"{self.seed}:{thread}")
        for _ in range(ROUNDS):
            wish = dice.choices(tuple(WISHES), tuple(WISHES.values()))[0]
            if wish == "expire":
                self._sweep()
                continue
            ask = self._ask(wish, dice)
            self._asked.append(ask)
            for _ in range(ASKS):  # a client asks again until it knows
                if self._send(ask):
                    break

    def _ask(self, wish: str, dice: random.Random) -> Ask:
        if wish == "again" and self._asked:
            return self._asked[-1] if dice.random() < 0.7 else dice.choice(self._asked)
        key = f"k{next(self._names)}"
        rider, reward = dice.randrange(RIDERS), dice.randrange(len(LEFT))
        if wish in ("award", "balance"):
            return Ask(what=wish, key=key, rider=rider)
        if wish in ("fulfil", "undo", "cancel", "look") and self._takings:
            of = dice.choice(self._takings[-6:]).ask
            return Ask(what=wish, key=key, rider=of.rider, reward=of.reward, taking=of.key)
        return Ask(what="reserve", key=key, rider=rider, reward=reward)

    def _send(self, ask: Ask) -> bool:
        """Ask once and write it down; whether the outcome is known."""
        began, outcome = next(self._time), None
        try:
            outcome = self._told(ask)
        except Unavailable:
            pass
        except DomainError as refused:
            outcome = refused.code
        ended = next(self._time) if outcome else NEVER
        self._history.append(Operation(action=ask, outcome=outcome, began=began, ended=ended))
        return outcome is not None

    def _told(self, ask: Ask) -> str:
        rider = self._riders[ask.rider]
        if ask.what == "award":
            return f"+{self.counter.act(rider, ask.key, AWARD)}"
        if ask.what == "balance":
            found = balances(rider.member_id, self.counter.clock.now())
            return f"{found.available}+{found.held}"
        if ask.what == "reserve":
            return self._reserve(rider, ask)
        if ask.what == "look":
            return str(self._look(rider, ask.taking).redemption.state.value)
        return self._end(rider, ask)

    def _reserve(self, rider: Actor, ask: Ask) -> str:
        reward_id = self.counter.rewards[ask.reward].reward_id
        voucher = self.counter.redemptions.redeem(
            rider, reward_id=reward_id, client_request_id=ask.key
        )
        self._takings.append(_Taking(ask=ask, voucher=voucher))
        return str(voucher.redemption.state.value)

    def _end(self, rider: Actor, ask: Ask) -> str:
        voucher = next(one.voucher for one in self._takings if one.ask.key == ask.taking)
        redemption_id = voucher.redemption.redemption_id
        if ask.what == "fulfil":
            assert voucher.qr is not None  # tries of typed codes are limited, scans are not
            outcome = self.counter.fulfilment.fulfil(
                self._merchant, shown=voucher.qr, client_request_id=ask.key
            )
        elif ask.what == "undo":
            outcome = self.counter.fulfilment.undo(
                self._merchant, redemption_id=redemption_id, client_request_id=ask.key
            )
        else:
            outcome = self.counter.redemptions.cancel(
                rider, redemption_id=redemption_id, client_request_id=ask.key
            )
        return str(outcome.state.value)

    def _look(self, rider: Actor, key: str) -> Voucher:
        return self.counter.redemptions.voucher_by_key(rider, key)

    def _sweep(self) -> None:
        """The schedule, a month and some seconds ahead: each sweep has an instant of its own."""
        began = next(self._time)
        ahead = timedelta(days=VALID_DAYS + 1, seconds=began)
        at = self.counter.clock.now() + ahead
        with contextlib.suppress(Unavailable):
            self.counter.expiry.expire_due(at)
        self._sweeps.append((at, began, next(self._time)))

    def _swept(self) -> Sequence[Operation]:
        """What the sweeps ended, each within its sweep: the row says which one it was."""
        found = []
        for ask in {ask.key: ask for ask in self._asked if ask.what == "reserve"}.values():
            try:
                redemption = self._look(self._riders[ask.rider], ask.key).redemption
            except DomainError:
                continue
            for at, began, ended in self._sweeps:
                if (redemption.state, redemption.ended_at) == (State.EXPIRED, at):
                    expire = Ask(what="expire", key="schedule", rider=ask.rider,
                                 reward=ask.reward, taking=ask.key)  # fmt: skip
                    found.append(
                        Operation(action=expire, outcome="expired", began=began, ended=ended)
                    )
        return found
