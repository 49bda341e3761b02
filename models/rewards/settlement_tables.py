"""The row of a handover that was taken back."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from models.base.tables import Instant, Table, Whole


class ReversalRow(Table):
    """One handover that a place's month does not keep: ``kind`` is ``undone`` or ``refunded``.

    ``place_month`` is ``merchant:<id>#<YYYY-MM>`` (China): for what was undone the month in which
    it was handed over, for a refund the month in which it was decided. ``transfer_id`` is the one
    that moved the points.
    """

    class Meta:
        table_name = "reversals"

    place_month = UnicodeAttribute(hash_key=True)
    transfer_id = UnicodeAttribute(range_key=True)
    schema = Whole(default=1)
    county = UnicodeAttribute()
    kind = UnicodeAttribute()
    redemption_id = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    name_zh = UnicodeAttribute()
    name_en = UnicodeAttribute()
    points = Whole()
    fulfilled_at = Instant()
    at = Instant()
