"""What riders are told about their redemptions: the handlers of this capability's topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from models.alerts import messages
from models.alerts.delivery import Messenger
from models.alerts.entities import Event, Notice, Text
from models.base.clock import parse_utc
from models.base.ids import derived_id
from models.rewards.expiry import TOPIC

Handler: TypeAlias = Callable[[Event], None]
PAGE = "pages/redemption/detail"


class Notices:
    """Tells riders by their inbox and the first channel that takes it."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    def handlers(self) -> Mapping[str, Handler]:
        """Topic → handler; each is safe to run twice."""
        return {TOPIC: self._expired}

    def _expired(self, event: Event) -> None:
        self._messenger.tell(expired_notice(event), role_order="rider")


def expired_notice(event: Event) -> Notice:
    """Tell the rider that his voucher ended, and that he has his points back."""
    payload = event.payload
    name, points = payload["name_zh"], payload["points"]
    redemption_id = payload["redemption_id"]
    template, fields = messages.rider_progress(
        what=name, status="已过期", note=f"{points} 积分已退回", number=redemption_id[-16:]
    )
    return Notice(
        notice_id=derived_id("ntc", TOPIC, redemption_id),
        member_id=payload["member_id"],
        county=event.county,
        kind=TOPIC,
        template=template,
        fields=fields,
        title=Text(zh="兑换券已过期", en="Voucher expired"),
        body=Text(
            zh=f"“{name}”未在有效期内使用，{points} 积分已退回您的账户。",
            en=f"“{payload['name_en']}” was not used in time; {points} points are back.",
        ),
        page=f"{PAGE}?id={redemption_id}",
        at=parse_utc(payload["at"]),
    )
