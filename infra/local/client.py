"""A small client of the HTTP contract, as the mini-program would use it: demo, bench and tests."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: ``cost`` is the server's ``X-Cost`` header, empty where it has no meter."""

    status: int
    body: Any
    headers: Mapping[str, str]
    ms: float

    @property
    def code(self) -> str:
        """The error's code; empty for a success."""
        return str(self.body.get("code", "")) if self.status >= 400 else ""

    @property
    def cost(self) -> dict[str, float]:
        pairs = (part.split("=") for part in self.headers.get("x-cost", "").split(";") if part)
        return {name: float(value) for name, value in pairs}


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 30,
) -> Reply:
    """Send one request on a connection of its own."""
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    started = time.perf_counter()
    try:
        link.request(method, target, body=body, headers=dict(headers or {}))
        answer = link.getresponse()
        raw = answer.read()
    finally:
        link.close()
    ms = (time.perf_counter() - started) * 1000
    named = {name.lower(): value for name, value in answer.getheaders()}
    is_json = named.get("content-type", "").startswith("application/json")
    return Reply(
        status=answer.status, body=json.loads(raw) if is_json else raw, headers=named, ms=ms
    )


class Client:
    """One person's phone."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url = base_url
        self.token = token

    def get(self, path: str, **query: Any) -> Reply:
        """Ask."""
        return self._send("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Do; a ``client_request_id`` is made unless the body brings one."""
        return self._send("POST", path, {"client_request_id": str(uuid.uuid4()), **(body or {})})

    def put(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Replace."""
        return self._send("PUT", path, {"client_request_id": str(uuid.uuid4()), **body})

    def delete(self, path: str) -> Reply:
        """Remove."""
        return self._send("DELETE", path, None)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return send(method, self.base_url + path, body=raw, headers=headers)


def describe(photo: bytes, purpose: str, content_type: str = "image/jpeg") -> dict[str, Any]:
    """One item of ``POST /v1/uploads``."""
    return {
        "purpose": purpose,
        "content_type": content_type,
        "size_bytes": len(photo),
        "sha256": hashlib.sha256(photo).hexdigest(),
    }


def upload(form: Mapping[str, Any], photo: bytes) -> Reply:
    """Post a photo as ``wx.uploadFile`` does: all fields of the form, then the file."""
    boundary = f"----{secrets.token_hex(12)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    opening = (
        f"--{boundary}\r\nContent-Disposition: form-data; "
        f'name="{form["file_field"]}"; filename="photo.jpg"\r\n'
        f"Content-Type: {form['fields'].get('Content-Type', 'image/jpeg')}\r\n\r\n"
    ).encode()
    body = b"".join([*parts, opening, photo, f"\r\n--{boundary}--\r\n".encode()])
    return send(
        "POST",
        form["url"],
        body=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
