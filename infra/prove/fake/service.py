"""The fake in the place of botocore's client: the product's code above it is the very same.

``attached`` points pynamodb's one connection here. The SDK's own retries are thereby gone, so what
is proven is our loop; its pauses take no time, and parallel reads go one after the other, so that
a seed gives the same run each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from infra.local import engine as engines
from infra.prove.fake.faults import Died, Fault, Plan
from infra.prove.fake.reads import Answer, Request
from infra.prove.fake.requests import Database, cancelled, error
from infra.prove.fake.tables import LONGEST_LAG, Key
from infra.prove.fake.values import Item
from models.base import store, tables
from models.cases import parallel

Hook = Callable[[str, Request], None]
Look = Callable[[Key, Item | None, Item | None], None]
_NOWHERE = "http://127.0.0.1:9"


@cache
def _definitions() -> list[dict[str, Any]]:
    return engines.table_definitions()


class Fake:
    """A DynamoDB in memory. ``plan`` says what goes wrong; ``before`` sees each request first,
    and may let somebody else's requests in between."""

    def __init__(self, plan: Plan | None = None, before: Hook | None = None) -> None:
        self.database = Database(_definitions())
        self.plan = plan
        self.before = before
        self.requests = 0

    def call(self, operation: str, request: Request) -> Answer:
        """Answer one request, or fail as planned.

        Raises botocore's errors, and ``Died`` where the process ends.
        """
        self.requests += 1
        if self.before is not None:
            self.before(operation, request)
        if self.plan is None:
            return self.database.answer(operation, request)
        fault = self.plan.draw(operation, is_index="IndexName" in request)
        if fault is None:
            return self.database.answer(operation, request)
        return self._faulty(fault, operation, request)

    def _faulty(self, fault: Fault, operation: str, request: Request) -> Answer:
        assert self.plan is not None
        if fault is Fault.CRASH_BEFORE:
            raise Died
        if fault is Fault.UNSENT:
            raise ConnectTimeoutError(endpoint_url=_NOWHERE)
        if fault is Fault.THROTTLED:
            raise error(operation, "ThrottlingException")
        if fault is Fault.CONFLICT:
            raise _conflict(operation, request)
        lag = self.plan.lag(LONGEST_LAG) if fault is Fault.STALE else 0
        answer = self.database.answer(operation, request, lag=lag)
        if fault is Fault.CRASH_AFTER:
            raise Died
        if fault is Fault.REPLY_LOST:
            raise ReadTimeoutError(endpoint_url=_NOWHERE)
        return answer

    def copy(self) -> Fake:
        """Another one with the same rows, where nothing goes wrong."""
        other = Fake()
        for name, table in self.database.tables.items():
            for key, item in table.rows.items():
                other.database.tables[name].write(key, item)
        return other

    def watch(self, table: str, look: Look) -> None:
        """Show each write of a table: its key, what stood there, what stands there now."""
        watched: Any = self.database.tables[table]
        write = watched.write

        def seen(key: Key, item: Item | None) -> None:
            before = watched.rows.get(key)
            write(key, item)
            look(key, before, item)

        watched.write = seen

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table by its key's order, as it travels."""
        found = self.database.tables[table].rows
        return [found[key] for key in sorted(found)]


def _conflict(operation: str, request: Request) -> ClientError:
    if not operation.startswith("Transact"):
        return error(operation, "TransactionConflictException")
    willing: list[Mapping[str, Any]] = [{"Code": "None"}] * (len(request["TransactItems"]) - 1)
    return cancelled(operation, [{"Code": "TransactionConflict"}, *willing])


class _Client:
    """The few things that pynamodb asks of botocore's client."""

    _request_signer = None

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    def _make_api_call(self, operation: str, request: Request) -> Answer:
        return self.fake.call(operation, request)


class _InTurn:
    """Stands for a pool of threads: the calls go one after the other."""

    def __init__(self, max_workers: int) -> None: ...

    def __enter__(self) -> _InTurn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, work: Callable[[Any], Any], calls: Iterable[Any]) -> Iterator[Any]:
        return map(work, calls)


@contextmanager
def in_turn() -> Iterator[None]:
    """Parallel reads go one after the other, and pauses take no time."""
    threads: Any = parallel
    before = (store.FIRST_PAUSE_S, threads.ThreadPoolExecutor)
    store.FIRST_PAUSE_S, threads.ThreadPoolExecutor = 0.0, _InTurn
    try:
        yield
    finally:
        store.FIRST_PAUSE_S, threads.ThreadPoolExecutor = before


@contextmanager
def attached(fake: Fake) -> Iterator[Fake]:
    """Point every table of this process at the fake; afterwards where they were before."""
    before = tables._shared.database
    place = tables.Database(
        region="local", endpoint_url=_NOWHERE, access_key="local", secret_key="local"
    )
    if before != place:
        tables.use_database(place)
    link: Any = tables.connection()
    outer, link._client = link._client, _Client(fake)
    try:
        with in_turn():
            yield fake
    finally:
        link._client = outer
        if before is not None and before != place:
            tables.use_database(before)
