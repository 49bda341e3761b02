"""boto3 works with the store as with S3; strangers see what is published and nothing else."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.infra.photos.conftest import BUCKET, CONTENT, Shop, posted


def failure(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, **arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_object_comes_back_as_it_was_put(shop: Shop) -> None:
    shop.client.put_object(
        Bucket=BUCKET,
        Key="kept/信 1.jpg",
        Body=CONTENT,
        ContentType="image/jpeg",
        CacheControl="no-cache",
        Metadata={"note": "seen"},
    )

    found = shop.client.get_object(Bucket=BUCKET, Key="kept/信 1.jpg")
    head = shop.client.head_object(Bucket=BUCKET, Key="kept/信 1.jpg")
    assert found["Body"].read() == CONTENT
    for answer in (found, head):
        assert answer["ContentType"] == "image/jpeg"
        assert answer["CacheControl"] == "no-cache"
        assert answer["Metadata"] == {"note": "seen"}
        assert answer["ContentLength"] == len(CONTENT)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=0-3", CONTENT[:4]), ("bytes=5-", CONTENT[5:]), ("bytes=-5", CONTENT[-5:]),
     ("bytes=3-999999", CONTENT[3:])],
)  # fmt: skip
def test_range_gives_those_bytes(shop: Shop, asked: str, expected: bytes) -> None:
    posted(shop.form("uploads/x"))

    found = shop.client.get_object(Bucket=BUCKET, Key="uploads/x", Range=asked)

    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert found["Body"].read() == expected


def test_range_beyond_the_end_is_refused(shop: Shop) -> None:
    posted(shop.form("uploads/x"))

    assert failure(shop.client.get_object, Key="uploads/x", Range="bytes=999999-") == (
        416,
        "InvalidRange",
    )


def test_deleted_object_is_gone_and_may_be_deleted_again(shop: Shop) -> None:
    shop.client.put_object(Bucket=BUCKET, Key="x", Body=b"1")

    for _ in range(2):
        shop.client.delete_object(Bucket=BUCKET, Key="x")

    assert failure(shop.client.get_object, Key="x") == (404, "NoSuchKey")
    assert failure(shop.client.head_object, Key="x") == (404, "404")


def test_copy_keeps_the_description_unless_it_is_replaced(shop: Shop) -> None:
    shop.client.put_object(Bucket=BUCKET, Key="a b", Body=b"1", ContentType="image/png")
    source = {"Bucket": BUCKET, "Key": "a b"}

    shop.client.copy_object(Bucket=BUCKET, Key="kept", CopySource=source)
    shop.client.copy_object(
        Bucket=BUCKET,
        Key="new",
        CopySource=source,
        MetadataDirective="REPLACE",
        ContentType="image/webp",
    )

    kinds = [
        shop.client.head_object(Bucket=BUCKET, Key=key)["ContentType"] for key in ("kept", "new")
    ]
    assert kinds == ["image/png", "image/webp"]
    assert failure(
        shop.client.copy_object, Key="z", CopySource={"Bucket": BUCKET, "Key": "no"}
    ) == (
        404,
        "NoSuchKey",
    )


def test_listing_gives_every_key_below_a_prefix_in_order_and_in_pages(shop: Shop) -> None:
    for key in ("b/2", "b/1 &<", "b/信", "c", "a"):
        shop.client.put_object(Bucket=BUCKET, Key=key, Body=b"1")

    pages = shop.client.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="b/", PaginationConfig={"PageSize": 2}
    )

    assert [[found["Key"] for found in page["Contents"]] for page in pages] == [
        ["b/1 &<", "b/2"],
        ["b/信"],
    ]


def test_only_arrivals_under_uploads_are_announced(shop: Shop) -> None:
    shop.client.put_object(Bucket=BUCKET, Key="published/x", Body=b"1")
    shop.client.put_object(Bucket=BUCKET, Key="uploads/x", Body=b"1")

    (event,) = shop.events()
    assert "ObjectCreated:Put" in event.read_text()


def test_wrong_secret_is_refused(shop: Shop) -> None:
    stranger = boto3.session.Session("local-access", "guessed").client(
        "s3", region_name="cn-north-1", endpoint_url=shop.running.url
    )

    assert failure(stranger.put_object, Key="x", Body=b"1") == (403, "SignatureDoesNotMatch")
    assert failure(stranger.list_objects_v2) == (403, "SignatureDoesNotMatch")
    assert shop.is_empty()
    stranger.close()


def test_body_that_was_not_signed_is_refused(shop: Shop) -> None:
    signed: dict[str, Any] = {}
    shop.client.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: signed.update(request=request)
    )
    shop.client.put_object(Bucket=BUCKET, Key="x", Body=b"1")

    headers = dict(signed["request"].headers.items())
    response = requests.put(signed["request"].url, data=b"2", headers=headers, timeout=10)

    assert response.status_code == 400
    assert "XAmzContentSHA256Mismatch" in response.text
    assert shop.gateway.read("x", max_bytes=1) == b"1"


def test_old_request_cannot_be_replayed(shop: Shop) -> None:
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=local-access/20200101/cn-north-1/s3/"
        "aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
        "x-amz-date": "20200101T000000Z",
    }

    response = requests.get(f"{shop.running.url}/{BUCKET}/x", headers=headers, timeout=10)

    assert response.status_code == 403
    assert "RequestTimeTooSkewed" in response.text


def test_presigned_address_opens_one_object_until_it_is_changed(shop: Shop) -> None:
    shop.client.put_object(Bucket=BUCKET, Key="private/a b", Body=b"seen")
    url = shop.client.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": "private/a b"}, ExpiresIn=60
    )

    assert requests.get(url, timeout=10).content == b"seen"
    assert requests.get(url.replace("a%20b", "c"), timeout=10).status_code == 403
    assert requests.get(url.replace("Expires=60", "Expires=6000"), timeout=10).status_code == 403
    assert requests.put(url, data=b"x", timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("prefix", "cache_control"),
    [("published/", "public, max-age=31536000, immutable"), ("review/", "private, no-store")],
)
def test_anyone_reads_public_prefixes_with_their_cache_rule(
    shop: Shop, prefix: str, cache_control: str
) -> None:
    shop.gateway.put(f"{prefix}x.jpg", b"seen", content_type="image/jpeg")

    response = requests.get(f"{shop.running.url}/{BUCKET}/{prefix}x.jpg", timeout=10)

    assert response.content == b"seen"
    assert response.headers["Cache-Control"] == cache_control
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/uploads/x"), ("HEAD", "/uploads/x"), ("GET", "/uploads/absent"), ("GET", ""),
     ("GET", "/published/../uploads/x"), ("GET", "/published%2F..%2Fuploads/x"),
     ("PUT", "/published/x"), ("DELETE", "/published/x"), ("POST", "/published/x")],
)  # fmt: skip
def test_strangers_get_nothing_else(shop: Shop, method: str, path: str) -> None:
    posted(shop.form("uploads/x"))
    shop.gateway.put("published/x", b"1", content_type="image/jpeg")
    session = requests.Session()
    request = requests.Request(method, shop.running.url).prepare()
    request.url = f"{shop.running.url}/{BUCKET}{path}"

    response = session.send(request, timeout=10)

    assert response.status_code == (404 if ".." in path else 403)
    assert CONTENT not in response.content
    assert shop.gateway.read("published/x", max_bytes=1) == b"1"
    session.close()


def test_too_large_object_is_refused_before_it_is_read(shop: Shop) -> None:
    client = boto3.session.Session().client(
        "s3",
        region_name="cn-north-1",
        endpoint_url=shop.running.url,
        config=Config(retries={"total_max_attempts": 1}),
    )

    assert failure(client.put_object, Key="x", Body=bytes(33 * 1024 * 1024)) == (
        400,
        "EntityTooLarge",
    )
    assert shop.is_empty()
    client.close()
