"""What points and rewards write: an award, a reservation, a handover, each at its dearest.

Counted on an engine of its own, through the use cases alone: what a case or a station adds to an
award is theirs and counted there. The award has a cap and a common budget, the reservation a limit
per member; the handover is a scan of the rider's QR payload.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from infra.bench.trace import Call, Trace, sequential, write_units
from infra.prove.ledger import engines
from infra.prove.ledger.counters import Counter
from models.base.tables import connection, use_database
from models.people.entities import Actor
from models.rewards.entities import Limit, Voucher

COUNTED = frozenset(
    {"earn.write_units", "earn.sequential_calls", "reserve.write_units", "settle.write_units"}
)
PRICE = 5


def measure() -> dict[str, float]:
    """The figures by name, on an engine that is started for them."""
    with engines.opened() as database:
        use_database(database)
        return count()


def count() -> dict[str, float]:
    """The figures by name, on the engine that the tables point at."""
    trace = Trace(connection())
    counter = Counter(left=(5,), price=PRICE, limit=Limit(count=3, days=30)).opened()
    rider, merchant = counter.rider(), counter.merchant()
    keys = ("first", "second", "third")
    earned = [_traced(trace, partial(counter.act, rider, key, PRICE)) for key in keys]
    reserved = [_traced(trace, partial(_reserve, counter, rider, key)) for key in keys]
    shown = [_again(counter, rider, key) for key in keys]
    settled = [_traced(trace, partial(_settle, counter, merchant, qr)) for qr in shown]
    return {
        "earn.write_units": max(map(write_units, earned)),
        "earn.sequential_calls": max(map(sequential, earned)),
        "reserve.write_units": max(map(write_units, reserved)),
        "settle.write_units": max(map(write_units, settled)),
    }


def _reserve(counter: Counter, rider: Actor, key: str) -> Voucher:
    return counter.redemptions.redeem(
        rider, reward_id=counter.rewards[0].reward_id, client_request_id=key
    )


def _again(counter: Counter, rider: Actor, key: str) -> str:
    """What the rider shows of what he reserved."""
    shown = _reserve(counter, rider, key).qr
    assert shown is not None
    return shown


def _settle(counter: Counter, merchant: Actor, shown: str) -> None:
    counter.fulfilment.fulfil(merchant, shown=shown, client_request_id=shown)


def _traced(trace: Trace, ask: Callable[[], object]) -> tuple[Call, ...]:
    trace.take()
    ask()
    return trace.take()
