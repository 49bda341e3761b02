"""The row behind the limit on typed codes."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute

from models.base.tables import Table, Whole


class TryRow(Table):
    """Codes that one session, or one place, typed in the last minute and that led to nothing yet.

    ``tries`` are instants with a mark of their own (``2026-03-18T02:00:00.000Z#…``); absent when
    there are none. ``version`` counts the changes. ``ttl`` in epoch seconds.
    """

    class Meta:
        table_name = "code-tries"

    who = UnicodeAttribute(hash_key=True)
    schema = Whole(default=1)
    version = Whole()
    tries = UnicodeSetAttribute(null=True)
    ttl = Whole()
