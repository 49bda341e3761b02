"""Rows of `tokens`."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from models.base.tables import Instant, Table, Whole

SCHEMA = 1


class TokenRow(Table):
    """The access token of one account; every function of a stage reads the same."""

    class Meta:
        table_name = "tokens"

    token_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    token = UnicodeAttribute()
    expires_at = Instant()
    ttl = Whole()

    def __repr__(self) -> str:
        return f"TokenRow({self.token_id!r})"
