"""Serve one bucket over S3's path-style HTTP, with nothing let through that S3 would refuse.

Objects under ``published/`` and ``review/`` can be read by anyone who knows the address; every
other request is signed. Time here is always the machine's: signatures don't travel in time.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote

from infra.local.photos import answers
from infra.local.photos.faults import Fault
from infra.local.photos.forms import Body, Form
from infra.local.photos.objects import Draft, StoredObject
from infra.local.photos.policies import check_form
from infra.local.photos.signatures import UNSIGNED, Request, check_request
from infra.local.photos.spans import chunks, span

if TYPE_CHECKING:
    from infra.local.photos.server import PhotoServer

MAX_OBJECT_BYTES = 32 * 1024 * 1024
_FORM_OVERHEAD_BYTES = 64 * 1024
_LINGER_BYTES = 256 * 1024 * 1024
_LINGER_S = 2.0
_PUBLIC_CACHE_CONTROL = {
    "published/": "public, max-age=31536000, immutable",
    "review/": "private, no-store",
}


class Handler(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    server_version = "photo-store"
    sys_version = ""
    timeout = 30
    disable_nagle_algorithm = True
    wbufsize = -1
    server: PhotoServer

    def setup(self) -> None:
        super().setup()
        self._given: dict[str, str] = {}
        self._body = Body(cast(BinaryIO, self.rfile), 0)

    def handle_expect_100(self) -> bool:
        """Tell a waiting client at once to go on; unflushed, it would wait out its second."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: request lines hold keys."""

    def _serve(self) -> None:
        """Answer one request; whatever part of its body was not read is then let go."""
        try:
            self._given = {name.lower(): text for name, text in self.headers.items()}
            length = self._given.get("content-length", "0")
            self._body = Body(cast(BinaryIO, self.rfile), int(length) if length.isdecimal() else 0)
            self._route(length)
        except Fault as fault:
            self._answer(fault.status, fault.xml(), {"Content-Type": "application/xml"})
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        if self._body.remaining:
            self._linger()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _serve

    def _route(self, length: str) -> None:
        if "transfer-encoding" in self._given or not length.isdecimal():
            self.close_connection = True
            raise Fault("MissingContentLength", "You must provide the Content-Length header")
        path, _, query = self.path.partition("?")
        if not path.startswith("/"):
            raise Fault("InvalidArgument", "The request's target is not a path")
        _, bucket, *rest = unquote(path).split("/", 2)
        key = rest[0] if rest else ""
        if self.command == "POST" and not key:
            self._check_bucket(bucket)
            return self._take_form()
        payload = self._check_access(path, query, bucket, key)
        self._check_bucket(bucket)
        match self.command, bool(key):
            case "GET" | "HEAD", True:
                self._give(key, public=payload is None)
            case "PUT", True:
                self._take_object(key, payload or UNSIGNED)
            case "DELETE", True:
                self.server.store.delete(key)
                self._answer(204)
            case "GET", False:
                self._list(dict(parse_qsl(query, keep_blank_values=True)))
            case "HEAD", False:
                self._answer(200)
            case _:
                raise Fault("MethodNotAllowed", "This store does not know that operation")
        return None

    def _check_access(self, path: str, query: str, bucket: str, key: str) -> str | None:
        request = Request(method=self.command, path=path, query=query, headers=self._given)
        payload = check_request(self.server.keys, request)
        if payload is None and not (
            self.command in {"GET", "HEAD"}
            and bucket == self.server.store.bucket
            and _public_cache_control(key)
        ):
            raise Fault("AccessDenied", "Access Denied")
        return payload

    def _check_bucket(self, bucket: str) -> None:
        if bucket != self.server.store.bucket:
            raise Fault("NoSuchBucket", "The specified bucket does not exist")

    def _take_form(self) -> None:
        store = self.server.store
        form = Form(self._body, self._given.get("content-type", ""))
        fields = form.fields()
        allowed = check_form(
            self.server.keys, fields, bucket=store.bucket, max_bytes=MAX_OBJECT_BYTES
        )
        key = fields.get("key", "")
        if not key or len(key.encode()) > 1024:
            raise Fault("InvalidArgument", "The form needs a key of at most 1024 bytes")
        if self._body.remaining > allowed.most + _FORM_OVERHEAD_BYTES:
            raise Fault("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        with store.draft(form.file(), allowed.most) as draft:
            if draft.size_bytes < allowed.least:
                raise Fault("EntityTooSmall", "Your proposed upload is smaller than the minimum")
            _check_digests(draft, fields)
            stored = store.keep(
                draft,
                key,
                cause="Post",
                **_described(fields),
            )
        if fields.get("success_action_status") == "201":
            return self._answer_xml(201, answers.post_response(store.bucket, stored))
        status = 200 if fields.get("success_action_status") == "200" else 204
        return self._answer(status, headers={"ETag": f'"{stored.etag}"'})

    def _take_object(self, key: str, payload: str) -> None:
        if payload.startswith("STREAMING-"):
            raise Fault("NotImplemented", "Chunked signatures are not supported")
        if len(key.encode()) > 1024:
            raise Fault("InvalidArgument", "A key has at most 1024 bytes")
        source = self._given.get("x-amz-copy-source")
        if source is not None:
            return self._copy(unquote(source), key)
        if self._body.remaining > MAX_OBJECT_BYTES:
            raise Fault("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        with self.server.store.draft(self._body.chunks(), MAX_OBJECT_BYTES) as draft:
            if payload != UNSIGNED and payload != draft.sha256_hex:
                raise Fault("XAmzContentSHA256Mismatch", "The body is not the one that was signed")
            _check_digests(draft, self._given)
            stored = self.server.store.keep(draft, key, cause="Put", **_described(self._given))
        return self._answer(200, headers={"ETag": f'"{stored.etag}"'})

    def _copy(self, source: str, key: str) -> None:
        bucket, _, source_key = source.removeprefix("/").partition("/")
        self._check_bucket(bucket)
        stored, file = self.server.store.open(source_key)
        described: dict[str, Any] = {
            "content_type": stored.content_type,
            "cache_control": stored.cache_control,
            "metadata": stored.metadata,
        }
        if self._given.get("x-amz-metadata-directive") == "REPLACE":
            described = _described(self._given)
        with (
            file,
            self.server.store.draft(chunks(file, stored.size_bytes), MAX_OBJECT_BYTES) as draft,
        ):
            copied = self.server.store.keep(
                draft, key, cause="Copy", **{**described, "sha256": stored.sha256}
            )
        self._answer_xml(200, answers.copy_result(copied))

    def _give(self, key: str, *, public: bool) -> None:
        stored, file = self.server.store.open(key)
        with file:
            first, last, partial = span(self._given.get("range"), stored.size_bytes)
            headers = self._object_headers(stored, whole=not partial)
            headers["Content-Length"] = str(last - first + 1)
            if public:
                headers["Cache-Control"] = _public_cache_control(key) or "private, no-store"
            if partial:
                headers["Content-Range"] = f"bytes {first}-{last}/{stored.size_bytes}"
            self._head(206 if partial else 200, headers)
            if self.command == "GET":
                file.seek(first, 1)
                for chunk in chunks(file, last - first + 1):
                    self.wfile.write(chunk)

    def _object_headers(self, stored: StoredObject, *, whole: bool) -> dict[str, str]:
        headers = {
            "Content-Type": stored.content_type,
            "ETag": f'"{stored.etag}"',
            "Last-Modified": formatdate(stored.modified_at_s, usegmt=True),
            "Accept-Ranges": "bytes",
            # A photo is never run as a page, whatever a browser makes of its bytes.
            "X-Content-Type-Options": "nosniff",
            **stored.metadata,
        }
        if stored.cache_control:
            headers["Cache-Control"] = stored.cache_control
        # The checksum is the whole object's; clients would hold a range against it.
        if stored.sha256 and whole and self._given.get("x-amz-checksum-mode") == "ENABLED":
            headers["x-amz-checksum-sha256"] = stored.sha256
        return headers

    def _list(self, query: Mapping[str, str]) -> None:
        if query.get("list-type") != "2" or "delimiter" in query:
            raise Fault("NotImplemented", "Only ListObjectsV2 without a delimiter is known")
        found = self.server.store.listing(query.get("prefix", ""))
        self._answer_xml(200, answers.listing(self.server.store.bucket, found, query))

    def _answer_xml(self, status: int, body: bytes) -> None:
        self._answer(status, body, {"Content-Type": "application/xml"})

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        length = {} if status == 204 else {"Content-Length": str(len(body))}
        self._head(status, {**(headers or {}), **length})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        if self._body.remaining:
            self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _linger(self) -> None:
        # Closing on unread bytes resets the connection, and the sender may never see the answer:
        # so the answer goes out, and what still arrives is thrown away for a moment.
        with contextlib.suppress(OSError, Fault):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_S)
            left = _LINGER_BYTES
            while left > 0 and (chunk := self._body.read()):
                left -= len(chunk)


def _check_digests(draft: Draft, given: Mapping[str, str]) -> None:
    found = {
        "x-amz-checksum-sha256": draft.sha256_base64,
        "x-amz-checksum-crc32": draft.crc32_base64,
    }
    if any(name in given and given[name] != value for name, value in found.items()):
        raise Fault("BadDigest", "The checksum you specified did not match what we received")


def _described(given: Mapping[str, str]) -> dict[str, Any]:
    """Pick what is kept with an object out of headers or form fields, named in lower case."""
    metadata = {name: text for name, text in given.items() if name.startswith("x-amz-meta-")}
    content_type = given.get("content-type", "binary/octet-stream")
    cache_control = given.get("cache-control")
    texts = [content_type, cache_control or "", *metadata.values()]
    # These become headers of later answers, where a line break would start a header of its own.
    if not all(text.isprintable() for text in texts):
        raise Fault("InvalidArgument", "A header value holds a control character")
    return {
        "content_type": content_type,
        "cache_control": cache_control,
        "sha256": given.get("x-amz-checksum-sha256"),
        "metadata": metadata,
    }


def _public_cache_control(key: str) -> str | None:
    return next(
        (value for prefix, value in _PUBLIC_CACHE_CONTROL.items() if key.startswith(prefix)), None
    )
