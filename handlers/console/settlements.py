"""A merchant's month: an admin's question, run as a function from the console."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from handlers.console import cells, refusals
from handlers.wiring import services
from models.base.errors import DomainError
from models.rewards.settlements import Sheet, SheetLine

HEADING = (
    "月份 month",
    "商户 merchant",
    "商户编号 merchant_id",
    "权益 reward",
    "权益编号 reward_id",
    "核销次数 handed_over",
    "核销积分 handed_over_points",
    "撤销次数 undone",
    "撤销积分 undone_points",
    "退还次数 refunded",
    "退还积分 refunded_points",
    "结算次数 net",
    "结算积分 net_points",
)
FORMATS = ("csv", "xlsx")


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer ``{"merchant_id", "month": "2026-11", "format"?: "csv" or "xlsx"}``; writes nothing.

    ``{"month", "final", "count", "points", "csv"}``, or ``"xlsx"`` as base64. While ``final`` is
    false the month can still change. What is wrong with the question: ``{"code", "fields"}``.
    """
    kind, bad = event.get("format", "csv"), refusals.bad_texts(event, "merchant_id", "month")
    if kind not in FORMATS:
        bad["format"] = "field.not_allowed"
    if bad:
        return refusals.fields(bad)
    wired, month = services(), event["month"]
    try:
        sheet = wired.settlements.sheet(event["merchant_id"], month)
    except DomainError as error:
        return refusals.told(error)
    net = sheet.total.net
    answer = {
        "month": month,
        "final": sheet.is_final,
        "count": net.count,
        "points": net.points,
    }
    if kind == "csv":
        return {**answer, "csv": cells.csv_of(_rows(sheet))}
    book = cells.xlsx_of(_rows(sheet), title=month, at=wired.clock.now())
    return {**answer, "xlsx": base64.b64encode(book).decode()}


def _rows(sheet: Sheet) -> list[tuple[cells.Cell, ...]]:
    return [HEADING, *(_row(sheet, line) for line in (*sheet.lines, sheet.total))]


def _row(sheet: Sheet, line: SheetLine) -> tuple[cells.Cell, ...]:
    tallies = (line.handed_over, line.undone, line.refunded, line.net)
    return (
        sheet.month,
        sheet.place_name,
        sheet.place.partition(":")[2],
        line.reward_name.zh,
        line.reward_id,
        *(number for tally in tallies for number in (tally.count, tally.points)),
    )
