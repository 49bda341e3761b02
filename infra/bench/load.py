"""Send reports to any address of the service, from as many clients as wanted, and time them.

    python -m infra.bench.load URL --tokens FILE [--photo FILE] [--clients 8] [--per-rider 4]
    python -m infra.bench.load URL --plan FILE [--clients 8]

``--tokens`` holds one session token a line, of riders who have consented: their uploads are
prepared first (with ``--photo`` they are stored too), and only the reports are timed. ``--plan``
sends requests that were prepared before, one JSON object a line: method, path, token, body.
Every client keeps one connection. The result is one JSON object on standard output.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.client import Client, describe, upload

TIMEOUT_S = 30.0
XINYANG = (114.032, 32.092, 114.128, 32.168)
"""West, south, east, north of the seed's rectangle: where reports are routed to a grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One request, complete."""

    method: str
    path: str
    token: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run. Times are of whole requests, as a client sees them."""

    requests: int
    clients: int
    seconds: float
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statuses: Mapping[str, int]


class Line:
    """One connection that is kept; a broken one is opened anew for the next request."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        self._link = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._prefix = parts.path.rstrip("/")

    def send(self, planned: Planned) -> tuple[str, float]:
        """Send one request; its status (or the name of what went wrong) and milliseconds."""
        body = None if planned.body is None else json.dumps(planned.body, ensure_ascii=False)
        headers = {
            "Authorization": f"Bearer {planned.token}",
            "Content-Type": "application/json",
        }
        began = time.perf_counter()
        try:
            self._link.request(
                planned.method,
                self._prefix + planned.path,
                body=body.encode() if body is not None else None,
                headers=headers,
            )
            answer = self._link.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            self._link.close()
            status = type(error).__name__
        return status, (time.perf_counter() - began) * 1000

    def close(self) -> None:
        self._link.close()


def run(url: str, plan: Sequence[Planned], *, clients: int) -> Result:
    """Send every request of the plan once, the next one by whichever client is free."""
    waiting = _Shared(plan)
    timings: list[list[tuple[str, float]]] = [[] for _ in range(clients)]
    ready = threading.Barrier(clients + 1)

    def work(mine: list[tuple[str, float]]) -> None:
        line = Line(url)
        ready.wait()
        mine.extend(line.send(planned) for planned in waiting)
        line.close()

    threads = [threading.Thread(target=work, args=(mine,), daemon=True) for mine in timings]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return _result([timing for mine in timings for timing in mine], clients, seconds)


def prepare(
    url: str,
    tokens: Sequence[str],
    *,
    per_rider: int,
    box: tuple[float, float, float, float] = XINYANG,
    photo: bytes | None = None,
    seed: int = 20251031,
) -> list[Planned]:
    """Ask for each rider's uploads, and write the reports that will use them.

    The riders take turns, so that no one comes near his limit of reports in ten minutes. With
    ``photo`` each upload is stored too (a few bytes differ, as no two photos are the same).
    Raises ``RuntimeError`` when an upload is not granted.
    """
    numbers = random.Random(seed)
    with ThreadPoolExecutor(8) as threads:
        granted = list(threads.map(_uploads, repeat(url), tokens, repeat(per_rider), repeat(photo)))
    return [
        report(token, [uploads[turn]], box=box, numbers=numbers)
        for turn in range(per_rider)
        for token, uploads in zip(tokens, granted, strict=True)
    ]


def report(
    token: str,
    photos: Sequence[str],
    *,
    box: tuple[float, float, float, float],
    numbers: random.Random,
) -> Planned:
    """A report of badly parked shared bikes, somewhere in the box."""
    west, south, east, north = box
    body = {
        "client_request_id": str(uuid.UUID(int=numbers.getrandbits(128), version=4)),
        "category": "E0493a",
        "lon": round(numbers.uniform(west, east), 6),
        "lat": round(numbers.uniform(south, north), 6),
        "accuracy_m": 12.0,
        "captured_at": (datetime.now(UTC) - timedelta(minutes=2)).isoformat(timespec="seconds"),
        "text": "共享电动车堵住了盲道，行人只能走机动车道",
        "photos": list(photos),
    }
    return Planned(method="POST", path="/v1/reports", token=token, body=body)


def upload_ids(plan: Sequence[Planned]) -> list[str]:
    """The uploads that the plan's reports will use."""
    return [photo for planned in plan if planned.body for photo in planned.body["photos"]]


def write_plan(path: Path, plan: Sequence[Planned]) -> None:
    """Keep a plan, one request a line."""
    lines = (json.dumps(asdict(planned), ensure_ascii=False) for planned in plan)
    path.write_text("\n".join(lines), encoding="utf-8")


def read_plan(path: Path) -> list[Planned]:
    """Read a plan that was kept."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Planned(**json.loads(line)) for line in lines if line.strip()]


class _Shared:
    """A plan from which several threads take."""

    def __init__(self, plan: Sequence[Planned]) -> None:
        self._lock = threading.Lock()
        self._left = iter(plan)

    def __iter__(self) -> Iterator[Planned]:
        while True:
            with self._lock:
                planned = next(self._left, None)
            if planned is None:
                return
            yield planned


def _uploads(url: str, token: str, count: int, photo: bytes | None) -> list[str]:
    rider = Client(url, token)
    pictures = [(photo or bytes(1024)) + uuid.uuid4().bytes for _ in range(count)]
    items = [describe(picture, "report") for picture in pictures]
    asked = rider.post("/v1/uploads", {"items": items})
    if asked.status != 201:
        raise RuntimeError(f"no uploads: {asked.status} {asked.body}")
    forms = asked.body["items"]
    if photo is not None:
        for form, picture in zip(forms, pictures, strict=True):
            upload(form, picture)
    return [str(form["upload_id"]) for form in forms]


def _result(timings: Sequence[tuple[str, float]], clients: int, seconds: float) -> Result:
    times = sorted(ms for _, ms in timings)
    cuts = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return Result(
        requests=len(times),
        clients=clients,
        seconds=round(seconds, 3),
        per_s=round(len(times) / seconds, 2),
        p50_ms=round(cuts[49], 2),
        p95_ms=round(cuts[94], 2),
        p99_ms=round(cuts[98], 2),
        statuses=dict(Counter(status for status, _ in timings)),
    )


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.bench.load", description=__doc__.split("\n")[0])
    parser.add_argument("url")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tokens", type=Path, help="one session token a line")
    source.add_argument("--plan", type=Path, help="requests prepared before")
    parser.add_argument("--photo", type=Path, help="store this photo for every report")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--per-rider", type=int, default=4)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Prepare if need be, send, and print the result; fails when a request did."""
    asked = _arguments(arguments)
    if asked.plan:
        plan = read_plan(asked.plan)
    else:
        tokens = asked.tokens.read_text(encoding="utf-8").split()
        photo = asked.photo.read_bytes() if asked.photo else None
        plan = prepare(asked.url, tokens, per_rider=asked.per_rider, photo=photo)
    result = run(asked.url, plan, clients=asked.clients)
    print(json.dumps(asdict(result)))
    return 0 if all(status.startswith("2") for status in result.statuses) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
