"""The rows of published rules: immutable versions, and an index of which there are."""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from models.base.store import get
from models.base.tables import Instant, Table, Whole
from models.points.cap_tables import SCHEMA
from models.points.entities import Rule
from models.points.tables import Amounts

INDEX = ("index", "index")


class RuleRow(Table):
    """One published version of a rule; ``version`` is its number in five digits.

    The first version of each rule comes with the code and has no row.
    """

    class Meta:
        table_name = "point-rules"

    rule = UnicodeAttribute(hash_key=True)
    version = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    points = Whole()
    urgent_bonus = Whole()
    per_day = Whole(null=True)
    per_week = Whole(null=True)
    per_month = Whole(null=True)
    counts = BooleanAttribute()
    cap_group = UnicodeAttribute()
    budget_per_grid_day = Whole(null=True)
    campaign = UnicodeAttribute(null=True)
    effective_from = Instant()
    effective_to = Instant(null=True)
    name_zh = UnicodeAttribute()
    name_en = UnicodeAttribute()
    published_by = UnicodeAttribute()
    published_at = Instant()


class RuleIndexRow(Table):
    """What readers watch and publishers race for: the ``newest`` version of each rule that has
    been published; ``revision`` counts publications."""

    class Meta:
        table_name = "point-rules"

    rule = UnicodeAttribute(hash_key=True)
    version = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    revision = Whole()
    newest = Amounts()


def key_of(rule: str, version: int) -> tuple[str, str]:
    """A version's key; such keys sort by version."""
    return rule, f"{version:05d}"


def read_index() -> RuleIndexRow | None:
    """One strong read; None while nothing was ever published. Raises ``Unavailable``."""
    return get(RuleIndexRow, *INDEX)


def to_rule(row: RuleRow) -> Rule:
    """The version that a row holds."""
    return Rule(
        rule=row.rule,
        version=int(row.version),
        points=row.points,
        urgent_bonus=row.urgent_bonus,
        per_day=row.per_day,
        per_week=row.per_week,
        per_month=row.per_month,
        counts=bool(row.counts),
        cap_group=row.cap_group,
        budget_per_grid_day=row.budget_per_grid_day,
        campaign=row.campaign,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        name_zh=row.name_zh,
        name_en=row.name_en,
        published_by=row.published_by,
        published_at=row.published_at,
    )


def to_row(rule: Rule) -> RuleRow:
    """The row of a version that is to be published."""
    return RuleRow(
        *key_of(rule.rule, rule.version),
        points=rule.points,
        urgent_bonus=rule.urgent_bonus,
        per_day=rule.per_day,
        per_week=rule.per_week,
        per_month=rule.per_month,
        counts=rule.counts,
        cap_group=rule.group,
        budget_per_grid_day=rule.budget_per_grid_day,
        campaign=rule.campaign,
        effective_from=rule.effective_from,
        effective_to=rule.effective_to,
        name_zh=rule.name_zh,
        name_en=rule.name_en,
        published_by=rule.published_by,
        published_at=rule.published_at,
    )
