"""How often one member may take one reward: a row that counts, in the transaction that takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.base.clock import parse_utc, utc_text
from models.base.errors import Conflict
from models.base.store import Transaction, get
from models.rewards.entities import Limit, Reward
from models.rewards.tables import LimitRow, RedemptionRow


def counted(limit: Limit, row: LimitRow | None, now: datetime) -> Mapping[str, str]:
    """The takings that still count: instants by redemption."""
    since = utc_text(now - timedelta(days=limit.days))
    return {} if row is None else {rid: at for rid, at in row.taken.items() if at > since}


def again_at(limit: Limit, row: LimitRow | None, now: datetime) -> datetime | None:
    """When the member may take another; None when he may now."""
    taken = sorted(counted(limit, row, now).values())
    if len(taken) < limit.count:
        return None
    return parse_utc(taken[len(taken) - limit.count]) + timedelta(days=limit.days)


def require_room(limit: Limit, row: LimitRow | None, now: datetime) -> None:
    """Raise ``Conflict("reward.limit_reached")`` with ``count``, ``days`` and ``again_at``."""
    frees = again_at(limit, row, now)
    if frees is not None:
        raise Conflict(
            "reward.limit_reached", count=limit.count, days=limit.days, again_at=utc_text(frees)
        )


def taking(
    tx: Transaction, reward: Reward, row: LimitRow | None, taken_by: RedemptionRow, now: datetime
) -> None:
    """Count a taking in a transaction, as its write ``limit``: 2 write units.

    ``row`` is what was read before; when it has changed since, the write refuses.
    """
    limit = reward.limit
    assert limit is not None
    member_id, reward_id = taken_by.member_id, reward.reward_id
    taken = {**counted(limit, row, now), taken_by.redemption_id: utc_text(now)}
    ttl = int((now + timedelta(days=limit.days)).timestamp())
    if row is None:
        tx.guard(
            "limit",
            LimitRow(member_id, reward_id, county=reward.county, version=1, taken=taken, ttl=ttl),
        )
        return
    actions = [LimitRow.version.set(row.version + 1), LimitRow.taken.set(taken)]
    actions.append(LimitRow.ttl.set(max(row.ttl, ttl)))
    tx.update("limit", row, actions, LimitRow.version == row.version)


def giving_back(tx: Transaction, row: RedemptionRow) -> None:
    """Free the place that a redemption took, as the transaction's write ``limit``.

    Nothing for one that took none, or whose row has ended; one read otherwise. A row that changes
    in between refuses the transaction: read and decide again.
    """
    if not row.limited:
        return
    standing = get(LimitRow, row.member_id, row.reward_id)
    if standing is None or row.redemption_id not in standing.taken:
        return
    taken = {rid: at for rid, at in standing.taken.items() if rid != row.redemption_id}
    actions = [LimitRow.version.set(standing.version + 1), LimitRow.taken.set(taken)]
    tx.update("limit", standing, actions, LimitRow.version == standing.version)
