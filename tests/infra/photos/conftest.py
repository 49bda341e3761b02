"""A running store, the gateway that signs for it, and a form to tamper with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from infra.local.photos.server import RunningStore, start_photo_store
from models.gateways.photos import S3PhotoStore, UploadForm

BUCKET = "photos"
CONTENT = b"\r\n--not the end" * 100


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The store under test, its disk and two ways in."""

    running: RunningStore
    root: Path
    gateway: S3PhotoStore
    session: boto3.session.Session

    @cached_property
    def client(self) -> Any:
        """An S3 client of its own, built only where a test needs one."""
        return self.session.client(
            "s3",
            region_name="cn-north-1",
            endpoint_url=self.running.url,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def form(
        self,
        key: str = "uploads/one.jpg",
        content: bytes = CONTENT,
        *,
        age: timedelta = timedelta(),
        expires_in_s: int = 600,
    ) -> UploadForm:
        """A form signed for exactly this key and content."""
        return self.gateway.presign_upload(
            key=key,
            content_type="image/jpeg",
            size_bytes=len(content),
            sha256_hex=hashlib.sha256(content).hexdigest(),
            signed_at=datetime.now(UTC) - age,
            expires_in_s=expires_in_s,
        )

    def events(self) -> list[Path]:
        return sorted((self.root / "events").iterdir())

    def is_empty(self) -> bool:
        """Nothing stored, nothing announced, nothing left lying about."""
        folders = (self.root / "objects" / BUCKET, self.root / "events", self.root / "drafts")
        return not any(any(folder.iterdir()) for folder in folders)


def posted(
    form: UploadForm,
    content: bytes = CONTENT,
    changes: Mapping[str, str | None] | None = None,
    *,
    url: str | None = None,
) -> requests.Response:
    """Post a form as ``wx.uploadFile`` does; changes replace fields, None removes them."""
    fields = {**form.fields, **(changes or {})}
    return requests.post(
        url or form.url,
        data={name: value for name, value in fields.items() if value is not None},
        files={form.file_field: ("photo.jpg", content, "image/jpeg")},
        timeout=10,
    )


@pytest.fixture(scope="session")
def session() -> boto3.session.Session:
    """One session for all tests: it keeps the service's description, which is slow to read."""
    return boto3.session.Session("local-access", "local-secret")


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: boto3.session.Session
) -> Iterator[Shop]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local-access")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local-secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    running = start_photo_store(
        root=tmp_path, bucket=BUCKET, access_key="local-access", secret_key="local-secret"
    )
    gateway = S3PhotoStore(
        bucket=BUCKET,
        region="cn-north-1",
        endpoint_url=running.url,
        path_style=True,
    )
    shop = Shop(running=running, root=tmp_path, gateway=gateway, session=session)
    yield shop
    if "client" in vars(shop):
        shop.client.close()
    running.stop()
