"""The rows of what was noticed of a rider, and of pictures by which one is known again."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from models.base.tables import Instant, Table, Whole
from models.cases.columns import Document


# pynamodb leaves ``Index.__init_subclass__`` untyped.
class _ByCase(GlobalSecondaryIndex["SignalRow"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_case"
        projection = AllProjection()

    case_id = UnicodeAttribute(hash_key=True)
    at = Instant(range_key=True)


class SignalRow(Table):
    """One signal or outcome: ``value`` is what was measured, ``weight`` what it counts when new.

    It halves every ``half_life_days`` and goes with ``ttl``. ``officer`` stands for who handled an
    outcome's case. ``appeal`` is what the rider says of it, ``decision`` what was answered.
    """

    class Meta:
        table_name = "signals"

    member_id = UnicodeAttribute(hash_key=True)
    signal_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    kind = UnicodeAttribute()
    value = UnicodeAttribute()
    weight = NumberAttribute()
    half_life_days = Whole()
    at = Instant()
    case_id = UnicodeAttribute()
    report_id = UnicodeAttribute(null=True)
    officer = UnicodeAttribute(null=True)
    appeal_id = UnicodeAttribute(null=True)
    appeal = Document(null=True)
    appeal_verdict = UnicodeAttribute(null=True)
    decision = Document(null=True)
    ttl = Whole()

    by_case = _ByCase()


class AppealRow(Table):
    """Which signal an appeal is about; stands in `signals` under an id that no member has."""

    class Meta:
        table_name = "signals"

    appeal_id = UnicodeAttribute(hash_key=True, attr_name="member_id")
    signal_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    ttl = Whole()


class PictureRow(Table):
    """A report's picture under a mark that is looked up: its bytes, its sender, its grid.

    ``seen`` begins with the instant, so that the newest are read.
    """

    class Meta:
        table_name = "pictures"

    mark = UnicodeAttribute(hash_key=True)
    seen = UnicodeAttribute(range_key=True)
    schema = Whole()
    member_id = UnicodeAttribute()
    report_id = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    dhash = UnicodeAttribute()
    ttl = Whole()
