"""The ledger's rows: a wallet per member, his entries, and a transfer per business event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    JSONAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import MAP

from models.base.tables import Instant, Table, Whole


class Amounts(Attribute[Mapping[str, int]]):
    """Whole points by account, as a map that an admin can read."""

    attr_type = MAP

    def serialize(self, value: Mapping[str, int]) -> dict[str, dict[str, str]]:
        return {account: {"N": str(points)} for account, points in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, str]]) -> Mapping[str, int]:
        return {account: int(points["N"]) for account, points in value.items()}


class WalletRow(Table):
    """A member's balances: the fold of his entries 1 to ``version``; ``head`` is the last hash.

    ``frozen_at`` stands while the balances are in doubt: nothing is spent then.
    """

    class Meta:
        table_name = "wallets"

    member_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    version = Whole()
    available = Amounts()
    pending = Amounts()
    held = Whole()
    debt = Whole()
    head = UnicodeAttribute()
    changed_at = Instant()
    frozen_at = Instant(null=True)


class EntryRow(Table):
    """One entry; ``seq`` is its number as ten digits, so that text sorts as numbers do."""

    class Meta:
        table_name = "entries"

    member_id = UnicodeAttribute(hash_key=True)
    seq = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    transfer_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    rule = UnicodeAttribute()
    legs = Amounts()
    source: JSONAttribute = JSONAttribute()
    posted_at = Instant()
    hash = UnicodeAttribute()


class TransferRow(Table):
    """A business event that has posted; its guard makes it post once.

    ``own_legs`` are what the event itself moved, without what matured or expired beside it;
    ``answer`` is what a command was told, so that a repeated one is told the same. A row of kind
    ``refused`` moved nothing and has no entry (``seq`` 0): it keeps the event from posting, until
    ``ttl``. ``gross`` is what an award would have been without limits, absent in rows from before
    there were any; ``limit`` is the one it met; ``counted`` is true where the caps on acts had
    seen the act with an earlier award.
    """

    class Meta:
        table_name = "transfers"

    transfer_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    member_id = UnicodeAttribute()
    seq = Whole()
    kind = UnicodeAttribute()
    points = Whole()
    gross = Whole(null=True)
    limit = UnicodeAttribute(null=True)
    counted = BooleanAttribute(null=True)
    own_legs = Amounts()
    request_hash = UnicodeAttribute(null=True)
    answer: JSONAttribute = JSONAttribute(null=True)
    posted_at = Instant()
    ttl = Whole(null=True)


def answer_of(row: TransferRow) -> Mapping[str, Any]:
    """What the command behind a transfer was told; empty when it was no command."""
    return row.answer or {}
