"""The row of what ties people together."""

from __future__ import annotations

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from models.base.tables import Table, Whole


class LinkRow(Table):
    """All that one member, or one phone, is tied to: id → ``{"why", "at"}``.

    One row for each, so that whoever asks reads it together with what he is about to judge.
    ``who`` is a member's id, and its others are members; or it is a phone's key, and its others are
    the members that ever bound it and the phones that an admin said belong near it.
    """

    class Meta:
        table_name = "links"

    who = UnicodeAttribute(hash_key=True)
    schema = Whole()
    version = Whole()
    others = JSONAttribute()
