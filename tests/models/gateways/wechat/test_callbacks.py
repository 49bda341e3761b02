"""Pushes are believed only when they are WeChat's, and read the same in every shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.wechat import safe_mode
from infra.local.wechat.accounts import MINI, SERVICE
from infra.local.wechat.accounts import Account as Known
from infra.local.wechat.events import media_check_event, service_event, subscription_event
from infra.local.wechat.pushes import Envelope, seal
from models.base.clock import FixedClock
from models.gateways.wechat.callbacks import (
    MAX_BODY_BYTES,
    CallbackDecoder,
    PushAccount,
    PushForged,
    PushUnreadable,
    dedupe_key_of,
)

GOLDEN = PushAccount(
    name="mini", appid="wxba5fad812f8e6fb9", token=lambda: "AAAAA", aes_key=lambda: "A" * 43
)
GOLDEN_AT = datetime.fromtimestamp(1714112445, UTC)
GOLDEN_QUERY = {
    "signature": "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
    "timestamp": "1714112445",
    "nonce": "415670741",
    "openid": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
    "encrypt_type": "aes",
    "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
}
ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcv"
    "ZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3F"
    "n2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSe"
    "OBrebufAlr7F9mFUPAJGj04="
)
GOLDEN_BODY = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": ENCRYPTED}).encode()
POPUP = {"TemplateId": "sub-1", "SubscribeStatusString": "accept", "PopupScene": "0"}


def golden(at: datetime = GOLDEN_AT) -> CallbackDecoder:
    return CallbackDecoder(account=GOLDEN, clock=FixedClock(at))


def decoder(account: Known, clock: FixedClock) -> CallbackDecoder:
    known = PushAccount(
        name=account.name,
        appid=account.appid,
        token=lambda: account.token,
        aes_key=lambda: account.aes_key,
    )
    return CallbackDecoder(account=known, clock=clock)


def sealed(account: Known, event: Mapping[str, object], clock: FixedClock) -> Envelope:
    return seal(account, event, at=int(clock.now().timestamp()), nonce="4156")


def sealed_text(text: str, clock: FixedClock, *, appid: str = MINI.appid) -> Envelope:
    """A push of the mini-program whose content is any text."""
    encrypted = safe_mode.encrypt(text.encode(), aes_key=MINI.aes_key, appid=appid)
    at = str(int(clock.now().timestamp()))
    signature = safe_mode.signature(MINI.token, at, "4156", encrypted)
    return Envelope(
        query={"timestamp": at, "nonce": "4156", "msg_signature": signature},
        body=json.dumps({"Encrypt": encrypted}).encode(),
        content_type="application/json",
    )


def test_golden_push_is_read() -> None:
    push = golden().decode(GOLDEN_QUERY, GOLDEN_BODY)

    assert push.account == "mini"
    assert push.event == {
        "ToUserName": "gh_97417a04a28d",
        "FromUserName": "o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
        "CreateTime": 1714112445,
        "MsgType": "event",
        "Event": "debug_demo",
        "debug_str": "hello world",
    }


def test_golden_address_check_is_echoed() -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    decoder = golden(datetime.fromtimestamp(1714036504, UTC))

    assert decoder.echo(query) == "4375120948345356249"
    for name in ("signature", "timestamp", "nonce"):
        for other in ({**query, name: "1"}, {k: v for k, v in query.items() if k != name}):
            with pytest.raises(PushForged):
                decoder.echo(other)


@pytest.mark.parametrize("name", ["timestamp", "nonce", "msg_signature"])
def test_push_with_a_changed_or_missing_parameter_is_forged(name: str) -> None:
    without = {key: value for key, value in GOLDEN_QUERY.items() if key != name}

    for query in ({**GOLDEN_QUERY, name: "1714112446"}, without):
        with pytest.raises(PushForged) as forged:
            golden().decode(query, GOLDEN_BODY)
        assert forged.value.code == "callback.forged"


def test_signature_of_plain_mode_does_not_count() -> None:
    query = {**GOLDEN_QUERY, "msg_signature": GOLDEN_QUERY["signature"]}

    with pytest.raises(PushForged):
        golden().decode(query, GOLDEN_BODY)


@pytest.mark.parametrize("side", [-1, 1])
def test_push_is_believed_for_ten_minutes_either_way(side: int) -> None:
    edge = side * timedelta(minutes=10)

    assert golden(GOLDEN_AT + edge).decode(GOLDEN_QUERY, GOLDEN_BODY).event
    with pytest.raises(PushForged) as stale:
        golden(GOLDEN_AT + edge + side * timedelta(seconds=1)).decode(GOLDEN_QUERY, GOLDEN_BODY)
    assert stale.value.code == "callback.stale"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"Encrypt": 1}',
        b'{"Encrypt": "\\ud800"}',
        b'{"ToUserName": "gh_1", "Event": "subscribe"}',
        b"<xml><Encrypt></xml>",
        b"<other><Encrypt>a</Encrypt></other>",
        b"<xml>text</xml>",
        b"[" * 50_000,
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        GOLDEN_BODY + b" " * MAX_BODY_BYTES,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_junk_is_forged_and_nothing_else_happens(body: bytes) -> None:
    with pytest.raises(PushForged):
        golden().decode(GOLDEN_QUERY, body)


def test_push_to_another_appid_is_not_for_us(clock: FixedClock) -> None:
    push = sealed_text("{}", clock, appid=SERVICE.appid)

    with pytest.raises(PushForged) as forged:
        decoder(MINI, clock).decode(push.query, push.body)

    assert forged.value.code == "callback.not_for_us"


def test_signed_junk_instead_of_a_cipher_is_not_for_us(clock: FixedClock) -> None:
    at = str(int(clock.now().timestamp()))
    for encrypted in ("", "AAAA", "not base64!", "QUFBQUFBQUFBQUFBQUFBQQ=="):
        signature = safe_mode.signature(MINI.token, at, "1", encrypted)
        query = {"timestamp": at, "nonce": "1", "msg_signature": signature}

        with pytest.raises(PushForged):
            decoder(MINI, clock).decode(query, json.dumps({"Encrypt": encrypted}).encode())


def test_push_of_one_account_is_forged_at_the_others_address(clock: FixedClock) -> None:
    push = sealed(SERVICE, service_event("subscribe", "synthetic", at=0), clock)

    with pytest.raises(PushForged):
        decoder(MINI, clock).decode(push.query, push.body)


def test_service_account_pushes_xml(clock: FixedClock) -> None:
    event = service_event("subscribe", "synthetic-openid", at=1714112445.0, EventKey="")
    envelope = sealed(SERVICE, event, clock)

    push = decoder(SERVICE, clock).decode(envelope.query, envelope.body)

    assert push.account == "service"
    assert push.event["Event"] == "subscribe"
    assert push.event["FromUserName"] == "synthetic-openid"
    assert push.event["CreateTime"] == "1714112445"


@pytest.mark.parametrize("count", [1, 2])
def test_one_answer_and_several_are_read(clock: FixedClock, count: int) -> None:
    event = subscription_event("subscribe_msg_popup_event", "synthetic", [POPUP] * count, at=0)
    envelope = sealed(MINI, event, clock)

    push = decoder(MINI, clock).decode(envelope.query, envelope.body)

    assert push.event["List"] == (POPUP if count == 1 else [POPUP] * count)


def test_blanks_around_keys_are_taken_off(clock: FixedClock) -> None:
    envelope = sealed_text('{" Event": "x", "a": [{" OpenID ": "o"}]}', clock)

    push = decoder(MINI, clock).decode(envelope.query, envelope.body)

    assert push.event == {"Event": "x", "a": [{"OpenID": "o"}]}


@pytest.mark.parametrize("text", ["", "[]", "nothing", "<a/>", '{"a": NaN}'])
def test_authentic_push_that_says_nothing_is_unreadable(clock: FixedClock, text: str) -> None:
    envelope = sealed_text(text, clock)

    with pytest.raises(PushUnreadable):
        decoder(MINI, clock).decode(envelope.query, envelope.body)


def test_push_sent_again_has_the_same_key_though_sealed_anew(clock: FixedClock) -> None:
    event = subscription_event("subscribe_msg_popup_event", "synthetic", [POPUP], at=1.0)
    first = sealed(MINI, event, clock)
    clock.advance(timedelta(seconds=5))
    second = sealed(MINI, event, clock)

    keys = {
        decoder(MINI, clock).decode(push.query, push.body).dedupe_key for push in (first, second)
    }

    assert first.body != second.body
    assert len(keys) == 1


def test_verdicts_of_one_second_have_keys_of_their_own() -> None:
    keys = {dedupe_key_of(media_check_event(trace, "pass", at=1.0)) for trace in ("t1", "t2")}

    assert keys == {"wxa_media_check:t1", "wxa_media_check:t2"}


def event(**changes: Any) -> dict[str, Any]:
    return {"FromUserName": "o", "CreateTime": 1, "MsgType": "event", "Event": "x", **changes}


@pytest.mark.parametrize(
    "change",
    [{"FromUserName": "p"}, {"CreateTime": 2}, {"Event": "y"}, {"List": {"TemplateId": "t"}}],
    ids=str,
)
def test_other_pushes_are_told_apart_by_all_they_say(change: dict[str, Any]) -> None:
    assert dedupe_key_of(event()) == dedupe_key_of(dict(reversed(event().items())))
    assert dedupe_key_of(event(**change)) != dedupe_key_of(event())


@pytest.mark.parametrize(
    "change",
    [
        {"Event": "subscribe_msg_sent_event", "List": {"MsgID": "7", "ErrorCode": "0"}},
        {"Event": "subscribe_msg_sent_event", "List": [{"MsgID": 7, "ErrorCode": 0}]},
        {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": {"MsgID": "7"}}},
        {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": [{"MsgID": "7"}]}},
        {"Event": "TEMPLATESENDJOBFINISH", "MsgID": 7},
        {"MsgType": "text", "MsgId": "7"},
    ],
    ids=str,
)
def test_push_about_a_message_is_known_by_the_messages_id(change: dict[str, Any]) -> None:
    assert dedupe_key_of(event(**change)) == dedupe_key_of(event(**change, CreateTime=99))
    assert dedupe_key_of(event(**change)).endswith(":7")


def test_the_same_push_with_numbers_as_text_has_the_same_key() -> None:
    numbers = event(CreateTime=1, List=[{"label": 100}])
    texts = event(CreateTime="1", List=[{"label": "100"}])

    assert dedupe_key_of(numbers) == dedupe_key_of(texts)


def test_outcomes_of_several_messages_in_one_push_are_told_apart_by_all_they_say() -> None:
    one, two = ({"MsgID": number, "ErrorCode": "0"} for number in ("7", "8"))
    kind = "subscribe_msg_sent_event"

    assert dedupe_key_of(event(Event=kind, List=[one, two])) != dedupe_key_of(
        event(Event=kind, List=[one, one])
    )
