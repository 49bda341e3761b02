"""What was acknowledged is there, whatever happens to the process."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
import requests

from models.gateways.photos import S3PhotoStore

KEYS = {"AWS_ACCESS_KEY_ID": "local-access", "AWS_SECRET_ACCESS_KEY": "local-secret"}
HOUSE = Path(__file__).parents[3]
ENOUGH = 40


@contextmanager
def served(root: Path) -> Iterator[tuple[subprocess.Popen[str], S3PhotoStore]]:
    command = [sys.executable, "-m", "infra.local.photos", "--port", "0", "--root", str(root)]
    with subprocess.Popen(
        command, cwd=HOUSE, env={**os.environ, **KEYS}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[-1]
            yield (
                process,
                S3PhotoStore(
                    bucket="photos",
                    region="cn-north-1",
                    endpoint_url=address.removesuffix("/photos"),
                    path_style=True,
                ),
            )
        finally:
            process.kill()


def content_of(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest() * 2000


def uploaded(store: S3PhotoStore, number: int) -> bool:
    """Whether the store acknowledged upload ``number``."""
    content = content_of(number)
    form = store.presign_upload(
        key=f"uploads/{number}",
        content_type="image/jpeg",
        size_bytes=len(content),
        sha256_hex=hashlib.sha256(content).hexdigest(),
        signed_at=datetime.now(UTC),
        expires_in_s=600,
    )
    try:
        response = requests.post(
            form.url, data=dict(form.fields), files={"file": ("a.jpg", content)}, timeout=10
        )
    except requests.RequestException:
        return False
    return response.status_code == 201


def test_every_acknowledged_photo_and_its_event_survive_a_kill_under_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    acknowledged: set[int] = set()
    enough, killed = threading.Event(), threading.Event()

    def load(first: int) -> None:
        for number in range(first, 100_000, 8):
            if killed.is_set():
                return
            if uploaded(store, number):
                acknowledged.add(number)
            if len(acknowledged) >= ENOUGH:
                enough.set()

    # Given a store under load, killed while uploads are on their way
    with served(tmp_path) as (process, store), ThreadPoolExecutor(8) as pool:
        assert store.head("uploads/absent") is None
        runs = [pool.submit(load, first) for first in range(8)]
        assert enough.wait(20)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        killed.set()
        for run in runs:
            run.result(20)

    # When it is started again on the same disk
    with served(tmp_path) as (_, store):
        kept = {number for number in acknowledged if _is_whole(store, number)}

    # Then nothing that was acknowledged is missing
    assert len(acknowledged) >= ENOUGH
    assert kept == acknowledged
    events = [json.loads(path.read_text()) for path in (tmp_path / "events").iterdir()]
    announced = {unquote_plus(event["Records"][0]["s3"]["object"]["key"]) for event in events}
    assert {f"uploads/{number}" for number in acknowledged} <= announced
    assert not list((tmp_path / "drafts").iterdir())


def _is_whole(store: S3PhotoStore, number: int) -> bool:
    return store.read(f"uploads/{number}", max_bytes=1_000_000) == content_of(number)


def test_events_are_named_in_the_order_of_arrival(tmp_path: Path) -> None:
    from infra.local.photos.objects import ObjectStore

    store = ObjectStore(tmp_path, "photos")
    for number in range(5):
        with store.draft([b"x"], 10) as draft:
            store.keep(draft, f"uploads/{number}", cause="Post", content_type="image/jpeg")

    events = [json.loads(path.read_text()) for path in sorted((tmp_path / "events").iterdir())]
    keys = [event["Records"][0]["s3"]["object"]["key"] for event in events]
    assert keys == [f"uploads/{number}" for number in range(5)]


def test_sigterm_stops_the_server_cleanly(tmp_path: Path) -> None:
    with served(tmp_path) as (process, _):
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
