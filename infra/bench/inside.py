"""The service inside this process, so that its calls to the engine can be watched."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from handlers import wiring
from handlers.settings import Settings
from infra.bench.trace import Trace
from infra.local.client import Client, Reply
from infra.local.server import Gateway
from infra.local.stack import Stack
from models.base.tables import connection


class Inside:
    """The whole app over a stack's engine and simulator; every request goes through the gateway."""

    def __init__(self, stack: Stack) -> None:
        os.environ.update({**stack.environment(), "LOG_LEVEL": "WARNING"})
        self.services = wiring.Services(Settings.read(stack.environment()))
        wiring.use_services(self.services)
        from app import app  # the Chalice app, under its one import name

        self.gateway = Gateway(app)
        self.trace = Trace(connection())

    def client(self) -> Client:
        """A phone that calls this process."""
        return _InsideClient(self.gateway)


class _InsideClient(Client):
    """Asks the gateway directly instead of over a socket."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__("inside:")
        self._gateway = gateway

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        began = time.perf_counter()
        status, headers, answer = self._gateway.answer(self._environ(method, path, raw))
        ms = (time.perf_counter() - began) * 1000
        named = {name.lower(): value for name, value in headers}
        return Reply(status=status, body=json.loads(answer or b"null"), headers=named, ms=ms)

    def _environ(self, method: str, path: str, raw: bytes) -> dict[str, Any]:
        plain, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "RAW_URI": path,
            "PATH_INFO": plain,
            "QUERY_STRING": query,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
        }
        return environ | ({"HTTP_AUTHORIZATION": f"Bearer {self.token}"} if self.token else {})
