"""The channels say in the product's words what WeChat answered."""

from __future__ import annotations

import logging
import traceback

import pytest

from infra.local.wechat.accounts import (
    EMPLOYEE_OFFICER_ALERT,
    LONG_RIDER_PROGRESS,
    ONCE_OFFICER_ALERT,
    ROBOT_KEY,
    SERVICE_OFFICER_ALERT,
)
from models.alerts.entities import (
    Channel,
    ChannelRefused,
    Post,
    Quota,
    Recipient,
    Refusal,
    Template,
)
from models.base.errors import Unavailable
from models.gateways.wechat.channels import (
    EmploymentMessages,
    RobotMessages,
    ServiceMessages,
    SubscriptionMessages,
)
from models.gateways.wechat.client import WeChatClient
from models.gateways.wechat.robot import Robots
from tests.models.gateways.wechat.conftest import OPENID, UNIONID, WeChat, mini_account

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


def employment(wechat: WeChat) -> Channel:
    return EmploymentMessages(
        client=wechat.mini, template_ids={Template.OFFICER_ALERT: EMPLOYEE_OFFICER_ALERT}
    )


def robot(wechat: WeChat, key: str | None = ROBOT_KEY, community: str = "c-1") -> Channel:
    return RobotMessages(
        robots=Robots(wechat.transport),
        post_of=lambda _: Post(display="羊山一网格", community_id=community),
        key_of=lambda asked: key if asked == "c-1" else None,
    )


def test_who_is_bound_gets_employment_messages_again_and_again(wechat: WeChat) -> None:
    wechat.control("bind_employee", openid=OPENID, templates=[EMPLOYEE_OFFICER_ALERT])

    for _ in range(3):
        send(employment(wechat), recipient())

    assert [(one["channel"], one["data"]) for one in wechat.sent()] == [("employee", FIELDS)] * 3


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [
        (40256, Refusal.NOT_BOUND),
        (40257, Refusal.GONE),
        (40097, Refusal.INVALID_FIELDS),
        (43104, Refusal.NO_TEMPLATE),
        (45009, Refusal.RATE_LIMITED),
    ],
)
def test_refusal_of_an_employment_message_becomes_a_reason(
    wechat: WeChat, errcode: int, reason: Refusal
) -> None:
    wechat.fail("/cgi-bin/message/wxopen/employeerelationmsg/send", errcode=errcode)

    with pytest.raises(ChannelRefused) as refused:
        send(employment(wechat), recipient())

    assert refused.value.reason is reason


def test_who_never_bound_himself_is_not_bound(wechat: WeChat) -> None:
    with pytest.raises(ChannelRefused) as refused:
        send(employment(wechat), recipient())

    assert refused.value.reason is Refusal.NOT_BOUND


def test_the_form_of_an_employment_message_can_be_exchanged(wechat: WeChat) -> None:
    """Real accounts may want another than the documented one: then 40097 is what we see."""
    wechat.control("bind_employee", openid=OPENID, templates=[EMPLOYEE_OFFICER_ALERT])
    client = WeChatClient(
        account=mini_account(),
        tokens=wechat.tokens(),
        transport=wechat.transport,
        employee_data=dict,
    )
    plain = EmploymentMessages(
        client=client, template_ids={Template.OFFICER_ALERT: EMPLOYEE_OFFICER_ALERT}
    )

    with pytest.raises(ChannelRefused) as refused:
        send(plain, recipient())

    assert refused.value.reason is Refusal.INVALID_FIELDS


def test_a_long_term_subscription_is_sent_while_it_is_accepted(wechat: WeChat) -> None:
    wechat.control("popup", openid=OPENID, templates={LONG_RIDER_PROGRESS: "accept"})
    channel = SubscriptionMessages(
        client=wechat.mini,
        template_ids={Template.RIDER_PROGRESS: LONG_RIDER_PROGRESS},
        name="long_term",
        quota=Quota.WHILE_ACCEPTED,
    )
    fields = {
        "thing1": "占道",
        "phrase2": "已经接单",
        "thing3": "请放心",
        "character_string4": "C-1",
    }
    how = {"template": Template.RIDER_PROGRESS, "fields": fields}

    for _ in range(2):
        send(channel, recipient(), **how)  # type: ignore[arg-type]

    assert len(wechat.sent()) == 2
    wechat.control("unsubscribe", openid=OPENID, templates=[LONG_RIDER_PROGRESS])
    with pytest.raises(ChannelRefused) as refused:
        send(channel, recipient(), **how)  # type: ignore[arg-type]
    assert refused.value.reason is Refusal.NO_QUOTA


def test_a_robot_names_the_post_and_the_case_alone(wechat: WeChat) -> None:
    send(robot(wechat), recipient())

    [message] = wechat.sent()
    said = message["data"]["content"]
    assert (message["channel"], message["touser"]) == ("robot", ROBOT_KEY)
    assert "羊山一网格" in said
    assert "C-1" in said
    for private in (FIELDS["thing1"], FIELDS["thing2"], OPENID, "mbr_1"):
        assert private not in said


@pytest.mark.parametrize(
    ("key", "community"), [(None, "c-1"), ("another", "c-1"), (ROBOT_KEY, "c-2")]
)
def test_a_community_without_a_robot_is_not_bound(
    wechat: WeChat, key: str | None, community: str
) -> None:
    with pytest.raises(ChannelRefused) as refused:
        send(robot(wechat, key, community), recipient())

    assert refused.value.reason is Refusal.NOT_BOUND


def test_a_robot_that_spoke_too_often_says_when_it_may_again(wechat: WeChat) -> None:
    for _ in range(20):
        send(robot(wechat), recipient())

    with pytest.raises(ChannelRefused) as refused:
        send(robot(wechat), recipient())

    assert refused.value.reason is Refusal.RATE_LIMITED
    assert refused.value.retry_after is not None


def test_each_robot_has_a_count_of_its_own_and_members_have_theirs(wechat: WeChat) -> None:
    assert robot(wechat).counter(recipient()) == "#robot:c-1"
    assert employment(wechat).counter(recipient()) == "mbr_1"
    one, other = recipient("one"), recipient("other")
    assert service(wechat).counter(one) == service(wechat).counter(other)


def test_who_does_not_follow_is_not_counted(wechat: WeChat) -> None:
    with pytest.raises(ChannelRefused) as refused:
        service(wechat).counter(recipient(None))

    assert refused.value.reason is Refusal.NOT_FOLLOWING


def test_fields_go_under_the_accounts_own_keys(wechat: WeChat) -> None:
    theirs = {"thing1": "thing12", "time3": "time7"}
    keyed = {theirs.get(key, key): value for key, value in FIELDS.items()}
    wechat.control(
        "templates",
        register=[
            {"id": "own", "title": "t", "audience": "once", "fields": dict.fromkeys(keyed, "x")}
        ],
    )
    wechat.control("popup", openid=OPENID, templates={"own": "accept"})
    channel = SubscriptionMessages(
        client=wechat.mini,
        template_ids={Template.OFFICER_ALERT: "own"},
        field_keys={Template.OFFICER_ALERT: theirs},
    )

    send(channel, recipient())

    [message] = wechat.sent()
    assert message["data"] == keyed


@pytest.mark.parametrize("failure", [None, {"reset": True}, {"errcode": 93000}, {"http": 502}])
def test_a_robots_key_stands_in_no_log(
    wechat: WeChat, failure: dict[str, object] | None, caplog: pytest.LogCaptureFixture
) -> None:
    if failure is not None:
        wechat.fail("/cgi-bin/webhook/send", **failure)

    told = ""
    with caplog.at_level(logging.DEBUG):
        try:
            send(robot(wechat), recipient())
        except (ChannelRefused, Unavailable) as error:
            told = "".join(traceback.format_exception(error))

    assert (told == "") == (failure is None)
    assert ROBOT_KEY not in told + " ".join(f"{record.__dict__}" for record in caplog.records)
