"""Riders are told what people decided about their points, once, and what they can say to it."""

from __future__ import annotations

from typing import Any

import pytest

from models.alerts import point_notices
from models.alerts.delivery import Messenger
from models.alerts.entities import Event
from models.alerts.point_notices import DECIDED, DISMISSED, PointNotices
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.points import appeal_states, appeals, decisions
from models.points.proposal_rules import REASONS, Kind
from tests.support.alerts import NOW, inbox_row_of


def an_event(topic: str = DECIDED, **payload: Any) -> Event:
    told = {
        "proposal_id": new_id("prp"),
        "member_id": new_id("mbr"),
        "kind": "claw_back",
        "points": 10,
        "why_zh": "所报问题系人为制造",
        "why_en": "the problem was made to be reported",
        "seq": 12,
        "upheld": False,
        "at": "2026-03-18T02:00:00.000Z",
        **payload,
    }
    return Event(outbox_id="out_1", topic=topic, county="411503", payload=told, at=NOW, attempts=1)


def test_both_sides_speak_of_the_same_topics_and_days() -> None:
    assert (decisions.TOPIC, appeals.DISMISSED) == (DECIDED, DISMISSED)
    assert appeal_states.APPEAL_WITHIN == point_notices.APPEAL_WITHIN


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("topic", [DECIDED, DISMISSED])
def test_a_decision_is_one_message_in_the_riders_inbox_however_often_it_is_told(
    clock: FixedClock, topic: str
) -> None:
    messenger = Messenger(
        channels={"rider": (), "officer": ()}, recipient=lambda _: None, clock=clock
    )
    event = an_event(topic)
    tell = PointNotices(messenger).handlers()[topic]

    tell(event)
    tell(event)

    notice = point_notices.decided_notice if topic == DECIDED else point_notices.dismissed_notice
    row = inbox_row_of(notice(event))
    assert row.delivered_by == "inbox"
    assert row.page.endswith("?seq=12")


def test_who_loses_points_hears_why_and_until_when_he_can_appeal() -> None:
    notice = point_notices.decided_notice(an_event())

    assert notice.title.zh == "收回 10 积分"
    assert notice.body.zh == (
        "原因：所报问题系人为制造。如有异议，2026-04-17 前可申诉一次，由人工复核。"
    )


def test_points_given_twice_are_told_as_taken_and_an_upheld_appeal_as_upheld() -> None:
    taken = point_notices.decided_notice(an_event(kind="adjustment", points=-3))
    upheld = point_notices.decided_notice(an_event(kind="adjustment", points=3, upheld=True))

    assert (taken.title.zh, upheld.title.zh) == ("收回 3 积分", "申诉成立，积分已退回")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_reason_of_every_kind_fits_wechats_fields(kind: Kind) -> None:
    for zh, en in REASONS[kind].values():
        notice = point_notices.decided_notice(
            an_event(kind=kind.value, points=1000, why_zh=zh, why_en=en)
        )

        assert len(notice.fields["phrase2"]) <= 5
        assert len(notice.fields["thing3"]) <= 20
        assert zh in notice.body.zh
        assert en in notice.body.en
