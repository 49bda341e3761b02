"""Steps 0–2: signing in, roles, photos."""

from __future__ import annotations

import contextlib
import io
import time
import uuid

from infra.local import roster as roster_shell
from infra.local.client import Reply, describe, upload
from infra.local.demo.stage import Person, Stage
from infra.local.seed import roster
from models.base.geometry import Position

SPOT = Position(lon=114.0853, lat=32.1462)
"""Where the e-bikes stand: inside the synthetic rectangle, in 羊山新区."""

ELSEWHERE = Position(lon=114.045, lat=32.105)
"""A grid of the other county."""


class Cast:
    """Who plays. Every role name is a post; nobody here exists."""

    def __init__(self, stage: Stage) -> None:
        self.rider = Person(stage, "rider")
        self.second = Person(stage, "second-rider")
        self.passer_by = Person(stage, "passer-by")
        self.officer = Person(stage, "officer")
        self.stranger = Person(stage, "officer-elsewhere")
        self.lead = Person(stage, "lead")
        self.community = Person(stage, "community")
        self.district = Person(stage, "district")
        self.keeper = Person(stage, "keeper")
        self.merchant = Person(stage, "merchant")
        self.handler = self.officer
        posts = dict(roster.demo_posts(SPOT))
        del posts["other_officer"]
        self.posts = posts | {"stranger": roster.demo_posts(ELSEWHERE)["officer"]}


def grant_roles(stage: Stage, cast: Cast, imported: int) -> None:
    """Step 0: the roster, phones, followers."""
    stage.step(0, "谁可以做什么 Who may do what")
    stage.tell(f"花名册导入 {imported} 行：手机号只有带密钥的摘要")
    for name, post in cast.posts.items():
        person: Person = getattr(cast, name)
        signed_in = person.sign_in()
        stage.expect(signed_in.body["member"]["roles"] == [], "no role before the phone is bound")
        reply = person.bind_phone(post.phone)
        me = person.app.get("/v1/me").body
        granted = {(role["role"], role["scope"]) for role in me["roles"]}
        stage.expect((post.role, post.scope) in granted, f"{name} got his role", reply)
        stage.tell(f"{post.display} 登录、绑定手机 → {post.role} @ {post.scope}", signed_in, reply)
    for official in (cast.officer, cast.lead, cast.community, cast.district):
        _follow(stage, official)
    stage.tell("网格员、网格长、社区、区县关注服务号 → 关注事件 → user/info → unionid 对上")
    _take_role_away(stage, cast.posts["stranger"].county)


def _take_role_away(stage: Stage, county: str) -> None:
    """A row comes and goes by the command line; with the row goes the session."""
    phone, guest = "10099999999", Person(stage, "officer-for-a-day")
    listed, key = io.StringIO(), io.StringIO()
    roster_shell.write(county, listed)
    with contextlib.redirect_stdout(key):
        roster_shell.print_keys(stage.services, io.StringIO(phone))
    grid = stage.grid_at(ELSEWHERE)
    row = f"{key.getvalue().strip()},officer,grid:{grid},{county},临时网格员,2026-01-01,\n"
    _import(stage, county, listed.getvalue() + row)
    guest.sign_in()
    guest.bind_phone(phone)
    before = guest.app.get("/v1/cases")
    stage.expect(before.status == 200, "the new row is a role", before)
    _import(stage, county, listed.getvalue())
    after = guest.app.get("/v1/cases")
    stage.refused(after, 401, "session.revoked")
    stage.tell(f"从花名册删去一行 → 会话立即失效：401 {after.body['message']}", before, after)


def _import(stage: Stage, county: str, text: str) -> None:
    path = stage.stack.home / "roster.csv"
    path.write_text(text, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        taken = roster_shell.take_in(stage.stack, path, county)
    stage.expect(taken == 0, "the roster is imported")


def _follow(stage: Stage, person: Person) -> None:
    identity = {"unionid": person.unionid, "service_openid": stage.service_openid(person)}
    stage.stack.control("follow", identity)


def sign_in(stage: Stage, cast: Cast) -> None:
    """Step 1: codes, good and bad."""
    stage.step(1, "登录 Signing in")
    replies = [rider.sign_in() for rider in (cast.rider, cast.second)]
    stage.tell("两位骑手用 wx.login 登录", *replies)

    code = stage.stack.control("mint_login_code", {"openid": cast.rider.openid})["code"]
    body = {"code": code, "client_request_id": str(uuid.uuid4())}
    first = cast.rider.app.post("/v1/sessions", body)
    again = cast.rider.app.post("/v1/sessions", body)
    stage.expect(first.body == again.body, "a lost reply costs nothing", again)
    stage.tell("回复丢失后重发同一请求 → 同一会话", again)

    used = cast.rider.app.post("/v1/sessions", {"code": code})
    stage.refused(used, 401, "session.code_used")
    unknown = cast.rider.app.post("/v1/sessions", {"code": "no-such-code"})
    stage.refused(unknown, 401, "session.code_invalid")
    short = stage.stack.control("mint_login_code", {"openid": cast.rider.openid, "ttl_s": 1})
    time.sleep(1.2)
    expired = cast.rider.app.post("/v1/sessions", {"code": short["code"]})
    stage.refused(expired, 401, "session.code_invalid")
    for kind, reply in (("用过的", used), ("不存在的", unknown), ("过期的", expired)):
        stage.tell(f"{kind}登录码 → 401 {reply.code}：{reply.body['message']}", reply)

    for rider in (cast.rider, cast.second):
        version = rider.app.get("/v1/bootstrap").body["consent_version"]
        consented = rider.app.put("/v1/me", {"consents": {"report": version}})
        stage.expect(consented.status == 200, "the rider consents", consented)
    stage.tell(f"骑手同意上报约定（{version}），不需要手机号", consented)


def send_photos(stage: Stage, cast: Cast) -> None:
    """Step 2: good photos are taken in, bad ones refused with nothing half-stored."""
    stage.step(2, "照片 Photos")
    good = stage.photo("DSCN0010.jpg")
    upload_id = cast.rider.upload(good)
    state = cast.rider.ready(upload_id)
    stage.expect(state["state"] == "ready", "a good photo is ready")
    stage.tell("DSCN0010.jpg → 去除全部元数据、重新编码、缩略图 ≤40 KB、dHash")

    stage.tell_work("photos", "照片收取")

    bad = {
        "corrupted.jpg": stage.photo("corrupted.jpg"),
        "改名的文本": b"this is only text, renamed to .jpg " * 40,
    }
    for name, content in bad.items():
        refused = cast.rider.ready(cast.rider.upload(content))
        stage.expect(refused["state"] == "refused", f"{name} is refused")
        stage.tell(f"{name} → 拒收：{refused['reason_text']}")

    huge = cast.rider.app.post(
        "/v1/uploads", {"items": [describe(bytes(20 * 1024 * 1024), "report")]}
    )
    stage.refused(huge, 422, "request.invalid")
    stage.tell(f"20 MB → 422 {huge.body['fields'][0]['field']} {huge.body['fields'][0]['message']}")

    for name, reply in _forgeries(stage, cast, good).items():
        stage.expect(reply.status in (400, 403), f"{name} is refused", reply)
        stage.tell(f"{name} → 存储拒绝 {reply.status}", reply)

    foreign = cast.second.app.get(f"/v1/uploads/{upload_id}")
    stage.expect(foreign.status == 404, "another's upload is unknown", foreign)
    stage.tell("别人的照片 → 404", foreign)


def _forgeries(stage: Stage, cast: Cast, photo: bytes) -> dict[str, Reply]:
    asked = cast.rider.app.post("/v1/uploads", {"items": [describe(photo, "report")]})
    form = asked.body["items"][0]
    fields = dict(form["fields"])
    signature = next(name for name in fields if name.lower() == "x-amz-signature")
    forged = {**form, "fields": {**fields, signature: "0" * 64}}
    other_key = {**form, "fields": {**fields, "key": "uploads/somebody-else"}}
    return {
        "伪造签名": upload(forged, photo),
        "换了对象名": upload(other_key, photo),
        "内容与哈希不符": upload(form, photo[:-1] + b"\0"),
        "比约定的大": upload(form, photo + b"\0"),
    }
