"""Vouchers that nobody took: the schedule gives points and stock back, and the rider is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from models.alerts import outbox
from models.base.errors import DomainError
from models.base.store import query, retrying
from models.points.ledger import Ledger
from models.rewards import rules
from models.rewards.changes import DUE_SHARDS, Command, find, flip
from models.rewards.entities import Action
from models.rewards.payloads import payload_of
from models.rewards.tables import RedemptionRow

log = logging.getLogger(__name__)

SCHEDULE = "schedule"
TOPIC = "redemption.expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one run did; ``failed`` ones are found again by the next."""

    expired: int
    failed: int


class Expiry:
    """Ends what is past its end. Safe to run late, twice, or several times at once."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def expire_due(self, now: datetime, limit: int = 100) -> Swept:
        """End up to ``limit`` redemptions per part of the index that were due by ``now``.

        The index may lag, so each is read again, strongly, before it is judged.
        """
        expired = failed = 0
        for redemption_id in _due(now, limit):
            try:
                ended = retrying(partial(self._expire, redemption_id, now))
            except DomainError as error:
                failed += 1
                log.warning(
                    "redemption.expiry_failed",
                    extra={"redemption_id": redemption_id, "code": error.code},
                )
            else:
                expired += ended
        return Swept(expired=expired, failed=failed)

    def _expire(self, redemption_id: str, now: datetime) -> bool:
        row = find(redemption_id)
        if row is None or not rules.is_due(row.entity(), now=now):
            return False
        command = Command(
            action=Action.EXPIRE,
            member_id=SCHEDULE,
            request=redemption_id,
            redemption=row.entity(),
        )
        state = rules.after(command.redemption, Action.EXPIRE, now=now)
        posting = command.plan(self._ledger, state, now)
        event = outbox.row(TOPIC, redemption_id, row.county, payload_of(row, now), now)
        flip(row, state, posting, now=now, events={"outbox": event})
        return True


def _due(now: datetime, limit: int) -> Iterator[str]:
    for shard in range(DUE_SHARDS):
        found = query(
            RedemptionRow.by_due,
            str(shard),
            RedemptionRow.expires_at <= now - rules.EXPIRY_GRACE,
            limit=limit,
            page_size=limit,
        )
        yield from [row.redemption_id for row in found]
