"""The photo store: S3, or whatever speaks like it at ``endpoint_url``."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from models.base.errors import Invalid, NotFound, Unavailable

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 5
SUCCESS_STATUS = 201
FILE_FIELD = "file"
_ALGORITHM = "AWS4-HMAC-SHA256"
_ABSENT = {"404", "NoSuchKey", "NotFound"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """A multipart POST that the store will take once its file is put last, as ``file_field``."""

    url: str
    fields: Mapping[str, str]
    file_field: str
    success_status: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHead:
    """What the store knows of an object; ``sha256_hex`` is None if its sender gave no checksum."""

    size_bytes: int
    content_type: str
    sha256_hex: str | None


class S3PhotoStore:
    """Photos in one bucket.

    The client is built on first use, with the credentials of the environment (a role's session
    token included). Every method raises ``Unavailable`` when the store cannot be asked.
    """

    def __init__(
        self,
        *,
        bucket: str,
        region: str,
        endpoint_url: str | None = None,
        path_style: bool = False,
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._endpoint_url = endpoint_url
        self._path_style = path_style

    def presign_upload(
        self,
        *,
        key: str,
        content_type: str,
        size_bytes: int,
        sha256_hex: str,
        signed_at: datetime,
        expires_in_s: int,
    ) -> UploadForm:
        """Allow one upload: this key, this type, this size, these bytes, until then.

        The same arguments give the same answer, so a repeated request needs only the stored
        ``signed_at`` (aware; the machine's real time when it was first asked, whole seconds count).
        Only a change of the role's credentials in between changes the signature.

        *Source:* Amazon S3 API reference, "Browser-Based Uploads Using POST (SigV4)".
        """
        if signed_at.tzinfo is None:
            raise ValueError("signed_at needs a zone")
        signed_at = signed_at.astimezone(UTC).replace(microsecond=0)
        expires_at = signed_at + timedelta(seconds=expires_in_s)
        stamp = signed_at.strftime("%Y%m%dT%H%M%SZ")
        credentials = self._credentials()
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        fields = {
            "key": key,
            "Content-Type": content_type,
            "success_action_status": str(SUCCESS_STATUS),
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256_hex)).decode(),
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{credentials.access_key}/{scope}",
            "x-amz-date": stamp,
        }
        if credentials.token:
            fields["x-amz-security-token"] = credentials.token
        policy = {
            "expiration": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "conditions": [
                {"bucket": self._bucket},
                *({name: value} for name, value in fields.items()),
                ["content-length-range", size_bytes, size_bytes],
            ],
        }
        text = base64.b64encode(json.dumps(policy, separators=(",", ":")).encode()).decode()
        fields["policy"] = text
        fields["x-amz-signature"] = _sign(credentials.secret_key, scope, text)
        return UploadForm(
            url=self._form_url(),
            fields=fields,
            file_field=FILE_FIELD,
            success_status=SUCCESS_STATUS,
            expires_at=expires_at,
        )

    def head(self, key: str) -> ObjectHead | None:
        """Look at an object without its bytes; None if there is none. One call."""
        try:
            with _asking():
                found = self._client.head_object(
                    Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
                )
        except NotFound:
            return None
        return ObjectHead(
            size_bytes=found["ContentLength"],
            content_type=found["ContentType"],
            sha256_hex=_hex_of(found.get("ChecksumSHA256")),
        )

    def read(self, key: str, *, max_bytes: int) -> bytes:
        """Fetch an object whole; ``NotFound``, or ``Invalid`` if it is larger. One call."""
        with _asking():
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            with found["Body"] as body:
                content: bytes = body.read() if found["ContentLength"] <= max_bytes else b""
        if found["ContentLength"] > max_bytes:
            raise Invalid("photo.too_large", limit=max_bytes)
        return content

    def put(
        self, key: str, content: bytes, *, content_type: str, cache_control: str | None = None
    ) -> None:
        """Store bytes under a key, in place of what was there; safe to repeat. One call."""
        described = {"ContentType": content_type}
        if cache_control:
            described["CacheControl"] = cache_control
        with _asking():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, **described)

    def copy(self, source_key: str, key: str) -> None:
        """Copy an object with its description; ``NotFound`` if there is none. One call."""
        source = {"Bucket": self._bucket, "Key": source_key}
        with _asking():
            self._client.copy_object(Bucket=self._bucket, Key=key, CopySource=source)

    def delete(self, key: str) -> None:
        """Remove an object; an absent one is fine. One call."""
        with _asking():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _form_url(self) -> str:
        # The client knows the partition's endpoint (amazonaws.com.cn in aws-cn); forms only differ
        # in where the bucket stands.
        endpoint = self._client.meta.endpoint_url.rstrip("/")
        if self._path_style:
            return f"{endpoint}/{self._bucket}"
        parts = urlsplit(endpoint)
        return f"{parts.scheme}://{self._bucket}.{parts.netloc}/"

    def _credentials(self) -> Any:
        with _asking():
            found = self._session.get_credentials()
            if found is None:
                raise Unavailable("photo_store.unavailable")
            return found.get_frozen_credentials()

    @cached_property
    def _session(self) -> Any:
        # Imported here: the S3 client costs most of a cold start that may not need it.
        import boto3

        return boto3.session.Session(region_name=self._region)

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config

        return self._session.client(
            "s3",
            endpoint_url=self._endpoint_url,
            config=Config(
                signature_version="s3v4",
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path" if self._path_style else "virtual"},
            ),
        )


@contextmanager
def _asking() -> Iterator[None]:
    """Turn the client's errors into ours: absent is ``NotFound``, the rest ``Unavailable``."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as exc:
        if exc.response.get("Error", {}).get("Code") in _ABSENT:
            raise NotFound("photo.not_found") from exc
        raise Unavailable("photo_store.unavailable") from exc
    except BotoCoreError as exc:
        raise Unavailable("photo_store.unavailable") from exc


def _sign(secret_key: str, scope: str, text: str) -> str:
    key = f"AWS4{secret_key}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _hex_of(checksum: str | None) -> str | None:
    """Read base64 as hex; a checksum of parts (``…-3``) says nothing about the whole."""
    if checksum is None:
        return None
    try:
        return base64.b64decode(checksum, validate=True).hex()
    except binascii.Error:
        return None
