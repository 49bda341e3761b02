"""The XML documents of successful answers."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote
from xml.sax.saxutils import escape

from infra.local.photos.faults import Fault
from infra.local.photos.objects import StoredObject

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_MAX_KEYS = 1000


def post_response(bucket: str, stored: StoredObject) -> bytes:
    """Answer a form with ``success_action_status`` 201."""
    return (
        f"{_DECLARATION}<PostResponse><Bucket>{escape(bucket)}</Bucket>"
        f"<Key>{escape(stored.key)}</Key><ETag>&quot;{stored.etag}&quot;</ETag></PostResponse>"
    ).encode()


def copy_result(stored: StoredObject) -> bytes:
    """Answer CopyObject."""
    return (
        f"{_DECLARATION}<CopyObjectResult {_NAMESPACE}><ETag>&quot;{stored.etag}&quot;</ETag>"
        f"<LastModified>{_instant(stored)}</LastModified></CopyObjectResult>"
    ).encode()


def listing(bucket: str, found: Sequence[StoredObject], query: Mapping[str, str]) -> bytes:
    """Answer ListObjectsV2: the page of ``found`` (sorted by key) that the query asks for."""
    after = _after(query)
    count = _max_keys(query)
    rest = [stored for stored in found if stored.key.encode() > after]
    page = rest[:count]
    encode = quote if query.get("encoding-type") == "url" else escape
    cut = len(rest) > len(page)
    token = base64.urlsafe_b64encode(page[-1].key.encode()).decode() if cut and page else ""
    contents = "".join(
        f"<Contents><Key>{encode(stored.key)}</Key><Size>{stored.size_bytes}</Size>"
        f"<ETag>&quot;{stored.etag}&quot;</ETag><LastModified>{_instant(stored)}</LastModified>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for stored in page
    )
    return (
        f"{_DECLARATION}<ListBucketResult {_NAMESPACE}><Name>{escape(bucket)}</Name>"
        f"<Prefix>{encode(query.get('prefix', ''))}</Prefix><KeyCount>{len(page)}</KeyCount>"
        f"<MaxKeys>{count}</MaxKeys><IsTruncated>{'true' if cut else 'false'}</IsTruncated>"
        + (f"<NextContinuationToken>{token}</NextContinuationToken>" if token else "")
        + ("<EncodingType>url</EncodingType>" if encode is quote else "")
        + f"{contents}</ListBucketResult>"
    ).encode()


def _after(query: Mapping[str, str]) -> bytes:
    if "continuation-token" not in query:
        return query.get("start-after", "").encode()
    try:
        return base64.urlsafe_b64decode(query["continuation-token"])
    except ValueError as exc:
        raise Fault("InvalidArgument", "The continuation token is not ours") from exc


def _max_keys(query: Mapping[str, str]) -> int:
    text = query.get("max-keys", str(_MAX_KEYS))
    if not text.isdecimal():
        raise Fault("InvalidArgument", "max-keys must be a number")
    return min(int(text), _MAX_KEYS)


def _instant(stored: StoredObject) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(stored.modified_at_s))
