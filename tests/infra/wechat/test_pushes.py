"""Pushes to our callbacks: shapes, retries, duplicates, order."""

import json
import socket
from typing import Any

import pytest
import xmltodict
from wechatpy import WeChatClient
from wechatpy.crypto import WeChatCrypto

from infra.local.wechat.accounts import (
    ACCOUNTS,
    MINI,
    ONCE_ESCALATION,
    ONCE_OFFICER_ALERT,
    SERVICE,
    SERVICE_OFFICER_ALERT,
    Account,
)
from infra.local.wechat.events import to_xml
from infra.local.wechat.pushes import seal

ALERT = {
    "thing1": {"value": "占道停放"},
    "thing2": {"value": "路口"},
    "time3": {"value": "15:01"},
    "character_string4": {"value": "R1"},
}


def popup(wechat: Any, *template_ids: str) -> None:
    wechat.control("popup", openid="o-a", templates=dict.fromkeys(template_ids, "accept"))


def push_states(wechat: Any) -> list[tuple[str, int]]:
    return [(push["state"], push["attempts"]) for push in wechat.get("_control/pushes")["items"]]


def test_list_is_an_object_for_one_item_and_an_array_for_two(wechat: Any, callback: Any) -> None:
    popup(wechat, ONCE_OFFICER_ALERT)
    one = callback.next()
    popup(wechat, ONCE_OFFICER_ALERT, ONCE_ESCALATION)
    two = callback.next()

    assert one["Event"] == "subscribe_msg_popup_event"
    assert one["FromUserName"] == "o-a"
    assert one["List"] == {
        "TemplateId": ONCE_OFFICER_ALERT,
        "SubscribeStatusString": "accept",
        "PopupScene": "0",
    }
    assert isinstance(one["CreateTime"], int)
    assert [item["TemplateId"] for item in two["List"]] == [ONCE_OFFICER_ALERT, ONCE_ESCALATION]


def test_rejecting_in_the_settings_pushes_a_change(wechat: Any, callback: Any) -> None:
    wechat.control("unsubscribe", openid="o-a", templates=[ONCE_OFFICER_ALERT])

    event = callback.next()

    assert event["Event"] == "subscribe_msg_change_event"
    assert event["List"]["SubscribeStatusString"] == "reject"


def test_sent_subscription_pushes_its_delivery(wechat: Any, callback: Any) -> None:
    popup(wechat, ONCE_OFFICER_ALERT)
    callback.next()
    body = {"touser": "o-a", "template_id": ONCE_OFFICER_ALERT, "data": ALERT}
    answer = wechat.send("cgi-bin/message/subscribe/send", body)

    event = callback.next()

    assert event["Event"] == "subscribe_msg_sent_event"
    assert event["List"]["MsgID"] == str(answer["msgid"])
    assert event["List"]["ErrorStatus"] == "success"


def test_service_account_pushes_xml_of_its_own(wechat: Any, callback: Any) -> None:
    openid = wechat.control("follow", unionid="u-a")["service_openid"]
    followed = callback.next()
    body = {"touser": openid, "template_id": SERVICE_OFFICER_ALERT, "data": ALERT}
    answer = wechat.send("cgi-bin/message/template/send", body, SERVICE)
    finished = callback.next()
    wechat.control("unfollow", service_openid=openid)
    left = callback.next()

    assert (followed["Event"], followed["FromUserName"]) == ("subscribe", openid)
    assert followed["ToUserName"] == SERVICE.gh_id
    assert finished["Event"] == "TEMPLATESENDJOBFINISH"
    assert finished["MsgID"] == str(answer["msgid"])
    assert finished["Status"] == "success"
    assert left["Event"] == "unsubscribe"


def test_unaccepted_push_is_sent_three_times_and_then_lost(wechat: Any, callback: Any) -> None:
    for status_and_body in ((500, b""), (200, b"ok"), (204, b"")):
        callback.answers.put(status_and_body)
    popup(wechat, ONCE_OFFICER_ALERT)
    events = [callback.next() for _ in range(3)]
    # A second event of the same lane is sent only after the first one's end was recorded.
    popup(wechat, ONCE_OFFICER_ALERT)
    callback.next()

    assert events[0] == events[1] == events[2]
    assert push_states(wechat)[0] == ("lost", 3)
    assert callback.received.empty()


@pytest.mark.parametrize("body", [b"", b"success"])
def test_push_accepted_at_the_second_attempt_is_not_sent_again(
    wechat: Any, callback: Any, body: bytes
) -> None:
    callback.answers.put((503, b""))
    callback.answers.put((200, body))
    popup(wechat, ONCE_OFFICER_ALERT)
    callback.next()
    callback.next()
    popup(wechat, ONCE_ESCALATION)

    assert callback.next()["List"]["TemplateId"] == ONCE_ESCALATION
    assert push_states(wechat)[0] == ("delivered", 2)


def test_push_without_an_address_is_not_sent_later(wechat: Any, callback: Any) -> None:
    wechat.control("configure", service_push_url="")
    wechat.control("follow", unionid="u-a", service_openid="s-a")
    # The lane is free again, and the first event's end recorded, when this one arrives.
    event = {"Event": "debug_demo", "FromUserName": "s-a"}
    wechat.control("push", account="mini", events=[event])

    assert callback.next()["Event"] == "debug_demo"
    assert push_states(wechat)[0] == ("unsent", 1)


def test_callback_that_does_not_answer_in_time_is_asked_three_times(wechat: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        settings = {"push_timeout_s": 0.05, "push_retry_gap_s": 0.01}
        wechat.control("configure", mini_push_url=url, **settings)
        popup(wechat, ONCE_OFFICER_ALERT)

        for _ in range(3):
            silent.accept()[0].close()
        silent.settimeout(0.3)
        with pytest.raises(TimeoutError):
            silent.accept()


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.name)
def test_sealed_push_opens_with_the_library_our_callback_uses(account: Account) -> None:
    event = {"Event": "debug_demo", "FromUserName": "o-a", "text": "你好"}
    envelope = seal(account, event, at=1714112445, nonce="415670741")
    crypto = WeChatCrypto(account.token, account.aes_key, account.appid)
    body = json.loads(envelope.body) if account.name == "mini" else envelope.body.decode()

    opened = crypto.decrypt_message(
        body, envelope.query["msg_signature"], "1714112445", "415670741"
    )

    parsed = json.loads(opened) if account.name == "mini" else xmltodict.parse(opened)["xml"]
    assert parsed == event


def test_library_client_sends_templates_and_reads_followers(wechat: Any) -> None:
    openid = wechat.control("follow", unionid="u-a")["service_openid"]

    class Client(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
        API_BASE_URL = f"{wechat.simulator.base_url}/cgi-bin/"

    client = Client(SERVICE.appid, SERVICE.secret, wechat.token(SERVICE), auto_retry=False)

    answer = client.message.send_template(openid, SERVICE_OFFICER_ALERT, ALERT)

    assert wechat.sent()[0]["msgid"] == str(answer["msgid"])
    assert client.user.get(openid)["unionid"] == "u-a"


def test_events_can_be_pushed_twice_and_backwards(wechat: Any, callback: Any) -> None:
    events = [{"Event": "debug_demo", "FromUserName": "o-a", "number": n} for n in (1, 2)]

    wechat.control("push", account="mini", events=events, copies=2, reversed=True)

    received = [callback.next() for _ in range(4)]
    assert [event["number"] for event in received] == [2, 2, 1, 1]
    assert {event["ToUserName"] for event in received} == {MINI.gh_id}


def test_late_push_waits_for_the_virtual_clock(wechat: Any, callback: Any) -> None:
    event = {"Event": "debug_demo", "FromUserName": "o-a"}
    wechat.control("push", account="mini", events=[event], delay_s=3600)
    wechat.control("push", account="mini", events=[{**event, "FromUserName": "o-b"}])
    assert callback.next()["FromUserName"] == "o-b"
    wechat.control("advance_clock", seconds=3601)

    assert callback.next()["FromUserName"] == "o-a"


def test_waiting_push_keeps_its_distance_when_the_clock_goes_back(
    wechat: Any, callback: Any
) -> None:
    wechat.control("clock", offset_s=86400)
    event = {"Event": "debug_demo", "FromUserName": "o-a"}
    wechat.control("push", account="mini", events=[event], delay_s=60)
    wechat.control("clock", offset_s=0)
    wechat.control("advance_clock", seconds=61)

    assert callback.next()["Event"] == "debug_demo"


def test_url_check_succeeds_only_when_the_echo_comes_back(wechat: Any, callback: Any) -> None:
    assert wechat.control("verify_url", account="mini") == {"ok": True}
    callback.files["/service"] = b"something else"

    assert wechat.control("verify_url", account="service") == {"ok": False}


def test_text_that_ends_a_cdata_section_survives_as_xml() -> None:
    assert to_xml({"a": "x]]>y", "n": 1}) == "<xml><a>x]]&gt;y</a><n>1</n></xml>"
