"""Objects on disk: each in one file that is either complete and durable or not there.

``ROOT/objects/<bucket>/<sha256 of the key>`` holds one line of JSON metadata, then the bytes: one
rename publishes both, so neither can ever stand without the other. ``ROOT/events`` holds one file
per arrival, in order of name; whoever handles an arrival deletes its file.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import threading
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_plus

from infra.local.photos.faults import Fault

NOTIFIED_PREFIX = "uploads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """What is known about an object; ``sha256`` is base64 and only there if the sender gave it."""

    key: str
    size_bytes: int
    etag: str
    modified_at_s: float
    content_type: str
    cache_control: str | None = None
    sha256: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Draft:
    """Bytes on their way in: written to a temporary file and hashed, not yet an object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.crc32 = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def fill(self, chunks: Iterable[bytes], file: BinaryIO, max_bytes: int) -> None:
        """Take every chunk; stops with ``EntityTooLarge`` at the first byte beyond the limit."""
        for chunk in chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > max_bytes:
                raise Fault("EntityTooLarge", "Your proposed upload exceeds the maximum size")
            self._md5.update(chunk)
            self._sha256.update(chunk)
            self.crc32 = zlib.crc32(chunk, self.crc32)
            file.write(chunk)

    @property
    def etag(self) -> str:
        return self._md5.hexdigest()

    @property
    def sha256_hex(self) -> str:
        return self._sha256.hexdigest()

    @property
    def sha256_base64(self) -> str:
        return base64.b64encode(self._sha256.digest()).decode()

    @property
    def crc32_base64(self) -> str:
        return base64.b64encode(self.crc32.to_bytes(4, "big")).decode()


class ObjectStore:
    """One bucket below ``root``; safe for many threads of one process."""

    def __init__(self, root: Path, bucket: str) -> None:
        self.bucket = bucket
        self._objects = root / "objects" / bucket
        self._events = root / "events"
        self._drafts = root / "drafts"
        for directory in (self._objects, self._events, self._drafts):
            directory.mkdir(parents=True, exist_ok=True)
        # A draft that is here now belongs to a process that was killed: nobody was told of it.
        for left in self._drafts.iterdir():
            left.unlink()
        self._last_event = 0
        self._event_lock = threading.Lock()

    @contextlib.contextmanager
    def draft(self, chunks: Iterable[bytes], max_bytes: int) -> Iterator[Draft]:
        """Receive bytes outside the bucket; they vanish unless ``keep`` is called inside."""
        draft = Draft(self._drafts / uuid.uuid4().hex)
        try:
            with draft.path.open("wb") as file:
                draft.fill(chunks, file, max_bytes)
            yield draft
        finally:
            draft.path.unlink(missing_ok=True)

    def keep(
        self,
        draft: Draft,
        key: str,
        *,
        cause: str,
        content_type: str,
        cache_control: str | None = None,
        sha256: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> StoredObject:
        """Make a draft the object ``key``, durably, and then its event if the key is watched."""
        stored = StoredObject(
            key=key,
            size_bytes=draft.size_bytes,
            etag=draft.etag,
            modified_at_s=time.time(),
            content_type=content_type,
            cache_control=cache_control,
            sha256=sha256,
            metadata=dict(metadata or {}),
        )
        with draft.path.open("rb") as source:
            head = json.dumps(asdict(stored)).encode() + b"\n"
            self._write(self._path(key), _with_head(head, source))
        if key.startswith(NOTIFIED_PREFIX):
            self._announce(stored, cause)
        return stored

    def open(self, key: str) -> tuple[StoredObject, BinaryIO]:
        """Open an object, positioned at its first byte; ``NoSuchKey`` if there is none."""
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError as exc:
            raise Fault("NoSuchKey", "The specified key does not exist.") from exc
        return _read_head(file), file

    def delete(self, key: str) -> None:
        """Remove an object durably; an absent one is fine."""
        self._path(key).unlink(missing_ok=True)
        _sync_directory(self._objects)

    def listing(self, prefix: str) -> list[StoredObject]:
        """Every object below a prefix, sorted by key; reads the head of each file."""
        found = []
        for path in self._objects.iterdir():
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                stored = _read_head(file)
                if stored.key.startswith(prefix):
                    found.append(stored)
        return sorted(found, key=lambda stored: stored.key.encode())

    def _path(self, key: str) -> Path:
        return self._objects / hashlib.sha256(key.encode()).hexdigest()

    def _write(self, path: Path, chunks: Iterable[bytes]) -> None:
        draft = self._drafts / uuid.uuid4().hex
        try:
            with draft.open("wb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)

    def _announce(self, stored: StoredObject, cause: str) -> None:
        with self._event_lock:
            self._last_event = number = max(self._last_event + 1, time.time_ns())
        event = _event(self.bucket, stored, cause, sequencer=f"{number:020d}")
        name = f"{number:020d}-{uuid.uuid4().hex[:8]}.json"
        self._write(self._events / name, [json.dumps(event).encode()])


def _event(bucket: str, stored: StoredObject, cause: str, *, sequencer: str) -> object:
    """Shape an arrival as S3 does.

    *Source:* Amazon S3 user guide, "Event message structure" (version 2.1).
    """
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventTime": time.strftime(
                    "%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(stored.modified_at_s)
                ),
                "eventName": f"ObjectCreated:{cause}",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": {"name": bucket},
                    "object": {
                        "key": quote_plus(stored.key, safe="/"),
                        "size": stored.size_bytes,
                        "eTag": stored.etag,
                        "sequencer": sequencer,
                    },
                },
            }
        ]
    }


def _with_head(head: bytes, source: BinaryIO) -> Iterator[bytes]:
    yield head
    while chunk := source.read(1 << 16):
        yield chunk


def _read_head(file: BinaryIO) -> StoredObject:
    return StoredObject(**json.loads(file.readline()))


def _sync_directory(directory: Path) -> None:
    # A rename is durable only when the directory that holds the name is.
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
