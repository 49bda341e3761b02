"""Delivery of the outbox: one failing row keeps no other from being told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.events import outbox as handler
from models.alerts import outbox
from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.base import store
from models.base.clock import FixedClock
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.tables import Database, connection
from tests.support.alerts import COUNTY, outbox_row
from tests.support.faults import never_sent

SECRET = "openid-of-somebody"


class Handlers:
    """Records what it was given, and fails as told."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.seen: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.meanwhile: Callable[[Event], object] = lambda _: None

    def __call__(self, event: Event) -> None:
        self.seen.append(event.outbox_id)
        self.meanwhile(event)
        if event.outbox_id in self.failing:
            raise self.failing[event.outbox_id]


@pytest.fixture
def handlers(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Handlers]:
    """An empty outbox, and one handler for the topic of these tests."""
    made = Handlers(clock)
    wired = SimpleNamespace(clock=clock, outbox_handlers={"case.submitted": made})
    monkeypatch.setattr(handler, "services", lambda: wired)
    monkeypatch.setattr(store, "LONGEST_PAUSE_S", 0.0)
    _empty()
    yield made
    _empty()


def _empty() -> None:
    for row in store.scan(OutboxRow, attributes_to_get=["outbox_id"]):
        store.delete(row)


def put(clock: FixedClock, *, topic: str = "case.submitted") -> str:
    payload = {"openid": SECRET}
    row = outbox.row(topic, new_id("key"), COUNTY, payload, clock.now())
    store.put_if_absent(row)
    return row.outbox_id


def inserted(*outbox_ids: str, name: str = "INSERT") -> dict[str, Any]:
    """A batch of the table's stream."""
    return {
        "Records": [
            {"eventName": name, "dynamodb": {"Keys": {"outbox_id": {"S": outbox_id}}}}
            for outbox_id in outbox_ids
        ]
    }


def test_the_sweep_delivers_what_is_due_and_takes_it_away(
    handlers: Handlers, clock: FixedClock
) -> None:
    rows = {put(clock), put(clock)}

    assert handler.on_schedule() == {"delivered": 2}
    assert handler.on_schedule() == {"delivered": 0}

    assert set(handlers.seen) == rows
    assert len(handlers.seen) == 2


def test_the_stream_delivers_what_was_inserted_and_nothing_else(
    handlers: Handlers, clock: FixedClock
) -> None:
    mine, other = put(clock), put(clock)

    handler.on_stream(inserted(mine))
    handler.on_stream(inserted(other, name="MODIFY"))
    handler.on_stream(inserted(other, name="REMOVE"))

    assert handlers.seen == [mine]


def test_a_stream_record_that_comes_twice_is_delivered_once(
    handlers: Handlers, clock: FixedClock
) -> None:
    mine = put(clock)

    handler.on_stream(inserted(mine, mine))
    handler.on_stream(inserted(mine))

    assert handlers.seen == [mine]


@pytest.mark.parametrize("error", [Unavailable("wechat.away"), ZeroDivisionError()])
def test_a_row_that_fails_blocks_no_other_and_is_tried_later(
    handlers: Handlers, clock: FixedClock, error: Exception
) -> None:
    poisoned, good = put(clock), put(clock)
    handlers.failing[poisoned] = error

    assert handler.on_schedule() == {"delivered": 1}
    assert outbox_row(good) is None
    assert handler.on_schedule() == {"delivered": 0}
    clock.advance(timedelta(seconds=1))
    handlers.failing.clear()

    assert handler.on_schedule() == {"delivered": 1}
    assert handlers.seen.count(poisoned) == 2


def test_a_batch_of_the_stream_goes_on_after_a_failure(
    handlers: Handlers, clock: FixedClock
) -> None:
    poisoned, good = put(clock), put(clock)
    handlers.failing[poisoned] = ZeroDivisionError()

    answer = handler.on_stream(inserted(poisoned, good))

    assert answer == {"batchItemFailures": []}
    assert outbox_row(poisoned) is not None
    assert outbox_row(good) is None


def test_an_unknown_topic_stays_for_a_later_release(handlers: Handlers, clock: FixedClock) -> None:
    unknown, good = put(clock, topic="case.invented"), put(clock)

    assert handler.on_schedule() == {"delivered": 1}

    assert outbox_row(unknown) is not None
    assert outbox_row(good) is None


def test_a_row_that_cannot_be_read_blocks_no_other(
    handlers: Handlers, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    connection().put_item(
        OutboxRow.Meta.table_name,
        "broken",
        attributes={"outbox_id": {"S": "broken"}, "payload": {"S": "{not json"}},
    )
    good = put(clock)

    assert handler.on_schedule() == {"delivered": 1}

    assert handlers.seen == [good]
    assert "outbox.unreadable" in {record.message for record in caplog.records}
    assert outbox.due(clock.now(), 10) == [], "it does not come first at every sweep"
    clock.advance(outbox.UNREADABLE)
    assert outbox.due(clock.now(), 10) == ["broken"]


def test_a_deliverer_that_dies_is_followed_by_another(
    handlers: Handlers, clock: FixedClock
) -> None:
    class Killed(BaseException):
        pass

    def die(_: Event) -> None:
        raise Killed

    mine = put(clock)
    handlers.meanwhile = die
    with pytest.raises(Killed):
        handler.deliver(mine)
    handlers.meanwhile = lambda _: None

    assert handler.on_schedule() == {"delivered": 0}
    clock.advance(outbox.LEASE)
    assert handler.on_schedule() == {"delivered": 1}
    assert handlers.seen == [mine, mine]


def test_a_second_deliverer_finds_the_row_taken(handlers: Handlers, clock: FixedClock) -> None:
    mine = put(clock)
    seconds = []
    handlers.meanwhile = lambda event: seconds.append(handler.deliver(event.outbox_id))

    assert handler.deliver(mine)

    assert seconds == [False]
    assert handlers.seen == [mine]


def test_an_engine_that_goes_away_leaves_the_row_for_the_next_sweep(
    handlers: Handlers, clock: FixedClock
) -> None:
    mine = put(clock)

    with never_sent("DeleteItem", times=store.TRIES * 3):
        assert not handler.deliver(mine)
    clock.advance(outbox.LEASE)

    assert handler.on_schedule() == {"delivered": 1}
    assert outbox_row(mine) is None


def test_a_slow_pass_ends_to_look_for_what_is_new(handlers: Handlers, clock: FixedClock) -> None:
    slow = [put(clock) for _ in range(3)]
    handlers.meanwhile = lambda _: clock.advance(timedelta(seconds=6))

    handler.on_schedule()

    assert len(handlers.seen) == 2
    assert set(handlers.seen) < set(slow)


def test_a_row_that_fails_for_hours_becomes_an_error(
    handlers: Handlers, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    mine = put(clock)
    handlers.failing[mine] = Unavailable("wechat.away")

    for _ in range(handler.STUCK_AFTER):
        handler.deliver(mine)
        clock.advance(timedelta(minutes=11))

    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING] * (handler.STUCK_AFTER - 1) + [logging.ERROR]


def test_no_payload_stands_in_the_log(
    handlers: Handlers, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    for error in (Unavailable("wechat.away"), ZeroDivisionError()):
        mine = put(clock)
        handlers.failing[mine] = error
        with caplog.at_level(logging.DEBUG, logger="handlers"):
            handler.deliver(mine)

    ours = [record for record in caplog.records if record.name.startswith("handlers")]
    assert len(ours) == 2
    assert SECRET not in " ".join(str(record.__dict__) for record in ours) + caplog.text
