"""Refusals that stand: who was told no under a request's id is never given it under that id.

A refusal is written where the request's transfer would be, if nothing stands there. So it is told
only while the request has not succeeded by itself (a twin whose answer was lost), and a delayed
twin cannot succeed after it. *Source:* ledger.md §2.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.base.errors import Conflict, DomainError, Forbidden
from models.base.store import Stale, put_if_absent
from models.points.tables import TransferRow, answer_of

KEPT_FOR = timedelta(days=7)
REFUSED = "refused"

_KINDS: Mapping[str, type[DomainError]] = {"conflict": Conflict, "forbidden": Forbidden}
FINAL = frozenset(
    {
        "points.insufficient",
        "reward.sold_out",
        "reward.limit_reached",
        "reward.not_eligible",
        "occupation.unconfirmed",
    }
)
"""What is final. A pause or a freeze is not: the same request may succeed once it has ended."""


def keep(
    refusal: DomainError,
    *,
    transfer_id: str,
    member_id: str,
    county: str,
    request_hash: str,
    now: datetime,
) -> None:
    """Write a refusal down. Raises ``Stale`` when the request has been answered otherwise."""
    kind = next(name for name, made in _KINDS.items() if isinstance(refusal, made))
    row = TransferRow(
        transfer_id,
        county=county,
        member_id=member_id,
        seq=0,
        kind=REFUSED,
        points=0,
        own_legs={},
        request_hash=request_hash,
        answer={"kind": kind, "code": refusal.code, "details": dict(refusal.details)},
        posted_at=now,
        ttl=int((now + KEPT_FOR).timestamp()),
    )
    if not put_if_absent(row):
        raise Stale from refusal


def standing(row: TransferRow | None) -> DomainError | None:
    """The refusal that a transfer's row is; None for a row that posted, or none."""
    if row is None or row.kind != REFUSED:
        return None
    told = answer_of(row)
    return _KINDS[told["kind"]](told["code"], **told["details"])
