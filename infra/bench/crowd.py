"""People for the figures: riders by the hundred, and those who hold a post."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from infra.local.client import Client, Reply
from infra.local.stack import Stack
from models.base.store import Transaction
from models.cases.entities import UploadState
from models.cases.tables import UploadRow

_UPLOADS_PER_WRITE = 100


def sign_in(stack: Stack, client: Client, name: str) -> Client:
    """Give a client a session of its own, by a code that the simulator mints."""
    identity = {"openid": f"o-bench-{name}", "unionid": f"u-bench-{name}"}
    code = stack.control("mint_login_code", identity)["code"]
    reply = must(client.post("/v1/sessions", {"code": code}))
    client.token = reply.body["token"]
    return client


def consent(client: Client) -> Client:
    """Agree to what a report needs."""
    version = must(client.get("/v1/bootstrap")).body["consent_version"]
    reply = must(client.put("/v1/me", {"consents": {"report": version}}))
    client.token = reply.body.get("token") or client.token
    return client


def take_post(stack: Stack, client: Client, name: str, phone: str) -> Client:
    """Bind the phone that the roster knows."""
    sign_in(stack, client, name)
    code = stack.control("mint_phone_code", {"phone": phone, "openid": f"o-bench-{name}"})
    reply = must(client.post("/v1/me/phone", {"code": code["code"]}))
    client.token = reply.body.get("token") or client.token
    return client


def riders(stack: Stack, count: int) -> list[str]:
    """Sign in that many riders over HTTP, each with his consent; answers their tokens."""

    def one(number: int) -> str:
        client = consent(sign_in(stack, Client(stack.api_url), f"rider-{number}"))
        return str(client.token)

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(one, range(count)))


def make_ready(upload_ids: Sequence[str], now: datetime) -> None:
    """Write that the photos were taken in, as the photo function would after 0.1 s of CPU each."""
    for start in range(0, len(upload_ids), _UPLOADS_PER_WRITE):
        transaction = Transaction()
        for upload_id in upload_ids[start : start + _UPLOADS_PER_WRITE]:
            transaction.update(
                upload_id,
                UploadRow(upload_id),
                [
                    UploadRow.state.set(UploadState.READY.value),
                    UploadRow.width.set(2048),
                    UploadRow.height.set(1536),
                    UploadRow.dhash.set(_unlike_others(upload_id)),
                    UploadRow.verdict.set("pass"),
                    UploadRow.ready_at.set(now),
                ],
                UploadRow.upload_id.exists(),
            )
        transaction.commit()


def must(reply: Reply) -> Reply:
    """Go on only with a success. Raises ``RuntimeError`` with what was answered."""
    if not 200 <= reply.status < 300:
        raise RuntimeError(f"{reply.status} {reply.body}")
    return reply


def picture() -> bytes:
    """Bytes that no other picture has: only their size and hash matter here."""
    return uuid.uuid4().bytes * 64


def _unlike_others(upload_id: str) -> str:
    return hashlib.sha256(upload_id.encode()).hexdigest()[:16]
