"""Show the newest messages as a small Chinese page that a phone can read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Any

from infra.local.wechat.wire import Answer
from infra.local.wechat.world import World

_SHOWN = 100
_SHANGHAI = timezone(timedelta(hours=8))
_CHANNEL_TITLE: Mapping[str, str] = {
    "subscribe": "订阅消息",
    "employee": "用工关系消息",
    "template": "服务号模板消息",
    "robot": "企业微信群机器人",
}
_HEAD = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3"><title>微信模拟器</title><style>
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:40rem;padding:1rem;
background:#ededed;color:#191919}
article{background:#fff;border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}
h1{font-size:1.2rem}h2{font-size:1rem;margin:0}small{color:#666;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .75rem;margin:.5rem 0}
dt{color:#666}dd{margin:0;overflow-wrap:anywhere}</style></head><body>
<h1>微信模拟器:已送达的消息</h1>"""


def messages_page(world: World) -> Answer:
    """Return the page with the newest 100 messages, newest first, refreshed every 3 s."""
    rows = world.store.run("SELECT * FROM sent ORDER BY seq DESC LIMIT ?", _SHOWN).fetchall()
    articles = [_article(world, json.loads(row["message"]), row["at"]) for row in rows]
    html = _HEAD + ("".join(articles) or "<p>还没有消息。</p>") + "</body></html>"
    return Answer(body=html.encode(), content_type="text/html; charset=utf-8")


def _article(world: World, message: Mapping[str, Any], at: float) -> str:
    template = world.store.get("template", str(message.get("template_id"))) or {}
    channel = _CHANNEL_TITLE[message["channel"]]
    label_by_key = template.get("fields", {})
    lines = "".join(
        f"<dt>{escape(label_by_key.get(key, key))}</dt><dd>{escape(str(value))}</dd>"
        for key, value in message["data"].items()
    )
    clock = datetime.fromtimestamp(at, UTC).astimezone(_SHANGHAI).strftime("%m月%d日 %H:%M:%S")
    target = f" · {message['page']}" if message.get("page") else ""
    return (
        f"<article><h2>{escape(template.get('title', channel))}</h2><dl>{lines}</dl>"
        f"<small>{clock} · {channel} · 发给 {escape(message['touser'])}{escape(target)}"
        "</small></article>"
    )
