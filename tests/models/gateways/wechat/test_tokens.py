"""Access tokens are shared, renewed in time, and never chased in circles."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from infra.local.wechat.accounts import MINI
from models.base.store import get
from models.gateways.wechat.errors import CallRefused, TokenRejected, Unreachable
from models.gateways.wechat.tables import TokenRow
from models.gateways.wechat.tokens import Account, Tokens
from tests.models.gateways.wechat.conftest import OPENID, WeChat

STABLE = "/cgi-bin/stable_token"
CHECK = "/wxa/msg_sec_check"


def check(wechat: WeChat) -> str:
    return wechat.mini.check_text(OPENID, "路灯不亮")


def test_token_is_fetched_once_and_kept(wechat: WeChat) -> None:
    check(wechat)
    check(wechat)

    assert wechat.calls == [STABLE, CHECK, CHECK]


def test_another_process_finds_the_token_in_the_table(wechat: WeChat) -> None:
    first = wechat.tokens().calling(lambda token: token)
    wechat.calls.clear()

    second = wechat.tokens().calling(lambda token: token)

    assert second == first
    assert wechat.calls == []


def test_token_is_renewed_five_minutes_before_its_end(wechat: WeChat) -> None:
    tokens = wechat.tokens()
    tokens.calling(lambda token: token)
    row = get(TokenRow, MINI.appid)
    assert row is not None
    wechat.calls.clear()

    wechat.clock.set(row.expires_at - timedelta(minutes=5, milliseconds=1))
    tokens.calling(lambda token: token)
    assert wechat.calls == []

    wechat.clock.set(row.expires_at - timedelta(minutes=5))
    tokens.calling(lambda token: token)
    assert wechat.calls == [STABLE]


def test_token_in_memory_is_looked_up_again_after_a_minute(wechat: WeChat) -> None:
    tokens = wechat.tokens()
    tokens.calling(lambda token: token)
    row = get(TokenRow, MINI.appid)
    assert row is not None
    row.update(actions=[TokenRow.token.set("another process's")])

    assert tokens.calling(lambda token: token) != "another process's"
    wechat.clock.advance(timedelta(seconds=60))
    assert tokens.calling(lambda token: token) == "another process's"


@pytest.mark.parametrize("errcode", [40001, 42001])
def test_token_that_ended_is_replaced_and_the_call_made_again(wechat: WeChat, errcode: int) -> None:
    check(wechat)
    wechat.control("expire_token", appid=MINI.appid, errcode=errcode)
    wechat.calls.clear()

    assert check(wechat) == "pass"
    assert wechat.calls == [CHECK, STABLE, CHECK]


def test_token_that_another_process_replaced_is_read_from_the_table(wechat: WeChat) -> None:
    check(wechat)
    wechat.control("expire_token", appid=MINI.appid)
    other = wechat.tokens()
    other.calling(lambda token: wechat.transport.post(CHECK, {"access_token": token}, _text()))
    wechat.calls.clear()

    assert check(wechat) == "pass"
    assert wechat.calls == [CHECK, CHECK]


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_token_that_stays_rejected_costs_two_calls_and_raises(wechat: WeChat, errcode: int) -> None:
    check(wechat)
    wechat.fail(CHECK, errcode=errcode, times=50)
    wechat.calls.clear()

    with pytest.raises(TokenRejected) as rejected:
        check(wechat)

    assert rejected.value.errcode == errcode
    assert wechat.calls == [CHECK, STABLE]


def test_second_token_rejected_too_raises_at_once(wechat: WeChat) -> None:
    check(wechat)
    wechat.control("expire_token", appid=MINI.appid)
    wechat.fail(CHECK, errcode=40001, times=50)
    wechat.calls.clear()

    with pytest.raises(TokenRejected):
        check(wechat)

    assert wechat.calls == [CHECK, STABLE, CHECK]


def test_wrong_secret_is_refused_and_stores_nothing(wechat: WeChat) -> None:
    account = Account(appid=MINI.appid, secret=lambda: "wrong")
    tokens = Tokens(account=account, transport=wechat.transport, clock=wechat.clock)

    with pytest.raises(CallRefused) as refused:
        tokens.calling(lambda token: token)

    assert refused.value.errcode == 40125
    assert get(TokenRow, MINI.appid) is None


def test_answer_without_a_token_is_no_token(
    wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wechat.transport, "post", lambda *call: {"expires_in": 7200})

    with pytest.raises(Unreachable):
        wechat.tokens().calling(lambda token: token)


def test_cold_processes_that_start_at_once_all_get_the_same_token(wechat: WeChat) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(wechat.tokens().calling(lambda token: token)))
        for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(found) == 8
    assert len(set(found)) == 1


def _text() -> dict[str, object]:
    return {"content": "路灯不亮", "openid": OPENID, "scene": 3, "version": 2}
