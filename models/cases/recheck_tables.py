"""The row of a fix that a second rider is asked to look at."""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from models.base.tables import Instant, Table, Whole
from models.cases.columns import texts


# pynamodb leaves ``Index.__init_subclass__`` untyped.
class _ByArea(GlobalSecondaryIndex["RecheckRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_area"
        projection = AllProjection()

    area = UnicodeAttribute(hash_key=True)
    closes_at = Instant(range_key=True)


class RecheckRow(Table):
    """One look at one fix; ``area`` is absent once somebody has answered.

    ``is_paid``: whether the answer was among the rider's five paid ones of its day.
    """

    class Meta:
        table_name = "rechecks"

    recheck_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    case_id = UnicodeAttribute()
    round = Whole()
    category = UnicodeAttribute()
    category_version = UnicodeAttribute(null=True)
    place = UnicodeAttribute()
    lon = NumberAttribute()
    lat = NumberAttribute()
    resolved_at = Instant()
    closes_at = Instant()
    area = UnicodeAttribute(null=True)
    reporter_id = UnicodeAttribute()
    resolver_id = UnicodeAttribute(null=True)
    member_id = UnicodeAttribute(null=True)
    fixed = BooleanAttribute(null=True)
    photos: ListAttribute[str] = texts(null=True)
    answered_at = Instant(null=True)
    is_paid = BooleanAttribute(null=True)

    by_area = _ByArea()
