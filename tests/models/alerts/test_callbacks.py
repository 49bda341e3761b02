"""WeChat's pushes: stored once before the answer, read in every shape, worked on repeatably."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.alerts import outbox, quotas
from models.alerts.callbacks import EARLY, Callbacks
from models.alerts.entities import CallbackPush, Event
from models.alerts.tables import CallbackRow
from models.base import store
from models.base.clock import FixedClock
from models.base.errors import Unavailable
from models.base.ids import derived_id, new_id
from models.people.withdrawals import Withdrawn
from tests.support.alerts import RecordingReactions, a_push
from tests.support.faults import lost_reply, never_sent

TEMPLATE = "sub-officer-alert"
OTHER = "sub-escalation"


@pytest.fixture
def reactions() -> RecordingReactions:
    return RecordingReactions()


@pytest.fixture
def callbacks(tables: Any, clock: FixedClock, reactions: RecordingReactions) -> Callbacks:
    return Callbacks(clock=clock, reactions=reactions.reactions())


@pytest.fixture
def openid() -> str:
    return new_id("o")


def outbox_id_of(push: CallbackPush) -> str:
    return derived_id("out", "callback", derived_id("cb", push.account, push.dedupe_key))


def taken_in(callbacks: Callbacks, push: CallbackPush, clock: FixedClock) -> Event | None:
    """Take a push in; answers what the outbox then holds of it."""
    callbacks.take_in(push)
    return outbox.lease(outbox_id_of(push), clock.now())


def work(callbacks: Callbacks, clock: FixedClock, event: Mapping[str, Any], **how: Any) -> Event:
    """Take a push in and work on it twice, as after a crash before the row was gone."""
    found = taken_in(callbacks, a_push(event, **how), clock)
    assert found is not None
    callbacks.handle(found)
    callbacks.handle(found)
    outbox.done(found)
    return found


def accepted(template_id: str = TEMPLATE, answer: str = "accept") -> dict[str, str]:
    return {"TemplateId": template_id, "SubscribeStatusString": answer, "PopupScene": "0"}


def popup(openid: str, **parts: Any) -> dict[str, Any]:
    return {"Event": "subscribe_msg_popup_event", "FromUserName": openid, **parts}


def left(openid: str, template_id: str = TEMPLATE) -> int:
    return quotas.remaining(f"mbr-of-{openid}", template_id)


def test_a_push_is_taken_in_with_all_it_says(callbacks: Callbacks, clock: FixedClock) -> None:
    push = a_push({"Event": "debug_demo", "debug_str": "你好"})

    event = taken_in(callbacks, push, clock)

    assert event is not None
    assert event.topic == "callback"
    assert event.payload == {"account": "mini", "event": push.event}


def test_a_copy_of_a_push_does_nothing_even_after_it_was_worked_on(
    callbacks: Callbacks, clock: FixedClock, openid: str
) -> None:
    push = a_push(popup(openid, List=accepted()))
    first = taken_in(callbacks, push, clock)
    assert first is not None
    callbacks.handle(first)
    outbox.done(first)

    clock.advance(timedelta(seconds=15))

    assert taken_in(callbacks, push, clock) is None
    assert left(openid) == 1


def test_copies_that_come_at_once_are_taken_in_once(
    callbacks: Callbacks, clock: FixedClock
) -> None:
    push = a_push({"Event": "debug_demo"})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(callbacks.take_in, [push] * 4))

    event = outbox.lease(outbox_id_of(push), clock.now())
    assert event is not None
    outbox.done(event)
    callbacks.take_in(push)
    assert outbox.lease(outbox_id_of(push), clock.now()) is None


def test_a_push_is_not_acknowledged_unless_it_is_stored(
    callbacks: Callbacks, clock: FixedClock
) -> None:
    push = a_push({"Event": "debug_demo"})

    with never_sent(times=store.TRIES * 3), pytest.raises(Unavailable):
        callbacks.take_in(push)

    assert taken_in(callbacks, push, clock) is not None


def test_a_lost_reply_of_the_engine_still_takes_it_in(
    callbacks: Callbacks, clock: FixedClock
) -> None:
    push = a_push({"Event": "debug_demo"})

    with lost_reply():
        callbacks.take_in(push)

    assert outbox.lease(outbox_id_of(push), clock.now()) is not None


def test_the_two_accounts_keep_their_pushes_apart(callbacks: Callbacks, clock: FixedClock) -> None:
    key = new_id("push")
    mini, service = (
        a_push({"Event": "debug_demo"}, account=account, key=key) for account in ("mini", "service")
    )

    assert taken_in(callbacks, mini, clock) is not None
    assert taken_in(callbacks, service, clock) is not None


def test_a_push_is_remembered_for_a_week(callbacks: Callbacks, clock: FixedClock) -> None:
    push = a_push({"Event": "debug_demo"})
    callbacks.take_in(push)

    row = store.get(CallbackRow, derived_id("cb", push.account, push.dedupe_key))

    assert row is not None
    assert row.ttl == int((clock.now() + timedelta(days=7)).timestamp())


@pytest.mark.parametrize(
    "parts",
    [
        {"List": accepted()},
        {"List": [accepted()]},
        {"List": [accepted(OTHER, "reject"), accepted()]},
        {"SubscribeMsgPopupEvent": {"List": accepted()}},
        {"SubscribeMsgPopupEvent": {"List": [accepted(), accepted(OTHER, "ban")]}},
    ],
    ids=["object", "array", "mixed", "xml-one", "xml-several"],
)
def test_an_acceptance_counts_once_in_every_shape(
    callbacks: Callbacks, clock: FixedClock, openid: str, parts: dict[str, Any]
) -> None:
    work(callbacks, clock, popup(openid, **parts))

    assert (left(openid), left(openid, OTHER)) == (1, 0)


def test_two_templates_accepted_at_once_count_one_each(
    callbacks: Callbacks, clock: FixedClock, openid: str
) -> None:
    work(callbacks, clock, popup(openid, List=[accepted(), accepted(OTHER)]))
    work(callbacks, clock, popup(openid, List=accepted()))

    assert (left(openid), left(openid, OTHER)) == (2, 1)


@pytest.mark.parametrize(
    "parts",
    [
        {"List": accepted(answer="reject")},
        {"SubscribeMsgChangeEvent": {"List": [accepted(answer="reject")]}},
        {"SubscribeMsgPopupEvent": {"List": accepted(answer="reject")}},
    ],
    ids=["json", "xml", "xml-as-one-example-names-it"],
)
def test_turning_a_template_off_leaves_none(
    callbacks: Callbacks, clock: FixedClock, openid: str, parts: dict[str, Any]
) -> None:
    work(callbacks, clock, popup(openid, List=accepted()))

    work(
        callbacks,
        clock,
        {"Event": "subscribe_msg_change_event", "FromUserName": openid, **parts},
    )

    assert left(openid) == 0


def test_a_late_rejection_does_not_undo_a_newer_acceptance(
    callbacks: Callbacks, clock: FixedClock, openid: str
) -> None:
    work(callbacks, clock, popup(openid, List=accepted(), CreateTime=1_773_000_100))

    work(
        callbacks,
        clock,
        {
            "Event": "subscribe_msg_change_event",
            "FromUserName": openid,
            "CreateTime": "1773000099",
            "List": accepted(answer="reject"),
        },
    )

    assert left(openid) == 1


@pytest.mark.parametrize("errcode", [0, "0", None])
@pytest.mark.parametrize("suggest", ["pass", "risky", "review"])
def test_a_verdict_is_handed_on(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    errcode: object,
    suggest: str,
) -> None:
    checked = {
        "Event": "wxa_media_check",
        "trace_id": "trace-1",
        "errcode": errcode,
        "result": {"suggest": suggest, "label": "100"},
    }

    work(callbacks, clock, checked)

    assert reactions.verdicts == [("trace-1", suggest)] * 2


@pytest.mark.parametrize(
    "parts",
    [
        {"errcode": -1008, "errmsg": "下载错误"},
        {"errcode": "-1008", "result": {"suggest": "pass", "label": 100}},
        {"errcode": 0, "detail": []},
        {"errcode": 0, "result": None},
    ],
    ids=["failed", "failed-as-text", "no-result", "empty-result"],
)
def test_a_check_that_failed_is_no_verdict(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions, parts: dict[str, Any]
) -> None:
    work(callbacks, clock, {"Event": "wxa_media_check", "trace_id": "trace-1", **parts})

    assert reactions.verdicts == [("trace-1", None)] * 2


@pytest.mark.parametrize("at", [1_773_000_000, "1773000000"])
@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe", "SUBSCRIBE"])
def test_following_and_leaving_are_looked_up_at_their_time(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    kind: str,
    at: object,
) -> None:
    event = {"Event": kind, "FromUserName": "s-1", "CreateTime": at, "EventKey": ""}

    work(callbacks, clock, event, account="service")

    assert reactions.follows == [("s-1", datetime.fromtimestamp(1_773_000_000, UTC))] * 2


@pytest.mark.parametrize(
    ("codes", "withdrawn"),
    [
        ("8", ["phone"]),
        (8, ["phone"]),
        ("7, 8,13", ["location", "phone"]),
        ("6", ["profile"]),
        ("19", ["profile"]),
        ("20", ["profile"]),
        ("13", ["location"]),
        (18, ["location"]),
        ("14", ["pictures"]),
        ("1,2,3,4,5,7,12,15,16", []),
        ("99", []),
        ("", []),
        (None, []),
    ],
)
def test_every_capability_forgets_what_a_member_takes_back(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    codes: object,
    withdrawn: list[str],
) -> None:
    event = {"Event": "user_authorization_revoke", "OpenID": "o-1", "RevokeInfo": codes}

    work(callbacks, clock, {"FromUserName": "platform", **event})

    assert reactions.forgotten == [("mbr-of-o-1", what) for what in withdrawn] * 2


def test_who_leaves_is_forgotten_altogether(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions
) -> None:
    event = {"Event": "user_authorization_cancellation", "MsgType": "Event", "OpenID": "o-1"}

    work(callbacks, clock, event)

    assert reactions.forgotten == [("mbr-of-o-1", what.value) for what in Withdrawn] * 2


def test_a_changed_nickname_is_none_of_ours_to_keep(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions
) -> None:
    work(callbacks, clock, {"Event": "user_info_modified", "OpenID": "o-1", "RevokeInfo": "6"})

    assert set(reactions.forgotten) == {("mbr-of-o-1", "profile")}


def test_what_was_erased_stands_in_the_log_and_nobodys_name(
    callbacks: Callbacks, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    event = {"Event": "user_authorization_revoke", "OpenID": "o-1", "RevokeInfo": "8,13"}

    with caplog.at_level(logging.INFO, logger="models"):
        worked = work(callbacks, clock, event)

    lines = [record for record in caplog.records if record.message == "member.forgotten"]
    assert {(line.withdrawn, *line.erased, line.push) for line in lines} == {  # type: ignore[attr-defined]
        ("phone", "phone", worked.outbox_id)
    }
    assert "o-1" not in " ".join(str(record.__dict__) for record in lines)


def test_a_message_of_a_person_is_no_event(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions
) -> None:
    event = {"Event": "user_authorization_cancellation", "MsgType": "text", "OpenID": "o-1"}

    work(callbacks, clock, event)

    assert reactions.forgotten == []


@pytest.mark.parametrize("event", [{"Event": "debug_demo"}, {"MsgType": "text"}, {"Event": None}])
def test_an_unknown_event_is_ignored(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    event: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="models"):
        work(callbacks, clock, event)

    assert reactions == RecordingReactions()
    assert [record.message for record in caplog.records] == ["callback.ignored"] * 2


@pytest.mark.parametrize(
    "event",
    [
        {"Event": "subscribe_msg_popup_event", "List": accepted()},
        {"Event": "subscribe_msg_popup_event", "FromUserName": "o-1", "CreateTime": "soon"},
        {"Event": "subscribe_msg_popup_event", "FromUserName": "o-1", "List": [{}]},
        {"Event": "subscribe", "FromUserName": {"text": "o-1"}},
        {"Event": "wxa_media_check", "result": {"suggest": "pass"}},
        {"Event": "user_authorization_cancellation", "FromUserName": "platform"},
    ],
)
def test_a_push_without_what_it_needs_is_dropped_with_an_error(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    event: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="models"):
        work(callbacks, clock, event)

    assert reactions == RecordingReactions()
    assert {(record.message, record.levelname) for record in caplog.records} == {
        ("callback.malformed", "ERROR")
    }


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("failed:user block", "blocked"), ("failed: system failed", "not_shown")],
)
@pytest.mark.parametrize("message_id", [200228332, "200228332"])
def test_a_template_message_that_wechat_could_not_show_is_told_on(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    status: str,
    outcome: str,
    message_id: object,
) -> None:
    event = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": message_id, "Status": status}

    work(callbacks, clock, event, account="service")

    assert reactions.not_shown == [("service", "200228332", outcome)] * 2


def finished(message_id: str, code: object) -> dict[str, Any]:
    return {"TemplateId": TEMPLATE, "MsgID": message_id, "ErrorCode": code, "ErrorStatus": "x"}


@pytest.mark.parametrize(
    "parts",
    [
        {"List": finished("1", "20001")},
        {"List": finished("1", 20001)},
        {"List": [finished("2", "0"), finished("1", "20001")]},
        {"SubscribeMsgSentEvent": {"List": finished("1", "20001")}},
        {"SubscribeMsgSentEvent": {"List": [finished("2", 0), finished("1", "20001")]}},
    ],
    ids=["object", "number", "array", "xml-one", "xml-several"],
)
def test_a_subscription_message_that_wechat_could_not_show_is_told_on(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions, parts: dict[str, Any]
) -> None:
    event = {"Event": "subscribe_msg_sent_event", "FromUserName": "o-1", **parts}

    work(callbacks, clock, event)

    assert reactions.not_shown == [("mini", "1", "not_shown")] * 2


def test_what_was_shown_needs_nothing(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions
) -> None:
    done = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": 1, "Status": "success"}

    work(callbacks, clock, done, account="service")
    work(callbacks, clock, {"Event": "subscribe_msg_sent_event", "List": finished("1", "0")})

    assert reactions.not_shown == []


def test_an_outcome_that_overtakes_our_record_waits_for_it(
    callbacks: Callbacks,
    clock: FixedClock,
    reactions: RecordingReactions,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": 1, "Status": "failed:user block"}
    event = taken_in(callbacks, a_push(failed, account="service"), clock)
    assert event is not None
    reactions.knows_messages = False

    with pytest.raises(Unavailable, match=r"alert\.outcome_early"):
        callbacks.handle(event)
    clock.advance(EARLY)
    callbacks.handle(event)

    assert "alert.outcome_unknown" in {record.message for record in caplog.records}


def test_an_event_waits_while_what_it_needs_is_away(
    callbacks: Callbacks, clock: FixedClock, reactions: RecordingReactions
) -> None:
    push = a_push({"Event": "subscribe", "FromUserName": "s-1"}, account="service")
    event = taken_in(callbacks, push, clock)
    assert event is not None
    reactions.is_away = True

    with pytest.raises(Unavailable):
        callbacks.handle(event)
    reactions.is_away = False
    callbacks.handle(event)

    assert [openid for openid, _ in reactions.follows] == ["s-1"]


def test_no_openid_stands_in_the_log(
    callbacks: Callbacks, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "openid-of-somebody"
    push = a_push(popup(secret, List=accepted()))
    kinds = ("subscribe", "unsubscribe", "debug_demo", "user_authorization_cancellation")

    with caplog.at_level(logging.DEBUG, logger="models"):
        callbacks.take_in(push)
        callbacks.take_in(push)
        work(callbacks, clock, popup(secret, List=[accepted(), {}]))
        for kind in kinds:
            work(callbacks, clock, {"Event": kind, "FromUserName": secret, "OpenID": secret})

    ours = [record for record in caplog.records if record.name.startswith("models")]
    assert "callback.repeated" in {record.message for record in ours}
    assert secret not in " ".join(str(record.__dict__) for record in ours)
