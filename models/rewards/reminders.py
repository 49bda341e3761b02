"""Vouchers that will soon end: their owners are told once, while there is time to use them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from models.alerts import outbox
from models.base.clock import CHINA, utc_text
from models.base.store import Refused, Transaction, get_many, query
from models.rewards.changes import DUE_SHARDS
from models.rewards.entities import State
from models.rewards.payloads import payload_of
from models.rewards.tables import RedemptionRow

TOPIC = "redemption.expiring"
BEFORE = timedelta(days=3)
FRESH = timedelta(days=2)
"""Who reserved no longer ago than this has just read until when it is good."""
HOURS = range(9, 20)
"""Nobody is woken for a voucher."""


def remind(now: datetime) -> int:
    """Tell the owners of vouchers that end within three days; answers how many are told.

    Once each, by a mark that is set together with the message: safe to run late, twice, or beside
    itself. By day only, China's. One query per part of the index, a read per hundred vouchers, and
    4 write units for each that is told.
    """
    if now.astimezone(CHINA).hour not in HOURS:
        return 0
    return sum(_tell(row, now) for row in _ending(now))


def _ending(now: datetime) -> Iterator[RedemptionRow]:
    """Those of an index that may lag, read again."""
    for shard in range(DUE_SHARDS):
        soon = RedemptionRow.expires_at.between(now, now + BEFORE)
        keys = [key.redemption_id for key in query(RedemptionRow.by_due, str(shard), soon)]
        rows = get_many([(RedemptionRow, (redemption_id,)) for redemption_id in keys])
        for row in rows:
            if isinstance(row, RedemptionRow) and _is_to_hear(row, now):
                yield row


def _is_to_hear(row: RedemptionRow, now: datetime) -> bool:
    is_open = row.state == State.RESERVED.value and row.reminded_at is None
    return is_open and row.reserved_at + FRESH <= now < row.expires_at


def _tell(row: RedemptionRow, now: datetime) -> bool:
    """False when it was used, ended or told of in the meantime."""
    tx = Transaction()
    unchanged = (RedemptionRow.version == row.version) & RedemptionRow.reminded_at.does_not_exist()
    tx.update("redemption", row, [RedemptionRow.reminded_at.set(now)], unchanged)
    payload = {**payload_of(row, now), "expires_at": utc_text(row.expires_at)}
    tx.put("outbox", outbox.row(TOPIC, row.redemption_id, row.county, payload, now))
    try:
        tx.commit()
    except Refused:
        return False
    return True
