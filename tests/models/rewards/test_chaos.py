"""Everybody at once, on a bad network: afterwards points, stock and vouchers agree."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from models.base.clock import FixedClock
from models.base.errors import DomainError, Unavailable
from models.base.store import get, query
from models.base.tables import Database, connection
from models.people.entities import Actor
from models.points.checking import check_member
from models.points.ledger import Ledger
from models.points.reading import balances
from models.rewards.entities import State, Voucher
from models.rewards.expiry import Expiry
from models.rewards.tables import RedemptionRow
from tests.support.rewards import Shop, a_request_id

STOCK, RIDERS, THREADS, ROUNDS, ASKS = 12, 6, 8, 14, 20
EXPECTED = {
    "points.insufficient",
    "reward.sold_out",
    "redemption.already_fulfilled",
    "redemption.not_fulfilled",
    "redemption.cancelled",
    "redemption.expired",
}


@contextmanager
def bad_network(seed: int) -> Iterator[dict[str, int]]:
    """One transaction in ten is not sent, one in ten is applied without a reply."""
    dice, lock, session = random.Random(seed), threading.Lock(), URLLib3Session()
    seen = {"unsent": 0, "unanswered": 0}

    def hook(request: Any, **_: Any) -> None:
        with lock:
            roll = dice.random()
            kind = "unsent" if roll < 0.1 else "unanswered" if roll < 0.2 else None
            if kind is not None:
                seen[kind] += 1
        if kind == "unsent":
            raise ConnectTimeoutError(endpoint_url=request.url)
        if kind == "unanswered":
            session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    events = connection().client.meta.events
    events.register_first("before-send.dynamodb.TransactWriteItems", hook)
    try:
        yield seen
    finally:
        events.unregister("before-send.dynamodb.TransactWriteItems", hook)


class Crowd:
    """Riders and a merchant who do at random what they may, and ask again until they know."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.merchant = shop.merchant()
        self.riders = [shop.rider(35) for _ in range(RIDERS)]
        self.vouchers: list[tuple[Actor, Voucher]] = []
        self.refusals: set[str] = set()

    def act(self, seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(ROUNDS):
            request = a_request_id()
            try:
                self._until_known(dice.choice(["redeem", "redeem", *"fuc"]), dice, request)
            except DomainError as refused:
                self.refusals.add(refused.code)

    def _until_known(self, what: str, dice: random.Random, request: str) -> None:
        rider, voucher = dice.choice(self.vouchers) if self.vouchers else (None, None)
        buyer = dice.choice(self.riders)
        for _ in range(ASKS):
            try:
                if what == "redeem" or voucher is None or rider is None:
                    self.vouchers.append((buyer, self.shop.redeem(buyer, request)))
                elif what == "f":
                    self.shop.fulfil(self.merchant, voucher.qr, request)
                elif what == "u":
                    self.shop.undo(self.merchant, voucher, request)
                else:
                    self.shop.cancel(rider, voucher, request)
            except Unavailable:
                continue
            return
        raise AssertionError(f"still unknown after asking {ASKS} times")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_points_stock_and_vouchers_agree_after_everything(
    database: Database, clock: FixedClock, seed: int
) -> None:
    shop = Shop(clock=clock, stock=STOCK, shards=seed).opened()
    crowd = Crowd(shop)

    with bad_network(seed) as faults, ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(crowd.act, range(seed * 100, seed * 100 + THREADS)))

    assert min(faults.values()) > 0
    assert crowd.refusals <= EXPECTED
    _agree(shop, crowd)
    clock.advance(timedelta(days=31))
    Expiry(ledger=Ledger()).expire_due(shop.now)
    assert _agree(shop, crowd)[State.RESERVED] == 0


def _agree(shop: Shop, crowd: Crowd) -> dict[State, int]:
    counts = dict.fromkeys(State, 0)
    for rider in crowd.riders:
        keys = query(RedemptionRow.by_member, rider.member_id)
        rows = [get(RedemptionRow, key.redemption_id) for key in keys]
        states = [State(row.state) for row in rows if row is not None]
        for state in states:
            counts[state] += 1
        found = balances(rider.member_id, shop.now)
        assert found.held == 10 * states.count(State.RESERVED)
        assert found.available == 35 - found.held - 10 * states.count(State.FULFILLED)
        assert check_member(rider.member_id) == ()
    assert shop.left() == STOCK - counts[State.RESERVED] - counts[State.FULFILLED]
    return counts
