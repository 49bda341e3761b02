"""Rows of the outbox, the inbox, the quotas and the callbacks already taken in."""

from __future__ import annotations

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UnicodeSetAttribute

from models.base.tables import Instant, Table, Whole

SCHEMA = 1


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


class QuotaRow(Table):
    """How many messages of a template a member has accepted and not yet received.

    ``held`` names the notices that have taken one and whose outcome is not written down yet.
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
