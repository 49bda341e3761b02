"""The gateway signs uploads repeatably and turns the store's answers into the product's errors."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from infra.local.photos.server import start_photo_store
from models.base.errors import Invalid, NotFound, Unavailable
from models.gateways.photos import ObjectHead, S3PhotoStore, UploadForm

SIGNED_AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SHA256 = hashlib.sha256(b"photo").hexdigest()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local-access")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local-secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def a_gateway(**changes: Any) -> S3PhotoStore:
    settings = {
        "bucket": "photos",
        "region": "cn-north-1",
    }
    return S3PhotoStore(**{**settings, **changes})


def a_form(gateway: S3PhotoStore, **changes: Any) -> UploadForm:
    asked = {
        "key": "uploads/upl_1.jpg",
        "content_type": "image/jpeg",
        "size_bytes": 5,
        "sha256_hex": SHA256,
        "signed_at": SIGNED_AT,
        "expires_in_s": 600,
    }
    return gateway.presign_upload(**{**asked, **changes})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[S3PhotoStore]:
    running = start_photo_store(
        root=tmp_path, bucket="photos", access_key="local-access", secret_key="local-secret"
    )
    yield a_gateway(endpoint_url=running.url, path_style=True)
    running.stop()


def test_asking_again_with_the_same_instant_gives_the_same_form() -> None:
    first = a_form(a_gateway())
    china = SIGNED_AT.astimezone(timezone(timedelta(hours=8))) + timedelta(microseconds=400)

    assert a_form(a_gateway(), signed_at=china) == first
    assert a_form(a_gateway(), signed_at=SIGNED_AT + timedelta(seconds=1)) != first


def test_form_binds_key_type_size_and_checksum() -> None:
    form = a_form(a_gateway())

    policy = json.loads(base64.b64decode(form.fields["policy"]))
    checksum = base64.b64encode(hashlib.sha256(b"photo").digest()).decode()
    assert policy["expiration"] == "2026-11-23T04:10:00Z"
    for condition in (
        {"bucket": "photos"},
        {"key": "uploads/upl_1.jpg"},
        {"Content-Type": "image/jpeg"},
        ["content-length-range", 5, 5],
        {"x-amz-checksum-sha256": checksum},
        {"x-amz-checksum-algorithm": "SHA256"},
        {"success_action_status": "201"},
    ):
        assert condition in policy["conditions"]
    assert form.expires_at == SIGNED_AT + timedelta(minutes=10)
    assert (form.file_field, form.success_status) == ("file", 201)


def test_every_field_is_covered_by_the_policy() -> None:
    form = a_form(a_gateway())

    policy = json.loads(base64.b64decode(form.fields["policy"]))
    covered = {name for part in policy["conditions"] if isinstance(part, dict) for name in part}
    assert set(form.fields) - covered == {"policy", "x-amz-signature"}


def test_signature_is_the_one_botocore_makes_for_the_same_policy() -> None:
    from botocore.auth import S3SigV4PostAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    form = a_form(a_gateway())
    policy = form.fields["policy"]
    scope = form.fields["x-amz-credential"].partition("/")[2]
    signer = S3SigV4PostAuth(Credentials("local-access", "local-secret"), "s3", "cn-north-1")
    request = AWSRequest(method="POST", url=form.url)
    request.context["timestamp"] = form.fields["x-amz-date"]

    assert scope == signer.credential_scope(request)
    assert form.fields["x-amz-signature"] == signer.signature(policy, request)


def test_role_credentials_bring_their_session_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-a-role")

    form = a_form(a_gateway())

    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert form.fields["x-amz-security-token"] == "token-of-a-role"
    assert {"x-amz-security-token": "token-of-a-role"} in policy["conditions"]


def test_naive_signing_instant_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zone"):
        a_form(a_gateway(), signed_at=SIGNED_AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"region": "cn-north-1"}, "https://photos.s3.cn-north-1.amazonaws.com.cn/"),
        ({"region": "cn-northwest-1"}, "https://photos.s3.cn-northwest-1.amazonaws.com.cn/"),
        ({"region": "eu-central-1"}, "https://photos.s3.eu-central-1.amazonaws.com/"),
        ({"path_style": True}, "https://s3.cn-north-1.amazonaws.com.cn/photos"),
        (
            {"path_style": True, "endpoint_url": "http://127.0.0.1:20001"},
            "http://127.0.0.1:20001/photos",
        ),
    ],
)
def test_form_goes_to_the_regions_own_endpoint(settings: dict[str, Any], expected: str) -> None:
    assert a_form(a_gateway(**settings)).url == expected


def test_object_is_put_seen_read_copied_and_deleted(gateway: S3PhotoStore) -> None:
    gateway.put("kept/1", b"photo", content_type="image/jpeg", cache_control="no-cache")
    gateway.copy("kept/1", "kept/2")
    gateway.delete("kept/1")
    gateway.delete("kept/1")

    assert gateway.head("kept/1") is None
    assert gateway.head("kept/2") == ObjectHead(
        size_bytes=5, content_type="image/jpeg", sha256_hex=None
    )
    assert gateway.read("kept/2", max_bytes=5) == b"photo"


def test_head_tells_the_checksum_that_the_sender_gave(gateway: S3PhotoStore) -> None:
    import requests

    form = a_form(gateway, signed_at=datetime.now(UTC))
    requests.post(form.url, data=dict(form.fields), files={"file": b"photo"}, timeout=10)

    assert gateway.head("uploads/upl_1.jpg") == ObjectHead(
        size_bytes=5, content_type="image/jpeg", sha256_hex=SHA256
    )


def test_absent_object_is_not_found(gateway: S3PhotoStore) -> None:
    assert gateway.head("absent") is None
    with pytest.raises(NotFound):
        gateway.read("absent", max_bytes=1)
    with pytest.raises(NotFound):
        gateway.copy("absent", "kept/1")


def test_object_larger_than_allowed_is_not_read(gateway: S3PhotoStore) -> None:
    gateway.put("kept/1", b"photo", content_type="image/jpeg")

    with pytest.raises(Invalid) as caught:
        gateway.read("kept/1", max_bytes=4)
    assert caught.value.code == "photo.too_large"


def test_store_that_is_away_or_refuses_is_unavailable(
    gateway: S3PhotoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, but nobody listens
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for broken in (gateway, a_gateway(endpoint_url=address, path_style=True)):
            with pytest.raises(Unavailable) as caught:
                broken.head("kept/1")
            assert caught.value.code == "photo_store.unavailable"


def test_without_credentials_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")

    with pytest.raises(Unavailable):
        a_form(a_gateway())
