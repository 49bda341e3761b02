"""Who is calling: login codes, phone codes, and followers of the service account."""

import secrets

from infra.local.wechat.errors import WeChatError
from infra.local.wechat.tokens import check_credentials, require_token
from infra.local.wechat.wire import OK, Answer, Request, json_answer
from infra.local.wechat.world import World

CODE_LIFETIME_S = 300
LOGINS_PER_MINUTE = 100


def mint_code(world: World, kind: str, *, ttl_s: float, **facts: object) -> str:
    """Return a new single-use code of a kind (`login` or `phone`), kept with its facts."""
    code = f"0{secrets.token_hex(15)}"
    world.store.put(kind, code, {"expires_at": world.now() + ttl_s, "used": False, **facts})
    return code


def code_to_session(world: World, request: Request) -> Answer:
    """GET sns/jscode2session: no access_token, text/plain, no errcode on success.

    A code that is used counts as a visit of the mini-program.
    """
    account = check_credentials(world, request.query, grant_type="authorization_code")
    if account.name != "mini":
        raise WeChatError(48001)
    code = request.query.get("js_code", "")
    if not code:
        raise WeChatError(41008)
    login = _unspent(world, "login", code, used_errcode=40163)
    openid = login["openid"]
    if not world.take_turn(f"login:{openid}", limit=LOGINS_PER_MINUTE, window_s=60):
        raise WeChatError(45011)
    world.store.put("login", code, {**login, "used": True})
    world.visit(openid, login["unionid"])
    session = {"session_key": secrets.token_urlsafe(16)[:22] + "==", "openid": openid}
    unionid = world.require_user(openid)["unionid"]
    return json_answer(
        session | ({"unionid": unionid} if unionid else {}), content_type="text/plain"
    )


def phone_number(world: World, request: Request) -> Answer:
    """POST wxa/business/getuserphonenumber: single use; a foreign openid spends nothing."""
    account = require_token(world, request, "mini")
    body = request.json()
    code = str(body.get("code", ""))
    phone = _unspent(world, "phone", code, used_errcode=40029)
    if body.get("openid") and phone["openid"] and body["openid"] != phone["openid"]:
        raise WeChatError(40029)
    world.store.put("phone", code, {**phone, "used": True})
    facts = {
        "phoneNumber": phone["phone"],
        "purePhoneNumber": phone["phone"],
        "countryCode": 86,
        "watermark": {"timestamp": int(world.now()), "appid": account.appid},
    }
    return json_answer({**OK, "phone_info": facts})


def user_info(world: World, request: Request) -> Answer:
    """GET cgi-bin/user/info: a follower's unionid; nothing but `subscribe: 0` for others."""
    require_token(world, request, "service")
    openid = request.query.get("openid", "")
    follower = world.store.get("follower", openid)
    if follower is None:
        raise WeChatError(40003)
    if not follower["follows"]:
        return json_answer({"subscribe": 0, "openid": openid})
    return json_answer(
        {
            "subscribe": 1,
            "openid": openid,
            "nickname": "",
            "language": "zh_CN",
            "headimgurl": "",
            "subscribe_time": int(follower["since"]),
            "unionid": follower["unionid"],
            "remark": "",
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": "ADD_SCENE_QR_CODE",
            "qr_scene": 0,
            "qr_scene_str": "",
        }
    )


def _unspent(world: World, kind: str, code: str, *, used_errcode: int) -> dict[str, str]:
    kept = world.store.get(kind, code)
    if kept is None or kept["expires_at"] <= world.now():
        raise WeChatError(40029)
    if kept["used"]:
        raise WeChatError(used_errcode)
    return dict(kept)
