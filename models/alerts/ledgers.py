"""What a message takes from the quota of its channel: one ledger for each kind of quota.

A notice takes before it is sent, and settles when the outcome is known. What is doubtful counts in
the member's favour: WeChat's refusal puts right what was too high.
*Source:* ARCHITECTURE decision 7; WeChat's limits as read 2026-11: 100,000 template messages an
account and day, 20 messages a robot and minute. Of employment messages no limit is documented, so
the one of a day is our own, far above what anybody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.alerts import counts, quotas
from models.alerts.entities import Channel, ChannelRefused, Quota, Recipient, Refusal
from models.alerts.tables import QuotaRow
from models.base.store import get

ACCOUNT_PER_DAY = 100_000
EMPLOYEE_PER_DAY = 100
ROBOT_PER_MINUTE = 20


class Taken(Protocol):
    """What one notice has taken."""

    def sent(self) -> None:
        """It was sent with it."""
        ...

    def refused(self, reason: Refusal | None) -> None:
        """It was refused, or (None) nothing is known of the outcome."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Which message is about to be sent."""

    channel: Channel
    recipient: Recipient
    template_id: str
    notice_id: str
    now: datetime


def take(asking: Asking) -> Taken:
    """Take what the message needs. Raises ``ChannelRefused`` when there is nothing to take."""
    return _LEDGERS[asking.channel.quota].take(asking)


@dataclass(frozen=True, slots=True)
class _Acceptance:
    """One of the acceptances that the member gave one by one."""

    member_id: str
    template_id: str
    notice_id: str

    @classmethod
    def take(cls, asking: Asking) -> _Acceptance:
        taken = cls(asking.recipient.member_id, asking.template_id, asking.notice_id)
        if not quotas.take(taken.member_id, taken.template_id, notice_id=taken.notice_id):
            raise ChannelRefused(Refusal.NO_QUOTA)
        return taken

    def sent(self) -> None:
        quotas.use(self.member_id, self.template_id, notice_id=self.notice_id)

    def refused(self, reason: Refusal | None) -> None:
        settle = quotas.correct if reason is Refusal.NO_QUOTA else quotas.give_back
        settle(self.member_id, self.template_id, notice_id=self.notice_id)


@dataclass(frozen=True, slots=True)
class _LastingAcceptance:
    """An acceptance that holds until it is taken back; nothing is used up."""

    member_id: str
    template_id: str
    since: datetime | None

    @classmethod
    def take(cls, asking: Asking) -> _LastingAcceptance:
        row = get(QuotaRow, asking.recipient.member_id, asking.template_id)
        if row is None or row.remaining < 1:
            raise ChannelRefused(Refusal.NO_QUOTA)
        return cls(row.member_id, row.template_id, row.accepted_at)

    def sent(self) -> None:
        return

    def refused(self, reason: Refusal | None) -> None:
        if reason is Refusal.NO_QUOTA:
            quotas.correct_lasting(self.member_id, self.template_id, since=self.since)


@dataclass(frozen=True, slots=True)
class _Binding:
    """An employment relation, and the member's own count of today."""

    member_id: str
    template_id: str
    counter: str
    now: datetime

    @classmethod
    def take(cls, asking: Asking) -> _Binding:
        member_id, now = asking.recipient.member_id, asking.now
        if quotas.is_unbound(member_id, asking.template_id, now):
            raise ChannelRefused(Refusal.NOT_BOUND)
        # Under the member's own key, so that it goes when all that is his goes.
        counts.take_of_day(member_id, EMPLOYEE_PER_DAY, now)
        return cls(member_id, asking.template_id, member_id, now)

    def sent(self) -> None:
        return

    def refused(self, reason: Refusal | None) -> None:
        if reason is Refusal.NOT_BOUND:
            quotas.note_unbound(self.member_id, self.template_id, self.now)
        elif reason is Refusal.RATE_LIMITED:
            counts.close_day(self.counter, self.now)


@dataclass(frozen=True, slots=True)
class _Day:
    """One of what the account may send today."""

    counter: str
    now: datetime

    @classmethod
    def take(cls, asking: Asking) -> _Day:
        counter = asking.channel.counter(asking.recipient)
        counts.take_of_day(counter, ACCOUNT_PER_DAY, asking.now)
        return cls(counter, asking.now)

    def sent(self) -> None:
        return

    def refused(self, reason: Refusal | None) -> None:
        if reason is Refusal.RATE_LIMITED:
            counts.close_day(self.counter, self.now)


@dataclass(frozen=True, slots=True)
class _Minute:
    """One of what a robot may say within a minute."""

    counter: str
    now: datetime

    @classmethod
    def take(cls, asking: Asking) -> _Minute:
        counter = asking.channel.counter(asking.recipient)
        counts.take_of_minute(counter, ROBOT_PER_MINUTE, asking.now)
        return cls(counter, asking.now)

    def sent(self) -> None:
        return

    def refused(self, reason: Refusal | None) -> None:
        if reason is Refusal.RATE_LIMITED:
            counts.close_minute(self.counter, self.now)


class _Ledger(Protocol):
    def take(self, asking: Asking) -> Taken: ...


_LEDGERS: Mapping[Quota, _Ledger] = {
    Quota.PER_ACCEPTANCE: _Acceptance,
    Quota.WHILE_ACCEPTED: _LastingAcceptance,
    Quota.WHILE_BOUND: _Binding,
    Quota.PER_DAY: _Day,
    Quota.PER_MINUTE: _Minute,
}
