"""Telling: the inbox first and always, one message, by the first channel that takes it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from models.alerts import delivery, quotas
from models.alerts.delivery import Messenger
from models.alerts.entities import Channel, Notice, Quota, Recipient, Refusal, RoleOrder
from models.alerts.tables import InboxRow
from models.base import store
from models.base.clock import FixedClock
from models.base.errors import Unavailable
from tests.support.alerts import (
    NOW,
    RecordingChannel,
    a_notice,
    a_recipient,
    inbox_row_of,
    openid_of,
)
from tests.support.faults import lost_reply, never_sent

pytestmark = pytest.mark.usefixtures("tables")

SUBSCRIPTION = "tpl-officer_alert"


def a_subscription(*answers: Any) -> RecordingChannel:
    return RecordingChannel(
        name="subscription", quota=Quota.PER_ACCEPTANCE, drops_copies=False, answers=list(answers)
    )


def a_service(*answers: Any) -> RecordingChannel:
    return RecordingChannel(name="service", answers=list(answers))


def a_messenger(
    clock: FixedClock, *channels: Channel, rider: Sequence[Channel] = (), recipient: Any = None
) -> Messenger:
    return Messenger(
        channels={"officer": channels, "rider": rider},
        recipient=recipient or a_recipient,
        clock=clock,
    )


def accept(notice: Notice, times: int = 1) -> None:
    for number in range(times):
        quotas.add_once(notice.member_id, SUBSCRIPTION, event_id=f"out_{number}", at=NOW)


def tell_until_told(
    messenger: Messenger, notice: Notice, role_order: RoleOrder = "officer", tries: int = 5
) -> int:
    """Do as the outbox does; answers how often it had to try."""
    for attempt in range(1, tries + 1):
        try:
            messenger.tell(notice, role_order=role_order)
        except Unavailable:
            continue
        return attempt
    raise AssertionError("never told")


def outcomes(notice: Notice) -> list[tuple[str, str]]:
    return [(one["channel"], one["outcome"]) for one in inbox_row_of(notice).tried or ()]


def test_the_first_channel_takes_it_and_the_inbox_says_so(clock: FixedClock) -> None:
    notice, service, subscription = a_notice(), a_service(), a_subscription()

    a_messenger(clock, service, subscription).tell(notice, role_order="officer")

    assert service.sends == [(notice.notice_id, notice.fields)]
    assert subscription.sends == []
    row = inbox_row_of(notice)
    assert (row.delivered_by, row.wechat_id, row.at) == ("service", "msg-1", notice.at)
    assert (row.title, row.page, row.case_id) == (
        {"zh": "新事项", "en": "New case"},
        notice.page,
        "case_1",
    )
    assert outcomes(notice) == [("service", "sent")]


def test_told_again_it_is_still_one_message(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service()
    messenger = a_messenger(clock, service)

    for _ in range(5):
        messenger.tell(notice, role_order="officer")
        clock.advance(timedelta(hours=1))

    assert len(service.sends) == 1
    assert len(store.query(InboxRow, notice.member_id)) == 1


def test_each_role_has_its_own_order(clock: FixedClock) -> None:
    notice, officers, riders = a_notice(), a_service(), a_service()

    a_messenger(clock, officers, rider=[riders]).tell(notice, role_order="rider")

    assert (len(officers.sends), len(riders.sends)) == (0, 1)


def test_the_message_is_in_the_inbox_before_a_channel_is_asked(clock: FixedClock) -> None:
    notice, seen = a_notice(), list[str]()

    class Looking(RecordingChannel):
        def send(self, *args: Any, **how: Any) -> str:
            seen.append(inbox_row_of(notice).kind)
            return super().send(*args, **how)

    a_messenger(clock, Looking()).tell(notice, role_order="officer")

    assert seen == ["case.submitted"]


def test_nothing_is_sent_that_the_inbox_does_not_hold(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service()

    with never_sent(times=store.TRIES * 3), pytest.raises(Unavailable):
        a_messenger(clock, service).tell(notice, role_order="officer")

    assert service.sends == []


@pytest.mark.parametrize("reason", list(Refusal))
def test_every_refusal_falls_to_the_next_channel(reason: Refusal, clock: FixedClock) -> None:
    notice, service, subscription = a_notice(), a_service(reason), a_subscription()
    accept(notice)

    a_messenger(clock, service, subscription).tell(notice, role_order="officer")

    assert outcomes(notice) == [("service", reason.value), ("subscription", "sent")]
    assert inbox_row_of(notice).delivered_by == "subscription"


def test_a_channel_without_the_template_is_passed_over(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service()
    service.ids = {}

    a_messenger(clock, service).tell(notice, role_order="officer")

    assert service.sends == []
    assert outcomes(notice) == [("service", "no_template")]


def test_refused_by_all_it_stays_in_the_inbox_and_is_done(clock: FixedClock) -> None:
    notice = a_notice()
    service, subscription = a_service(Refusal.NOT_FOLLOWING), a_subscription()
    messenger = a_messenger(clock, service, subscription)

    messenger.tell(notice, role_order="officer")
    messenger.tell(notice, role_order="officer")

    assert inbox_row_of(notice).delivered_by == delivery.INBOX_ONLY
    assert len(service.sends) == 1


def test_who_cannot_be_reached_finds_it_in_the_inbox(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service()

    a_messenger(clock, service, recipient=lambda _: None).tell(notice, role_order="officer")

    assert service.sends == []
    assert inbox_row_of(notice).delivered_by == delivery.INBOX_ONLY


def test_without_an_answer_the_next_channel_is_tried_at_once(clock: FixedClock) -> None:
    notice, service, subscription = a_notice(), a_service("away"), a_subscription()
    accept(notice)

    a_messenger(clock, service, subscription).tell(notice, role_order="officer")

    assert inbox_row_of(notice).delivered_by == "subscription"
    assert outcomes(notice) == [("service", "unavailable"), ("subscription", "sent")]


def test_without_any_answer_it_is_told_later(clock: FixedClock) -> None:
    notice = a_notice()
    service, subscription = a_service("away", "away"), a_subscription()
    messenger = a_messenger(clock, service, subscription)

    with pytest.raises(Unavailable):
        messenger.tell(notice, role_order="officer")
    assert inbox_row_of(notice).delivered_by is None
    assert tell_until_told(messenger, notice) == 2

    assert service.delivered == [notice.notice_id]
    assert outcomes(notice)[-1] == ("service", "sent")


def test_a_message_whose_answer_was_lost_is_not_doubled(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service("lost")

    assert tell_until_told(a_messenger(clock, service), notice) == 2

    assert service.delivered == [notice.notice_id]
    assert [key for key, _ in service.sends] == [notice.notice_id] * 2


def test_a_crash_between_sending_and_recording_neither_loses_nor_doubles(
    clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice, service = a_notice(), a_service()
    messenger = a_messenger(clock, service)

    class Killed(BaseException):
        pass

    def die(*_: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "update_if", die)
        with pytest.raises(Killed):
            messenger.tell(notice, role_order="officer")
    assert service.delivered == [notice.notice_id]
    assert inbox_row_of(notice).delivered_by is None
    clock.advance(delivery.TELLING)
    messenger.tell(notice, role_order="officer")

    assert service.delivered == [notice.notice_id]
    assert inbox_row_of(notice).delivered_by == "service"


def test_of_two_tellers_at_once_one_tells_and_the_other_comes_later(clock: FixedClock) -> None:
    notice, second = a_notice(), list[str]()
    accept(notice, 2)

    class Interrupted(RecordingChannel):
        def send(self, *args: Any, **how: Any) -> str:
            with pytest.raises(Unavailable) as raised:
                messenger.tell(notice, role_order="officer")
            second.append(raised.value.code)
            return super().send(*args, **how)

    channel = Interrupted(name="subscription", quota=Quota.PER_ACCEPTANCE, drops_copies=False)
    messenger = a_messenger(clock, channel)
    messenger.tell(notice, role_order="officer")
    messenger.tell(notice, role_order="officer")

    assert second == ["alert.being_told"]
    assert channel.delivered == [notice.notice_id]
    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 1


def test_a_teller_who_died_is_followed_by_another_after_his_time(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service()

    def die(_: str) -> Recipient:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a_messenger(clock, recipient=die).tell(notice, role_order="officer")
    messenger = a_messenger(clock, service)
    clock.advance(delivery.TELLING - timedelta(milliseconds=1))
    with pytest.raises(Unavailable):
        messenger.tell(notice, role_order="officer")
    clock.advance(timedelta(milliseconds=1))
    messenger.tell(notice, role_order="officer")

    assert service.delivered == [notice.notice_id]


def test_who_was_too_slow_does_not_let_a_third_in(clock: FixedClock) -> None:
    """He fails when another has begun: the message is that other's now."""
    notice, service = a_notice(), a_service()

    def begin_and_die(_: str) -> Recipient:
        raise KeyboardInterrupt

    class Slow(RecordingChannel):
        def send(self, *args: Any, **how: Any) -> str:
            clock.advance(delivery.TELLING)
            with pytest.raises(KeyboardInterrupt):
                a_messenger(clock, recipient=begin_and_die).tell(notice, role_order="officer")
            raise Unavailable("wechat.away")

    with pytest.raises(Unavailable, match=r"alert\.no_answer"):
        a_messenger(clock, Slow()).tell(notice, role_order="officer")
    with pytest.raises(Unavailable, match=r"alert\.being_told"):
        a_messenger(clock, service).tell(notice, role_order="officer")

    assert service.sends == []


@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
def test_a_retry_holds_the_message_though_a_reply_was_lost(
    operation: str, clock: FixedClock
) -> None:
    notice, service = a_notice(), a_service("away")
    messenger = a_messenger(clock, service)
    with pytest.raises(Unavailable):
        messenger.tell(notice, role_order="officer")

    with lost_reply(operation):
        messenger.tell(notice, role_order="officer")

    assert inbox_row_of(notice).delivered_by == "service"


@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
def test_a_lost_reply_of_the_engine_makes_no_second_message(
    operation: str, clock: FixedClock
) -> None:
    notice, service = a_notice(), a_service()

    with lost_reply(operation):
        a_messenger(clock, service).tell(notice, role_order="officer")

    assert len(service.sends) == 1
    assert inbox_row_of(notice).delivered_by == "service"


def test_a_subscription_message_uses_one_acceptance(clock: FixedClock) -> None:
    notice, subscription = a_notice(), a_subscription()
    accept(notice, 2)

    a_messenger(clock, subscription).tell(notice, role_order="officer")

    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 1
    again = a_notice(member_id=notice.member_id)
    a_messenger(clock, subscription).tell(again, role_order="officer")
    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 0


def test_without_an_acceptance_wechat_is_not_even_asked(clock: FixedClock) -> None:
    notice, subscription = a_notice(), a_subscription()

    a_messenger(clock, subscription).tell(notice, role_order="officer")

    assert subscription.sends == []
    assert outcomes(notice) == [("subscription", "no_quota")]


def test_wechats_refusal_corrects_the_count(clock: FixedClock) -> None:
    notice, subscription = a_notice(), a_subscription(Refusal.NO_QUOTA)
    accept(notice, 3)

    a_messenger(clock, subscription).tell(notice, role_order="officer")

    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 0
    assert inbox_row_of(notice).delivered_by == delivery.INBOX_ONLY


@pytest.mark.parametrize("answer", [Refusal.INVALID_FIELDS, Refusal.GONE, "away"])
def test_what_was_not_sent_costs_no_acceptance(answer: Any, clock: FixedClock) -> None:
    notice, subscription = a_notice(), a_subscription(answer)
    accept(notice)

    try:
        a_messenger(clock, subscription).tell(notice, role_order="officer")
    except Unavailable:
        assert answer == "away"

    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 1


def test_an_acceptance_that_comes_while_none_was_left_is_kept(
    clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own count of none is no word of WeChat's: it clears nothing."""
    notice, take = a_notice(), quotas.take

    def take_then_accept(*who: str, notice_id: str) -> bool:
        took = take(*who, notice_id=notice_id)
        accept(notice)
        return took

    monkeypatch.setattr(quotas, "take", take_then_accept)
    a_messenger(clock, a_subscription()).tell(notice, role_order="officer")

    assert outcomes(notice) == [("subscription", "no_quota")]
    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 1


def test_a_crash_before_the_answer_does_not_take_a_second_acceptance(clock: FixedClock) -> None:
    notice, subscription = a_notice(), a_subscription()
    accept(notice, 2)
    quotas.take(notice.member_id, SUBSCRIPTION, notice_id=notice.notice_id)  # and then it died

    a_messenger(clock, subscription).tell(notice, role_order="officer")

    assert quotas.remaining(notice.member_id, SUBSCRIPTION) == 1


def test_an_erased_inbox_does_not_come_back(clock: FixedClock) -> None:
    notice = a_notice()

    class Erasing(RecordingChannel):
        def send(self, recipient: Recipient, **how: Any) -> str:
            store.delete(inbox_row_of(notice))
            return super().send(recipient, **how)

    a_messenger(clock, Erasing()).tell(notice, role_order="officer")

    assert store.query(InboxRow, notice.member_id) == []


def test_an_outage_of_days_keeps_only_the_last_tries(clock: FixedClock) -> None:
    notice = a_notice()
    messenger = a_messenger(clock, a_service(*["away"] * 60))

    assert tell_until_told(messenger, notice, tries=61) == 61

    assert len(outcomes(notice)) == delivery.KEPT_TRIES
    assert outcomes(notice)[-1] == ("service", "sent")


def test_nothing_personal_stands_in_the_log(
    clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    notice = a_notice(what="张三家门口")
    channels = a_service("away"), a_subscription(Refusal.GONE)
    accept(notice)

    with caplog.at_level(logging.DEBUG, logger="models"), pytest.raises(Unavailable):
        a_messenger(clock, *channels).tell(notice, role_order="officer")

    ours = [record for record in caplog.records if record.name.startswith("models")]
    assert [record.outcome for record in ours] == ["unavailable", "gone"]  # type: ignore[attr-defined]
    written = " ".join(str(record.__dict__) for record in ours)
    recipient = a_recipient(notice.member_id)
    for secret in (openid_of(notice.member_id), recipient.service_openid, "张三", "新七大道"):
        assert str(secret) not in written


def a_throttled(*answers: Any, **how: Any) -> RecordingChannel:
    return RecordingChannel(name="throttled", answers=list(answers), **how)


def test_a_limit_that_is_reached_falls_to_the_next_channel(clock: FixedClock) -> None:
    notice, service = a_notice(), a_service()
    throttled = a_throttled(Refusal.RATE_LIMITED)

    a_messenger(clock, throttled, service).tell(notice, role_order="officer")

    assert outcomes(notice) == [("throttled", "rate_limited"), ("service", "sent")]


def test_a_limit_that_is_reached_loses_nothing_when_no_channel_is_left(clock: FixedClock) -> None:
    notice, throttled = a_notice(), a_throttled(Refusal.RATE_LIMITED)
    messenger = a_messenger(clock, throttled, a_service(Refusal.NOT_FOLLOWING))

    with pytest.raises(Unavailable, match=r"alert\.no_answer"):
        messenger.tell(notice, role_order="officer")
    clock.advance(timedelta(minutes=1))
    messenger.tell(notice, role_order="officer")

    assert throttled.delivered == [notice.notice_id]


def test_within_the_minute_wechat_is_not_asked_in_vain(clock: FixedClock) -> None:
    throttled = a_throttled(Refusal.RATE_LIMITED)
    messenger = a_messenger(clock, throttled)

    for _ in range(3):
        with pytest.raises(Unavailable) as raised:
            messenger.tell(a_notice(), role_order="officer")
        clock.advance(timedelta(seconds=20))

    assert len(throttled.sends) == 1
    assert raised.value.retry_after_s == 20


def a_hearing(name: str = "service", **how: Any) -> RecordingChannel:
    """A channel whose account says later what became of a message."""
    return RecordingChannel(name=name, pushes_of="service", **how)


def sent_by(channel: RecordingChannel, messenger: Messenger) -> tuple[Notice, str]:
    """A notice that a channel took, and the id WeChat gave it: told apart from all others'."""
    notice = a_notice()
    channel.first_id = notice.notice_id
    messenger.tell(notice, role_order="officer")
    wechat_id = inbox_row_of(notice).wechat_id
    assert wechat_id is not None
    return notice, wechat_id


def test_what_was_not_shown_is_told_by_the_next_channel_once(clock: FixedClock) -> None:
    service, subscription = a_hearing(), a_subscription()
    messenger = a_messenger(clock, service, subscription)
    notice, wechat_id = sent_by(service, messenger)
    accept(notice, 2)

    for _ in range(3):
        assert messenger.not_shown("service", wechat_id, "blocked")
        clock.advance(timedelta(minutes=1))

    assert outcomes(notice) == [
        ("service", "sent"),
        ("service", "blocked"),
        ("subscription", "sent"),
    ]
    assert (len(service.sends), len(subscription.sends)) == (1, 1)
    assert inbox_row_of(notice).delivered_by == "subscription"


def test_what_was_not_shown_and_has_no_channel_left_stays_in_the_inbox(clock: FixedClock) -> None:
    service = a_hearing()
    messenger = a_messenger(clock, service)
    notice, wechat_id = sent_by(service, messenger)

    messenger.not_shown("service", wechat_id, "not_shown")

    assert inbox_row_of(notice).delivered_by == delivery.INBOX_ONLY
    assert len(service.sends) == 1


def test_a_next_channel_that_is_away_is_tried_again(clock: FixedClock) -> None:
    service, second = a_hearing(), RecordingChannel(name="second", answers=["away"])
    messenger = a_messenger(clock, service, second)
    notice, wechat_id = sent_by(service, messenger)

    with pytest.raises(Unavailable):
        messenger.not_shown("service", wechat_id, "blocked")
    messenger.not_shown("service", wechat_id, "blocked")

    assert inbox_row_of(notice).delivered_by == "second"
    assert len(service.sends) == 1


def test_an_outcome_of_an_unknown_message_is_none_of_ours(clock: FixedClock) -> None:
    service = a_hearing()
    messenger = a_messenger(clock, service)
    _, wechat_id = sent_by(service, messenger)

    assert not messenger.not_shown("mini", wechat_id, "blocked")
    assert not messenger.not_shown("service", "none", "blocked")


def test_an_outcome_for_a_member_who_was_erased_brings_nothing_back(clock: FixedClock) -> None:
    service, second = a_hearing(), RecordingChannel(name="second")
    messenger = a_messenger(clock, service, second)
    notice, wechat_id = sent_by(service, messenger)
    store.delete(inbox_row_of(notice))

    assert messenger.not_shown("service", wechat_id, "blocked")

    assert store.query(InboxRow, notice.member_id) == []
    assert second.sends == []
