"""The inbox: one member's messages, newest first, each read once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.alerts import feed
from models.alerts.delivery import Messenger, message_id_of
from models.alerts.entities import Notice, Text, Tried
from models.alerts.inbox import Inbox
from models.base import store
from models.base.clock import FixedClock
from models.base.errors import Invalid, NotFound, Unavailable
from models.base.ids import new_id
from models.base.paging import Cursors
from tests.support.alerts import NOW, RecordingChannel, a_notice, a_recipient
from tests.support.faults import lost_reply, never_sent

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def inbox(clock: FixedClock) -> Inbox:
    return Inbox(cursors=Cursors(b"c" * 32), clock=clock)


def told(clock: FixedClock, notice: Notice) -> Notice:
    Messenger(
        channels={"officer": [RecordingChannel()], "rider": []},
        recipient=a_recipient,
        clock=clock,
    ).tell(notice, role_order="officer")
    return notice


def test_a_message_is_shown_as_it_was_told(inbox: Inbox, clock: FixedClock) -> None:
    notice = told(clock, a_notice())

    (message,) = inbox.page(notice.member_id, cursor=None, limit=10).items

    assert message.message_id == message_id_of(notice)
    assert (message.title, message.body) == (notice.title, notice.body)
    assert message.title == Text(zh="新事项", en="New case")
    assert (message.at, message.read_at, message.delivered_by) == (NOW, None, "service")
    assert message.tried == (Tried(channel="service", outcome="sent", at=NOW),)


def test_pages_run_from_the_newest_to_the_oldest(inbox: Inbox, clock: FixedClock) -> None:
    member_id = new_id("mbr")
    notices = [
        told(clock, a_notice(member_id=member_id, at=NOW + timedelta(milliseconds=number)))
        for number in (2, 0, 3, 1, 4)
    ]

    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = inbox.page(member_id, cursor=cursor, limit=2)
        seen += [message.at for message in page.items]
        cursor, pages = page.next_cursor, pages + 1

    assert seen == sorted((notice.at for notice in notices), reverse=True)


def test_a_cursor_of_another_member_opens_nothing(inbox: Inbox, clock: FixedClock) -> None:
    mine, other = new_id("mbr"), new_id("mbr")
    for number in range(3):
        told(clock, a_notice(member_id=mine, at=NOW + timedelta(seconds=number)))

    cursor = inbox.page(mine, cursor=None, limit=1).next_cursor

    with pytest.raises(Invalid):
        inbox.page(other, cursor=cursor, limit=1)


def test_reading_is_noted_once_and_keeps_its_first_time(inbox: Inbox, clock: FixedClock) -> None:
    notice = told(clock, a_notice())

    with lost_reply("UpdateItem"):
        inbox.mark_read(notice.member_id, message_id_of(notice))
    clock.advance(timedelta(hours=1))
    inbox.mark_read(notice.member_id, message_id_of(notice))

    (message,) = inbox.page(notice.member_id, cursor=None, limit=10).items
    assert message.read_at == NOW


def changes_of(notice: Notice) -> list[tuple[str, str]]:
    found = feed.since(notice.member_id, 0, limit=10, now=NOW)
    assert {logged.kind for logged in found.items} <= {"inbox"}
    return [(logged.change, logged.thing_id) for logged in found.items]


def test_a_message_and_its_reading_are_logged_once_each(inbox: Inbox, clock: FixedClock) -> None:
    notice = a_notice()

    with lost_reply("TransactWriteItems"):
        told(clock, notice)
    told(clock, notice)
    for _ in range(2):
        inbox.mark_read(notice.member_id, message_id_of(notice))

    assert changes_of(notice) == [("told", message_id_of(notice)), ("read", message_id_of(notice))]


def test_a_reading_cut_off_before_it_was_noted_is_noted_by_the_next(
    inbox: Inbox, clock: FixedClock
) -> None:
    notice = told(clock, a_notice())

    with never_sent("UpdateItem", times=store.TRIES * 3), pytest.raises(Unavailable):
        inbox.mark_read(notice.member_id, message_id_of(notice))
    inbox.mark_read(notice.member_id, message_id_of(notice))

    (message,) = inbox.page(notice.member_id, cursor=None, limit=10).items
    assert message.read_at == NOW
    assert [change for change, _ in changes_of(notice)] == ["told", "read"]


def test_a_foreign_message_is_unknown(inbox: Inbox, clock: FixedClock) -> None:
    notice = told(clock, a_notice())

    with pytest.raises(NotFound):
        inbox.mark_read(new_id("mbr"), message_id_of(notice))
    with pytest.raises(NotFound):
        inbox.mark_read(notice.member_id, "2026-03-18T02:00:00.000Z_ntc_none")

    assert inbox.page(notice.member_id, cursor=None, limit=10).items[0].read_at is None
