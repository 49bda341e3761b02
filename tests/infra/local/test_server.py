"""The local server hands each request to the app as API Gateway does."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.app import Chalice

from infra.local import engine
from infra.local.client import send
from infra.local.server import Gateway

ECHO = """
import time
from chalice.app import Chalice
from infra.local.server import Gateway

app = Chalice(app_name="echo")

@app.route("/v1/echo/{name}", methods=["POST"])
def echo(name):
    before = app.current_request.json_body
    time.sleep(0.002)
    after = app.current_request.json_body
    return {"name": name, "before": before, "after": after}

def load():
    return Gateway(app)
"""


@pytest.fixture
def app() -> Chalice:
    made = Chalice(app_name="probe")

    @made.route("/v1/things/{thing_id}", methods=["GET", "POST"])
    def thing(thing_id: str) -> dict[str, Any]:
        request = made.current_request
        return {
            "thing_id": thing_id,
            "query": dict(request.query_params or {}),
            "body": request.raw_body.decode() if request.raw_body else None,
        }

    @made.route("/v1/things/current")
    def current() -> dict[str, Any]:
        return {"thing_id": "the literal route"}

    return made


def call(app: Chalice, method: str, path: str, *, query: str = "", body: bytes = b"") -> Any:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(body),
    }
    status, _, answer = Gateway(app).answer(environ)
    return status, json.loads(answer)


def test_path_parameters_arrive_decoded_as_from_api_gateway(app: Chalice) -> None:
    status, answer = call(app, "GET", "/v1/things/%E9%BB%84%20a%2Fb")

    assert (status, answer["thing_id"]) == (200, "黄 a/b")


def test_a_literal_part_wins_over_a_parameter(app: Chalice) -> None:
    assert call(app, "GET", "/v1/things/current")[1]["thing_id"] == "the literal route"


def test_query_and_body_reach_the_view(app: Chalice) -> None:
    _, answer = call(app, "POST", "/v1/things/1", query="a=1&b=%2B", body=b"{}")

    assert answer == {"thing_id": "1", "query": {"a": "1", "b": "+"}, "body": "{}"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "route.not_found"),
        ("GET", "/v1/things/", 404, "route.not_found"),
        ("DELETE", "/v1/things/1", 405, "request.method_not_allowed"),
        ("POST", "/v1/things/1", 413, "request.too_large"),
    ],
)
def test_what_never_reaches_the_app_answers_in_the_same_shape(
    app: Chalice, method: str, path: str, status: int, code: str
) -> None:
    body = b"x" * (10 * 1024 * 1024 + 1) if status == 413 else b""

    answered, answer = call(app, method, path, body=body)

    assert (answered, answer["code"]) == (status, code)
    assert set(answer) == {"code", "message", "request_id"}


@pytest.fixture
def echo_url(tmp_path: Any) -> Iterator[str]:
    (tmp_path / "echo_app.py").write_text(ECHO)
    port = engine.free_port()
    starter = (
        "from granian.constants import Interfaces; from granian.server import Server; "
        f"Server('echo_app:load', factory=True, port={port}, interface=Interfaces.WSGI, "
        "blocking_threads=16, backlog=1024).serve()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", starter],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{engine.ROOT}", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            send("GET", url + "/", timeout_s=1)
            break
        except OSError:
            time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(10)


def test_400_concurrent_requests_each_get_their_own_answer(echo_url: str) -> None:
    wrong: list[Any] = []
    gate = threading.Barrier(100)

    def ask(first: int) -> None:
        gate.wait()
        for number in range(first, first + 4):
            body = {"number": number, "filler": "x" * number}
            answer = send(
                "POST",
                f"{echo_url}/v1/echo/{number}",
                body=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            expected = {"name": str(number), "before": body, "after": body}
            if answer.body != expected:
                wrong.append((number, answer.body))

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(0, 400, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert wrong == []
