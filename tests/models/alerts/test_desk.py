"""The desk: the inbox at once, the phone within its budget, one message for all that was held."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.alerts import budget, digests, held, rules
from models.alerts.delivery import INBOX_ONLY, Messenger
from models.alerts.desk import TOLD, AlertDesk
from models.alerts.digests import Desk
from models.alerts.entities import Alert, Refusal, Template
from models.alerts.tables import AlertDayRow, HeldRow, InboxRow, OutboxRow
from models.base import store
from models.base.clock import CHINA, FixedClock, utc_text
from models.base.errors import Unavailable
from models.base.ids import new_id
from tests.support.alerts import (
    NOW,
    RecordingChannel,
    a_notice,
    a_recipient,
    an_alert,
    inbox_row_of,
)
from tests.support.faults import Killed, counting, killed_at, lost_at, lost_reply, never_sent

pytestmark = pytest.mark.usefixtures("empty_outbox")

AFTERNOON = datetime(2026, 3, 18, 14, 35, tzinfo=CHINA)
EVENING = datetime(2026, 3, 18, 17, 30, tzinfo=CHINA)
NIGHT = datetime(2026, 3, 18, 23, 0, tzinfo=CHINA)
MORNING = datetime(2026, 3, 19, 8, 35, tzinfo=CHINA)


class Office:
    """One official, his desk, and a channel that records."""

    def __init__(self, clock: FixedClock, *answers: Any) -> None:
        self.clock = clock
        self.channel = RecordingChannel(answers=list(answers))
        self.member_id = new_id("mbr")
        messenger = Messenger(
            channels={"officer": [self.channel], "rider": []},
            recipient=a_recipient,
            clock=clock,
        )
        self.desk = AlertDesk(messenger=messenger, clock=clock)

    def alert(self, **how: Any) -> Alert:
        notice = a_notice(member_id=self.member_id, at=self.clock.now())
        object.__setattr__(notice, "case_id", new_id("case"))
        return an_alert(notice, **how)

    def tells(self, **how: Any) -> Alert:
        alert = self.alert(**how)
        self.desk.tell(alert)
        return alert

    def at(self, instant: datetime) -> int:
        """The schedule runs at an instant; answers how many messages went out."""
        self.clock.set(instant)
        return self.desk.release(self.member_id)

    @property
    def rang(self) -> list[str]:
        return self.channel.delivered

    @property
    def templates(self) -> list[str]:
        """What was sent, by the first field of its template."""
        return [next(iter(fields)) for _, fields in self.channel.sends]

    def held(self) -> list[HeldRow]:
        return Desk(self.member_id).held

    def sent_on(self, instant: datetime) -> int:
        return budget.spent(self.member_id, instant).sent


@pytest.fixture
def office(clock: FixedClock) -> Office:
    return Office(clock)


def told(office: Office) -> list[dict[str, Any]]:
    """The words left for the cases about an official's alerts."""
    words = [row.payload for row in store.scan(OutboxRow) if row.topic == TOLD]
    return [word for word in words if word["member_id"] == office.member_id]


def test_an_alert_rings_at_once_while_the_budget_allows(office: Office) -> None:
    alert = office.tells()

    assert office.rang == [alert.notice.notice_id]
    assert office.sent_on(NOW) == 1
    assert inbox_row_of(alert.notice).delivered_by == "service"
    assert office.held() == []


def test_what_may_not_ring_is_in_the_inbox_and_held_for_the_digest(office: Office) -> None:
    office.tells()
    alert = office.tells()

    assert len(office.rang) == 1
    assert inbox_row_of(alert.notice).delivered_by is None
    assert [row.release_at for row in office.held()] == [AFTERNOON]
    assert office.at(AFTERNOON - timedelta(minutes=1)) == 0


def test_what_is_urgent_rings_at_once_by_day_and_night_and_costs_nothing(office: Office) -> None:
    office.clock.set(NIGHT)
    alerts = [office.tells(urgent=True) for _ in range(7)]

    assert office.rang == [alert.notice.notice_id for alert in alerts]
    assert office.sent_on(NIGHT) == 0


def test_all_that_was_held_goes_out_as_one_message(office: Office) -> None:
    office.tells()
    later = office.tells(due_in=timedelta(hours=40))
    sooner = office.tells(due_in=timedelta(hours=29))

    assert office.at(AFTERNOON) == 1
    assert office.at(AFTERNOON) == 0

    fields = office.channel.sends[-1][1]
    assert office.templates == ["thing1", "number1"]
    assert fields["number1"] == "2"
    assert fields["time3"] == rules.time(sooner.due_at, CHINA)
    assert office.held() == []
    assert {inbox_row_of(alert.notice).delivered_by for alert in (later, sooner)} == {held.DIGEST}
    assert office.sent_on(AFTERNOON) == 2


def test_the_digest_counts_cases_and_stands_in_the_inbox_too(office: Office) -> None:
    office.tells()
    first, second = office.alert(), office.alert()
    object.__setattr__(second.notice, "case_id", first.notice.case_id)
    for alert in (first, second):
        office.desk.tell(alert)

    office.at(AFTERNOON)

    rows: list[InboxRow] = store.query(InboxRow, office.member_id)
    digest = next(row for row in rows if row.kind == digests.TOPIC)
    assert office.channel.sends[-1][1]["number1"] == "1"
    assert (digest.page, digest.delivered_by) == (digests.PAGE, "service")


def test_an_alert_that_was_held_alone_is_told_as_it_is(office: Office) -> None:
    office.tells()
    alert = office.tells()

    office.at(AFTERNOON)

    assert office.rang[-1] == alert.notice.notice_id
    assert office.channel.sends[-1][1] == alert.notice.fields
    assert inbox_row_of(alert.notice).delivered_by == "service"


def test_a_message_takes_along_what_waits_for_later(office: Office) -> None:
    office.tells()
    office.tells()
    office.clock.advance(rules.APART)
    office.tells()

    assert office.templates == ["thing1", "number1"]
    assert office.held() == []


def test_a_day_rings_five_times_at_most_and_the_last_place_is_the_digests(office: Office) -> None:
    office.clock.set(NOW - timedelta(hours=3))
    rung = []
    while office.clock.now() < NIGHT:
        office.tells()
        office.desk.release(office.member_id)
        rung.append(len(office.rang))
        office.clock.advance(timedelta(minutes=5))

    assert office.sent_on(EVENING) == len(office.rang) == rules.ALERTS_PER_DAY
    assert office.held(), "what came after the last digest waits for the morning"
    assert office.at(MORNING) == 1
    assert office.held() == []


def test_what_is_due_soon_rings_when_fifteen_minutes_have_passed(office: Office) -> None:
    office.tells()
    office.clock.advance(timedelta(minutes=5))
    alert = office.tells(due_in=timedelta(hours=1))

    assert [row.release_at for row in office.held()] == [NOW + rules.APART]
    assert office.at(NOW + rules.APART) == 1
    assert office.rang[-1] == alert.notice.notice_id


def test_nothing_that_is_not_urgent_rings_at_night(office: Office) -> None:
    office.clock.set(NIGHT)
    office.tells()
    office.tells(due_in=timedelta(minutes=1))

    for hour in range(9):
        assert office.at(NIGHT + timedelta(hours=hour) - timedelta(minutes=61)) == 0
    assert office.rang == []
    assert office.at(NIGHT + timedelta(hours=8)) == 1


def test_what_a_late_schedule_finds_at_night_waits_for_the_morning(office: Office) -> None:
    office.tells()
    office.tells()

    assert office.at(NIGHT) == 0
    assert office.at(NIGHT + timedelta(hours=8)) == 1


def test_telling_again_changes_nothing(office: Office) -> None:
    office.tells()
    alert = office.tells()
    office.desk.tell(alert)
    assert len(office.held()) == 1
    office.at(AFTERNOON)

    office.desk.tell(alert)

    assert office.held() == []
    assert len(office.rang) == 2
    assert len(store.query(InboxRow, office.member_id)) == 2


def test_word_of_the_first_telling_is_left_for_the_cases(office: Office) -> None:
    direct = office.tells()
    office.tells(first_told=False)
    waiting = [office.tells(), office.tells()]
    assert [word["case_ids"] for word in told(office)] == [[direct.notice.case_id]]

    office.at(AFTERNOON)

    word = told(office)
    assert {case_id for each in word for case_id in each["case_ids"]} == {
        alert.notice.case_id for alert in (direct, *waiting)
    }
    assert sorted(each["at"] for each in word) == [utc_text(NOW), utc_text(AFTERNOON)]


def test_an_urgent_telling_leaves_word_too(office: Office) -> None:
    alert = office.tells(urgent=True)

    assert [word["case_ids"] for word in told(office)] == [[alert.notice.case_id]]


# after an outage ------------------------------------------------------------------------------


def test_what_is_caught_up_after_an_outage_is_one_message_urgent_or_not(office: Office) -> None:
    since = NOW - timedelta(hours=6)
    for number in range(6):
        office.tells(urgent=number % 2 == 0, since=since, due_in=-timedelta(hours=1))
    assert office.rang == []

    assert office.at(NOW + rules.GATHERING) == 1

    assert office.channel.sends[-1][1]["number1"] == "6"
    assert office.sent_on(NOW) == 0, "an urgent message is outside the budget"
    assert office.held() == []


def test_what_is_caught_up_without_urgency_keeps_to_the_budget(office: Office) -> None:
    for _ in range(3):
        office.tells(since=NOW - timedelta(hours=6), due_in=-timedelta(hours=1))
    assert office.rang == []

    assert office.at(NOW + rules.GATHERING) == 1

    assert office.channel.sends[-1][1]["number1"] == "3"
    assert office.sent_on(NOW) == 1


def test_what_never_waits_rings_at_once_however_late(office: Office) -> None:
    alert = office.tells(urgent=True, since=None)
    fresh = office.tells(urgent=True, since=NOW - rules.LATE + timedelta(seconds=1))

    assert office.rang == [alert.notice.notice_id, fresh.notice.notice_id]


def test_the_most_urgent_of_a_digest_is_named(office: Office) -> None:
    since = NOW - timedelta(hours=6)
    office.tells(since=since, due_in=timedelta(hours=1))
    urgent = office.tells(urgent=True, since=since, due_in=timedelta(hours=2))

    office.at(NOW + rules.GATHERING)

    assert office.channel.sends[-1][1]["time3"] == rules.time(urgent.due_at, CHINA)


# when something fails -------------------------------------------------------------------------


def test_a_message_that_nobody_answered_keeps_its_place_and_is_tried_again(
    clock: FixedClock,
) -> None:
    office = Office(clock, "away", "lost")
    office.tells()
    assert office.rang == []
    assert office.at(NOW) == 0

    assert office.at(NOW + timedelta(minutes=1)) == 0
    assert office.at(NOW + timedelta(minutes=2)) == 1

    assert len(office.rang) == 1
    assert office.sent_on(NOW) == 1
    assert budget.spent(office.member_id, NOW).last_at == NOW + timedelta(minutes=2)


def test_a_message_still_unanswered_at_ten_waits_for_the_morning_and_its_budget(
    clock: FixedClock,
) -> None:
    office = Office(clock, "away")
    clock.set(NIGHT - timedelta(minutes=61))
    office.tells()

    assert [office.at(NIGHT + timedelta(hours=hour)) for hour in range(8)] == [0] * 8
    assert office.at(NIGHT + timedelta(hours=8)) == 1

    assert (office.sent_on(NIGHT), office.sent_on(MORNING)) == (1, 1)


def test_a_message_of_yesterday_waits_for_a_free_place_today(clock: FixedClock) -> None:
    office = Office(clock, "away")
    clock.set(NIGHT - timedelta(minutes=61))
    office.tells()
    seven = NIGHT + timedelta(hours=8)
    day = seven.astimezone(CHINA).date().isoformat()
    AlertDayRow(office.member_id, day, county="411503", sent=1, last_at=seven, ttl=1).save()

    assert office.at(seven + timedelta(minutes=1)) == 0
    assert office.at(seven + timedelta(minutes=14)) == 0
    assert office.at(seven + timedelta(minutes=15)) == 1
    assert office.sent_on(seven) == 2


def test_an_urgent_message_does_not_wait_for_one_that_is_stuck(clock: FixedClock) -> None:
    office = Office(clock, "away")
    clock.set(NIGHT - timedelta(minutes=61))
    office.tells()
    clock.set(NIGHT)
    alert = office.tells(urgent=True, since=NIGHT - timedelta(hours=1))

    assert office.at(NIGHT + rules.GATHERING) == 1

    assert office.rang == [alert.notice.notice_id]
    assert office.at(NIGHT + timedelta(hours=8)) == 1


def test_an_urgent_message_without_an_answer_is_tried_again_within_half_a_minute(
    clock: FixedClock,
) -> None:
    office = Office(clock, *["away"] * 12)
    office.tells(urgent=True, since=NOW - timedelta(hours=1))
    now = NOW + rules.GATHERING
    for _ in range(12):
        assert office.at(now) == 0
        now += timedelta(seconds=30)

    assert office.at(now) == 1


def test_refused_by_every_channel_a_digest_is_in_the_inbox_and_done(clock: FixedClock) -> None:
    office = Office(clock, None, Refusal.NO_QUOTA)
    office.tells()
    alerts = [office.tells(), office.tells()]

    assert office.at(AFTERNOON) == 1

    assert office.held() == []
    assert {inbox_row_of(alert.notice).delivered_by for alert in alerts} == {held.DIGEST}
    rows: list[InboxRow] = store.query(InboxRow, office.member_id)
    assert INBOX_ONLY in {row.delivered_by for row in rows if row.kind == digests.TOPIC}


def test_an_official_who_was_erased_meanwhile_leaves_nothing_behind(office: Office) -> None:
    office.tells()
    gone = [office.tells(), office.tells()]
    for alert in gone:
        store.delete(inbox_row_of(alert.notice))

    assert office.at(AFTERNOON) == 1

    kinds = {row.kind for row in store.query(InboxRow, office.member_id)}
    assert office.held() == []
    assert kinds == {"case.submitted", digests.TOPIC}


def _work(office: Office, alerts: list[Alert]) -> None:
    """A direct alert, two held ones, and their digest: as the outbox and the schedule do it."""
    office.clock.set(NOW)
    for alert in alerts:
        office.desk.tell(alert)
    office.at(AFTERNOON)


def _settle(office: Office, alerts: list[Alert]) -> None:
    """What comes after a death: the outbox's rows again, and the schedule again and again."""
    for _ in range(2):
        for alert in alerts:
            office.desk.tell(alert)
    for minute in range(0, 40, 2):
        office.at(AFTERNOON + timedelta(minutes=minute))


def _requests() -> int:
    office = Office(FixedClock(NOW))
    alerts = [office.alert() for _ in range(3)]
    with counting() as seen:
        _work(office, alerts)
    return len(seen)


def _told_once(office: Office, alerts: list[Alert], *, most: int) -> None:
    """Everybody was told by one message, no message twice, and the budget counts them all."""
    assert office.held() == []
    assert Desk(office.member_id).sending == {}
    assert len(set(office.rang)) == len(office.rang)
    assert office.sent_on(NOW) >= len(office.rang)
    assert 2 <= office.sent_on(NOW) <= most
    assert all(inbox_row_of(alert.notice).delivered_by for alert in alerts)
    assert {case_id for word in told(office) for case_id in word["case_ids"]} == {
        alert.notice.case_id for alert in alerts
    }


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_a_death_at_any_request_loses_nothing_and_doubles_nothing(
    clock: FixedClock, applied: bool
) -> None:
    for number in range(_requests()):
        office = Office(clock)
        clock.set(NOW)
        alerts = [office.alert() for _ in range(3)]
        with killed_at(number, applied=applied) as seen, pytest.raises(Killed):
            _work(office, alerts)
        assert len(seen) == number + 1
        clock.advance(timedelta(seconds=31))
        _settle(office, alerts)

        _told_once(office, alerts, most=3)


def test_a_lost_reply_at_any_request_loses_nothing_and_doubles_nothing(clock: FixedClock) -> None:
    for number in range(_requests()):
        office = Office(clock)
        clock.set(NOW)
        alerts = [office.alert() for _ in range(3)]
        with lost_at(number):
            for alert in alerts:
                try:
                    office.desk.tell(alert)
                except Unavailable:  # a read whose answer was lost: the outbox comes again
                    office.desk.tell(alert)
            try:
                office.at(AFTERNOON)
            except Unavailable:
                office.at(AFTERNOON)
        _settle(office, alerts)

        _told_once(office, alerts, most=2)


def test_two_runs_at_once_send_one_message(office: Office) -> None:
    for _ in range(3):
        office.tells()
    office.clock.set(AFTERNOON)
    inside = []

    class Meddling(RecordingChannel):
        def send(self, *args: Any, **how: Any) -> str:
            if not inside:
                inside.append(office.desk.release(office.member_id))
            return super().send(*args, **how)

    office.channel = Meddling()
    messenger = Messenger(
        channels={"officer": [office.channel], "rider": []},
        recipient=a_recipient,
        clock=office.clock,
    )
    office.desk = AlertDesk(messenger=messenger, clock=office.clock)

    assert office.desk.release(office.member_id) == 1

    assert inside == [0]
    assert len(office.rang) == 1
    assert office.held() == []
    assert Desk(office.member_id).sending == {}


@pytest.mark.parametrize("interruption", range(0, 12, 2))
def test_a_run_between_any_two_requests_of_another_doubles_nothing(
    office: Office, interruption: int
) -> None:
    office.tells()
    alerts = [office.tells(), office.tells()]
    office.clock.set(AFTERNOON)
    events = store.connection().client.meta.events
    sent: list[str] = []

    def meddle(request: Any, **_: Any) -> None:
        sent.append("")
        if len(sent) == interruption + 1:
            office.desk.release(office.member_id)

    events.register_first("before-send.dynamodb", meddle)
    try:
        office.desk.release(office.member_id)
    finally:
        events.unregister("before-send.dynamodb", meddle)
    for minute in range(0, 40, 2):
        office.at(AFTERNOON + timedelta(minutes=minute))

    assert len(office.rang) == 2
    assert office.sent_on(NOW) == 2
    assert office.held() == []
    assert {inbox_row_of(alert.notice).delivered_by for alert in alerts} == {held.DIGEST}


def test_due_members_are_those_whose_alerts_are_due_longest_waiting_first(
    clock: FixedClock,
) -> None:
    first, second, third = (Office(clock) for _ in range(3))
    for office, hours in ((second, 1), (first, 2), (third, -1)):
        for _ in range(2):
            held.hold(office.alert(), NOW - timedelta(hours=hours), NOW)

    listed = held.due_members(NOW)

    mine = [who for who in listed if who in {first.member_id, second.member_id, third.member_id}]
    assert mine == [first.member_id, second.member_id]


def test_the_store_being_away_is_told_to_the_caller(office: Office) -> None:
    with never_sent("Query", times=9), pytest.raises(Unavailable):
        office.desk.release(office.member_id)


def test_an_alert_keeps_its_template_while_it_is_held(office: Office) -> None:
    alert = office.alert()
    held.hold(alert, AFTERNOON, NOW)

    row = office.held()[0]

    assert held.notice_of(row) == alert.notice
    assert held.notice_of(row).template is Template.OFFICER_ALERT


def test_a_lost_reply_of_the_first_hold_holds_once(office: Office) -> None:
    office.tells()
    with lost_reply("TransactWriteItems"):
        office.tells()

    assert len(office.held()) == 1
