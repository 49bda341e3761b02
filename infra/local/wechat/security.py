"""Content checks: text at once, media by a download of our own and a pushed verdict."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import requests

from infra.local.wechat.errors import WeChatError
from infra.local.wechat.events import SUGGESTIONS
from infra.local.wechat.tokens import require_token
from infra.local.wechat.wire import OK, Answer, Request, json_answer
from infra.local.wechat.world import World

VISIT_S = 7200
TEXT_LIMIT = 2500
MEDIA_LIMIT_BYTES = 10 * 1024 * 1024
FETCH_TIMEOUT_S = 10.0
_IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8")
_IMAGE = 2
_SEVERITY = ("pass", "review", "risky")


def check_text(world: World, request: Request) -> Answer:
    """POST wxa/msg_sec_check: version 2; without a version the frozen first shape."""
    require_token(world, request, "mini")
    body = request.json()
    content = body.get("content")
    if not isinstance(content, str) or not content:
        raise WeChatError(47001)
    if len(content) > TEXT_LIMIT:
        raise WeChatError(45002)
    texts = (content, *(str(body.get(name, "")) for name in ("title", "nickname", "signature")))
    suggest, keyword = _judge(world, "\n".join(texts))
    if "version" not in body:
        return _first_version(suggest)
    _check_author(world, body)
    verdict = {"suggest": suggest, "label": SUGGESTIONS[suggest]}
    detail: list[dict[str, object]] = [
        {"strategy": "content_model", "errcode": 0, **verdict, "prob": 90}
    ]
    if keyword:
        hit = {"strategy": "keyword", "errcode": 0, **verdict, "level": 90, "keyword": keyword}
        detail.append(hit)
    trace_id = secrets.token_hex(16)
    return json_answer({**OK, "result": verdict, "detail": detail, "trace_id": trace_id})


def check_media(world: World, request: Request) -> Answer:
    """POST wxa/media_check_async: answers a trace_id; the verdict is pushed later."""
    require_token(world, request, "mini")
    body = request.json()
    url = body.get("media_url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise WeChatError(47001)
    if body.get("media_type") not in (1, _IMAGE) or body.get("version") != 2:
        raise WeChatError(40097)
    _check_author(world, body)
    trace_id = secrets.token_hex(16)
    verdict_at = world.now() + world.setting("media_delay_s")
    job = {
        "trace_id": trace_id,
        "media_url": url,
        "media_type": body["media_type"],
        "verdict_at": verdict_at,
    }
    world.push("mini", job, lane=trace_id, stage="fetch")
    return json_answer({**OK, "trace_id": trace_id})


def fetch_media(url: str) -> bytes | None:
    """Download a file as WeChat does, without credentials; None when that fails.

    More than 10 MB counts as failed, and so does anything but status 200.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, timeout=FETCH_TIMEOUT_S, stream=True) as answer:
                if answer.status_code != 200:
                    return None
                return _read_up_to_limit(answer)
    except requests.RequestException:
        return None


def judge_media(world: World, media: bytes | None, *, media_type: int) -> str | None:
    """Return pass, risky or review; None when there is no picture to look at.

    An image declared as audio passes unseen, as it does at WeChat.
    """
    if media is None:
        return None
    if media_type != _IMAGE:
        return "pass"
    if not (media.startswith(_IMAGE_STARTS)):
        return None
    verdicts = world.store.all("verdict")
    default = verdicts.get("default", "pass")
    return str(verdicts.get(hashlib.sha256(media).hexdigest(), default))


def _read_up_to_limit(answer: requests.Response) -> bytes | None:
    media = b""
    for chunk in answer.iter_content(64 * 1024):
        media += chunk
        if len(media) > MEDIA_LIMIT_BYTES:
            return None
    expected = answer.headers.get("Content-Length")
    return media if expected is None or int(expected) == len(media) else None


def _check_author(world: World, body: Mapping[str, Any]) -> None:
    if body.get("scene") not in (1, 2, 3, 4):
        raise WeChatError(40129)
    visited_at = world.require_user(body.get("openid"))["visited_at"]
    if world.now() - visited_at > VISIT_S:
        raise WeChatError(61010)


def _judge(world: World, text: str) -> tuple[str, str | None]:
    hits = {word: says for word, says in world.setting("keywords").items() if word in text}
    if not hits:
        return "pass", None
    worst = max(hits, key=lambda word: _SEVERITY.index(hits[word]))
    return hits[worst], worst


def _first_version(suggest: str) -> Answer:
    if suggest == "risky":
        raise WeChatError(87014)
    return json_answer(OK)
