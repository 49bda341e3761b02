"""Send messages: subscription, employment relation, service-account template, WeCom robot."""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.wechat.errors import WeChatError
from infra.local.wechat.events import service_event, subscription_event
from infra.local.wechat.fields import is_valid
from infra.local.wechat.tokens import require_token
from infra.local.wechat.wire import OK, Answer, Request, json_answer
from infra.local.wechat.world import World

DEDUPE_S = 600
ROBOT_PER_MINUTE = 20
_ROBOT_LIMIT_BYTES = {"text": 2048, "markdown": 4096}


def send_subscription(world: World, request: Request) -> Answer:
    """POST cgi-bin/message/subscribe/send: 40003, 40037, 41030, 47003, 43101; spends quota."""
    require_token(world, request, "mini")
    body = request.json()
    openid = body.get("touser")
    world.require_user(openid)
    template = world.template(body.get("template_id"), "once", "long")
    _check_page(world, body)
    data = _checked_values(template, body.get("data"), errcode=47003)
    _spend_quota(world, str(openid), str(body["template_id"]), template["audience"])
    withheld = world.withheld(str(openid))
    msgid = world.new_message_id() if withheld else _deliver(world, "subscribe", body, data)
    code = (withheld or {}).get("error_code", "20001" if withheld else "0")
    item = {
        "TemplateId": str(body["template_id"]),
        "MsgID": str(msgid),
        "ErrorCode": code,
        "ErrorStatus": "failed" if withheld else "success",
    }
    at = world.now()
    world.push("mini", subscription_event("subscribe_msg_sent_event", str(openid), [item], at=at))
    return json_answer({**OK, "msgid": msgid})


def send_employee(world: World, request: Request) -> Answer:
    """POST cgi-bin/message/wxopen/employeerelationmsg/send: `data` is JSON inside a string."""
    require_token(world, request, "mini")
    body = request.json()
    if not all(body.get(name) for name in ("template_id", "page", "touser", "data")):
        raise WeChatError(40097)
    openid = str(body["touser"])
    if world.store.get("user", openid) is None:
        raise WeChatError(40257)
    template = world.template(body["template_id"], "employee")
    _check_page(world, body)
    data = _checked_values(template, _unwrapped(body["data"]), errcode=40097)
    if body["template_id"] not in (world.store.get("employee", openid) or []):
        raise WeChatError(40256)
    return json_answer({**OK, "msgid": _deliver(world, "employee", body, data)})


def send_template(world: World, request: Request) -> Answer:
    """POST cgi-bin/message/template/send with the service account's token.

    A `client_msg_id` seen within 10 minutes answers the first msgid and sends nothing.
    """
    require_token(world, request, "service")
    body = request.json()
    openid = str(body.get("touser", ""))
    follower = world.store.get("follower", openid)
    if follower is None:
        raise WeChatError(40003)
    template = world.template(body.get("template_id"), "service")
    data = _checked_values(template, body.get("data"), errcode=47003)
    _check_mini_link(world, body.get("miniprogram"))
    if not follower["follows"]:
        raise WeChatError(43004)
    return json_answer({**OK, "msgid": _send_once(world, body, data)})


def uniform_send(world: World, request: Request) -> Answer:
    """POST cgi-bin/message/wxopen/template/uniform_send: withdrawn on 2023-09-20."""
    require_token(world, request, "mini")
    raise WeChatError(45109)


def send_robot(world: World, request: Request) -> Answer:
    """POST cgi-bin/webhook/send?key=: text or markdown, 20 in a minute per robot."""
    key = request.query.get("key", "")
    if key not in world.setting("robot_keys"):
        raise WeChatError(93000)
    body = request.json()
    kind = body.get("msgtype")
    part = body.get(kind) if isinstance(kind, str) else None
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content or kind not in _ROBOT_LIMIT_BYTES:
        raise WeChatError(40097)
    if len(content.encode()) > _ROBOT_LIMIT_BYTES[kind]:
        raise WeChatError(45002)
    if not world.take_turn(f"robot:{key}", limit=ROBOT_PER_MINUTE, window_s=60):
        raise WeChatError(45009)
    world.deliver(channel="robot", touser=key, data=part)
    return json_answer(OK)


def _check_page(world: World, body: Mapping[str, Any]) -> None:
    if body.get("page"):
        world.require_page(str(body["page"]))


def _check_mini_link(world: World, link: object) -> None:
    if link is None:
        return
    if not isinstance(link, dict) or world.account(str(link.get("appid"))).name != "mini":
        raise WeChatError(40013)
    world.require_page(str(link.get("pagepath", "")), errcode=40165)


def _unwrapped(data: object) -> object:
    try:
        inner = json.loads(data) if isinstance(data, str) else None
    except ValueError:
        inner = None
    if not isinstance(inner, dict) or "data" not in inner:
        raise WeChatError(40097)
    return inner["data"]


def _checked_values(template: Mapping[str, Any], data: object, *, errcode: int) -> dict[str, str]:
    """Return value by field key; refuse the first key that is missing, unknown or unfit.

    Unknown keys and values that are no strings are refused too: stricter than is known of
    WeChat, since either is a mistake of the sender.
    """
    if not isinstance(data, dict):
        raise WeChatError(47001)
    values = {}
    for key in (*template["fields"], *data):
        given = data.get(key)
        value = given.get("value") if isinstance(given, dict) else None
        known = key in template["fields"]
        if not known or not isinstance(value, str) or not is_valid(key, value):
            raise WeChatError(errcode, f"data.{key}.value invalid")
        values[key] = value
    return values


def _spend_quota(world: World, openid: str, template_id: str, audience: str) -> None:
    key = f"{openid}:{template_id}"
    left = world.store.get("quota", key) or 0
    if left < 1:
        raise WeChatError(43101)
    if audience == "once":
        world.store.put("quota", key, left - 1)


def _send_once(world: World, body: Mapping[str, Any], data: Mapping[str, str]) -> int:
    client_msg_id = body.get("client_msg_id")
    first = world.store.get("client_msg", str(client_msg_id)) if client_msg_id else None
    if first is not None and world.now() - first["at"] < DEDUPE_S:
        return int(first["msgid"])
    withheld = world.withheld(str(body["touser"]))
    msgid = world.new_message_id() if withheld else _deliver(world, "template", body, data)
    status = (withheld or {}).get("status", "failed:user block" if withheld else "success")
    if client_msg_id:
        world.store.put("client_msg", str(client_msg_id), {"msgid": msgid, "at": world.now()})
    event = service_event(
        "TEMPLATESENDJOBFINISH",
        str(body["touser"]),
        at=world.now(),
        MsgID=msgid,
        Status=status,
    )
    world.push("service", event)
    return msgid


def _deliver(world: World, channel: str, body: Mapping[str, Any], data: Mapping[str, str]) -> int:
    link = body.get("miniprogram") or {}
    return world.deliver(
        channel=channel,
        touser=str(body["touser"]),
        template_id=body["template_id"],
        data=dict(data),
        page=body.get("page") or link.get("pagepath"),
        url=body.get("url"),
        client_msg_id=body.get("client_msg_id"),
    )
