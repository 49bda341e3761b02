"""The gate: a form passes exactly as it was signed, and every other one leaves nothing behind."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from models.gateways.photos import UploadForm
from tests.infra.photos.conftest import BUCKET, CONTENT, Shop, posted


def code(response: requests.Response) -> str:
    found = re.search("<Code>(.*?)</Code>", response.text)
    assert found, response.text
    return found[1]


def resigned(form: UploadForm, change: Any) -> UploadForm:
    """The form with its policy changed and signed again with the right key."""
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    policy = change(policy) or policy
    text = base64.b64encode(json.dumps(policy).encode()).decode()
    key = b"AWS4local-secret"
    scope = form.fields["x-amz-credential"].split("/")[1:]
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    return replace(form, fields={**form.fields, "policy": text, "x-amz-signature": key.hex()})


def test_form_as_signed_is_stored_and_announced(shop: Shop) -> None:
    form = shop.form("uploads/a b+信.jpg")

    response = posted(form)

    assert response.status_code == form.success_status == 201
    assert shop.gateway.read("uploads/a b+信.jpg", max_bytes=10_000) == CONTENT
    (event,) = shop.events()
    (record,) = json.loads(event.read_text())["Records"]
    assert record["eventName"] == "ObjectCreated:Post"
    assert record["s3"]["bucket"] == {"name": BUCKET}
    assert record["s3"]["object"]["key"] == "uploads/a+b%2B%E4%BF%A1.jpg"
    assert record["s3"]["object"]["size"] == len(CONTENT)
    assert record["s3"]["object"]["eTag"] == hashlib.md5(CONTENT).hexdigest()


def test_same_form_posted_again_is_stored_again(shop: Shop) -> None:
    assert [posted(shop.form()).status_code for _ in range(2)] == [201, 201]
    assert len(shop.events()) == 2


def test_form_with_status_204_is_answered_without_a_body(shop: Shop) -> None:
    def ask_204(policy: dict[str, Any]) -> None:
        policy["conditions"] = [
            {"success_action_status": "204"} if "success_action_status" in condition else condition
            for condition in policy["conditions"]
        ]

    response = posted(resigned(shop.form(), ask_204), changes={"success_action_status": "204"})

    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch"),
        ({"x-amz-signature": None}, "AccessDenied"),
        ({"policy": None}, "AccessDenied"),
        ({"policy": base64.b64encode(b"{}").decode()}, "SignatureDoesNotMatch"),
        ({"x-amz-algorithm": "AWS4-NONE"}, "InvalidArgument"),
        ({"x-amz-date": "20200101T000000Z"}, "AccessDenied"),
        ({"x-amz-credential": "other/20200101/cn-north-1/s3/aws4_request"}, "AccessDenied"),
        ({"key": "uploads/another.jpg"}, "AccessDenied"),
        ({"key": "published/one.jpg"}, "AccessDenied"),
        ({"key": "uploads/../published/one.jpg"}, "AccessDenied"),
        ({"key": None}, "AccessDenied"),
        ({"Content-Type": "text/html"}, "AccessDenied"),
        ({"Content-Type": None}, "AccessDenied"),
        ({"success_action_status": "200"}, "AccessDenied"),
        ({"x-amz-checksum-sha256": "A" * 43 + "="}, "AccessDenied"),
        ({"x-amz-checksum-sha256": None}, "AccessDenied"),
        ({"x-amz-checksum-algorithm": None}, "AccessDenied"),
        ({"acl": "public-read"}, "AccessDenied"),
        ({"x-amz-meta-note": "extra"}, "AccessDenied"),
        ({"bucket": "other"}, "AccessDenied"),
    ],
)
def test_changed_field_is_refused(
    shop: Shop, changes: dict[str, str | None], expected: str
) -> None:
    response = posted(shop.form(), changes=changes)

    assert code(response) == expected
    assert shop.is_empty()


def test_another_access_key_is_unknown(shop: Shop) -> None:
    form = shop.form()
    credential = form.fields["x-amz-credential"].replace("local-access", "someone-else")

    assert code(posted(form, changes={"x-amz-credential": credential})) == "InvalidAccessKeyId"
    assert shop.is_empty()


def test_field_named_ignore_is_allowed_as_s3_allows_it(shop: Shop) -> None:
    assert posted(shop.form(), changes={"x-ignore-note": "anything"}).status_code == 201


def test_expired_policy_is_refused(shop: Shop) -> None:
    form = shop.form(age=timedelta(seconds=601), expires_in_s=600)

    response = posted(form)

    assert (response.status_code, code(response)) == (403, "AccessDenied")
    assert "expired" in response.text
    assert shop.is_empty()


def test_policy_is_taken_until_it_expires(shop: Shop) -> None:
    form = shop.form(age=timedelta(seconds=540), expires_in_s=600)

    assert posted(form).status_code == 201


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CONTENT + b"x", "EntityTooLarge"),
        (bytes(20_000_000), "EntityTooLarge"),
        (CONTENT[:-1], "EntityTooSmall"),
        (b"", "EntityTooSmall"),
        (CONTENT[:-1] + b"x", "BadDigest"),
    ],
    ids=["one byte more", "20 MB", "one byte less", "empty", "one byte other"],
)
def test_file_that_is_not_the_one_promised_is_refused(
    shop: Shop, content: bytes, expected: str
) -> None:
    response = posted(shop.form(), content)

    assert (response.status_code, code(response)) == (400, expected)
    assert shop.is_empty()


def test_file_between_two_chunks_is_kept_byte_for_byte(shop: Shop) -> None:
    for size_bytes in (1, 65_535, 65_536, 65_537, 300_000):
        content = (b"\r\n--\r\n-" * (size_bytes // 7 + 1))[:size_bytes]

        assert posted(shop.form(f"uploads/{size_bytes}", content), content).status_code == 201
        assert shop.gateway.read(f"uploads/{size_bytes}", max_bytes=size_bytes) == content


def test_form_for_another_bucket_is_refused(shop: Shop) -> None:
    response = posted(shop.form(), url=f"{shop.running.url}/other")

    assert (response.status_code, code(response)) == (404, "NoSuchBucket")


def test_policy_that_names_another_bucket_is_refused(shop: Shop) -> None:
    def move(policy: dict[str, Any]) -> None:
        policy["conditions"][0] = {"bucket": "other"}

    assert code(posted(resigned(shop.form(), move))) == "AccessDenied"
    assert shop.is_empty()


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: policy.pop("expiration") and None,
        lambda policy: policy.update(expiration="soon"),
        lambda policy: policy.update(expiration="2999-01-01T00:00:00"),
        lambda policy: policy.pop("conditions") and None,
        lambda policy: policy["conditions"].append(["matches", "$key", "x"]),
        lambda policy: policy["conditions"].append({"key": 1}),
        lambda policy: ["no", "policy"],
    ],
)
def test_signed_nonsense_is_an_invalid_policy(shop: Shop, change: Any) -> None:
    response = posted(resigned(shop.form(), change))

    assert (response.status_code, code(response)) == (400, "InvalidPolicyDocument")
    assert shop.is_empty()


def test_starts_with_allows_its_prefix_only(shop: Shop) -> None:
    def loosen(policy: dict[str, Any]) -> None:
        policy["conditions"] = [
            ["starts-with", "$key", "uploads/mine/"] if "key" in condition else condition
            for condition in policy["conditions"]
        ]

    form = resigned(shop.form(), loosen)

    assert posted(form, changes={"key": "uploads/mine/1"}).status_code == 201
    assert code(posted(form, changes={"key": "uploads/yours/1"})) == "AccessDenied"


@pytest.mark.parametrize("key", ["uploads/../../../etc/passwd", "/etc/passwd", "..", "uploads/\0"])
def test_key_is_a_name_and_never_a_path(shop: Shop, key: str) -> None:
    assert posted(shop.form(key)).status_code == 201

    assert shop.gateway.read(key, max_bytes=10_000) == CONTENT
    stored = {path.parent for path in shop.root.rglob("*") if path.is_file()}
    assert stored <= {shop.root / "objects" / BUCKET, shop.root / "events"}


def test_line_break_in_a_content_type_cannot_become_a_header(shop: Shop) -> None:
    def loosen(policy: dict[str, Any]) -> None:
        policy["conditions"].append(["starts-with", "$Content-Type", ""])
        policy["conditions"] = [
            condition for condition in policy["conditions"] if "Content-Type" not in condition
        ]

    response = posted(
        resigned(shop.form(), loosen), changes={"Content-Type": "image/jpeg\r\nSet-Cookie: a"}
    )

    assert code(response) == "InvalidArgument"
    assert shop.is_empty()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "MalformedPOSTRequest"),
        (b"--edge--\r\n", "MalformedPOSTRequest"),
        (b"no form at all", "MalformedPOSTRequest"),
        (b'--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\na\r\n--edge--\r\n',
         "MalformedPOSTRequest"),
        (b'--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\na\r\n' * 2,
         "InvalidArgument"),
        (b'--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\n' + b"a" * 200_000,
         "MalformedPOSTRequest"),
        (b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--edge--\r\n',
         "AccessDenied"),
    ],
)  # fmt: skip
def test_crooked_form_is_refused(shop: Shop, body: bytes, expected: str) -> None:
    response = requests.post(
        f"{shop.running.url}/{BUCKET}",
        data=body,
        headers={"Content-Type": "multipart/form-data; boundary=edge"},
        timeout=10,
    )

    assert code(response) == expected
    assert shop.is_empty()


def test_sender_that_hangs_up_in_the_middle_leaves_nothing(shop: Shop) -> None:
    form = shop.form()
    request = requests.Request(
        "POST", form.url, data=dict(form.fields), files={"file": ("a.jpg", CONTENT)}
    ).prepare()
    assert isinstance(request.body, bytes)
    address = urlsplit(form.url)
    head = f"POST /{BUCKET} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request.body)}\r\n"
    head += f"Content-Type: {request.headers['Content-Type']}\r\n\r\n"

    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode() + request.body[:-700])
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()

    assert b"<Code>IncompleteBody</Code>" in answer
    assert shop.is_empty()
