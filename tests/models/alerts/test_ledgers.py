"""Each channel takes from a ledger of its own kind, and WeChat's answers put it right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.alerts import counts, ledgers, quotas
from models.alerts.entities import ChannelRefused, Quota, Refusal
from models.alerts.ledgers import Asking
from models.base.clock import FixedClock
from models.base.ids import new_id
from tests.support.alerts import NOW, RecordingChannel, a_recipient

pytestmark = pytest.mark.usefixtures("tables")

TEMPLATE = "tpl"


def asking(quota: Quota, clock: FixedClock, member_id: str | None = None) -> Asking:
    return Asking(
        channel=RecordingChannel(quota=quota),
        recipient=a_recipient(member_id or new_id("mbr")),
        template_id=TEMPLATE,
        notice_id=new_id("ntc"),
        now=clock.now(),
    )


def refusal_of(what: Asking) -> Refusal:
    with pytest.raises(ChannelRefused) as refused:
        ledgers.take(what)
    return refused.value.reason


def test_every_quota_has_a_ledger() -> None:
    assert set(ledgers._LEDGERS) == set(Quota)


@pytest.mark.parametrize("quota", [Quota.PER_ACCEPTANCE, Quota.WHILE_ACCEPTED])
def test_nothing_is_sent_that_nobody_accepted(quota: Quota, clock: FixedClock) -> None:
    assert refusal_of(asking(quota, clock)) is Refusal.NO_QUOTA


def test_a_lasting_acceptance_is_not_used_up(clock: FixedClock) -> None:
    member_id = new_id("mbr")
    quotas.add_once(member_id, TEMPLATE, event_id="out_1", at=NOW)

    for _ in range(5):
        ledgers.take(asking(Quota.WHILE_ACCEPTED, clock, member_id)).sent()

    assert quotas.remaining(member_id, TEMPLATE) == 1


def test_a_lasting_acceptance_ends_when_it_is_taken_back(clock: FixedClock) -> None:
    member_id = new_id("mbr")
    quotas.add_once(member_id, TEMPLATE, event_id="out_1", at=NOW)

    ledgers.take(asking(Quota.WHILE_ACCEPTED, clock, member_id)).refused(Refusal.NO_QUOTA)

    assert refusal_of(asking(Quota.WHILE_ACCEPTED, clock, member_id)) is Refusal.NO_QUOTA


def test_an_acceptance_given_anew_outlives_an_older_refusal(clock: FixedClock) -> None:
    member_id = new_id("mbr")
    quotas.add_once(member_id, TEMPLATE, event_id="out_1", at=NOW)
    taken = ledgers.take(asking(Quota.WHILE_ACCEPTED, clock, member_id))
    quotas.add_once(member_id, TEMPLATE, event_id="out_2", at=NOW + timedelta(seconds=1))

    taken.refused(Refusal.NO_QUOTA)

    ledgers.take(asking(Quota.WHILE_ACCEPTED, clock, member_id))


def test_who_is_not_bound_is_tried_again_after_a_day_or_when_he_says_so(
    clock: FixedClock,
) -> None:
    member_id = new_id("mbr")
    ledgers.take(asking(Quota.WHILE_BOUND, clock, member_id)).refused(Refusal.NOT_BOUND)
    assert refusal_of(asking(Quota.WHILE_BOUND, clock, member_id)) is Refusal.NOT_BOUND

    quotas.note_bound(member_id, TEMPLATE)
    ledgers.take(asking(Quota.WHILE_BOUND, clock, member_id)).refused(Refusal.NOT_BOUND)
    clock.advance(quotas.FORGET_UNBOUND)

    ledgers.take(asking(Quota.WHILE_BOUND, clock, member_id))


def test_a_hint_of_somebody_who_was_never_refused_writes_nothing() -> None:
    member_id = new_id("mbr")

    quotas.note_bound(member_id, TEMPLATE)

    assert quotas.remaining(member_id, TEMPLATE) == 0


@pytest.mark.parametrize(
    ("quota", "name"),
    [
        (Quota.WHILE_BOUND, "EMPLOYEE_PER_DAY"),
        (Quota.PER_DAY, "ACCOUNT_PER_DAY"),
        (Quota.PER_MINUTE, "ROBOT_PER_MINUTE"),
    ],
)
def test_what_is_counted_ends_at_its_limit(
    quota: Quota, name: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, name, 2)
    what = asking(quota, clock)
    for _ in range(2):
        ledgers.take(what).sent()

    assert refusal_of(what) is Refusal.RATE_LIMITED


@pytest.mark.parametrize("quota", [Quota.WHILE_BOUND, Quota.PER_DAY, Quota.PER_MINUTE])
def test_wechats_limit_closes_the_count_for_a_minute(quota: Quota, clock: FixedClock) -> None:
    what = asking(quota, clock)
    ledgers.take(what).refused(Refusal.RATE_LIMITED)

    assert refusal_of(what) is Refusal.RATE_LIMITED
    clock.advance(counts.MINUTE)
    later = Asking(
        channel=what.channel,
        recipient=what.recipient,
        template_id=TEMPLATE,
        notice_id=what.notice_id,
        now=clock.now(),
    )
    ledgers.take(later)


def test_the_limits_are_those_that_wechat_states() -> None:
    assert (ledgers.ACCOUNT_PER_DAY, ledgers.ROBOT_PER_MINUTE) == (100_000, 20)
