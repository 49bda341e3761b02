"""The channels say in the product's words what WeChat answered."""

from __future__ import annotations

import pytest

from infra.local.wechat.accounts import ONCE_OFFICER_ALERT, SERVICE_OFFICER_ALERT
from models.alerts.entities import Channel, ChannelRefused, Recipient, Refusal, Template
from models.base.errors import Unavailable
from models.gateways.wechat.channels import ServiceMessages, SubscriptionMessages
from tests.models.gateways.wechat.conftest import OPENID, UNIONID, WeChat

FIELDS = {
    "thing1": "消防通道堵塞",
    "thing2": "羊山新区二号院",
    "time3": "2026年3月18日 10:15",
    "character_string4": "C-1",
}


def recipient(service_openid: str | None = None, openid: str = OPENID) -> Recipient:
    return Recipient(member_id="mbr_1", openid=openid, service_openid=service_openid)


def service(wechat: WeChat) -> Channel:
    ids = {Template.OFFICER_ALERT: SERVICE_OFFICER_ALERT, Template.ESCALATION: "none"}
    return ServiceMessages(account=wechat.service, template_ids=ids)


def subscription(wechat: WeChat) -> Channel:
    ids = {Template.OFFICER_ALERT: ONCE_OFFICER_ALERT, Template.ESCALATION: "none"}
    return SubscriptionMessages(client=wechat.mini, template_ids=ids)


def send(
    channel: Channel,
    to: Recipient,
    *,
    template: Template = Template.OFFICER_ALERT,
    fields: dict[str, str] = FIELDS,
    page: str = "pages/case/detail?id=1",
) -> str:
    return channel.send(to, template=template, fields=fields, page=page, dedupe_key="ntc_1")


def test_follower_gets_one_template_message_however_often_it_is_sent(wechat: WeChat) -> None:
    follower = wechat.control("follow", unionid=UNIONID)["service_openid"]

    ids = {send(service(wechat), recipient(follower)) for _ in range(2)}

    [message] = wechat.sent()
    assert message["channel"] == "template"
    assert ids == {str(message["msgid"])}


def test_member_who_accepted_gets_a_subscription_message(wechat: WeChat) -> None:
    wechat.control("popup", openid=OPENID, templates={ONCE_OFFICER_ALERT: "accept"})

    send(subscription(wechat), recipient())

    [message] = wechat.sent()
    assert (message["channel"], message["data"]) == ("subscribe", FIELDS)


def test_template_without_an_id_is_not_sent(wechat: WeChat) -> None:
    for channel in (service(wechat), subscription(wechat)):
        assert channel.template_id(Template.RIDER_PROGRESS) is None
        with pytest.raises(ChannelRefused) as refused:
            send(channel, recipient("any"), template=Template.RIDER_PROGRESS)
        assert refused.value.reason is Refusal.NO_TEMPLATE
    assert wechat.calls == []


def test_member_who_never_followed_is_refused_without_a_call(wechat: WeChat) -> None:
    with pytest.raises(ChannelRefused) as refused:
        send(service(wechat), recipient(None))

    assert refused.value.reason is Refusal.NOT_FOLLOWING
    assert wechat.calls == []


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [
        (43101, Refusal.NO_QUOTA),
        (43004, Refusal.NOT_FOLLOWING),
        (47003, Refusal.INVALID_FIELDS),
        (41030, Refusal.INVALID_FIELDS),
        (40037, Refusal.NO_TEMPLATE),
        (40003, Refusal.GONE),
        (45009, Refusal.RATE_LIMITED),
    ],
)
def test_refusal_of_wechat_becomes_a_reason_with_its_request_id(
    wechat: WeChat, errcode: int, reason: Refusal
) -> None:
    follower = wechat.control("follow", unionid=UNIONID)["service_openid"]
    wechat.fail("/cgi-bin/message/subscribe/send", errcode=errcode)
    wechat.fail("/cgi-bin/message/template/send", errcode=errcode)

    for channel in (service(wechat), subscription(wechat)):
        with pytest.raises(ChannelRefused) as refused:
            send(channel, recipient(follower))
        assert refused.value.reason is reason
        assert refused.value.rid is not None


@pytest.mark.parametrize("failure", [{"errcode": 48001}, {"reset": True}])
def test_failure_that_may_pass_is_unavailable(wechat: WeChat, failure: dict[str, object]) -> None:
    follower = wechat.control("follow", unionid=UNIONID)["service_openid"]
    wechat.fail("/cgi-bin/message/subscribe/send", **failure)
    wechat.fail("/cgi-bin/message/template/send", **failure)

    for channel in (service(wechat), subscription(wechat)):
        with pytest.raises(Unavailable):
            send(channel, recipient(follower))
