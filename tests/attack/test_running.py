"""The local stack, killed in part: nothing of it is left to hold a port or answer with old code."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

from infra.local.stack import PARTS, Stack

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
