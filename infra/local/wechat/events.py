"""The shapes of pushed events, with the irregularities real pushes have.

*Source:* official event examples and the developer reports of how real pushes differ:
`List` is an object for one item and an array for several; labels come as int or string.
"""

import itertools
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from infra.local.wechat.accounts import MINI, SERVICE

Event = dict[str, object]

SUGGESTIONS: Mapping[str, int] = {"pass": 100, "risky": 20002, "review": 21000}
_turn = itertools.count()


def subscription_event(
    name: str, openid: str, items: Sequence[Mapping[str, str]], *, at: float
) -> Event:
    """Return a subscribe_msg_{popup,change,sent}_event for one user."""
    return {
        "ToUserName": MINI.gh_id,
        "FromUserName": openid,
        "CreateTime": int(at),
        "MsgType": "event",
        "Event": name,
        "List": dict(items[0]) if len(items) == 1 else [dict(item) for item in items],
    }


def service_event(name: str, openid: str, *, at: float, **fields: object) -> Event:
    """Return an event of the service account, to be sent as XML."""
    return {
        "ToUserName": SERVICE.gh_id,
        "FromUserName": openid,
        "CreateTime": int(at),
        "MsgType": "event",
        "Event": name,
        **fields,
    }


def media_check_event(trace_id: str, suggest: str | None, *, at: float) -> Event:
    """Return a wxa_media_check event; no suggestion means that the download failed."""
    event: Event = {
        "ToUserName": MINI.gh_id,
        "FromUserName": "local-platform-user",
        "CreateTime": int(at),
        "MsgType": "event",
        "Event": "wxa_media_check",
        "appid": MINI.appid,
        "trace_id": trace_id,
        "version": 2,
    }
    if suggest is None:
        message = "下载错误,请检查媒体链接是否有效"
        return {**event, "detail": [], "errcode": -1008, "errmsg": message}
    label: int | str = SUGGESTIONS[suggest]
    if next(_turn) % 2:
        label = str(label)
    verdict = {"suggest": suggest, "label": label}
    detail = [{"strategy": "content_model", "errcode": 0, **verdict, "prob": 90}]
    return {**event, "detail": detail, "errcode": 0, "errmsg": "ok", "result": verdict}


def to_xml(fields: Mapping[str, object]) -> str:
    """Return a flat event as WeChat's XML: numbers bare, text in CDATA."""
    return f"<xml>{''.join(_element(name, value) for name, value in fields.items())}</xml>"


def _element(name: str, value: object) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    text = str(value)
    # A CDATA section cannot hold its own end mark.
    inner = escape(text) if "]]>" in text else f"<![CDATA[{text}]]>"
    return f"<{name}>{inner}</{name}>"
