"""Access tokens: shared through the table, renewed by ``stable_token`` without any lock.

``stable_token`` answers the same token to everybody while it is valid, so functions that renew at
once do no harm. Nobody ever forces a refresh: that would kill the token of all others.
*Source:* getStableAccessToken (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from models.base.clock import Clock
from models.base.store import change, get
from models.gateways.wechat.errors import TokenRejected, Unreachable
from models.gateways.wechat.tables import SCHEMA, TokenRow
from models.gateways.wechat.transport import Transport

RENEWED_BEFORE_END = timedelta(minutes=5)
"""WeChat changes the token in its last 5 minutes; the old and the new are both valid then."""
CACHED = timedelta(seconds=60)
_KEPT_S = 24 * 3600

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A WeChat account; ``secret`` is fetched from the secret store when it is needed."""

    appid: str
    secret: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cached:
    token: str = field(repr=False)
    expires_at: datetime
    read_at: datetime


class Tokens:
    """The valid access token of one account."""

    def __init__(self, *, account: Account, transport: Transport, clock: Clock) -> None:
        self._account = account
        self._transport = transport
        self._clock = clock
        self._cached: _Cached | None = None

    def calling(self, call: Callable[[str], _Answer]) -> _Answer:
        """Run ``call`` with the token; once more with another when WeChat rejects the first.

        Raises what ``call`` raises, and ``TokenRejected`` when no other token is to be had.
        """
        token = self._current()
        try:
            return call(token)
        except TokenRejected:
            other = self._other_than(token)
            if other is None:
                raise
        return call(other)

    def _current(self) -> str:
        now = self._clock.now()
        cached = self._cached
        if cached is not None and now < cached.read_at + CACHED and _is_fresh(cached, now):
            return cached.token
        return self._stored(now) or self._renewed(now)

    def _other_than(self, rejected: str) -> str | None:
        """A token from the table or from WeChat; None when both have only the rejected one."""
        now = self._clock.now()
        stored = self._stored(now)
        if stored is not None and stored != rejected:
            return stored
        renewed = self._renewed(now)
        return renewed if renewed != rejected else None

    def _stored(self, now: datetime) -> str | None:
        row = get(TokenRow, self._account.appid)
        if row is None or not _is_fresh(row, now):
            return None
        self._cached = _Cached(token=row.token, expires_at=row.expires_at, read_at=now)
        return row.token

    def _renewed(self, now: datetime) -> str:
        answer = self._transport.post(
            "/cgi-bin/stable_token",
            {},
            {
                "grant_type": "client_credential",
                "appid": self._account.appid,
                "secret": self._account.secret(),
                "force_refresh": False,
            },
        )
        try:
            token = str(answer["access_token"])
            expires_at = now + timedelta(seconds=int(answer["expires_in"]))
        except (KeyError, TypeError, ValueError):
            token = ""
        if not token:
            raise Unreachable("NoToken")
        self._store(token, expires_at)
        self._cached = _Cached(token=token, expires_at=expires_at, read_at=now)
        return token

    def _store(self, token: str, expires_at: datetime) -> None:
        actions = [
            TokenRow.schema.set(SCHEMA),
            TokenRow.token.set(token),
            TokenRow.expires_at.set(expires_at),
            TokenRow.ttl.set(int(expires_at.timestamp()) + _KEPT_S),
        ]
        change(TokenRow(self._account.appid), actions)


def _is_fresh(known: _Cached | TokenRow, now: datetime) -> bool:
    return now < known.expires_at - RENEWED_BEFORE_END
