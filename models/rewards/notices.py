"""What riders are told about their redemptions: the handlers of this capability's topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from models.alerts import feed, messages
from models.alerts.delivery import Messenger
from models.alerts.entities import Event, Notice, Text
from models.base.clock import CHINA, parse_utc
from models.base.ids import derived_id
from models.rewards import allocation, closings, expiry, refunds, reminders
from models.rewards.entities import Action, DeclineReason, RefundReason

Handler: TypeAlias = Callable[[Event], None]
PAGE = "pages/redemption/detail"

REASONS: Mapping[str, Text] = {
    RefundReason.NOT_DELIVERED: Text(zh="商户未提供", en="it was not given"),
    RefundReason.DEFECTIVE: Text(zh="物品或服务有问题", en="it was not as it should be"),
    RefundReason.WRONG_ITEM: Text(zh="提供的不是所兑换的", en="it was something else"),
    DeclineReason.RETIRED: Text(zh="权益已下架", en="it is no longer offered"),
    DeclineReason.NO_QUOTA: Text(zh="本地已无名额", en="your county has no more places"),
    DeclineReason.WAITED_TOO_LONG: Text(zh="等候满 90 天未轮到", en="ninety days have passed"),
    DeclineReason.NOT_GRANTED: Text(zh="未获批准", en="it was not granted"),
    RefundReason.CLOSED: Text(zh="商户已停业", en="the merchant has closed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wording:
    """How one topic is told; places in braces are the payload's. ``status`` has five characters
    at most."""

    status: str
    title: Text
    body: Text
    note: str = "{points} 积分已退回"


WORDINGS: Mapping[str, _Wording] = {
    expiry.TOPIC: _Wording(
        status="已过期",
        title=Text(zh="兑换券已过期", en="Voucher expired"),
        body=Text(
            zh="“{name_zh}”未在有效期内使用，{points} 积分已退回您的账户。",
            en="“{name_en}” was not used in time; {points} points are back.",
        ),
    ),
    reminders.TOPIC: _Wording(
        status="将到期",
        title=Text(zh="兑换券即将到期", en="Your voucher will end"),
        body=Text(
            zh="“{name_zh}”将于 {ends_zh} 到期，请尽快使用。",
            en="“{name_en}” ends on {ends_en}; use it in time.",
        ),
        note="请尽快使用",
    ),
    closings.TOPIC: _Wording(
        status="已取消",
        title=Text(zh="商户停业，积分已退回", en="The merchant has closed"),
        body=Text(
            zh="能兑换“{name_zh}”的商户已停业，{points} 积分已退回您的账户。",
            en="Who handed over “{name_en}” has closed; {points} points are back.",
        ),
    ),
    allocation.ALLOTTED: _Wording(
        status="已轮到",
        title=Text(zh="排队的权益已轮到您", en="It is your turn"),
        body=Text(
            zh="“{name_zh}”已为您预留，请在有效期内使用。",
            en="“{name_en}” is reserved for you; use it in time.",
        ),
        note="请在有效期内使用",
    ),
    allocation.DECLINED: _Wording(
        status="未获批",
        title=Text(zh="排队的权益未能兑换", en="Not granted"),
        body=Text(
            zh="“{name_zh}”：{reason_zh}，{points} 积分已退回您的账户。",
            en="“{name_en}”: {reason_en}; {points} points are back.",
        ),
    ),
    refunds.TOPIC: _Wording(
        status="已退还",
        title=Text(zh="积分已退还", en="Points refunded"),
        body=Text(
            zh="“{name_zh}”：{reason_zh}，{points} 积分已退回您的账户。",
            en="“{name_en}”: {reason_en}; {points} points are back.",
        ),
    ),
}


class Notices:
    """Tells riders by their inbox and the first channel that takes it."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    def handlers(self) -> Mapping[str, Handler]:
        """Topic → handler; each is safe to run twice."""
        return dict.fromkeys(WORDINGS, self._tell)

    def _tell(self, event: Event) -> None:
        if event.topic == allocation.ALLOTTED:
            _log(event)
        self._messenger.tell(notice_of(event), role_order="rider")


def _log(event: Event) -> None:
    """Let his app follow it: every other change of a redemption shows in the wallet's entries."""
    redemption_id, at = event.payload["redemption_id"], parse_utc(event.payload["at"])
    change = feed.Change(
        member_id=event.payload["member_id"],
        county=event.county,
        kind="redemption",
        thing_id=redemption_id,
        change=Action.ALLOT.value,
        at=at,
        key=f"{event.topic}|{redemption_id}",
    )
    feed.append(change, at)


def notice_of(event: Event) -> Notice:
    """Tell the rider what became of his voucher, and where his points are."""
    payload, wording = event.payload, WORDINGS[event.topic]
    redemption_id = payload["redemption_id"]
    reason = REASONS.get(payload.get("reason", ""), Text(zh="", en=""))
    ends = parse_utc(payload.get("expires_at", payload["at"])).astimezone(CHINA)
    said = {
        **payload,
        "reason_zh": reason.zh,
        "reason_en": reason.en,
        "ends_zh": f"{ends.month}月{ends.day}日 {ends:%H:%M}",
        "ends_en": f"{ends:%Y-%m-%d %H:%M}",
    }
    template, fields = messages.rider_progress(
        what=payload["name_zh"],
        status=wording.status,
        note=wording.note.format(**payload),
        number=redemption_id[-16:],
    )
    return Notice(
        notice_id=derived_id("ntc", event.topic, redemption_id),
        member_id=payload["member_id"],
        county=event.county,
        kind=event.topic,
        template=template,
        fields=fields,
        title=wording.title,
        body=Text(zh=wording.body.zh.format(**said), en=wording.body.en.format(**said)),
        page=f"{PAGE}?id={redemption_id}",
        at=parse_utc(payload["at"]),
    )
