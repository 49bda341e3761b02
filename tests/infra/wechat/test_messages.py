"""Sending through every channel, and each way in which WeChat refuses."""

import json
from typing import Any

import pytest
import requests

from infra.local.wechat.accounts import (
    EMPLOYEE_OFFICER_ALERT,
    LONG_RIDER_PROGRESS,
    MINI,
    ONCE_OFFICER_ALERT,
    ONCE_RIDER_PROGRESS,
    ROBOT_KEY,
    SERVICE,
    SERVICE_OFFICER_ALERT,
)

SUBSCRIBE = "cgi-bin/message/subscribe/send"
EMPLOYEE = "cgi-bin/message/wxopen/employeerelationmsg/send"
TEMPLATE = "cgi-bin/message/template/send"
ROBOT = "cgi-bin/webhook/send"
ALERT = {
    "thing1": {"value": "占道停放电动车"},
    "thing2": {"value": "新七大道 synthetic"},
    "time3": {"value": "2026年11月23日 15:01"},
    "character_string4": {"value": "R20261123-0042"},
}
PROGRESS = {
    "thing1": {"value": "占道停放电动车"},
    "phrase2": {"value": "已受理"},
    "thing3": {"value": "已有人处理"},
    "character_string4": {"value": "R20261123-0042"},
}


def alert(**changes: object) -> dict[str, object]:
    message = {"touser": "o-officer", "template_id": ONCE_OFFICER_ALERT, "data": ALERT}
    return {**message, "page": "pages/case/detail?id=C1", **changes}


def employee_alert(**changes: object) -> dict[str, object]:
    data = json.dumps({"data": ALERT})
    return alert(template_id=EMPLOYEE_OFFICER_ALERT, data=data, **changes)


def service_alert(openid: str, **changes: object) -> dict[str, object]:
    return {
        "touser": openid,
        "template_id": SERVICE_OFFICER_ALERT,
        "miniprogram": {"appid": MINI.appid, "pagepath": "pages/case/detail?id=C1"},
        "client_msg_id": "C1:alert:1",
        "data": ALERT,
        **changes,
    }


def robot_text(content: str) -> dict[str, object]:
    return {"msgtype": "text", "text": {"content": content}}


def accept(wechat: Any, template_id: str = ONCE_OFFICER_ALERT) -> None:
    wechat.control("popup", openid="o-officer", templates={template_id: "accept"})


def test_one_accept_sends_one_message_as_it_was_written(wechat: Any) -> None:
    accept(wechat)

    first = wechat.send(SUBSCRIBE, alert())
    second = wechat.send(SUBSCRIBE, alert())

    assert first["errcode"] == 0
    assert first["msgid"] > 2**53
    assert second["errcode"] == 43101
    (message,) = wechat.sent()
    assert message["channel"] == "subscribe"
    assert message["data"] == {key: field["value"] for key, field in ALERT.items()}
    assert message["page"] == "pages/case/detail?id=C1"
    assert message["msgid"] == str(first["msgid"])


def test_accepts_add_up_and_rejecting_in_the_settings_takes_all(wechat: Any) -> None:
    for _ in range(3):
        accept(wechat)
    assert wechat.send(SUBSCRIBE, alert())["errcode"] == 0
    wechat.control("unsubscribe", openid="o-officer", templates=[ONCE_OFFICER_ALERT])

    assert wechat.send(SUBSCRIBE, alert())["errcode"] == 43101


@pytest.mark.parametrize("answer", ["reject", "ban"])
def test_refused_popup_gives_no_quota(wechat: Any, answer: str) -> None:
    wechat.control("popup", openid="o-officer", templates={ONCE_OFFICER_ALERT: answer})

    assert wechat.send(SUBSCRIBE, alert())["errcode"] == 43101


def test_long_term_subscription_lasts_until_rejected(wechat: Any) -> None:
    accept(wechat, LONG_RIDER_PROGRESS)
    message = alert(template_id=LONG_RIDER_PROGRESS, data=PROGRESS)

    assert [wechat.send(SUBSCRIBE, message)["errcode"] for _ in range(3)] == [0, 0, 0]
    wechat.control("unsubscribe", openid="o-officer", templates=[LONG_RIDER_PROGRESS])
    assert wechat.send(SUBSCRIBE, message)["errcode"] == 43101


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"touser": "o-nobody"}, 40003),
        ({"touser": None}, 40003),
        ({"template_id": "unknown"}, 40037),
        ({"template_id": SERVICE_OFFICER_ALERT}, 40037),
        ({"page": "pages/none"}, 41030),
        ({"page": "/pages/case/detail"}, 41030),
        ({"data": "text"}, 47001),
        ({"data": {}}, 47003),
        ({"template_id": ONCE_RIDER_PROGRESS, "data": PROGRESS}, 43101),
    ],
)
def test_subscription_is_refused_with_the_code_of_its_mistake(
    wechat: Any, changes: dict[str, object], errcode: int
) -> None:
    accept(wechat)

    assert wechat.send(SUBSCRIBE, alert(**changes))["errcode"] == errcode
    assert wechat.sent() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing2", "一" * 21),
        ("thing1", ""),
        ("time3", "明天"),
        ("character_string4", "编号"),
        ("thing9", "unknown key"),
        ("thing1", 5),
    ],
)
def test_bad_field_is_named_and_spends_no_quota(wechat: Any, key: str, value: object) -> None:
    accept(wechat)

    refused = wechat.send(SUBSCRIBE, alert(data={**ALERT, key: {"value": value}}))

    assert refused["errcode"] == 47003
    assert f"data.{key}.value invalid" in refused["errmsg"]
    assert wechat.send(SUBSCRIBE, alert())["errcode"] == 0


def test_employee_message_needs_a_binding_and_its_odd_shape(wechat: Any) -> None:
    wechat.control("visit", openid="o-officer")
    assert wechat.send(EMPLOYEE, employee_alert())["errcode"] == 40256
    wechat.control("bind_employee", openid="o-officer", templates=[EMPLOYEE_OFFICER_ALERT])

    assert [wechat.send(EMPLOYEE, employee_alert())["errcode"] for _ in range(2)] == [0, 0]
    plain = {**employee_alert(), "data": {"data": ALERT}}
    assert wechat.send(EMPLOYEE, plain)["errcode"] == 40097
    assert wechat.send(EMPLOYEE, {**employee_alert(), "page": ""})["errcode"] == 40097
    assert wechat.send(EMPLOYEE, employee_alert(touser="o-nobody"))["errcode"] == 40257
    assert [message["channel"] for message in wechat.sent()] == ["employee", "employee"]


def test_service_template_needs_a_follower(wechat: Any) -> None:
    openid = wechat.control("follow", unionid="u-officer")["service_openid"]
    assert wechat.send(TEMPLATE, service_alert(openid), SERVICE)["errcode"] == 0
    wechat.control("unfollow", service_openid=openid)

    refused = wechat.send(TEMPLATE, service_alert(openid, client_msg_id="other"), SERVICE)

    assert refused["errcode"] == 43004
    assert wechat.send(TEMPLATE, service_alert("o-nobody"), SERVICE)["errcode"] == 40003
    (message,) = wechat.sent(touser=openid)
    assert message["client_msg_id"] == "C1:alert:1"
    assert message["page"] == "pages/case/detail?id=C1"


def test_same_client_msg_id_sends_once_within_ten_minutes(wechat: Any) -> None:
    openid = wechat.control("follow", unionid="u-officer")["service_openid"]
    first = wechat.send(TEMPLATE, service_alert(openid), SERVICE)
    again = wechat.send(TEMPLATE, service_alert(openid), SERVICE)
    wechat.control("advance_clock", seconds=600)
    later = wechat.send(TEMPLATE, service_alert(openid), SERVICE)

    assert again["msgid"] == first["msgid"]
    assert later["msgid"] != first["msgid"]
    assert len(wechat.sent()) == 2


def test_service_template_checks_fields_and_the_linked_mini_program(wechat: Any) -> None:
    openid = wechat.control("follow", unionid="u-officer")["service_openid"]
    long_text = {**ALERT, "thing1": {"value": "一" * 21}}
    foreign = {"appid": SERVICE.appid, "pagepath": "pages/case/detail"}

    refused = wechat.send(TEMPLATE, service_alert(openid, data=long_text), SERVICE)

    assert refused["errcode"] == 47003
    assert "data.thing1.value" in refused["errmsg"]
    wrong_link = service_alert(openid, miniprogram=foreign)
    assert wechat.send(TEMPLATE, wrong_link, SERVICE)["errcode"] == 40013
    wrong_template = service_alert(openid, template_id=ONCE_OFFICER_ALERT)
    assert wechat.send(TEMPLATE, wrong_template, SERVICE)["errcode"] == 40037


def test_uniform_message_is_withdrawn(wechat: Any) -> None:
    path = "cgi-bin/message/wxopen/template/uniform_send"

    assert wechat.send(path, {})["errcode"] == 45109


def test_robot_takes_twenty_messages_a_minute(wechat: Any) -> None:
    codes = [wechat.post(ROBOT, robot_text("新事项"), key=ROBOT_KEY)["errcode"] for _ in range(21)]
    wechat.control("advance_clock", seconds=60)

    assert codes == [0] * 20 + [45009]
    assert wechat.post(ROBOT, robot_text("新事项"), key=ROBOT_KEY)["errcode"] == 0
    assert wechat.sent()[0]["data"] == {"content": "新事项"}


def test_robot_refuses_a_wrong_key_an_odd_body_and_a_long_text(wechat: Any) -> None:
    assert wechat.post(ROBOT, robot_text("x"), key="wrong")["errcode"] == 93000
    assert wechat.post(ROBOT, {"msgtype": "image"}, key=ROBOT_KEY)["errcode"] == 40097
    assert wechat.post(ROBOT, robot_text("字" * 683), key=ROBOT_KEY)["errcode"] == 45002
    assert wechat.post(ROBOT, robot_text("字" * 682), key=ROBOT_KEY)["errcode"] == 0


def test_registered_template_can_be_sent(wechat: Any) -> None:
    template = {"id": "new", "title": "新", "audience": "once", "fields": {"number1": "数量"}}
    wechat.control("templates", register=[template])
    accept(wechat, "new")

    message = alert(template_id="new", data={"number1": {"value": "3"}})

    assert wechat.send(SUBSCRIBE, message)["errcode"] == 0


def test_sent_messages_can_be_read_from_a_place_or_a_time_on(wechat: Any) -> None:
    for content in ("一", "二"):
        wechat.post(ROBOT, robot_text(content), key=ROBOT_KEY)
        wechat.control("advance_clock", seconds=3600)
    first, second = wechat.sent()

    assert wechat.sent(since=str(first["seq"])) == [second]
    assert wechat.sent(since=second["at"]) == [second]
    assert wechat.sent(touser="o-nobody") == []


def test_page_shows_messages_in_chinese_and_escapes_them(wechat: Any) -> None:
    accept(wechat)
    hostile = {**ALERT, "thing1": {"value": "<b>&\"'</b>"}}
    wechat.send(SUBSCRIBE, alert(data=hostile))

    page = wechat.raw("GET", "", {})

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<dt>事项</dt><dd>&lt;b&gt;&amp;&quot;&#x27;&lt;/b&gt;</dd>" in page.text
    assert "新事项提醒" in page.text
    assert "<b>" not in page.text


def test_body_needs_no_content_type(wechat: Any) -> None:
    request = requests.Request(
        "POST",
        f"{wechat.simulator.base_url}/{ROBOT}",
        params={"key": ROBOT_KEY},
        data=json.dumps(robot_text("x")).encode(),
    )
    prepared = wechat.session.prepare_request(request)

    assert "Content-Type" not in prepared.headers
    assert wechat.session.send(prepared, timeout=5).json()["errcode"] == 0


def test_a_template_message_may_be_taken_and_not_shown(wechat: Any, callback: Any) -> None:
    openid = wechat.control("follow", unionid="u-officer")["service_openid"]
    callback.next()
    wechat.control("withhold", touser=openid, status="failed:user block")

    first = wechat.send(TEMPLATE, service_alert(openid), SERVICE)
    said = callback.next()
    second = wechat.send(TEMPLATE, service_alert(openid, client_msg_id="C1:alert:2"), SERVICE)

    assert (said["Event"], said["Status"]) == ("TEMPLATESENDJOBFINISH", "failed:user block")
    assert said["MsgID"] == str(first["msgid"])
    assert [one["msgid"] for one in wechat.sent()] == [str(second["msgid"])]
    assert callback.next()["Status"] == "success"


def test_a_subscription_message_may_be_taken_and_not_shown(wechat: Any, callback: Any) -> None:
    wechat.control("popup", openid="o-officer", templates={ONCE_OFFICER_ALERT: "accept"})
    callback.next()
    wechat.control("withhold", touser="o-officer", error_code="20001")

    answer = wechat.send(SUBSCRIBE, alert())
    [said] = [callback.next()["List"]]

    assert (said["MsgID"], said["ErrorCode"]) == (str(answer["msgid"]), "20001")
    assert wechat.sent() == []


def test_who_ended_his_employment_relation_is_not_bound(wechat: Any) -> None:
    wechat.control("bind_employee", openid="o-officer", templates=[EMPLOYEE_OFFICER_ALERT])
    assert wechat.send(EMPLOYEE, employee_alert())["errcode"] == 0

    wechat.control("unbind_employee", openid="o-officer")

    assert wechat.send(EMPLOYEE, employee_alert())["errcode"] == 40256
