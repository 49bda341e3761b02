"""Serve the simulator over HTTP/1.1 with kept-alive connections and planned failures."""

import logging
import socket
import struct
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra.local.wechat import codes, faults, login, messages, security, tokens
from infra.local.wechat.accounts import ACCOUNTS
from infra.local.wechat.control import control
from infra.local.wechat.errors import BadControl, WeChatError
from infra.local.wechat.page import messages_page
from infra.local.wechat.pushes import Pusher, verify_url
from infra.local.wechat.wire import JSON_TYPE, Answer, Endpoint, Request, json_answer
from infra.local.wechat.world import World

_LOG = logging.getLogger(__name__)
_BODY_LIMIT_BYTES = 1024 * 1024

ENDPOINT_BY_PATH: Mapping[str, tuple[str, Endpoint]] = {
    "/cgi-bin/token": ("GET", tokens.legacy_token),
    "/cgi-bin/stable_token": ("POST", tokens.stable_token),
    "/sns/jscode2session": ("GET", login.code_to_session),
    "/wxa/business/getuserphonenumber": ("POST", login.phone_number),
    "/cgi-bin/user/info": ("GET", login.user_info),
    "/cgi-bin/message/subscribe/send": ("POST", messages.send_subscription),
    "/cgi-bin/message/wxopen/employeerelationmsg/send": ("POST", messages.send_employee),
    "/cgi-bin/message/template/send": ("POST", messages.send_template),
    "/cgi-bin/message/wxopen/template/uniform_send": ("POST", messages.uniform_send),
    "/cgi-bin/webhook/send": ("POST", messages.send_robot),
    "/wxa/msg_sec_check": ("POST", security.check_text),
    "/wxa/media_check_async": ("POST", security.check_media),
    "/wxa/getwxacodeunlimit": ("POST", codes.unlimited_code),
    "/wxa/generatescheme": ("POST", codes.scheme),
    "/wxa/generate_urllink": ("POST", codes.url_link),
}


class Server(ThreadingHTTPServer):
    """One thread per connection; the backlog bears a burst of clients that connect at once."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, address: tuple[str, int], world: World, pusher: Pusher) -> None:
        super().__init__(address, _Handler)
        self.world = world
        self.pusher = pusher
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._resets: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def answer(self, request: Request) -> tuple[Answer, dict[str, Any] | None]:
        """Answer one request in one transaction; the failure planned for it comes along."""
        if request.path == "/_control/verify_url":
            return self._verify_url(request), None
        try:
            with self.world.store.transaction():
                fault = faults.take(self.world, request.path)
                answer = _answer(self.world, request, fault)
        except BadControl as exc:
            return json_answer({"error": str(exc)}, status=HTTPStatus.BAD_REQUEST), None
        self.pusher.wake()
        return answer, fault

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that stopping can end it."""
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it; a reset must not say goodbye first."""
        with self._connections_lock:
            self._connections.discard(request)
            is_reset = request in self._resets
            self._resets.discard(request)
        if is_reset:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def reset(self, connection: socket.socket) -> None:
        """Have a connection end in a TCP reset: it lingers for zero seconds."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._connections_lock:
            self._resets.add(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a broken connection; a client may leave whenever it likes."""
        _LOG.info("connection.broken", exc_info=True)

    def stop(self) -> None:
        """Stop listening and end every open connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._connections_lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    _LOG.debug("connection.already_closed")

    def _verify_url(self, request: Request) -> Answer:
        # Outside any transaction: the callback may call the simulator before it answers.
        name = request.json().get("account")
        with self.world.store.transaction():
            url = self.world.setting(f"{name}_push_url") if name in ("mini", "service") else None
            at = int(self.world.now())
        account = next((account for account in ACCOUNTS if account.name == name), None)
        return json_answer({"ok": bool(url and account and verify_url(account, url, at=at))})


def _answer(world: World, request: Request, fault: dict[str, Any] | None) -> Answer:
    if fault is not None and not faults.keeps_effect(fault):
        return _failure(fault)
    if request.path == "/":
        return messages_page(world)
    if request.path.startswith("/_control/"):
        return json_answer(control(world, request))
    try:
        method, endpoint = ENDPOINT_BY_PATH.get(request.path, ("", None))
        if endpoint is None:
            raise WeChatError(40066)
        if request.method != method:
            raise WeChatError(43001 if method == "GET" else 43002)
        return endpoint(world, request)
    except WeChatError as exc:
        plain = request.path == "/sns/jscode2session"
        return json_answer(exc.body(), content_type="text/plain" if plain else JSON_TYPE)


def _failure(fault: dict[str, Any]) -> Answer:
    if fault["kind"] == "errcode":
        return json_answer(WeChatError(int(fault["value"])).body())
    status = int(fault["value"]) if fault["kind"] == "http" else 500
    return Answer(body=b"<html>simulated failure</html>", content_type="text/html", status=status)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: query strings carry secrets and tokens."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _BODY_LIMIT_BYTES or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send(Answer(body=b"", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        url = urlsplit(self.path)
        query: dict[str, str] = {}
        for name, value in parse_qsl(url.query, keep_blank_values=True):
            query.setdefault(name, value)
        body = self.rfile.read(length)
        request = Request(method=self.command, path=url.path, query=query, body=body)
        try:
            answer, fault = self.server.answer(request)
        except Exception:  # The outermost entry point: a bug here must not look like a reset.
            _LOG.exception("request.failed path=%s", request.path)
            answer, fault = json_answer(WeChatError(-1).body()), None
        self._send_with(answer, fault or {"kind": "none", "value": None})

    def _send_with(self, answer: Answer, fault: dict[str, Any]) -> None:
        if fault["kind"] == "timeout_s":
            self.server.stopping.wait(float(fault["value"]))
        if fault["kind"] == "reset":
            self.close_connection = True
            self.server.reset(self.connection)
        elif fault["kind"] == "truncated":
            self.close_connection = True
            self._send(answer, sent_bytes=len(answer.body) // 2)
        else:
            self._send(answer)

    def _send(self, answer: Answer, sent_bytes: int | None = None) -> None:
        reason = HTTPStatus(answer.status).phrase
        head = (
            f"HTTP/1.1 {answer.status} {reason}\r\nContent-Type: {answer.content_type}\r\n"
            f"Content-Length: {len(answer.body)}\r\n"
            f"Connection: {'close' if self.close_connection else 'keep-alive'}\r\n\r\n"
        )
        self.wfile.write(head.encode("latin-1") + answer.body[:sent_bytes])
