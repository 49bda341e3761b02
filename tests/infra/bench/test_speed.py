"""Processor time is read for a whole group of processes."""

from __future__ import annotations

import subprocess
import sys

from infra.bench.speed import cpu_s

SPIN = """
import os, time
if os.fork() == 0:
    while time.process_time() < 0.3: pass
    print("spun", flush=True)
    time.sleep(20)
else:
    os.wait()
"""


def test_a_child_s_work_counts_for_its_group_and_a_stranger_s_does_not() -> None:
    group = subprocess.Popen(
        [sys.executable, "-c", SPIN], stdout=subprocess.PIPE, start_new_session=True
    )
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                                start_new_session=True)  # fmt: skip
    try:
        assert group.stdout is not None
        group.stdout.readline()

        assert cpu_s(group.pid) >= 0.28
        assert cpu_s(stranger.pid) < 0.28
    finally:
        _end(group)
        _end(stranger)


def _end(process: subprocess.Popen[bytes]) -> None:
    import os
    import signal

    os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
