"""The rows of limits: what a member has had in a month, and what a campaign has left in a grid."""

from __future__ import annotations

from collections.abc import Mapping

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import MAP

from models.base.tables import Table, Whole
from models.points.tables import Amounts

SCHEMA = 1


class Tallies(Attribute[Mapping[str, Mapping[str, int]]]):
    """Whole numbers by name and day, as a map of maps that an admin can read."""

    attr_type = MAP

    def serialize(self, value: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, object]]:
        days = Amounts()
        return {name: {"M": days.serialize(tally)} for name, tally in value.items()}

    def deserialize(
        self, value: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]
    ) -> Mapping[str, Mapping[str, int]]:
        days = Amounts()
        return {name: days.deserialize(tally["M"]) for name, tally in value.items()}


class CapRow(Table):
    """What a member has had for acts of one month (``YYYY-MM``, China).

    ``points`` that count to the overall caps, by day of the month (``07``); ``acts`` are units by
    cap group and day. Only days on which there was something stand in it.
    """

    class Meta:
        table_name = "point-caps"

    member_id = UnicodeAttribute(hash_key=True)
    month = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    version = Whole()
    points = Amounts()
    acts = Tallies()
    ttl = Whole()


class BudgetRow(Table):
    """What a campaign has left for one grid on one day; ``place_day`` is ``<grid>#<YYYY-MM-DD>``.

    ``cap`` is what the first award of the day found in the rule: it holds for that day.
    """

    class Meta:
        table_name = "point-budgets"

    campaign = UnicodeAttribute(hash_key=True)
    place_day = UnicodeAttribute(range_key=True)
    schema = Whole(default=SCHEMA)
    rem = Whole()
    cap = Whole()
    ttl = Whole()
