"""The service account: wechatpy's client, with our tokens, limits and errors."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.wechat.accounts import SERVICE, SERVICE_OFFICER_ALERT
from models.gateways.wechat.errors import (
    ArgumentInvalid,
    CallRefused,
    NotFollowing,
    OpenidUnknown,
    PageUnknown,
    TemplateUnknown,
    TokenRejected,
    Unreachable,
)
from tests.models.gateways.wechat.conftest import UNIONID, WeChat

SEND = "/cgi-bin/message/template/send"
FIELDS = {
    "thing1": "消防通道堵塞",
    "thing2": "羊山新区二号院",
    "time3": "2026年3月18日 10:15",
    "character_string4": "C-1",
}


@pytest.fixture
def follower(wechat: WeChat) -> str:
    return str(wechat.control("follow", unionid=UNIONID)["service_openid"])


def send(wechat: WeChat, follower: str, **changes: Any) -> str:
    how: dict[str, Any] = {
        "service_openid": follower,
        "template_id": SERVICE_OFFICER_ALERT,
        "fields": FIELDS,
        "page": "pages/case/detail?id=1",
        "client_msg_id": "ntc_1",
    }
    return wechat.service.send_template(**{**how, **changes})


def planned_left(wechat: WeChat, path: str) -> int:
    """How many planned failures were not met: calls through wechatpy are counted this way."""
    left = 0
    while True:
        try:
            wechat.transport.post(path, {}, {})
        except CallRefused as refused:
            if refused.errcode == 41001:
                return left
            left += 1


def test_follower_is_known_by_his_unionid_until_he_leaves(wechat: WeChat, follower: str) -> None:
    before = wechat.service.user_info(follower)
    wechat.control("unfollow", service_openid=follower)
    after = wechat.service.user_info(follower)

    assert (before.subscribed, before.unionid) == (True, UNIONID)
    assert (after.subscribed, after.unionid) == (False, None)


def test_stranger_has_no_user_info(wechat: WeChat) -> None:
    with pytest.raises(OpenidUnknown):
        wechat.service.user_info("nobody")


def test_template_message_arrives_as_it_was_written(wechat: WeChat, follower: str) -> None:
    msgid = send(wechat, follower)

    [message] = wechat.sent()
    assert message["data"] == FIELDS
    assert message["page"] == "pages/case/detail?id=1"
    assert str(message["msgid"]) == msgid


def test_repeated_client_message_id_is_one_message(wechat: WeChat, follower: str) -> None:
    wechat.fail(SEND, reset=True, after=True)
    with pytest.raises(Unreachable):
        send(wechat, follower)

    again = send(wechat, follower)

    [message] = wechat.sent()
    assert again == str(message["msgid"])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"fields": {**FIELDS, "thing1": ""}}, ArgumentInvalid),
        ({"page": "pages/none"}, PageUnknown),
        ({"template_id": "none"}, TemplateUnknown),
        ({"service_openid": "nobody"}, OpenidUnknown),
    ],
)
def test_wrong_message_is_refused_with_its_own_error(
    wechat: WeChat, follower: str, change: dict[str, Any], error: type[CallRefused]
) -> None:
    with pytest.raises(error) as refused:
        send(wechat, follower, **change)

    assert refused.value.rid is not None


def test_one_who_left_gets_no_message(wechat: WeChat, follower: str) -> None:
    wechat.control("unfollow", service_openid=follower)

    with pytest.raises(NotFollowing):
        send(wechat, follower)


@pytest.mark.parametrize("errcode", [40001, 42001])
def test_token_that_ended_is_replaced_and_the_message_sent(
    wechat: WeChat, follower: str, errcode: int
) -> None:
    send(wechat, follower)
    wechat.control("expire_token", appid=SERVICE.appid, errcode=errcode)

    send(wechat, follower, client_msg_id="ntc_2")

    assert len(wechat.sent()) == 2


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_token_that_stays_rejected_is_not_chased(
    wechat: WeChat, follower: str, errcode: int
) -> None:
    send(wechat, follower)
    wechat.calls.clear()
    wechat.fail(SEND, errcode=errcode, times=10)

    with pytest.raises(TokenRejected):
        send(wechat, follower)

    assert wechat.calls == ["/cgi-bin/stable_token"]
    assert planned_left(wechat, SEND) == 9


@pytest.mark.parametrize(
    "failure",
    [{"http": 502}, {"http": 200}, {"reset": True}, {"truncated": True}, {"timeout_s": 1.5}],
)
def test_every_other_failure_reads_as_wechat_being_away(
    wechat: WeChat, follower: str, failure: dict[str, Any]
) -> None:
    wechat.fail(SEND, **failure)

    with pytest.raises(Unreachable) as away:
        send(wechat, follower)

    assert away.value.code == "wechat.away"
