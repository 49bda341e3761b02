"""Phones on a bad network: each request is repeated, with its id, until it is answered."""

from __future__ import annotations

import hashlib
import http.client
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from infra.local.client import Client, Reply, describe, upload
from infra.local.stack import Stack
from models.base.clock import business_day, parse_utc
from models.base.geometry import Position

PATIENCE_S = 90.0
FIRE_LANE = "E0496"
"""Urgent, so that the officer is alerted to each by itself and at once, day or night."""
_PAUSE_S = 0.1
_DONE = (200, 201, 204)
_ASK_AGAIN = (502, 503)


class NotAsPromisedError(Exception):
    """An answer that no kill of a part excuses, or none in all the time there was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A report with its photo, both acknowledged."""

    rider: Client
    report_id: str
    case_id: str
    upload_id: str
    sha256: str
    day: str
    """The day in China on which it came in, whose caps it is paid under."""


class Repeats:
    """How often a request had to be sent again, by all phones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def add(self) -> None:
        with self._lock:
            self.count += 1


class Phone:
    """Somebody with WeChat, who does not give up before ``PATIENCE_S``."""

    def __init__(self, stack: Stack, name: str, repeats: Repeats) -> None:
        self.openid, self.unionid = f"o-{name}", f"u-{name}"
        self.client = Client(stack.api_url)
        self._stack = stack
        self._repeats = repeats

    def sign_in(self) -> None:
        """Sign in; a code that was spent on a lost answer is replaced, as the app does."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            identity = {"openid": self.openid, "unionid": self.unionid}
            body = _command(self._stack.control("mint_login_code", identity))
            reply = self.insist(partial(self.client.post, "/v1/sessions", body), 401)
            if reply.status == 201:
                self.client.token = reply.body["token"]
                return
        raise NotAsPromisedError("never signed in")

    def consent(self) -> None:
        """Agree to the terms of reporting."""
        version = self.insist(lambda: self.client.get("/v1/bootstrap")).body["consent_version"]
        body = _command({"consents": {"report": version}})
        self.insist(lambda: self.client.put("/v1/me", body))

    def bind(self, number: str) -> None:
        """Bind a phone number, which grants what the roster says."""
        asked = {"phone": number, "openid": self.openid}
        body = _command(self._stack.control("mint_phone_code", asked))
        reply = self.insist(lambda: self.client.post("/v1/me/phone", body))
        self.client.token = reply.body.get("token") or self.client.token

    def report(self, photo: bytes, at: Position) -> Sent:
        """Send a photo and report with it."""
        asked = _command({"items": [describe(photo, "report")]})
        answer = self.insist(lambda: self.client.post("/v1/uploads", asked))
        form = answer.body["items"][0]
        self.insist(lambda: upload(form, photo))
        body = _command(
            {
                "category": FIRE_LANE,
                "lon": at.lon,
                "lat": at.lat,
                "accuracy_m": 10.0,
                "captured_at": datetime.now(UTC).isoformat(),
                "photos": [form["upload_id"]],
            }
        )
        taken = self.insist(lambda: self.client.post("/v1/reports", body)).body
        return Sent(
            rider=self.client,
            report_id=taken["report"]["id"],
            case_id=taken["case"]["id"],
            upload_id=form["upload_id"],
            sha256=hashlib.sha256(photo).hexdigest(),
            day=business_day(parse_utc(taken["report"]["submitted_at"])),
        )

    def claim(self, case_id: str, *, version: int) -> None:
        """Claim a case as it was seen."""
        body = _command({"version": version})
        self.insist(lambda: self.client.post(f"/v1/cases/{case_id}/claim", body))

    def insist(self, ask: Callable[[], Reply], *expected: int) -> Reply:
        """Repeat one request until it is done, or answered with a status that is ``expected``.

        No answer, a torn one and "ask again" are what a kill may cause; all else is not.
        """
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            reply = _answer(ask)
            if reply is not None and reply.status in (*_DONE, *expected):
                return reply
            if reply is not None and reply.status not in _ASK_AGAIN:
                raise NotAsPromisedError(f"{reply.status} {reply.body}")
            self._repeats.add()
            time.sleep(_PAUSE_S)
        raise NotAsPromisedError("never acknowledged")


def unlike(photo: bytes) -> bytes:
    """The same picture in other bytes: with a comment that no other copy has."""
    comment = uuid.uuid4().bytes
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


def _command(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"client_request_id": str(uuid.uuid4()), **body}


def _answer(ask: Callable[[], Reply]) -> Reply | None:
    """One try; None when no whole answer came."""
    try:
        return ask()
    except (OSError, ValueError, http.client.HTTPException):
        return None
