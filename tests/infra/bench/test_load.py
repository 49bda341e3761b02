"""The load generator sends what was planned, to any address, and tells what came of it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.bench import load
from infra.bench.load import Planned


class Service:
    """A service that takes every report but one whose category it does not know."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []
        self.connections = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                service.connections += 1

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.seen.append((self.path, self.headers["Authorization"], body))
                status, answer = service.answer(self.path, body)
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/stage"

    def answer(self, path: str, body: Any) -> tuple[int, Any]:
        if path.endswith("/uploads"):
            forms = [{"upload_id": item["sha256"]} for item in body["items"]]
            return 201, {"items": forms}
        return (422, {}) if body["category"] == "unknown" else (201, {})


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(5)


def a_plan(count: int, category: str = "E0493a") -> list[Planned]:
    return [
        Planned(
            method="POST",
            path="/v1/reports",
            token=f"t{number}",
            body={"category": category, "number": number},
        )
        for number in range(count)
    ]


def test_every_request_is_sent_once_by_its_own_rider(service: Service) -> None:
    result = load.run(service.url, a_plan(40), clients=4)

    assert result.statuses == {"201": 40}
    assert sorted(body["number"] for _, _, body in service.seen) == list(range(40))
    assert all(
        (path, rider) == ("/stage/v1/reports", f"Bearer t{body['number']}")
        for path, rider, body in service.seen
    )


def test_every_client_keeps_one_connection(service: Service) -> None:
    load.run(service.url, a_plan(40), clients=4)

    assert service.connections <= 4


def test_refusals_and_broken_connections_are_counted(service: Service) -> None:
    refused = load.run(service.url, a_plan(3, "unknown"), clients=1)
    unreachable = load.run("http://127.0.0.1:9", a_plan(2), clients=1)

    assert refused.statuses == {"422": 3}
    assert unreachable.statuses == {"ConnectionRefusedError": 2}


def test_riders_take_turns_with_photos_of_their_own(service: Service) -> None:
    plan = load.prepare(service.url, ["a", "b", "c"], per_rider=2)

    assert [planned.token for planned in plan] == ["a", "b", "c"] * 2
    assert len(set(load.upload_ids(plan))) == 6
    assert len({planned.body["client_request_id"] for planned in plan if planned.body}) == 6


def test_reports_lie_in_their_box() -> None:
    box, numbers = (114.0, 32.0, 114.1, 32.1), random.Random(1)

    bodies = [load.report("t", ["up"], box=box, numbers=numbers).body or {} for _ in range(200)]

    assert all(114.0 <= body["lon"] <= 114.1 for body in bodies)
    assert all(32.0 <= body["lat"] <= 32.1 for body in bodies)


def test_a_plan_comes_back_from_its_file(tmp_path: Path) -> None:
    plan = [*a_plan(3), Planned(method="GET", path="/v1/cases", token="t")]

    load.write_plan(tmp_path / "plan.jsonl", plan)

    assert load.read_plan(tmp_path / "plan.jsonl") == plan


def test_the_command_runs_against_any_address(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tokens").write_text("a\nb\n")

    status = load.main(
        [service.url, "--tokens", str(tmp_path / "tokens"), "--per-rider", "3", "--clients", "2"]
    )

    told = json.loads(capsys.readouterr().out)
    assert (status, told["requests"], told["statuses"]) == (0, 6, {"201": 6})


def test_the_command_fails_when_a_request_did(service: Service, tmp_path: Path) -> None:
    load.write_plan(tmp_path / "plan", a_plan(1, "unknown"))

    assert load.main([service.url, "--plan", str(tmp_path / "plan")]) == 1


def test_percentiles_are_of_all_requests(service: Service) -> None:
    result = load.run(service.url, a_plan(50), clients=1)

    assert 0 < result.p50_ms <= result.p95_ms <= result.p99_ms
    assert result.per_s == pytest.approx(50 / result.seconds, rel=0.1)
