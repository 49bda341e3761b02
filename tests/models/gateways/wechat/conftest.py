"""A running simulator, and our clients pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.wechat.accounts import MINI, SERVICE
from infra.local.wechat.simulator import Simulator, start_simulator
from models.base.clock import FixedClock
from models.base.store import delete
from models.base.tables import Database
from models.gateways.wechat.client import WeChatClient
from models.gateways.wechat.service_account import ServiceAccount
from models.gateways.wechat.tables import TokenRow
from models.gateways.wechat.tokens import Account, Tokens
from models.gateways.wechat.transport import Transport

OPENID = "synthetic-openid-1"
UNIONID = "synthetic-unionid-1"


class WeChat:
    """The simulator, our clients, and every HTTP call that was made."""

    def __init__(self, simulator: Simulator, clock: FixedClock) -> None:
        self.control = simulator.control
        self.base_url = simulator.base_url
        self.clock = clock
        self.transport = CountingTransport(simulator.base_url)
        self.mini = WeChatClient(
            account=mini_account(), tokens=self.tokens(), transport=self.transport
        )
        self.service = ServiceAccount(
            appid=SERVICE.appid,
            tokens=Tokens(
                account=Account(appid=SERVICE.appid, secret=lambda: SERVICE.secret),
                transport=self.transport,
                clock=clock,
            ),
            transport=self.transport,
            mini_appid=MINI.appid,
        )

    @property
    def calls(self) -> list[str]:
        """Paths that our own transport called, oldest first."""
        return self.transport.calls

    def tokens(self) -> Tokens:
        """The mini-program's tokens as another process sees them: same table, empty memory."""
        return Tokens(account=mini_account(), transport=self.transport, clock=self.clock)

    def login_code(self, openid: str = OPENID, unionid: str | None = UNIONID) -> str:
        return str(self.control("mint_login_code", openid=openid, unionid=unionid)["code"])

    def fail(self, path: str, **how: Any) -> None:
        self.control("fail", path=path, **how)

    def sent(self) -> list[dict[str, Any]]:
        answer = self.transport.get("/_control/sent", {})
        return list(answer["items"])


class CountingTransport(Transport):
    """Writes down the path of each call that is really made."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, timeouts_s=(1.0, 1.0))
        self.calls: list[str] = []

    def _call(self, method: str, path: str, *rest: Any) -> Any:
        self.calls.append(path)
        return super()._call(method, path, *rest)


def mini_account() -> Account:
    return Account(appid=MINI.appid, secret=lambda: MINI.secret)


@pytest.fixture
def wechat(database: Database, clock: FixedClock) -> Iterator[WeChat]:
    """A fresh simulator with one user who is in the mini-program now, and no token stored."""
    for account in (MINI, SERVICE):
        delete(TokenRow(account.appid))
    simulator = start_simulator()
    made = WeChat(simulator, clock)
    made.control("visit", openid=OPENID, unionid=UNIONID)
    yield made
    made.transport._session.close()
    made.service._client._http.close()
    simulator.stop()
