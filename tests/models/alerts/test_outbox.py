"""The outbox: leased by one, free again when its deliverer dies, gone only when done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from models.alerts import outbox
from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.base.store import Refused, Transaction, put_if_absent
from models.base.tables import connection
from tests.support.alerts import COUNTY, NOW, outbox_row
from tests.support.faults import lost_reply, never_sent

pytestmark = pytest.mark.usefixtures("empty_outbox")

PAYLOAD = {"case_id": "case_1", "place": "羊山新区", "count": 2}


def a_row(key: str | None = None, *, topic: str = "case.submitted", **changes: Any) -> str:
    """Put a row and answer its id."""
    row = outbox.row(topic, key or new_id("key"), COUNTY, PAYLOAD, NOW)
    row.created_at = changes.get("created_at", NOW)
    tx = Transaction()
    tx.put("outbox", row)
    tx.commit()
    return row.outbox_id


def leased(outbox_id: str, clock: FixedClock) -> Event:
    event = outbox.lease(outbox_id, clock.now())
    assert event is not None
    return event


def test_the_same_topic_and_key_are_the_same_row(clock: FixedClock) -> None:
    key = new_id("key")

    assert a_row(key) == a_row(key)
    assert outbox.due(clock.now(), 10) == [a_row(key)]
    assert a_row(key, topic="case.closed") != a_row(key)


def test_a_row_joins_a_transaction_and_falls_with_it(clock: FixedClock) -> None:
    guarded = outbox.row("case.submitted", "one", COUNTY, PAYLOAD, NOW)
    first = Transaction()
    first.guard("outbox", guarded)
    first.commit()

    second = Transaction()
    second.guard("again", guarded)
    second.put("outbox", outbox.row("case.submitted", "two", COUNTY, PAYLOAD, NOW))
    with pytest.raises(Refused):
        second.commit()

    assert outbox.due(clock.now(), 10) == [guarded.outbox_id]


def test_a_lease_hands_over_what_was_put(clock: FixedClock) -> None:
    outbox_id = a_row()

    event = leased(outbox_id, clock)

    assert event == Event(
        outbox_id=outbox_id,
        topic="case.submitted",
        county=COUNTY,
        payload=PAYLOAD,
        at=NOW,
        attempts=1,
    )


def test_what_is_leased_is_not_due_and_not_leased_again(clock: FixedClock) -> None:
    outbox_id = a_row()
    leased(outbox_id, clock)

    assert outbox.lease(outbox_id, clock.now()) is None
    assert outbox.due(clock.now(), 10) == []


def test_of_many_deliverers_at_once_one_gets_the_row(clock: FixedClock) -> None:
    outbox_id = a_row()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: outbox.lease(outbox_id, clock.now()), range(8)))

    assert len([event for event in answers if event is not None]) == 1


def test_the_row_of_a_dead_deliverer_is_free_after_its_lease(clock: FixedClock) -> None:
    outbox_id = a_row()
    leased(outbox_id, clock)

    clock.advance(outbox.LEASE - timedelta(milliseconds=1))
    assert outbox.due(clock.now(), 10) == []
    clock.advance(timedelta(milliseconds=1))

    assert outbox.due(clock.now(), 10) == [outbox_id]
    assert leased(outbox_id, clock).attempts == 2


def test_done_takes_the_row_away_and_may_be_repeated(clock: FixedClock) -> None:
    event = leased(a_row(), clock)

    outbox.done(event)
    outbox.done(event)

    assert outbox_row(event.outbox_id) is None
    assert outbox.lease(event.outbox_id, clock.now()) is None


def test_a_postponed_row_is_due_after_its_pause(clock: FixedClock) -> None:
    event = leased(a_row(), clock)
    outbox.postpone(event, clock.now())

    assert outbox.due(clock.now(), 10) == []
    clock.advance(timedelta(seconds=1))

    assert outbox.due(clock.now(), 10) == [event.outbox_id]


@pytest.mark.parametrize(("urgent", "longest_s"), [(True, 30), (False, 600)])
def test_an_urgent_row_never_waits_longer_than_half_a_minute(
    clock: FixedClock, urgent: bool, longest_s: int
) -> None:
    row = outbox.row("case.submitted", new_id("key"), COUNTY, {outbox.URGENT: urgent}, NOW)
    put_if_absent(row)
    for _ in range(11):
        outbox.postpone(leased(row.outbox_id, clock), clock.now())
        clock.advance(timedelta(minutes=11))
    outbox.postpone(leased(row.outbox_id, clock), clock.now())

    clock.advance(timedelta(seconds=longest_s) - timedelta(milliseconds=1))
    assert outbox.due(clock.now(), 10) == []
    clock.advance(timedelta(milliseconds=1))
    assert outbox.due(clock.now(), 10) == [row.outbox_id]


def test_a_late_postponement_leaves_the_next_deliverers_lease_alone(clock: FixedClock) -> None:
    slow = leased(a_row(), clock)
    clock.advance(outbox.LEASE)
    leased(slow.outbox_id, clock)

    outbox.postpone(slow, clock.now())

    assert outbox.lease(slow.outbox_id, clock.now() + timedelta(seconds=29)) is None


def test_a_postponement_does_not_bring_a_delivered_row_back(clock: FixedClock) -> None:
    slow = leased(a_row(), clock)
    clock.advance(outbox.LEASE)
    outbox.done(leased(slow.outbox_id, clock))

    outbox.postpone(slow, clock.now())

    assert outbox_row(slow.outbox_id) is None


def test_a_lease_is_ours_though_the_reply_was_lost(clock: FixedClock) -> None:
    outbox_id = a_row()

    with lost_reply("UpdateItem"):
        event = outbox.lease(outbox_id, clock.now())

    assert event is not None
    assert event.attempts == 1
    assert outbox.lease(outbox_id, clock.now()) is None


def test_done_and_postpone_survive_a_lost_reply_and_an_engine_away(clock: FixedClock) -> None:
    postponed, told = leased(a_row(), clock), leased(a_row(), clock)

    with lost_reply("UpdateItem"):
        outbox.postpone(postponed, clock.now())
    with lost_reply("DeleteItem"):
        outbox.done(told)
    with never_sent("DeleteItem", times=3):
        outbox.done(told)

    clock.advance(timedelta(seconds=1))
    assert outbox.due(clock.now(), 10) == [postponed.outbox_id]
    assert leased(postponed.outbox_id, clock).attempts == 2


def test_the_oldest_come_first_and_no_more_than_asked_for(clock: FixedClock) -> None:
    rows = [a_row(created_at=NOW - timedelta(seconds=age)) for age in (1, 3, 2)]

    assert outbox.due(clock.now(), 2) == [rows[1], rows[2]]


def test_rows_that_keep_failing_do_not_stand_before_new_ones(clock: FixedClock) -> None:
    failing = [a_row() for _ in range(3)]
    for outbox_id in failing:
        outbox.postpone(leased(outbox_id, clock), clock.now())
    clock.advance(timedelta(hours=1))
    fresh = a_row(created_at=clock.now())

    assert outbox.due(clock.now(), 1) == [fresh]


def test_new_rows_and_those_tried_before_take_turns(clock: FixedClock) -> None:
    """A deliverer that was killed must not cost its row more than every second turn."""
    tried = [a_row(f"tried{number}") for number in range(3)]
    for outbox_id in reversed(tried):
        leased(outbox_id, clock)
        clock.advance(timedelta(seconds=1))
    clock.advance(outbox.LEASE)
    new = [a_row(created_at=clock.now() + timedelta(seconds=number)) for number in range(5)]

    assert outbox.due(clock.now(), 6) == [new[0], tried[2], new[1], tried[1], new[2], tried[0]]
    assert outbox.due(clock.now(), 99)[6:] == new[3:]


def test_a_row_that_cannot_be_read_hides_no_other(clock: FixedClock) -> None:
    """Somebody has put it by hand, in the console."""
    good = a_row()
    connection().put_item(
        OutboxRow.Meta.table_name,
        "broken",
        attributes={"outbox_id": {"S": "broken"}, "payload": {"S": "{not json"}},
    )

    assert set(outbox.due(clock.now(), 10)) == {good, "broken"}
    assert leased(good, clock).payload == PAYLOAD
