"""Control API of the simulator: POST JSON to /_control/<name>; answers are JSON, status 200.

People
  mint_login_code  {openid, unionid?, ttl_s?=300} -> {code}      what wx.login would give
  mint_phone_code  {phone, openid?, ttl_s?=300} -> {code}        what getPhoneNumber would give
  visit            {openid, unionid?}                            opens the mini-program now
  popup            {openid, templates: {id: accept|reject|ban}}  one more message; pushes event
  unsubscribe      {openid, templates: [id]}                     quota 0; pushes change event
  follow           {unionid, service_openid?} -> {service_openid}  pushes subscribe event
  unfollow         {service_openid}                              pushes unsubscribe event
  bind_employee    {openid, templates: [id]}                     wx.bindEmployeeRelation
  unbind_employee  {openid}                                      ends the relation
  withhold         {touser, times?=1, status?|error_code?}       takes, does not show, says so
World
  expire_token     {appid, errcode?=42001|40001}     every token of the account ends now
  fail             {path, times?=1, errcode?|http?|timeout_s?|reset?|truncated?, after?}
                   `reset` with `after: true` does the work and loses the answer
  advance_clock    {seconds} -> {now, offset_s}
  clock            {offset_s} -> {now, offset_s}     absolute; GET reads it
  verdict          {<sha256 hex>|default: pass|risky|review, ...}  for media_check_async
  push             {account: mini|service, events: [..], copies?=1, reversed?, delay_s?}
  verify_url       {account} -> {ok}                 the console's GET with echostr
  templates        {register: [{id, title, audience: once|long|employee|service,
                   fields: {key: label}}]}
  configure        {mini_push_url, service_push_url, push_attempts, push_retry_gap_s,
                   push_timeout_s, media_delay_s, pages, robot_keys, keywords} -> settings
  reset            {}    forgets people, codes, tokens, messages, pushes, faults and the
                   clock's offset; settings and registered templates stay
Reading (GET)
  sent?touser=&since=   {items: [{seq, at, channel, touser, template_id, data, page, url,
                        client_msg_id, msgid}]}, oldest first; `since` is a seq (exclusive)
                        or an RFC 3339 time (inclusive)
  pushes                {items: [{seq, account, stage, state, attempts, outcome, content}]};
                        state: pending, delivered, lost (no attempt accepted), unsent (no url)
  health                {ok: true}
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.local.wechat import faults
from infra.local.wechat.accounts import ACCOUNTS
from infra.local.wechat.errors import BadControl
from infra.local.wechat.events import SUGGESTIONS, service_event, subscription_event
from infra.local.wechat.fields import field_type
from infra.local.wechat.login import CODE_LIFETIME_S, mint_code
from infra.local.wechat.tokens import end_tokens
from infra.local.wechat.wire import Request
from infra.local.wechat.world import DEFAULT_SETTINGS, World

Body = dict[str, Any]
_ANSWERS = ("accept", "reject", "ban")
_AUDIENCES = ("once", "long", "employee", "service")


def control(world: World, request: Request) -> Mapping[str, object]:
    """Carry out one control request; BadControl says what is wrong with it."""
    name = request.path.removeprefix("/_control/")
    if request.method == "GET" and name in _READ_BY_NAME:
        return _READ_BY_NAME[name](world, dict(request.query))
    if request.method != "POST" or name not in _ACT_BY_NAME:
        raise BadControl(f"unknown: {request.method} {request.path}")
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise BadControl("body is not JSON") from None
    if not isinstance(body, dict):
        raise BadControl("body is not an object")
    try:
        return _ACT_BY_NAME[name](world, body) or {"ok": True}
    except KeyError as exc:
        raise BadControl(f"missing {exc}") from None


def _mint_login_code(world: World, body: Body) -> Body:
    facts = {"openid": body["openid"], "unionid": body.get("unionid")}
    return {"code": mint_code(world, "login", ttl_s=body.get("ttl_s", CODE_LIFETIME_S), **facts)}


def _mint_phone_code(world: World, body: Body) -> Body:
    facts = {"phone": body["phone"], "openid": body.get("openid")}
    return {"code": mint_code(world, "phone", ttl_s=body.get("ttl_s", CODE_LIFETIME_S), **facts)}


def _visit(world: World, body: Body) -> None:
    world.visit(body["openid"], body.get("unionid"))


def _popup(world: World, body: Body) -> None:
    openid, answers = body["openid"], body["templates"]
    if not answers or any(answer not in _ANSWERS for answer in answers.values()):
        raise BadControl(f"templates needs ids with one of {', '.join(_ANSWERS)}")
    for template_id, answer in answers.items():
        template = world.store.get("template", template_id)
        if template is None or template["audience"] not in ("once", "long"):
            raise BadControl(f"no subscription template {template_id}")
        if answer == "accept":
            _grant(world, f"{openid}:{template_id}", lasting=template["audience"] == "long")
    world.visit(openid)
    items = [
        {"TemplateId": template_id, "SubscribeStatusString": answer, "PopupScene": "0"}
        for template_id, answer in answers.items()
    ]
    event = subscription_event("subscribe_msg_popup_event", openid, items, at=world.now())
    world.push("mini", event)


def _grant(world: World, key: str, *, lasting: bool) -> None:
    left = world.store.get("quota", key) or 0
    world.store.put("quota", key, 1 if lasting else left + 1)


def _unsubscribe(world: World, body: Body) -> None:
    openid, template_ids = body["openid"], body["templates"]
    if not template_ids:
        raise BadControl("templates is empty")
    for template_id in template_ids:
        world.store.delete("quota", f"{openid}:{template_id}")
    items = [
        {"TemplateId": template_id, "SubscribeStatusString": "reject"}
        for template_id in template_ids
    ]
    event = subscription_event("subscribe_msg_change_event", openid, items, at=world.now())
    world.push("mini", event)


def _follow(world: World, body: Body) -> Body:
    unionid = body["unionid"]
    openid = body.get("service_openid") or _service_openid(unionid)
    follower = {"unionid": unionid, "follows": True, "since": world.now()}
    world.store.put("follower", openid, follower)
    world.push("service", service_event("subscribe", openid, at=world.now(), EventKey=""))
    return {"service_openid": openid}


def _unfollow(world: World, body: Body) -> None:
    openid = body["service_openid"]
    follower = world.store.get("follower", openid)
    if follower is None:
        raise BadControl("never followed")
    world.store.put("follower", openid, {**follower, "follows": False})
    world.push("service", service_event("unsubscribe", openid, at=world.now(), EventKey=""))


def _service_openid(unionid: str) -> str:
    return f"oS{hashlib.sha256(unionid.encode()).hexdigest()[:26]}"


def _bind_employee(world: World, body: Body) -> None:
    bound = world.store.get("employee", body["openid"]) or []
    world.store.put("employee", body["openid"], sorted({*bound, *body["templates"]}))
    world.visit(body["openid"])


def _unbind_employee(world: World, body: Body) -> None:
    world.store.delete("employee", body["openid"])


def _withhold(world: World, body: Body) -> None:
    names = ("status", "error_code")
    kept = {name: str(body[name]) for name in names if name in body}
    world.store.put("withheld", body["touser"], {"times": int(body.get("times", 1)), **kept})


def _expire_token(world: World, body: Body) -> None:
    end_tokens(world, body["appid"], killed=body.get("errcode", 42001) == 40001)


def _advance_clock(world: World, body: Body) -> Body:
    offset_s = world.store.get("clock", "offset_s") or 0.0
    return _clock(world, {"offset_s": offset_s + body["seconds"]})


def _clock(world: World, body: Body) -> Body:
    world.set_clock_offset(float(body["offset_s"]))
    return _read_clock(world, {})


def _read_clock(world: World, _query: Body) -> Body:
    return {"now": _rfc3339(world.now()), "offset_s": world.store.get("clock", "offset_s") or 0.0}


def _verdict(world: World, body: Body) -> None:
    if not body or any(suggest not in SUGGESTIONS for suggest in body.values()):
        raise BadControl("needs sha256 or default with pass, risky or review")
    for sha256, suggest in body.items():
        world.store.put("verdict", sha256.lower(), suggest)


def _push(world: World, body: Body) -> None:
    account = _account_named(body["account"])
    events = [
        {"ToUserName": account.gh_id, "CreateTime": int(world.now()), "MsgType": "event", **event}
        for event in body["events"]
        for _ in range(body.get("copies", 1))
    ]
    for event in reversed(events) if body.get("reversed") else events:
        world.push(account.name, event, delay_s=body.get("delay_s", 0.0))


def _templates(world: World, body: Body) -> None:
    for template in body["register"]:
        if template["audience"] not in _AUDIENCES:
            raise BadControl(f"audience is one of {', '.join(_AUDIENCES)}")
        try:
            for key in template["fields"]:
                field_type(key)
        except ValueError as exc:
            raise BadControl(str(exc)) from None
        kept = {name: template[name] for name in ("title", "audience", "fields")}
        world.store.put("template", template["id"], kept)


def _configure(world: World, body: Body) -> Body:
    unknown = sorted(set(body) - set(DEFAULT_SETTINGS))
    if unknown:
        raise BadControl(f"unknown settings: {', '.join(unknown)}")
    for name, value in body.items():
        world.store.put("setting", name, value)
    return {name: world.setting(name) for name in DEFAULT_SETTINGS}


def _reset(world: World, _body: Body) -> None:
    world.store.run("DELETE FROM items WHERE kind NOT IN ('setting', 'template')")
    world.store.run("DELETE FROM sent")
    world.store.run("DELETE FROM pushes")


def _sent(world: World, query: Body) -> Body:
    since = query.get("since", "0")
    column, bound = ("seq >", int(since)) if since.isdigit() else ("at >=", _epoch(since))
    rows = world.store.run(
        f"SELECT * FROM sent WHERE {column} ? AND ? IN ('', touser) ORDER BY seq",
        bound,
        query.get("touser", ""),
    )
    items = [
        {"seq": row["seq"], "at": _rfc3339(row["at"]), **json.loads(row["message"])} for row in rows
    ]
    return {"items": items}


def _pushes(world: World, _query: Body) -> Body:
    names = ("seq", "account", "stage", "state", "attempts", "outcome")
    rows = world.store.run("SELECT * FROM pushes ORDER BY seq").fetchall()
    items = [
        {**{name: row[name] for name in names}, "content": json.loads(row["content"])}
        for row in rows
    ]
    return {"items": items}


def _account_named(name: object) -> Any:
    for account in ACCOUNTS:
        if account.name == name:
            return account
    raise BadControl("account is mini or service")


def _rfc3339(at: float) -> str:
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _epoch(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise BadControl("since is a seq or an RFC 3339 time") from None


_ACT_BY_NAME: Mapping[str, Callable[[World, Body], Body | None]] = {
    "mint_login_code": _mint_login_code,
    "mint_phone_code": _mint_phone_code,
    "visit": _visit,
    "popup": _popup,
    "unsubscribe": _unsubscribe,
    "follow": _follow,
    "unfollow": _unfollow,
    "bind_employee": _bind_employee,
    "unbind_employee": _unbind_employee,
    "withhold": _withhold,
    "expire_token": _expire_token,
    "fail": faults.plan,
    "advance_clock": _advance_clock,
    "clock": _clock,
    "verdict": _verdict,
    "push": _push,
    "templates": _templates,
    "configure": _configure,
    "reset": _reset,
}
_READ_BY_NAME: Mapping[str, Callable[[World, Body], Body]] = {
    "sent": _sent,
    "pushes": _pushes,
    "clock": _read_clock,
    "health": lambda _world, _query: {"ok": True},
}
