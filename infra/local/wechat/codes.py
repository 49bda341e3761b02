"""Ways into the mini-program: unlimited codes, URL schemes and URL links."""

import base64
import re
import secrets
from typing import Any

from infra.local.wechat.errors import WeChatError
from infra.local.wechat.tokens import require_token
from infra.local.wechat.wire import OK, Answer, Request, json_answer
from infra.local.wechat.world import World

LINK_LIFETIME_S = 30 * 86400
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
# A white square: callers store and print the picture, only a phone would read it.
_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKra"
    "rYqMyP/L2u71////m8H////6/+b9//j/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABQQAQAA"
    "AAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AZf/Z"
)


def unlimited_code(world: World, request: Request) -> Answer:
    """POST wxa/getwxacodeunlimit: image/jpeg bytes, or a JSON refusal (40169, 41030, 40097)."""
    require_token(world, request, "mini")
    body = request.json()
    scene = body.get("scene")
    if not isinstance(scene, str) or _SCENE.fullmatch(scene) is None:
        raise WeChatError(40169)
    page = str(body.get("page", ""))
    if page.startswith("/") or "?" in page:
        raise WeChatError(41030)
    if page and body.get("check_path", True):
        world.require_page(page)
    width = body.get("width", 430)
    if not isinstance(width, int) or not 280 <= width <= 1280:
        raise WeChatError(40097)
    return Answer(body=_JPEG, content_type="image/jpeg")


def scheme(world: World, request: Request) -> Answer:
    """POST wxa/generatescheme: a weixin:// link that lives 30 days at most."""
    require_token(world, request, "mini")
    body = request.json()
    target = body.get("jump_wxa")
    _check_link(world, target if isinstance(target, dict) else {}, body)
    return json_answer({**OK, "openlink": f"weixin://dl/business/?t={secrets.token_urlsafe(9)}"})


def url_link(world: World, request: Request) -> Answer:
    """POST wxa/generate_urllink: an https link that lives 30 days at most."""
    require_token(world, request, "mini")
    body = request.json()
    _check_link(world, body, body)
    return json_answer({**OK, "url_link": f"https://wxaurl.cn/{secrets.token_urlsafe(8)}"})


def _check_link(world: World, target: dict[str, Any], body: dict[str, Any]) -> None:
    path = str(target.get("path", ""))
    if path:
        world.require_page(path.lstrip("/"), errcode=40165)
    if len(str(target.get("query", ""))) > 1024:
        raise WeChatError(40097)
    days = body.get("expire_interval", 0) if body.get("expire_type") == 1 else 0
    at = body.get("expire_time", 0) if body.get("expire_type") != 1 else 0
    if days * 86400 > LINK_LIFETIME_S or at > world.now() + LINK_LIFETIME_S:
        raise WeChatError(85400)
