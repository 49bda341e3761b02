"""A bad network below botocore: requests that never leave, replies that never come, conflicts.

The SDK's own second tries are off while it lasts, so what is proven is the product's loop.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from models.base import store, tables

UNSENT, LOST, CONFLICT = 0.06, 0.06, 0.04
"""Shares of the requests. A conflict is forged for transactions alone: engines here raise none."""
PAUSE_S = 0.002
"""The first pause of the product's loop, so that a thousand faults take seconds."""


class Network:
    """Between the product and the engine. Faults are drawn while ``is_bad``; ``met`` counts them,
    and all requests of that time."""

    def __init__(self, seed: int) -> None:
        self.is_bad = False
        self.met: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._session = URLLib3Session(max_pool_connections=64)

    def fault_share(self) -> float:
        """Network faults among the requests, forged conflicts not counted."""
        return (self.met["unsent"] + self.met["lost"]) / max(1, self.met["requests"])

    def __call__(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        """Botocore's hook before sending: an answer in its place, an error, or None to go on."""
        fault = self._draw(event_name.rpartition(".")[2])
        if fault == "unsent":
            raise ConnectTimeoutError(endpoint_url=request.url)
        if fault == "lost":
            self._session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        return _conflict(request) if fault == "conflict" else None

    def _draw(self, operation: str) -> str | None:
        with self._lock:
            if not self.is_bad:
                return None
            self.met["requests"] += 1
            drawn = self._chance.random()
            fault = None
            if drawn < UNSENT:
                fault = "unsent"
            elif drawn < UNSENT + LOST:
                fault = "lost"
            elif drawn < UNSENT + LOST + CONFLICT and operation == "TransactWriteItems":
                fault = "conflict"
            if fault is not None:
                self.met[fault] += 1
            return fault


@contextmanager
def between(database: tables.Database, network: Network) -> Iterator[Network]:
    """Point every table of this process at a database behind a network; afterwards back."""
    before, pause = tables._shared.database, store.FIRST_PAUSE_S
    tables.use_database(database)
    link: Any = tables.connection()
    link._max_retry_attempts_exception = 0
    link._client = None
    events = link.client.meta.events
    events.register_first("before-send.dynamodb", network)
    store.FIRST_PAUSE_S = PAUSE_S
    try:
        yield network
    finally:
        store.FIRST_PAUSE_S = pause
        if before is not None:
            tables.use_database(before)


def _conflict(request: Any) -> AWSResponse:
    """What a service answers whose first item another transaction holds."""
    willing = len(json.loads(request.body)["TransactItems"]) - 1
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * willing],
    }
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, 400, headers, _Raw(json.dumps(body).encode()))


class _Raw:
    """The body as botocore reads it from a connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content
