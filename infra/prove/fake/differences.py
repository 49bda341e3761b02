"""The fake held to the real engine: the same random requests to both, and every difference told.

Compared are the kind of error, the reasons of a cancelled transaction with the rows they show, what
is returned, and after every few hundred requests whole tables and indexes.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.local import engine as engines
from infra.prove.fake.requests import Database
from infra.prove.fake.speaker import INDEXES, TABLES, Pair, Speaker
from infra.prove.fake.values import clean_item
from infra.prove.figures import Figure, Show, at_least, at_most, complain

REQUESTS = 4_000
SEED = 20260318
ROUND = 250
"""After so many requests the tables are compared, and both begin anew."""


@dataclass(slots=True)
class Compared:
    """How many requests of each kind were compared, with what outcomes; every difference."""

    requests: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


def prove(scale: float, show: Show) -> tuple[Figure, ...]:
    """The part of ``make prove``: never fewer than 2,000 requests, transactions among them."""
    engine = engines.Engine().start()
    try:
        wanted = max(2_000, round(REQUESTS * scale))
        compared = compare(engine.url, wanted, SEED, lambda done: show(f"{done}/{wanted} requests"))
    finally:
        engine.stop()
    complain(compared.differences)
    return (
        at_least("ledger.fake_requests", compared.requests.total(), "requests", 2_000),
        at_most("ledger.fake_differences", len(compared.differences), "differences", 0),
    )


def compare(
    url: str,
    requests: int,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
    fake: Callable[[], Database] = lambda: Database(TABLES),
) -> Compared:
    """Send the same ``requests`` to the engine at ``url`` and to the fake."""
    engine = engines.client(url)
    compared = Compared()
    for start in range(0, requests, ROUND):
        _begin_anew(engine)
        ours = fake()
        speaker = Speaker(random.Random(f"{seed}:{start}"))
        for _ in range(min(ROUND, requests - start)):
            operation, request = speaker.request()
            _compare_one(compared, engine, ours, operation, request)
        for operation, request in _whole():
            _compare_one(compared, engine, ours, operation, request)
        progress(start + ROUND)
    return compared


def _begin_anew(engine: Any) -> None:
    there = engine.list_tables()["TableNames"]
    for definition in TABLES:
        if definition["TableName"] in there:
            engine.delete_table(TableName=definition["TableName"])
        engine.create_table(**definition)


def _whole() -> Iterable[Pair]:
    for name, indexes in INDEXES.items():
        yield "Scan", {"TableName": name}
        for index in indexes:
            yield "Scan", {"TableName": name, "IndexName": index}


def _compare_one(
    compared: Compared, engine: Any, ours: Database, operation: str, request: dict[str, Any]
) -> None:
    theirs = outcome(operation, lambda: engine._make_api_call(operation, dict(request)))
    own = outcome(operation, lambda: ours.answer(operation, request))
    compared.requests[operation] += 1
    compared.outcomes[str(theirs[0])] += 1
    if own != theirs:
        compared.differences.append(f"{operation} {request}\n  engine {theirs}\n  fake   {own}")


def outcome(operation: str, send: Callable[[], Mapping[str, Any]]) -> tuple[Any, ...]:
    """What a request came to, so that two engines' outcomes are equal when they mean the same."""
    try:
        answer = send()
    except ClientError as error:
        response: Any = error.response
        reasons = [
            (reason.get("Code"), _row(reason.get("Item")))
            for reason in response.get("CancellationReasons", ())
        ]
        return response["Error"]["Code"], reasons, _row(response.get("Item"))
    rows = [_row(item) for item in answer.get("Items", ())]
    if operation == "Scan":
        rows.sort(key=_spelled)
    batches: dict[str, Any] = {}
    if operation == "TransactGetItems":  # one answer for each key, in order, rows or none
        rows = [_row(one.get("Item")) for one in answer["Responses"]]
    elif operation == "BatchGetItem":
        batches = {
            name: sorted((_row(item) for item in items), key=_spelled)
            for name, items in answer["Responses"].items()
            if items
        }
    single = [_row(answer.get(name)) for name in ("Item", "Attributes", "LastEvaluatedKey")]
    return "ok", rows, batches, single, answer.get("Count")


def _row(item: Any) -> Any:
    """A row so that two spellings of one row are equal."""
    return clean_item(item) if item else None


def _spelled(row: Any) -> str:
    return json.dumps(row, sort_keys=True)
