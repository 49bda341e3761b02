"""Riders are told what became of their vouchers, once."""

from __future__ import annotations

import pytest

from models.alerts.delivery import Messenger
from models.alerts.entities import Event
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.rewards.expiry import TOPIC
from models.rewards.notices import Notices, notice_of
from tests.support.alerts import NOW, inbox_row_of


def an_expiry(name: str = "理发") -> Event:
    return Event(
        outbox_id="out_1",
        topic=TOPIC,
        county="411503",
        payload={
            "redemption_id": new_id("red"),
            "member_id": new_id("mbr"),
            "name_zh": name,
            "name_en": "Haircut",
            "points": 10,
            "at": "2026-03-18T02:00:00.000Z",
        },
        at=NOW,
        attempts=1,
    )


@pytest.mark.usefixtures("database")
def test_an_expiry_is_one_message_in_the_riders_inbox_however_often_it_is_told(
    clock: FixedClock,
) -> None:
    messenger = Messenger(
        channels={"rider": (), "officer": ()}, recipient=lambda _: None, clock=clock
    )
    event = an_expiry()
    tell = Notices(messenger).handlers()[TOPIC]

    tell(event)
    tell(event)

    row = inbox_row_of(notice_of(event))
    assert row.title["zh"] == "兑换券已过期"
    assert row.delivered_by == "inbox"
    assert event.payload["redemption_id"] in row.page


def test_a_long_name_still_fits_wechats_field() -> None:
    notice = notice_of(an_expiry("很长很长很长很长很长很长很长很长很长很长的名称"))

    assert len(notice.fields["thing1"]) <= 20
    assert len(notice.fields["phrase2"]) <= 5
    assert len(notice.fields["character_string4"]) <= 32
