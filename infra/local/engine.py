"""The local DynamoDB engine: fetching it once, starting it, making the tables that AWS gets.

dynoxide is one static binary (SQLite below), pinned by version and integrity. It starts in
milliseconds, keeps its data in one file when given a path, and is atomic under concurrency.
Where the binary cannot be had (it exists for Linux on x86-64), ministack in an environment of its
own takes its place; it keeps data only over a clean stop.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "@dynoxide/linux-x64"
VERSION = "1.2.1"
INTEGRITY = (
    "sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg=="
)
MINISTACK = "ministack==1.5.33"
TOOLS = ROOT / ".local" / "tools"
TEMPLATE = ROOT / "infra" / "template" / "data.yaml"
REGION = "cn-northwest-1"
ACCESS_KEY = "local"
SECRET_KEY = "local"


def binary() -> Path | None:
    """The engine's executable, fetched on first use; None where it does not exist."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    target = TOOLS / f"dynoxide-{VERSION}"
    if not target.exists():
        _fetch(target)
    return target


def _fetch(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        archive = next(Path(folder).glob("*.tgz"))
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != INTEGRITY:
            raise RuntimeError(f"{PACKAGE} {VERSION} is not the pinned package")
        with tarfile.open(archive) as package:
            member = package.extractfile("package/dynoxide")
            assert member is not None
            loose = Path(folder) / "dynoxide"
            loose.write_bytes(member.read())
        loose.chmod(0o755)
        loose.replace(target)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Engine:
    """A running engine. ``path`` None keeps everything in memory."""

    patience_s = 20.0

    def __init__(self, *, port: int | None = None, path: Path | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._path = path
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Engine:
        """Start and wait until it answers; at most ``patience_s``."""
        self.process = subprocess.Popen(
            self.command(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment(),
            start_new_session=True,
        )
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the engine stopped with {self.process.returncode}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return self
            time.sleep(0.005)
        self.stop()
        raise RuntimeError("the engine does not answer")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop it; ministack keeps its data only on SIGTERM."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)

    def command(self) -> list[str]:
        """The command line that starts this engine."""
        found = binary()
        if found is None:
            return [str(_ministack())]
        command = [str(found), "--host", "127.0.0.1", "--port", str(self.port)]
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            command += ["--db-path", str(self._path)]
        return command

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **(self._settings() if binary() is None else {})}

    def _settings(self) -> dict[str, str]:
        """How ministack is told its port and its place."""
        settings = {"GATEWAY_PORT": str(self.port)}
        if self._path:
            settings |= {"PERSIST_STATE": "1", "STATE_DIR": str(self._path.parent)}
        return settings


class Ministack(Engine):
    """The fallback, also where the binary could be had."""

    def command(self) -> list[str]:
        return [str(_ministack())]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._settings()}


def _ministack() -> Path:
    """The fallback in an environment of its own: it pins a botocore that is not ours."""
    home = TOOLS / "ministack"
    program = home / "bin" / "ministack"
    if not program.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", MINISTACK], check=True)
    return program


def client(url: str) -> Any:
    """A plain client for making tables and looking into them; the product uses its own."""
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(retries={"total_max_attempts": 3}, read_timeout=10),
    )


class _Template(yaml.SafeLoader):
    """Reads CloudFormation: ``!Sub`` and its kin are kept as their plain argument."""


_Template.add_multi_constructor(
    "!",
    lambda loader, _tag, node: loader.construct_scalar(node),
)


def table_definitions(prefix: str = "") -> list[dict[str, Any]]:
    """Every table of ``infra/template/data.yaml`` as ``CreateTable`` takes it."""
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Template)
    tables = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]
    return [_creation(table, prefix) for table in tables]


def _creation(table: dict[str, Any], prefix: str) -> dict[str, Any]:
    kept = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    creation = {key: table[key] for key in kept if key in table}
    creation["TableName"] = table["TableName"].replace("${Prefix}", prefix)
    if "StreamSpecification" in table:
        creation["StreamSpecification"] = {"StreamEnabled": True, **table["StreamSpecification"]}
    return creation


def create_tables(url: str, prefix: str = "") -> int:
    """Make the tables that are missing; answers how many were made. Safe to repeat."""
    dynamodb = client(url)
    there = set(dynamodb.list_tables()["TableNames"])
    missing = [t for t in table_definitions(prefix) if t["TableName"] not in there]
    for definition in missing:
        dynamodb.create_table(**definition)
    return len(missing)
