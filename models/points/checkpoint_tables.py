"""What the nightly reconciliation keeps: how far each ledger is proven, the roots, the freezes."""

from __future__ import annotations

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from models.base.tables import Instant, Table, Whole
from models.points.chains import Point
from models.points.tables import Amounts

ROOT = "root"
"""The range key of a day's root; its pieces have numbers, which sort before it."""


class CheckpointRow(Table):
    """A member's ledger is proven up to entry ``version``, whose hash is ``head``.

    ``accounts`` are all that entries 1 to ``version`` touched, counter-accounts too. The piece of
    a tree in which the wallet last stood is ``(root_day, root_piece)`` of ``point-roots``.
    """

    class Meta:
        table_name = "point-checkpoints"

    member_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    version = Whole()
    head = UnicodeAttribute()
    accounts = Amounts()
    root_day = UnicodeAttribute()
    root_piece = UnicodeAttribute()
    proven_at = Instant()


def point_of(row: CheckpointRow) -> Point:
    """The point that a checkpoint remembers."""
    return Point(version=row.version, head=row.head, accounts=dict(row.accounts))


class PieceRow(Table):
    """A page of wallets as a night met them: one piece of the day's tree, and how far it came.

    ``leaves`` are ``[member_id, version, head]`` in the tree's order, ``faults``
    ``[member_id, code, seq]``. ``after`` is where the next page begins; None: this was the last.
    Kept for sixty days, long after each wallet stands in a newer one.
    """

    class Meta:
        table_name = "point-roots"

    day = UnicodeAttribute(hash_key=True)
    piece = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    leaves: JSONAttribute = JSONAttribute()
    top = UnicodeAttribute()
    entries = Whole()
    totals = Amounts()
    faults: JSONAttribute = JSONAttribute()
    after: JSONAttribute = JSONAttribute(null=True)
    at = Instant()
    ttl = Whole()


class RootRow(Table):
    """A day's root: one hash over every wallet's head, and over the root before it. For ever.

    ``tops`` are the pieces' roots in order; ``totals`` points by account over everybody; ``drifts``
    how many members' ledgers were not sound.
    """

    class Meta:
        table_name = "point-roots"

    day = UnicodeAttribute(hash_key=True)
    piece = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    root = UnicodeAttribute()
    previous = UnicodeAttribute()
    previous_day = UnicodeAttribute(null=True)
    tops: JSONAttribute = JSONAttribute()
    wallets = Whole()
    entries = Whole()
    totals = Amounts()
    drifts = Whole()
    at = Instant()


class FreezeRow(Table):
    """A wallet was frozen, for what reason, and who let it go: one asks, another decides."""

    class Meta:
        table_name = "point-freezes"

    member_id = UnicodeAttribute(hash_key=True)
    frozen_at = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    faults: JSONAttribute = JSONAttribute()
    asked_by = UnicodeAttribute(null=True)
    asked_at = Instant(null=True)
    thawed_by = UnicodeAttribute(null=True)
    thawed_at = Instant(null=True)
