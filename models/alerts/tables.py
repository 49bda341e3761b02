"""Rows of the outbox, the inbox, the held alerts, the quotas and the callbacks taken in."""

from __future__ import annotations

import zlib

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from models.base.tables import Instant, Table, Whole

SCHEMA = 1
SLOTS = 4
DESK = "desk"
"""The key of a member's desk among his held alerts, whose keys begin with ``HELD``."""
HELD = "held#"


class OutboxRow(Table):
    """What is still to be told; the row goes when it is delivered."""

    class Meta:
        table_name = "outbox"

    outbox_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=SCHEMA)
    topic = UnicodeAttribute()
    county = UnicodeAttribute()
    payload = JSONAttribute()
    created_at = Instant()
    attempts = Whole(default=0)
    not_before = Instant(null=True)
    leased_until = Instant(null=True)
    holder = UnicodeAttribute(null=True)


class InboxRow(Table):
    """One message to one member; ``delivered_by`` names the channel WeChat took it by.

    While ``teller`` is busy sending it, until ``told_until`` at most, nobody else does.
    ``failed_by`` names channels that took it and, as WeChat said later, did not show it.
    """

    class Meta:
        table_name = "inbox"

    member_id = UnicodeAttribute(hash_key=True)
    message_id = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute()
    kind = UnicodeAttribute()
    title = JSONAttribute()
    body = JSONAttribute()
    page = UnicodeAttribute()
    case_id = UnicodeAttribute(null=True)
    at = Instant()
    read_at = Instant(null=True)
    delivered_by = UnicodeAttribute(null=True)
    wechat_id = UnicodeAttribute(null=True)
    tried = JSONAttribute(null=True)
    teller = UnicodeAttribute(null=True)
    told_until = Instant(null=True)
    failed_by = UnicodeSetAttribute(null=True)


class SentRow(Table):
    """A message that WeChat took, until it has said what became of it.

    ``sent_id`` is the account's name and its message id; ``notice`` is the whole of it, so that it
    can be told by another channel.
    """

    class Meta:
        table_name = "sent-messages"

    sent_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute()
    member_id = UnicodeAttribute()
    channel = UnicodeAttribute()
    role_order = UnicodeAttribute()
    notice = JSONAttribute()
    ttl = Whole()


# pynamodb leaves ``Index.__init_subclass__`` untyped.
class _ByDue(GlobalSecondaryIndex["HeldRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    slot = UnicodeAttribute(hash_key=True)
    release_at = Instant(range_key=True)


class HeldRow(Table):
    """An alert that waits, until ``release_at`` at most; the row goes when its member was told.

    ``notice`` is the whole of it, so that an alert that waited alone is told as it is.
    """

    class Meta:
        table_name = "digests"

    member_id = UnicodeAttribute(hash_key=True)
    held_id = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute()
    notice = JSONAttribute()
    due_at = Instant()
    urgent = BooleanAttribute()
    first_told = BooleanAttribute()
    slot = UnicodeAttribute()
    release_at = Instant()

    by_due = _ByDue()


class DeskRow(Table):
    """The messages being sent to one official, made of alerts that were held.

    ``version`` moves when one is begun and when one is done: what was read of the held alerts is
    still true if it has not moved. ``urgent`` and ``budgeted`` are the message of either kind,
    absent when none is being sent.
    """

    class Meta:
        table_name = "digests"

    member_id = UnicodeAttribute(hash_key=True)
    held_id = UnicodeAttribute(range_key=True, default=DESK)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute()
    version = Whole(default=0)
    urgent = JSONAttribute(null=True)
    budgeted = JSONAttribute(null=True)


class AlertDayRow(Table):
    """How much of one official's budget a day in China has used."""

    class Meta:
        table_name = "alert-days"

    member_id = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute()
    sent = Whole(default=0)
    last_at = Instant(null=True)
    ttl = Whole()


class QuotaRow(Table):
    """How many messages of a template a member has accepted and not yet received.

    ``held`` names the notices that have taken one and whose outcome is not written down yet. Of an
    employment template it holds only ``unbound_at``: when WeChat last said that he is not bound.
    """

    class Meta:
        table_name = "quotas"

    member_id = UnicodeAttribute(hash_key=True)
    template_id = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    remaining = Whole(default=0)
    held = UnicodeSetAttribute(null=True)
    accepted_at = Instant(null=True)
    last_event = UnicodeAttribute(null=True)
    unbound_at = Instant(null=True)


class CountRow(Table):
    """What was sent on one count in one window: a day in China, or the last minute.

    ``used`` counts, or ``turns_ms`` lists when. Until ``closed_until`` WeChat takes nothing.
    """

    class Meta:
        table_name = "quotas"

    counter = UnicodeAttribute(hash_key=True, attr_name="member_id")
    window = UnicodeAttribute(range_key=True, attr_name="template_id")
    schema = Whole(default=SCHEMA)
    version = Whole(null=True)
    used = Whole(null=True)
    turns_ms = JSONAttribute(null=True)
    closed_until = Instant(null=True)
    ttl = Whole(null=True)


class CallbackRow(Table):
    """A push of WeChat's that was taken in: the second copy finds it standing here."""

    class Meta:
        table_name = "callbacks"

    callback_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=SCHEMA)
    account = UnicodeAttribute()
    taken_at = Instant()
    ttl = Whole()


class ChangeRow(Table):
    """What changed for a member, in the order in which he is shown it.

    ``seq`` counts his changes from 1 without a gap, as ten digits. Behind them in his partition
    stands the head (``seq`` is ``HEAD``), whose ``last`` is the last number given.
    """

    class Meta:
        table_name = "changes"

    member_id = UnicodeAttribute(hash_key=True)
    seq = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    thing_id = UnicodeAttribute(null=True)
    change = UnicodeAttribute(null=True)
    at = Instant(null=True)
    last = Whole(null=True)
    ttl = Whole(null=True)


class LoggedRow(Table):
    """A change that was logged for a member: the second logging finds it standing here."""

    class Meta:
        table_name = "changes"

    member_id = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True, attr_name="seq")
    schema = Whole(default=SCHEMA)
    ttl = Whole()


def slot_of(member_id: str) -> str:
    """The partition of ``by_due``; the number of slots may grow, never shrink."""
    return str(zlib.crc32(member_id.encode()) % SLOTS)
