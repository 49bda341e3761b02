"""A history on the real engine: every request goes to it and to the fake, and they must agree.

So the judge sees the commits in the fake, and what it finds holds for the engine as well: each
answer was the same, and in the end each row is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.local import engine as engines
from infra.prove.fake.differences import outcome
from infra.prove.fake.service import Fake, attached
from infra.prove.fake.values import clean_item
from infra.prove.ledger.seeds import Ended, History, Trace
from infra.prove.ledger.stage import settle
from infra.prove.schedule.wire import Wire


def live(url: str, seed: int, events: int, trace: Trace | None = None) -> Ended:
    """Run one history on the engine at ``url``, whose tables begin anew."""
    begin_anew(url)
    wire, fake = Wire(url, lambda _: None), Fake()
    differences: list[str] = []
    _mirror(fake, wire, differences)
    try:
        with attached(fake):
            settle()
            history = History(seed, fake, trace)
            ended = history.run(events)
        differences += _rows_that_differ(url, fake)
    finally:
        wire.close()
    ended.wrong += [f"engine, seed {seed}: {line}" for line in differences[:5]]
    return ended


def begin_anew(url: str) -> None:
    """Make every table of the template, empty."""
    client = engines.client(url)
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)
    engines.create_tables(url)


def _mirror(fake: Fake, wire: Wire, differences: list[str]) -> None:
    database: Any = fake.database
    answer = database.answer

    def both(operation: str, request: Any, *, lag: int = 0) -> Any:
        ours = _kept(lambda: answer(operation, request, lag=lag))
        # The engine's own indexes never lag, and a scan has no order that means anything.
        if not lag and operation != "Scan":
            theirs = _kept(lambda: wire._make_api_call(operation, request))
            own, other = outcome(operation, ours), outcome(operation, theirs)
            if own != other:
                differences.append(f"{operation} {request}: engine {other}, fake {own}")
        return ours()

    database.answer = both


def _kept(send: Callable[[], Any]) -> Callable[[], Any]:
    """Send once; what came of it can be had again and again."""
    try:
        answer = send()
    except ClientError as error:
        failed = error

        def fail() -> Any:
            raise failed

        return fail
    return lambda: answer


def _rows_that_differ(url: str, fake: Fake) -> list[str]:
    client = engines.client(url)
    found = []
    for name, table in fake.database.tables.items():
        if not table.rows:
            continue
        pages = client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        items = [clean_item(item) for page in pages for item in page["Items"]]  # sets in order
        rows = {table.key_of(item): item for item in items}
        if rows != table.rows:
            found.append(f"the rows of {name} differ")
    return found
