"""Faults between the product and the engine, put in below botocore: no sockets, no proxies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from models.base.tables import connection


@contextmanager
def lost_reply(operation: str = "TransactWriteItems") -> Iterator[list[str]]:
    """The next call of ``operation`` is applied, but its reply never arrives."""
    seen: list[str] = []

    def lose(request: Any, **_: Any) -> None:
        if not seen:
            seen.append(operation)
            URLLib3Session().send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    yield from _hooked(operation, lose, seen)


@contextmanager
def never_sent(operation: str = "TransactWriteItems", times: int = 1) -> Iterator[list[str]]:
    """The next calls of ``operation`` do not reach the engine."""
    seen: list[str] = []

    def refuse(request: Any, **_: Any) -> None:
        if len(seen) < times:
            seen.append(operation)
            raise ConnectTimeoutError(endpoint_url=request.url)

    yield from _hooked(operation, refuse, seen)


def _hooked(operation: str, hook: Any, seen: list[str]) -> Iterator[list[str]]:
    events = connection().client.meta.events
    name = f"before-send.dynamodb.{operation}"
    events.register_first(name, hook)
    try:
        yield seen
    finally:
        events.unregister(name, hook)
    assert seen, f"no {operation} was sent: nothing was tried"
