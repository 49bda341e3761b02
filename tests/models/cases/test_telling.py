"""Whose phone rings for a case: the officer's budget, his deputies, and word of the telling."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.alerts import desk, outbox, rules
from models.alerts.delivery import Messenger
from models.alerts.desk import AlertDesk
from models.alerts.entities import Event
from models.alerts.tables import AlertDayRow, InboxRow, OutboxRow
from models.base.clock import CHINA, business_day
from models.base.store import query, scan
from models.cases.notices import Notices
from models.cases.tables import CaseRow
from models.people.entities import Actor, RoleName
from tests.support.alerts import NOW, RecordingChannel, a_recipient
from tests.support.cases import LONG_AGO, Town

FIRE_LANE, COLLAPSE = "E0496", "E0505"
LATER = LONG_AGO + timedelta(days=1)
"""Who came later is the second on duty."""


class House:
    """A town whose outbox is delivered by hand, over a channel that records."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.channel = RecordingChannel()
        messenger = Messenger(
            channels={"officer": [self.channel], "rider": []},
            recipient=a_recipient,
            clock=town.clock,
        )
        self.desk = AlertDesk(messenger=messenger, clock=town.clock)
        unused: Any = None  # photos and texts have tests of their own
        self.notices = Notices(
            clock=town.clock,
            roster=town.roster,
            ledger=town.ledger,
            messenger=messenger,
            alert_desk=self.desk,
            working=town.working,
            categories=town.categories,
            evidence=unused,
            text_checker=unused,
            openid_of=lambda _: None,
        )

    def deliver(self, case: CaseRow, *topics: str, keep: bool = False) -> None:
        """Deliver the case's rows of these topics, or of all but text checks."""
        for row in scan(OutboxRow):
            payload = row.payload
            mine = case.case_id in (payload.get("case_id"), *payload.get("case_ids", ()))
            if not mine or row.topic == "text.check" or (topics and row.topic not in topics):
                continue
            event = outbox.lease(row.outbox_id, self.town.clock.now())
            assert event is not None
            self.notices.handlers()[event.topic](event)
            if keep:
                outbox.postpone(event, self.town.clock.now() - timedelta(minutes=11))
            else:
                outbox.done(event)

    def has_used(self, actor: Actor, sent: int = rules.ALERTS_PER_DAY) -> None:
        """An official's budget is used up."""
        day = business_day(self.town.clock.now())
        row = AlertDayRow(actor.member_id, day, county="411503", sent=sent, ttl=1)
        row.last_at = self.town.clock.now() - timedelta(hours=1)
        row.save()

    def rang(self, actor: Actor) -> list[InboxRow]:
        """What has reached an official's phone."""
        return [row for row in self.inbox(actor) if row.delivered_by is not None]

    def inbox(self, actor: Actor) -> list[InboxRow]:
        rows: list[InboxRow] = query(InboxRow, actor.member_id)
        return rows


@pytest.fixture
def house(town: Town) -> House:
    return House(town)


def test_an_officer_whose_budget_is_used_finds_the_case_in_his_inbox_only(house: House) -> None:
    house.town.clock.set(datetime(2026, 3, 18, 17, 45, tzinfo=CHINA))
    house.has_used(house.town.officer)
    case = house.town.filed()

    house.deliver(case, "case.submitted")

    assert len(house.inbox(house.town.officer)) == 1
    assert house.rang(house.town.officer) == []
    assert house.inbox(house.town.lead) == [], "it is not due before the next digest"


def test_what_is_due_before_the_next_digest_rings_at_a_deputy_who_has_budget_left(
    house: House,
) -> None:
    second = house.town.an_official(RoleName.OFFICER, "网格员二", starts_at=LATER)
    house.town.roster.forget()
    house.has_used(house.town.officer)
    house.has_used(second)
    case = house.town.filed()

    house.deliver(case, "case.submitted")

    assert house.rang(house.town.officer) == house.rang(second) == []
    assert len(house.inbox(house.town.officer)) == 1
    assert house.inbox(second) == []
    assert len(house.rang(house.town.lead)) == 1


def test_when_nobodys_budget_is_left_it_is_held_for_the_officer(house: House) -> None:
    for actor in (house.town.officer, house.town.lead):
        house.has_used(actor)
    case = house.town.filed()

    house.deliver(case, "case.submitted")

    assert len(house.inbox(house.town.officer)) == 1
    assert house.rang(house.town.officer) == []
    assert house.inbox(house.town.lead) == []


def test_the_reporter_is_nobodys_deputy(house: House) -> None:
    house.has_used(house.town.officer)
    case = house.town.filed(house.town.lead)

    house.deliver(case, "case.submitted")

    assert house.inbox(house.town.lead) == []


def test_handled_again_an_event_finds_the_same_deputy(house: House) -> None:
    second = house.town.an_official(RoleName.OFFICER, "网格员二", starts_at=LATER)
    house.town.roster.forget()
    house.has_used(house.town.officer)
    case = house.town.filed()

    for _ in range(3):
        house.deliver(case, "case.submitted", keep=True)
        house.town.clock.advance(timedelta(minutes=1))

    assert len(house.rang(second)) == 1
    assert house.inbox(house.town.lead) == []


def test_handled_again_after_the_officer_was_told_no_deputy_is(house: House) -> None:
    case = house.town.filed()

    for _ in range(3):
        house.deliver(case, "case.submitted", keep=True)
        house.town.clock.advance(timedelta(minutes=1))

    assert len(house.rang(house.town.officer)) == 1
    assert house.inbox(house.town.lead) == []


def test_what_is_urgent_rings_whatever_the_budget(house: House) -> None:
    house.town.clock.set(datetime(2026, 3, 18, 23, 0, tzinfo=CHINA))
    house.has_used(house.town.officer)
    case = house.town.filed(category=FIRE_LANE)

    house.deliver(case, "case.submitted")

    assert len(house.rang(house.town.officer)) == 1


def test_an_urgent_event_says_so_and_its_text_check_does_not(house: House) -> None:
    urgent, usual = house.town.filed(category=FIRE_LANE), house.town.filed()
    house.deliver(urgent, "case.submitted")

    said = {
        (row.topic, row.payload["case_id"]): row.payload[outbox.URGENT]
        for row in scan(OutboxRow)
        if row.payload.get("case_id") in (urgent.case_id, usual.case_id)
    }

    assert said == {
        ("text.check", urgent.case_id): False,
        ("case.submitted", usual.case_id): False,
    }


def test_grave_danger_rings_at_once_however_late_the_delivery(house: House) -> None:
    case = house.town.filed(category=COLLAPSE)
    house.town.clock.advance(timedelta(hours=6))

    house.deliver(case, "case.submitted")

    assert len(house.rang(house.town.officer)) == len(house.rang(house.town.lead)) == 1


def test_after_an_outage_of_hours_each_official_gets_one_message(house: House) -> None:
    cases = [house.town.claimed(category=FIRE_LANE) for _ in range(3)]
    for case in cases:
        house.deliver(case)
    house.channel.sends.clear()
    house.town.clock.advance(timedelta(hours=6))
    for case in cases:
        house.town.escalation.catch_up(case.case_id, house.town.clock.now())

    for case in cases:
        house.deliver(case)
    house.town.clock.advance(rules.GATHERING)
    for actor in (house.town.officer, house.town.lead):
        house.desk.release(actor.member_id)

    assert {row.kind for row in house.inbox(house.town.lead)} == {"case.step", "alert.digest"}
    assert [fields.get("number1") for _, fields in house.channel.sends] == ["3", "3"]


def test_a_step_in_time_rings_at_once(house: House) -> None:
    case = house.town.claimed(category=FIRE_LANE)
    house.town.clock.advance(timedelta(minutes=97))
    house.town.escalation.catch_up(case.case_id, house.town.clock.now())

    house.deliver(case, "case.step")

    assert [row.kind for row in house.rang(house.town.officer)] == ["case.step"]


def test_the_case_learns_when_an_official_was_first_told(house: House) -> None:
    case = house.town.filed()
    assert house.town.case(case.case_id).told_at is None

    house.deliver(case, "case.submitted")
    house.town.clock.advance(timedelta(minutes=1))
    house.deliver(case, desk.TOLD)

    assert house.town.case(case.case_id).told_at == NOW


def test_a_later_word_changes_nothing(house: House) -> None:
    case = house.town.filed()
    house.deliver(case, "case.submitted")
    house.deliver(case, desk.TOLD)

    house.notices.told(
        Event(
            outbox_id="out_again",
            topic=desk.TOLD,
            county=case.county,
            payload={
                "case_ids": [case.case_id],
                "member_id": house.town.lead.member_id,
                "at": "2026-03-19T00:00:00.000Z",
            },
            at=NOW,
            attempts=1,
        )
    )

    assert house.town.case(case.case_id).told_at == NOW
