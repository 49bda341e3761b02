"""Where a photo lies at each stage, and what cases need of a photo store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

ORIGINALS = "uploads/"
REVIEW = "review/"
PUBLISHED = "published/"
PUBLISHED_CACHE = "public, max-age=31536000, immutable"
REVIEW_CACHE = "private, no-store"


class UploadForm(Protocol):
    """A multipart POST that the store will take."""

    @property
    def url(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...
    @property
    def file_field(self) -> str: ...
    @property
    def success_status(self) -> int: ...
    @property
    def expires_at(self) -> datetime: ...


class ObjectHead(Protocol):
    """What the store knows of an object without its bytes."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def sha256_hex(self) -> str | None: ...


class PhotoStore(Protocol):
    """Keeps objects by key; every method may raise ``Unavailable``."""

    def presign_upload(
        self,
        *,
        key: str,
        content_type: str,
        size_bytes: int,
        sha256_hex: str,
        signed_at: datetime,
        expires_in_s: int,
    ) -> UploadForm: ...

    def head(self, key: str) -> ObjectHead | None: ...

    def read(self, key: str, *, max_bytes: int) -> bytes: ...

    def put(
        self, key: str, content: bytes, *, content_type: str, cache_control: str | None = None
    ) -> None: ...

    def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoAddresses:
    """Makes stable addresses on our own host name; the names are random, so none can be guessed."""

    base_url: str

    def full(self, name: str, *, is_published: bool) -> str:
        return f"{self.base_url}/{full_key(name, is_published=is_published)}"

    def thumbnail(self, name: str, *, is_published: bool) -> str:
        return f"{self.base_url}/{thumbnail_key(name, is_published=is_published)}"

    def published_thumbnail(self, name: str) -> str:
        return self.thumbnail(name, is_published=True)


def original_key(upload_id: str) -> str:
    """Where the sender's bytes lie: private, and never shown as they are."""
    return f"{ORIGINALS}{upload_id}"


def upload_id_of(key: str) -> str | None:
    """Which upload an arrived object belongs to; None for an object that is no upload."""
    upload_id = key.removeprefix(ORIGINALS)
    return upload_id if upload_id != key and upload_id and "/" not in upload_id else None


def full_key(name: str, *, is_published: bool) -> str:
    return f"{PUBLISHED if is_published else REVIEW}{name}.jpg"


def thumbnail_key(name: str, *, is_published: bool) -> str:
    return f"{PUBLISHED if is_published else REVIEW}{name}-s.jpg"
