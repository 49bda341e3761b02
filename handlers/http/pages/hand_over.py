"""The hand-over file as a page to print: whole in itself but for the photos, and without a script.

In Chinese, like everything on paper between departments. Every value is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from models.base.clock import CHINA, parse_utc

_ROWS = (
    ("案件编号", "number"),
    ("问题类别", "category_name"),
    ("严重程度", "level"),
    ("当前状态", "status_text"),
    ("发生地点", "place"),
    ("责任网格", "grid_name"),
    ("物件编号", "object_id"),
    ("上报时间", "created_at"),
    ("受理时间", "claimed_at"),
    ("处置时限", "due_at"),
    ("上报人数", "reporter_count"),
    ("接收单位", "receiver_text"),
    ("对方编号", "external_ref"),
    ("对方受理时间", "accepted_at"),
)
_TIMES = frozenset({"created_at", "claimed_at", "due_at", "accepted_at"})
_STYLE = (
    "body{font:14px/1.6 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}"
    "th{width:9em;background:#f3f3f3}img{max-width:22em;max-height:22em;margin:.3em}"
    "@media print{body{margin:0}img{max-width:45%}}"
)


def page(file: Mapping[str, Any]) -> str:
    """The page for a file whose codes have been named."""
    title = f"案件移交单 {escape(file['number'])}"
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>制单时间：{_time(file['made_at'])}</p>"
        f"{_table(_facts(file))}{_words(file['texts'])}"
        f"{_photos('上报照片', file['photos'])}{_withheld(file['photos_withheld'])}"
        f"{_photos('处置照片', file['after_photos'])}"
        f"<h2>办理经过</h2>{_table(map(_event, file['history']))}</body></html>"
    )


def _facts(file: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for heading, name in _ROWS:
        value = file[name]
        if value is not None:
            yield heading, _time(value) if name in _TIMES else escape(str(value))
    where = f"{file['lon']:.6f}, {file['lat']:.6f}（{file['datum']}，误差 {file['accuracy_m']} 米）"
    yield "经纬度", escape(where)
    if file["routing"] is not None:
        yield "派单依据", escape(file["routing"]["reason"])


def _event(event: Mapping[str, Any]) -> tuple[str, str]:
    said = (event["action_text"], event["by"], event["reason_text"], event["text"])
    return _time(event["at"]), escape("，".join(part for part in said if part))


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><th>{heading}</th><td>{value}</td></tr>" for heading, value in rows)
    return f"<table>{lines}</table>"


def _words(texts: Iterable[str]) -> str:
    said = "".join(f"<blockquote>{escape(text)}</blockquote>" for text in texts)
    return f"<h2>上报内容</h2>{said}" if said else ""


def _photos(heading: str, addresses: Iterable[str]) -> str:
    shown = "".join(f'<img src="{escape(address)}" alt="">' for address in addresses)
    return f"<h2>{heading}</h2><p>{shown}</p>" if shown else ""


def _withheld(count: int) -> str:
    return f"<p>另有 {count} 张照片尚未通过审核。</p>" if count else ""


def _time(at: str) -> str:
    """As a clock in China shows it.

    >>> _time("2026-03-18T02:00:00.000Z")
    '2026-03-18 10:00'
    """
    return parse_utc(at).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
