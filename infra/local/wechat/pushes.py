"""Deliver queued events to our callbacks, signed and encrypted, from background threads.

A push is in the store before it is sent and until it is answered, so a killed simulator
sends it again when it comes back; our side must bear duplicates, as with WeChat.
"""

import json
import logging
import secrets
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from infra.local.wechat import safe_mode
from infra.local.wechat.accounts import ACCOUNTS, Account
from infra.local.wechat.events import media_check_event, to_xml
from infra.local.wechat.security import fetch_media, judge_media
from infra.local.wechat.world import World

_LOG = logging.getLogger(__name__)
_WORKERS = 4
_LONGEST_WAIT_S = 30.0
_NO_URL = "no push url"
_ACCOUNT_BY_NAME: Mapping[str, Account] = {account.name: account for account in ACCOUNTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One signed push: what WeChat puts into the query and into the body."""

    query: dict[str, str]
    body: bytes
    content_type: str


def seal(account: Account, event: Mapping[str, object], *, at: int, nonce: str) -> Envelope:
    """Sign and encrypt an event in safe mode: JSON for the mini-program, XML for the service."""
    as_json = account.name == "mini"
    text = json.dumps(event, ensure_ascii=False) if as_json else to_xml(event)
    sealed = safe_mode.encrypt(text.encode(), aes_key=account.aes_key, appid=account.appid)
    outer = {"ToUserName": account.gh_id, "Encrypt": sealed}
    return Envelope(
        query={
            "signature": safe_mode.signature(account.token, str(at), nonce),
            "timestamp": str(at),
            "nonce": nonce,
            "openid": str(event.get("FromUserName", "")),
            "encrypt_type": "aes",
            "msg_signature": safe_mode.signature(account.token, str(at), nonce, sealed),
        },
        body=(json.dumps(outer) if as_json else to_xml(outer)).encode(),
        content_type="application/json" if as_json else "text/xml",
    )


def verify_url(account: Account, url: str, *, at: int) -> bool:
    """Do the console's URL check: GET with a signed echostr that must come back as it is."""
    nonce, echo = str(secrets.randbelow(10**9)), str(secrets.randbelow(10**18))
    query = {
        "signature": safe_mode.signature(account.token, str(at), nonce),
        "timestamp": str(at),
        "nonce": nonce,
        "echostr": echo,
    }
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, params=query, timeout=5)
    except requests.RequestException:
        return False
    return answer.status_code == 200 and answer.text == echo


class Pusher:
    """A few threads that take due pushes; two pushes of one lane never run at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wake = threading.Condition()
        self._busy_lanes: set[str] = set()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"wechat-push-{number}", daemon=True)
            for number in range(_WORKERS)
        ]

    def start(self) -> None:
        """Start the threads; pushes a killed process left behind go first."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for due pushes now; call it outside the store's transaction."""
        with self._wake:
            self._wake.notify()

    def stop(self) -> None:
        """Stop: the store is not touched any more once this returns; what waits stays stored."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            if job["stage"] == "fetch":
                self._fetch(job)
            else:
                self._deliver(job)

    def _next_job(self) -> sqlite3.Row | None:
        with self._wake:
            while not self._stopping:
                job, wait_s = self._due_job()
                if job is not None:
                    self._busy_lanes.add(job["lane"])
                    self._wake.notify()  # There may be another one for the next thread.
                    return job
                self._wake.wait(wait_s)
        return None

    def _due_job(self) -> tuple[sqlite3.Row | None, float]:
        store = self._world.store
        with store.transaction():
            now = self._world.now()
            for job in store.run(
                "SELECT * FROM pushes WHERE state = 'pending' AND due_at <= ? ORDER BY seq", now
            ):
                if job["lane"] not in self._busy_lanes:
                    return job, 0.0
            next_at = store.run(
                "SELECT min(due_at) FROM pushes WHERE state = 'pending' AND due_at > ?", now
            ).fetchone()[0]
        return None, min(_LONGEST_WAIT_S, (next_at or now + _LONGEST_WAIT_S) - now)

    def _fetch(self, job: sqlite3.Row) -> None:
        asked = json.loads(job["content"])
        media = fetch_media(asked["media_url"])
        with self._wake:
            self._busy_lanes.discard(job["lane"])
            if self._stopping:
                return
            with self._world.store.transaction():
                suggest = judge_media(self._world, media, media_type=asked["media_type"])
                at = max(self._world.now(), asked["verdict_at"])
                event = media_check_event(asked["trace_id"], suggest, at=at)
                self._update(
                    job,
                    stage="deliver",
                    content=json.dumps(event, ensure_ascii=False),
                    due_at=asked["verdict_at"],
                )
            self._wake.notify()

    def _deliver(self, job: sqlite3.Row) -> None:
        with self._world.store.transaction():
            url = self._world.setting(f"{job['account']}_push_url")
            timeout_s = self._world.setting("push_timeout_s")
            at = int(self._world.now())
        outcome = _NO_URL if not url else _post(job, url, at=at, timeout_s=timeout_s)
        with self._wake:
            self._busy_lanes.discard(job["lane"])
            if self._stopping:
                return
            with self._world.store.transaction():
                self._update(job, **self._after_attempt(job, outcome))
            self._wake.notify()

    def _after_attempt(self, job: sqlite3.Row, outcome: str) -> dict[str, object]:
        attempts = job["attempts"] + 1
        facts = {"attempts": attempts, "outcome": outcome}
        if outcome == "ok":
            return {**facts, "state": "delivered"}
        if outcome == _NO_URL:
            return {**facts, "state": "unsent"}
        if attempts >= self._world.setting("push_attempts"):
            _LOG.warning("push.lost seq=%s attempts=%s reason=%s", job["seq"], attempts, outcome)
            return {**facts, "state": "lost"}
        return {**facts, "due_at": self._world.now() + self._world.setting("push_retry_gap_s")}

    def _update(self, job: sqlite3.Row, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._world.store.run(
            f"UPDATE pushes SET {names} WHERE seq = ?", *columns.values(), job["seq"]
        )


def _post(job: sqlite3.Row, url: str, *, at: int, timeout_s: float) -> str:
    """Send one push; "ok" only for status 200 with an empty body or `success`."""
    account = _ACCOUNT_BY_NAME[job["account"]]
    event: dict[str, Any] = json.loads(job["content"])
    envelope = seal(account, event, at=at, nonce=str(secrets.randbelow(10**9)))
    headers = {"Content-Type": envelope.content_type, "User-Agent": "Mozilla/4.0"}
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url,
                params=envelope.query,
                data=envelope.body,
                headers=headers,
                timeout=timeout_s,
                allow_redirects=False,
            )
    except requests.RequestException as exc:
        return type(exc).__name__
    if answer.status_code != 200:
        return f"status {answer.status_code}"
    return "ok" if answer.content.strip() in (b"", b"success") else "unexpected body"
