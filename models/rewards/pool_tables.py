"""The rows behind imported codes."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from models.base.tables import Instant, Table, Whole


class ByFree(GlobalSecondaryIndex["PoolUnitRow"]):  # type: ignore[no-untyped-call]  # pynamodb
    """A reward's codes that nobody has; sparse, because only those carry ``free_in``."""

    class Meta:
        index_name = "by_free"
        projection = KeysOnlyProjection()

    free_in = UnicodeAttribute(hash_key=True)
    unit_id = UnicodeAttribute(range_key=True)


class PoolUnitRow(Table):
    """One imported code, ``sealed``: base64 of a nonce and the encrypted text.

    ``unit_id`` is the code's keyed hash, so no code can be in any pool twice. It is free, with
    ``free_in``, or a redemption's, with ``redemption_id``; never both.
    """

    class Meta:
        table_name = "code-pools"

    unit_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    batch_id = UnicodeAttribute()
    sealed = UnicodeAttribute()
    free_in = UnicodeAttribute(null=True)
    redemption_id = UnicodeAttribute(null=True)
    given_at = Instant(null=True)
    by_free = ByFree()


class PoolBatchRow(Table):
    """One file of codes; ``content`` is the keyed hash of all of them, ``units`` how many."""

    class Meta:
        table_name = "pool-batches"

    batch_id = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    batch = UnicodeAttribute()
    content = UnicodeAttribute()
    units = Whole()
    imported_by = UnicodeAttribute()
    imported_at = Instant()
