"""The local HTTP server: API Gateway v1 events made from WSGI requests, served by granian.

Chalice keeps the current request on the app object. Lambda runs one request at a time, a threaded
server does not: without a request per thread, 399 of 400 concurrent answers carried somebody
else's body. So the app's class is swapped for one that keeps both per thread.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from chalice.app import Chalice

from handlers.http.errors import error_body
from handlers.http.texts.catalogue import language_of
from infra.local.meter import Meter
from models.base.tables import connection

MAX_REQUEST_BYTES = 10 * 1024 * 1024  # API Gateway's own limit
_REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Event = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def per_thread(app: Chalice) -> Chalice:
    """Make ``app`` safe for threads: its current request and context become the thread's own."""
    state = threading.local()

    def own(name: str) -> property:
        return property(
            lambda _self: getattr(state, name, None),
            lambda _self, value: setattr(state, name, value),
        )

    members = {"current_request": own("request"), "lambda_context": own("context")}
    app.__class__ = type("PerThreadChalice", (app.__class__,), members)
    return app


class Routes:
    """Finds the route of a path; a literal part wins over a ``{parameter}``."""

    def __init__(self, app: Chalice) -> None:
        self._root: dict[str, Any] = {}
        for path, by_method in app.routes.items():
            node = self._root
            for part in path.strip("/").split("/"):
                key = "{}" if part.startswith("{") else part
                node = node.setdefault(key, {})
            node[""] = (path, set(by_method))

    def find(self, path: str) -> tuple[str, set[str], dict[str, str]] | None:
        """The resource path, its methods and its parameters, decoded as API Gateway does."""
        parts = path.strip("/").split("/")
        node = self._walk(self._root, parts)
        if node is None:
            return None
        resource, methods = node
        names = resource.strip("/").split("/")
        params = {
            name[1:-1]: unquote(part)
            for name, part in zip(names, parts, strict=True)
            if name.startswith("{")
        }
        return resource, methods, params

    def _walk(self, node: dict[str, Any], parts: list[str]) -> tuple[str, set[str]] | None:
        if not parts:
            found: tuple[str, set[str]] | None = node.get("")
            return found
        for key in (parts[0], "{}") if parts[0] else ():
            if key in node and key:
                found = self._walk(node[key], parts[1:])
                if found is not None:
                    return found
        return None


class Gateway:
    """A WSGI application that does to a request what API Gateway does, and asks the app."""

    def __init__(self, app: Chalice, meter: Meter | None = None) -> None:
        self._app = per_thread(app)
        self._routes = Routes(app)
        self._meter = meter

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = self.answer(environ)
        headers.append(("Content-Length", str(len(body))))
        start_response(f"{status} {_REASONS.get(status, 'Other')}", headers)
        return [body]

    def answer(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body for one request.

        With a meter, ``X-Cost`` tells what the tables were asked for; it is exact only while
        requests come one at a time.
        """
        language = language_of(environ.get("HTTP_ACCEPT_LANGUAGE"))
        found = self._routes.find(_raw_path(environ))
        if found is None:
            return _own_answer(404, "route.not_found", language)
        resource, methods, params = found
        if environ["REQUEST_METHOD"] not in methods:
            status, headers, body = _own_answer(405, "request.method_not_allowed", language)
            return status, [*headers, ("Allow", ", ".join(sorted(methods)))], body
        raw = _read(environ)
        if raw is None:
            return _own_answer(413, "request.too_large", language)
        before = self._meter.read() if self._meter else None
        status, headers, body = _unpack(self._app(_event(environ, resource, params, raw), None))
        if self._meter and before:
            headers.append(("X-Cost", self._meter.read().since(before).text()))
        return status, headers, body


def _raw_path(environ: dict[str, Any]) -> str:
    """The path before decoding: an encoded slash must not make another route."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw).split("?", 1)[0]
    return str(environ.get("PATH_INFO", "/")).encode("latin-1").decode("utf-8", "replace")


def _read(environ: dict[str, Any]) -> bytes | None:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_REQUEST_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    return body


def _event(environ: dict[str, Any], resource: str, params: dict[str, str], raw: bytes) -> Event:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    body, encoded = _text_or_base64(raw)
    return {
        "resource": resource,
        "path": environ.get("PATH_INFO", "/"),
        "httpMethod": environ["REQUEST_METHOD"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": params or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": environ["REQUEST_METHOD"],
            "requestId": str(uuid.uuid4()),
            "identity": {"sourceIp": environ.get("REMOTE_ADDR", "")},
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def _text_or_base64(raw: bytes) -> tuple[str | None, bool]:
    if not raw:
        return None, False
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode("ascii"), True


def _unpack(answer: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    body = answer.get("body") or ""
    raw = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    headers = list((answer.get("headers") or {}).items())
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers += [(name, value) for value in values]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))  # API Gateway's default
    return answer["statusCode"], headers, raw


def _own_answer(status: int, code: str, language: str) -> tuple[int, list[tuple[str, str]], bytes]:
    body = error_body(code, language, str(uuid.uuid4()), {})
    headers = [("Content-Type", "application/json; charset=utf-8")]
    return status, headers, json.dumps(body, ensure_ascii=False).encode()


def load() -> Gateway:
    """Build the application once per worker; granian calls this."""
    from app import app  # the Chalice app, under its one import name

    from handlers.wiring import services

    services()  # points the tables, so that the meter finds the connection
    meter = Meter().watch(connection()) if os.environ.get("METER") == "1" else None
    return Gateway(app, meter)


def main() -> None:
    """Serve until stopped: ``python -m infra.local.server HOST PORT THREADS``."""
    import sys

    from granian.constants import Interfaces
    from granian.server import Server

    host, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    Server(
        "infra.local.server:load",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        backlog=1024,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
