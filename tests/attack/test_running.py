"""The local stack, killed in part: nothing of it is left to hold a port or answer with old code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from infra.local.pump import Pump
from infra.local.run import hold
from infra.local.stack import PARTS, Stack
from tests.support.source import ROOT

ALL_BUT_API = frozenset(PARTS) - {"api"}


def _falls_silent(port: int) -> bool:
    """Whether nobody answers on the port any more, at most two seconds from now."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
        threading.Event().wait(0.02)
    return False


def test_a_killed_api_leaves_no_worker_behind(tmp_path: Path) -> None:
    stack = Stack(home=tmp_path, without=ALL_BUT_API).start()

    os.kill(stack.processes["api"].pid, signal.SIGKILL)
    stack.processes["api"].wait(10)
    stack.stop()

    assert _falls_silent(stack.ports.api)


def test_a_restarted_api_stands_alone(tmp_path: Path) -> None:
    stack = Stack(home=tmp_path, without=ALL_BUT_API).start()
    first = stack.processes["api"].pid

    os.kill(first, signal.SIGKILL)
    stack.processes["api"].wait(10)
    stack.start_part("api")
    stack.kill_part("api")

    assert _falls_silent(stack.ports.api)


def test_a_photo_that_another_pump_has_just_dealt_with_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pump = Pump(tmp_path)
    for name in ("1.json", "2.json"):
        (tmp_path / name).write_text("{}")
    read = Path.read_text

    def first_is_gone(path: Path, *args: str, **how: str) -> str:
        if path.name == "1.json":
            path.unlink()
        return read(path, *args, **how)

    monkeypatch.setattr(Path, "read_text", first_is_gone)
    pump.take_in_photos()

    assert list(tmp_path.glob("*.json")) == []


def test_a_data_folder_serves_one_run_at_a_time(tmp_path: Path) -> None:
    first = hold(tmp_path)
    second = hold(tmp_path)
    assert first is not None
    first.close()
    third = hold(tmp_path)

    assert second is None
    assert third is not None
    third.close()


def test_a_machines_proxy_does_not_come_between_the_parts(tmp_path: Path) -> None:
    asks = "import urllib.request as u; print(u.getproxies(), u.proxy_bypass('127.0.0.1'))"
    (tmp_path / "Makefile").write_text(
        f'include {ROOT}/Makefile\nasked:\n\t@{sys.executable} -c "{asks}"\n'
    )
    behind = {**os.environ, "http_proxy": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}

    said = subprocess.run(
        ["make", "-s", "-f", tmp_path / "Makefile", "asked"],
        cwd=ROOT,
        env=behind,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout

    assert "'http': 'http://127.0.0.1:9'" in said
    assert said.strip().endswith(("True", "1"))
