"""The whole service on one machine: engine, photo store, WeChat simulator, API and pump.

Each part is a process of its own and can be killed and started again alone. All data live below
one directory; without one, a temporary directory is used and removed at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local import engine as engines
from infra.local.wechat import accounts

ROOT = engines.ROOT
PARTS = ("engine", "photos", "wechat", "api", "pump")
START_TIMEOUT_S = 60.0
BUCKET = "partners-photos"


@dataclass(slots=True, kw_only=True)
class Ports:
    """Where the parts listen; 0 is a free port."""

    api: int = 0
    wechat: int = 0
    engine: int = 0
    photos: int = 0

    def resolved(self) -> Ports:
        return Ports(
            api=self.api or engines.free_port(),
            wechat=self.wechat or engines.free_port(),
            engine=self.engine or engines.free_port(),
            photos=self.photos or engines.free_port(),
        )


@dataclass(slots=True, kw_only=True)
class Stack:
    """A running set of parts. ``in_memory`` keeps the engine's data in memory (benchmarks)."""

    home: Path
    ports: Ports = field(default_factory=Ports)
    in_memory: bool = False
    without: frozenset[str] = frozenset()
    extra: Mapping[str, str] = field(default_factory=dict)
    api_threads: int = 8
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.home.absolute()
        self.ports = self.ports.resolved()
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        self.clock_file.touch()
        self._make_secrets()

    @property
    def clock_file(self) -> Path:
        return self.home / "clock-offset"

    @property
    def arrivals(self) -> Path:
        return self.home / "photos" / "events"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def wechat_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.wechat}"

    @property
    def engine_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.engine}"

    @property
    def photos_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.photos}"

    def keep_roster(self, county: str) -> None:
        """Remember that a county has a roster of its own, which the seed leaves alone."""
        self._own_rosters.mkdir(exist_ok=True)
        (self._own_rosters / county).touch()

    def own_rosters(self) -> frozenset[str]:
        """The counties whose roster was imported here."""
        return frozenset(path.name for path in self._own_rosters.glob("*"))

    @property
    def _own_rosters(self) -> Path:
        return self.home / "rosters"

    def environment(self) -> dict[str, str]:
        """The settings every part of the product reads; see ``handlers/settings.py``."""
        return {
            "STAGE": "local",
            "AWS_ACCESS_KEY_ID": engines.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": engines.SECRET_KEY,
            "REGION": engines.REGION,
            "DYNAMODB_URL": self.engine_url,
            "S3_URL": self.photos_url,
            "PHOTO_BASE_URL": f"{self.photos_url}/{BUCKET}",
            "SECRETS_FROM": f"file:{self.home / 'secrets.json'}",
            "WECHAT_URL": self.wechat_url,
            "WECOM_URL": self.wechat_url,
            "MINI_APPID": accounts.MINI.appid,
            "SERVICE_APPID": accounts.SERVICE.appid,
            "API_HOST": self.api_url,
            "CLOCK_FILE": str(self.clock_file),
            **self.extra,
        }

    def start(self) -> Stack:
        """Start every part in order; each answers before the next begins."""
        for part in PARTS:
            if part not in self.without:
                self.start_part(part)
                if part == "engine":
                    engines.create_tables(self.engine_url)
        return self

    def start_part(self, part: str) -> None:
        """Start one part and wait until it answers. Raises ``RuntimeError`` with its log.

        What is left of its last run goes first.
        """
        if part in self.processes:
            self.kill_part(part)
        log = self.home / "logs" / f"{part}.log"
        with log.open("ab") as output:
            self.processes[part] = subprocess.Popen(
                self._command(part),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": _python_path(), **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        port = getattr(self.ports, part, None)
        if port is not None:
            self._await_port(part, port, log)

    def kill_part(self, part: str) -> None:
        """Kill one part without warning, with all its processes."""
        process = self.processes[part]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """Stop everything, last started first; what does not stop in 10 s is killed.

        So is what a part that was killed left behind: a worker of its own would hold its port.
        """
        for part in reversed(PARTS):
            process = self.processes.get(part)
            if process is None:
                continue
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            self.kill_part(part)

    def dead(self) -> list[str]:
        """Names of the parts that stopped by themselves."""
        return [part for part, process in self.processes.items() if process.poll() is not None]

    def advance(self, seconds: float) -> None:
        """Move time forward for the product and the simulator."""
        offset = float(self.clock_file.read_text() or 0) + seconds
        loose = self.clock_file.with_suffix(".new")
        loose.write_text(str(offset))
        loose.replace(self.clock_file)
        self.control("clock", {"offset_s": offset})

    def control(self, action: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the simulator's control API; ``body`` None reads."""
        request = urllib.request.Request(
            f"{self.wechat_url}/_control/{action}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def _command(self, part: str) -> list[str]:
        python = sys.executable
        if part == "engine":
            path = None if self.in_memory else self.home / "engine" / "data.db"
            return engines.Engine(port=self.ports.engine, path=path).command()
        if part == "photos":
            root = str(self.home / "photos")
            return [python, "-m", "infra.local.photos", "--port", str(self.ports.photos),
                    "--root", root, "--bucket", BUCKET]  # fmt: skip
        if part == "wechat":
            callback = f"{self.api_url}/wechat"
            return [python, "-m", "infra.local.wechat", "--port", str(self.ports.wechat),
                    "--state", str(self.home / "wechat.db"),
                    "--mini-push-url", f"{callback}/callback",
                    "--service-push-url", f"{callback}/service-callback"]  # fmt: skip
        if part == "api":
            return [python, "-m", "infra.local.server", "127.0.0.1", str(self.ports.api),
                    str(self.api_threads)]  # fmt: skip
        return [python, "-m", "infra.local.pump", str(self.arrivals)]

    def _await_port(self, part: str, port: int, log: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.processes[part].poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return
            time.sleep(0.02)
        tail = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{part} did not start on port {port}:\n{tail}")

    def _make_secrets(self) -> None:
        path = self.home / "secrets.json"
        if path.exists():
            return
        values = {
            "root_key": secrets.token_hex(32),
            "mini_secret": accounts.MINI.secret,
            "service_secret": accounts.SERVICE.secret,
            "mini_push_token": accounts.MINI.token,
            "mini_push_key": accounts.MINI.aes_key,
            "service_push_token": accounts.SERVICE.token,
            "service_push_key": accounts.SERVICE.aes_key,
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(values))


@contextlib.contextmanager
def temporary_stack(**options: Any) -> Any:
    """A stack on free ports whose data go when it is left."""
    home = Path(tempfile.mkdtemp(prefix="partners-"))
    stack = Stack(home=home, **options)
    try:
        yield stack.start()
    finally:
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)


def _python_path() -> str:
    return os.pathsep.join([str(ROOT), str(ROOT / "chalice_app")])
