"""Faults between the product and the engine, put in below botocore: no sockets, no proxies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
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


@contextmanager
def refusing(
    operation: str, code: str, *, times: int = 1, reasons: Sequence[str] = (), status: int = 400
) -> Iterator[list[str]]:
    """The next calls of ``operation`` are answered with an error and reach no engine.

    ``reasons`` are a cancelled transaction's codes, one per write, ``None`` where it was willing.
    """
    body: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}
    if reasons:
        body["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    seen: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if len(seen) >= times:
            return None
        seen.append(operation)
        return _response(request.url, status, body)

    yield from _hooked(operation, answer, seen)


@contextmanager
def answering(operation: str, bodies: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    """The next calls of ``operation`` get these answers, in order, and reach no engine."""
    seen: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if len(seen) >= len(bodies):
            return None
        seen.append(request.body.decode() if isinstance(request.body, bytes) else request.body)
        return _response(request.url, 200, bodies[len(seen) - 1])

    yield from _hooked(operation, answer, seen)


class _Raw:
    """The body as botocore reads it from a connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content


def _response(url: str, status: int, body: dict[str, Any]) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(url, status, headers, _Raw(json.dumps(body).encode()))


def _hooked(operation: str, hook: Any, seen: list[str]) -> Iterator[list[str]]:
    events = connection().client.meta.events
    name = f"before-send.dynamodb.{operation}" if operation else "before-send.dynamodb"
    events.register_first(name, hook)
    try:
        yield seen
    finally:
        events.unregister(name, hook)
    assert seen, f"no {operation} was sent: nothing was tried"


class Killed(BaseException):
    """Stands for the death of a process: no handler of errors may catch it."""


@contextmanager
def counting() -> Iterator[list[str]]:
    """The operations that are sent, in order."""
    seen: list[str] = []

    def note(request: Any, event_name: str, **_: Any) -> None:
        seen.append(event_name.rpartition(".")[2])

    yield from _hooked("", note, seen)


@contextmanager
def killed_at(number: int, *, applied: bool) -> Iterator[list[str]]:
    """The process dies at its request ``number`` from 0, before it is sent or once ``applied``."""
    seen: list[str] = []

    def kill(request: Any, event_name: str, **_: Any) -> None:
        seen.append(event_name.rpartition(".")[2])
        if len(seen) == number + 1:
            if applied:
                URLLib3Session().send(request)
            raise Killed

    yield from _hooked("", kill, seen)


@contextmanager
def lost_at(number: int) -> Iterator[list[str]]:
    """Request ``number`` from 0 is applied, but its reply never arrives."""
    seen: list[str] = []

    def lose(request: Any, event_name: str, **_: Any) -> None:
        seen.append(event_name.rpartition(".")[2])
        if len(seen) == number + 1:
            URLLib3Session().send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    yield from _hooked("", lose, seen)
