"""What a member's command was answered: the repeated request gets the same answer, at any time."""

from __future__ import annotations

from typing import Any

from models.base import store
from models.base.errors import Conflict
from models.stations.tables import SCHEMA, ReceiptRow


def first_answer(row: ReceiptRow | None, request_hash: str) -> dict[str, Any] | None:
    """The answer given before; None when there was none.

    Raises ``Conflict`` (request.reused) when it was given to other content.
    """
    if row is None:
        return None
    if row.request_hash != request_hash:
        raise Conflict("request.reused")
    answer: dict[str, Any] = row.answer
    return answer


def read_answer(member_id: str, receipt_id: str, request_hash: str) -> dict[str, Any] | None:
    """As ``first_answer``, after one strong read."""
    return first_answer(store.get(ReceiptRow, member_id, receipt_id), request_hash)


def receipt(
    *,
    member_id: str,
    receipt_id: str,
    county: str,
    request_hash: str,
    answer: dict[str, Any],
) -> ReceiptRow:
    """Make the row that guards a command against happening twice."""
    return ReceiptRow(
        member_id=member_id,
        check_in_id=receipt_id,
        schema=SCHEMA,
        county=county,
        request_hash=request_hash,
        answer=answer,
    )
