"""What riders are told of decisions about their points: the handlers of those topics.

The payloads are written by the points' use cases; nothing of theirs is needed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from models.alerts import messages
from models.alerts.delivery import Messenger
from models.alerts.entities import Event, Notice, Text
from models.base.clock import CHINA, parse_utc
from models.base.ids import derived_id

DECIDED = "points.decided"
DISMISSED = "points.appeal_dismissed"
PAGE = "pages/points/index"
APPEAL_WITHIN = timedelta(days=30)

_GIVEN: Mapping[str, tuple[str, str]] = {
    "hardship": ("帮扶积分到账", "Hardship points"),
    "service_hours": ("志愿服务积分到账", "Points for service"),
    "activity": ("活动积分到账", "Points for an activity"),
    "correction": ("纠错积分到账", "Points for a correction"),
    "adjustment": ("积分已补记", "Points added"),
    "write_off": ("欠分已核销", "Debt written off"),
}


class PointNotices:
    """Tells riders by their inbox and the first channel that takes it."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    def handlers(self) -> Mapping[str, Callable[[Event], None]]:
        """Topic → handler; each is safe to run twice."""
        return {
            DECIDED: lambda event: self._tell(decided_notice(event)),
            DISMISSED: lambda event: self._tell(dismissed_notice(event)),
        }

    def _tell(self, notice: Notice) -> None:
        self._messenger.tell(notice, role_order="rider")


def decided_notice(event: Event) -> Notice:
    """Points came or went: how many, why, and what can be said against it."""
    told = event.payload
    points = told["points"]
    if told["upheld"]:
        return _notice(
            event,
            status="申诉成立",
            note=f"{points} 积分已退回",
            title=Text(zh="申诉成立，积分已退回", en="Appeal upheld, points returned"),
            body=Text(
                zh=f"您的申诉成立，{points} 积分已退回您的账户。",
                en=f"Your appeal was upheld; {points} points are back.",
            ),
        )
    if told["kind"] == "claw_back" or points < 0:
        return _taken_notice(event, abs(points))
    title_zh, title_en = _GIVEN[told["kind"]]
    return _notice(
        event,
        status="已到账" if told["kind"] != "write_off" else "已核销",
        note=f"{points} 积分，{told['why_zh']}",
        title=Text(zh=title_zh, en=title_en),
        body=Text(
            zh=f"{title_zh}：{points} 积分（{told['why_zh']}）。",
            en=f"{title_en}: {points} ({told['why_en']}).",
        ),
    )


def dismissed_notice(event: Event) -> Notice:
    """His appeal was dismissed."""
    return _notice(
        event,
        status="申诉未成立",
        note="积分维持原处理结果",
        title=Text(zh="申诉未成立", en="Appeal dismissed"),
        body=Text(
            zh="经人工复核，您对这笔积分的申诉未成立，维持原处理结果。",
            en="People looked at it again: your appeal was dismissed and the entry stands.",
        ),
    )


def _taken_notice(event: Event, points: int) -> Notice:
    told: Mapping[str, Any] = event.payload
    last = parse_utc(told["at"]) + APPEAL_WITHIN
    day = last.astimezone(CHINA).date().isoformat()
    return _notice(
        event,
        status="已收回",
        note=f"{points} 积分，可申诉",
        title=Text(zh=f"收回 {points} 积分", en=f"{points} points taken back"),
        body=Text(
            zh=f"原因：{told['why_zh']}。如有异议，{day} 前可申诉一次，由人工复核。",
            en=f"Reason: {told['why_en']}. You can appeal once until {day}; people decide.",
        ),
    )


def _notice(event: Event, *, status: str, note: str, title: Text, body: Text) -> Notice:
    told = event.payload
    template, fields = messages.rider_progress(
        what="积分变动", status=status, note=note, number=f"{told['seq']}"
    )
    return Notice(
        notice_id=derived_id("ntc", event.topic, told["member_id"], str(told["seq"])),
        member_id=told["member_id"],
        county=event.county,
        kind=event.topic,
        template=template,
        fields=fields,
        title=title,
        body=body,
        page=f"{PAGE}?seq={told['seq']}",
        at=parse_utc(told["at"]),
    )
