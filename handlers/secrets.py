"""The environment's secret store. ``SECRETS_FROM`` is ``ssm:/prefix`` or ``file:/path``.

The file form belongs to the local stage: a JSON object that the local run makes, readable by its
owner only. Keys for signing are derived from the one ``root_key``, each for one purpose.
"""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Protocol


class Secrets(Protocol):
    """Gives a secret by name. Raises ``KeyError`` for one that is not there."""

    def get(self, name: str) -> str: ...


class FileSecrets:
    """Secrets of the local stage."""

    def __init__(self, path: Path) -> None:
        self._values: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))

    def get(self, name: str) -> str:
        return self._values[name]


class ParameterSecrets:
    """SSM Parameter Store, SecureString; each is read once per process."""

    def __init__(self, prefix: str, region: str) -> None:
        self._prefix = prefix.rstrip("/")
        self._region = region
        self._known: dict[str, str] = {}

    def get(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = self._fetch(name)
        return self._known[name]

    def _fetch(self, name: str) -> str:
        import boto3  # only where a secret is missing from memory
        from botocore.config import Config

        client = boto3.client(
            "ssm",
            region_name=self._region,
            config=Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3}),
        )
        try:
            answer = client.get_parameter(Name=f"{self._prefix}/{name}", WithDecryption=True)
        except client.exceptions.ParameterNotFound as error:
            raise KeyError(name) from error
        value: str = answer["Parameter"]["Value"]
        return value


def open_secrets(source: str, region: str) -> Secrets:
    """Open the store that ``source`` names."""
    kind, _, place = source.partition(":")
    if kind == "file" and place:
        return FileSecrets(Path(place))
    if kind == "ssm" and place:
        return ParameterSecrets(place, region)
    raise ValueError("SECRETS_FROM must be ssm:/prefix or file:/path")


class Keys:
    """Derives one key per purpose from the root key, so that no key serves two ends."""

    def __init__(self, root: bytes) -> None:
        if len(root) < 32:
            raise ValueError("the root key needs at least 32 bytes")
        self._root = root

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for ``purpose``; the same each time."""
        return hmac.digest(self._root, purpose.encode(), "sha256")
