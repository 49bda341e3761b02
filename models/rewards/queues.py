"""Queues for what is allotted: who waits, in which order, and where one stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.base.store import query
from models.rewards import queue_rules
from models.rewards.entities import Place, QueueReason, State
from models.rewards.tables import RedemptionRow

LONGEST = 1_000
"""Nobody is told a place beyond this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One who waits: which redemption, and what gives it its place."""

    redemption_id: str
    reason: QueueReason
    points: int
    asked_at: datetime


def waiting(reward_id: str, county: str) -> list[Waiting]:
    """Who waits for a reward in a county, first to be served first; one query.

    Of an index that may lag by a moment: read each again before it is judged.
    """
    rows = _ranked(reward_id, f"{county}|", f"{county}}}")
    return [
        Waiting(
            redemption_id=row.redemption_id,
            reason=queue_rules.reason_of(row.queue_rank),
            points=queue_rules.points_of(row.queue_rank),
            asked_at=queue_rules.asked_at(row.queue_rank),
        )
        for row in rows
    ]


def place_of(row: RedemptionRow) -> Place | None:
    """Where a queued redemption stands now; None for one that does not wait. One query."""
    if row.state != State.QUEUED.value or row.queue is None or row.queue_rank is None:
        return None
    county = queue_rules.county_of(row.queue_rank)
    before = [
        each
        for each in _ranked(row.queue, f"{county}|", row.queue_rank)
        if each.redemption_id != row.redemption_id
    ]
    return Place(position=len(before) + 1, reason=queue_rules.reason_of(row.queue_rank))


def _ranked(reward_id: str, low: str, high: str) -> list[RedemptionRow]:
    return query(
        RedemptionRow.by_queue,
        reward_id,
        RedemptionRow.queue_rank.between(low, high),
        limit=LONGEST,
    )
