"""Rows of `point-proposals` and `point-appeals`."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from models.base.tables import Instant, Table, Whole

SCHEMA = 1


class ByOpen(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # pynamodb's
    """What waits for a second person in a county, oldest first."""

    class Meta:
        index_name = "by_open"
        projection = AllProjection()

    open_county = UnicodeAttribute(hash_key=True)
    proposed_at = Instant(range_key=True)


class ProposalRow(Table):
    """Something two people decide; what is decided never changes, and its id follows from it.

    ``amount`` is points or, of an act, how many. ``batch`` is the file it came in. ``open_county``
    stands until it is decided; ``points`` is what was posted then, under ``transfer_id``, and
    ``limit`` what kept it below what the act is worth (see ``acts``). ``appeal_seq`` is the appeal
    that it follows from.
    """

    class Meta:
        table_name = "point-proposals"

    proposal_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=SCHEMA)
    kind = UnicodeAttribute()
    member_id = UnicodeAttribute()
    county = UnicodeAttribute()
    amount = Whole()
    reason = UnicodeAttribute()
    reference = UnicodeAttribute()
    day = UnicodeAttribute(null=True)
    grid_id = UnicodeAttribute(null=True)
    attempt = Whole()
    batch = UnicodeAttribute(null=True)
    appeal_seq = UnicodeAttribute(null=True)
    maker = UnicodeAttribute()
    proposed_at = Instant()
    state = UnicodeAttribute()
    open_county = UnicodeAttribute(null=True)
    checker = UnicodeAttribute(null=True)
    decided_at = Instant(null=True)
    transfer_id = UnicodeAttribute(null=True)
    points = Whole(null=True)
    limit = UnicodeAttribute(null=True)

    by_open = ByOpen()


class ByOpenAppeal(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # pynamodb's
    """Appeals of a county that wait for somebody, oldest first."""

    class Meta:
        index_name = "by_open"
        projection = AllProjection()

    open_county = UnicodeAttribute(hash_key=True)
    at = Instant(range_key=True)


class EntryAppealRow(Table):
    """A rider's word against an entry of his ledger, one for each. ``text`` goes when he goes.

    ``open_county`` stands while nobody has decided. ``attempt`` counts how often it was upheld: a
    second person may disagree, and then it is open again.
    """

    class Meta:
        table_name = "point-appeals"

    member_id = UnicodeAttribute(hash_key=True)
    seq = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    county = UnicodeAttribute()
    transfer_id = UnicodeAttribute()
    text = UnicodeAttribute(null=True)
    request_key = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    at = Instant()
    state = UnicodeAttribute()
    attempt = Whole()
    open_county = UnicodeAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)
    decided_at = Instant(null=True)

    by_open = ByOpenAppeal()
