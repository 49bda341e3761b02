"""A running simulator, and a callback that records what is pushed to it."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import xmltodict

from infra.local.wechat import safe_mode
from infra.local.wechat.accounts import MINI, SERVICE
from infra.local.wechat.simulator import Simulator, start_simulator


class WeChat:
    """A simulator as a caller sees it: short calls that return parsed answers."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.control = simulator.control
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.raw("GET", path, query).json()

    def post(self, path: str, body: object, **query: str) -> dict[str, Any]:
        return self.raw("POST", path, query, body).json()

    def raw(self, method: str, path: str, query: dict[str, str], body: object = None) -> Any:
        text = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        url = f"{self.simulator.base_url}/{path}"
        answer = self.session.request(method, url, params=query, data=text, timeout=10)
        assert answer.status_code == 200
        return answer

    def token(self, account: Any = MINI, **body: object) -> str:
        return str(self.stable(account, **body)["access_token"])

    def stable(self, account: Any = MINI, **body: object) -> dict[str, Any]:
        credentials = {
            "grant_type": "client_credential",
            "appid": account.appid,
            "secret": account.secret,
        }
        return self.post("cgi-bin/stable_token", credentials | body)

    def send(self, path: str, body: object, account: Any = MINI) -> dict[str, Any]:
        return self.post(path, body, access_token=self.token(account))

    def sent(self, **query: str) -> list[dict[str, Any]]:
        return list(self.get("_control/sent", **query)["items"])


class Callback:
    """Our side of message push: verifies, decrypts, records; `answers` come first."""

    def __init__(self) -> None:
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.answers: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self.files: dict[str, bytes] = {}
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                echo = query.get("echostr", "").encode()
                body = callback.files.get(urlsplit(self.path).path, echo)
                self._answer(200 if body else 404, body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                callback.record(urlsplit(self.path).path, urlsplit(self.path).query, body)
                try:
                    self._answer(*callback.answers.get_nowait())
                except queue.Empty:
                    self._answer(200, b"success")

            def log_message(self, format: str, *args: object) -> None: ...

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def record(self, path: str, query_text: str, body: bytes) -> None:
        query = dict(parse_qsl(query_text))
        account = MINI if path == "/mini" else SERVICE
        outer = json.loads(body) if account is MINI else xmltodict.parse(body)["xml"]
        signed = (account.token, query["timestamp"], query["nonce"], outer["Encrypt"])
        assert query["msg_signature"] == safe_mode.signature(*signed)
        plain = safe_mode.decrypt(outer["Encrypt"], aes_key=account.aes_key, appid=account.appid)
        event = json.loads(plain) if account is MINI else xmltodict.parse(plain)["xml"]
        self.received.put(event)

    def next(self, timeout_s: float = 8.0) -> dict[str, Any]:
        return self.received.get(timeout=timeout_s)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def wechat() -> Iterator[WeChat]:
    simulator = start_simulator()
    caller = WeChat(simulator)
    yield caller
    caller.session.close()
    simulator.stop()


@pytest.fixture
def callback(wechat: WeChat) -> Iterator[Callback]:
    receiver = Callback()
    wechat.control(
        "configure",
        mini_push_url=f"{receiver.url}/mini",
        service_push_url=f"{receiver.url}/service",
        push_retry_gap_s=0.01,
        media_delay_s=0.0,
    )
    yield receiver
    receiver.stop()
