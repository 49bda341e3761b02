"""Allot what is not sold but granted: a month's quota goes to those who wait, in a fair order.

One redemption, one transaction: it becomes a voucher together with its piece of stock, or nothing
happens. Who waits in vain gets his points back and is told why.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from models.alerts import outbox
from models.base.errors import DomainError, NotFound, Unavailable
from models.base.store import Refused, Stale, Transaction, get, query, retrying, scan
from models.points.ledger import Ledger
from models.rewards import queue_rules, queues, rules, stocks, supply_rules
from models.rewards.changes import ID, Command, due_shard, find, flip
from models.rewards.codes import Codes
from models.rewards.entities import Action, CodeSource, DeclineReason, Reward, RewardState, State
from models.rewards.payloads import payload_of
from models.rewards.pools import Pools
from models.rewards.supply_rules import Shard
from models.rewards.tables import RedemptionRow, RewardRow
from models.rewards.vouchers import Giver, Vouchers

log = logging.getLogger(__name__)

ALLOTTED, DECLINED = "redemption.allotted", "redemption.declined"
SCHEDULE = "schedule"
LAST_TURN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """What one run did; what ``failed`` is looked at again by the next."""

    reserved: int = 0
    declined: int = 0
    failed: int = 0


class Allocation:
    """Serves the queues. Safe to run late, twice, or several times at once."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        codes: Codes,
        pools: Pools | None = None,
    ) -> None:
        givers: dict[CodeSource, Giver] = {CodeSource.POOL: pools.give} if pools else {}
        self._ledger = ledger
        self._vouchers = Vouchers(codes, givers)

    def run(self, now: datetime) -> Allotted:
        """Serve every queue. Reads all rewards, a few dozen rows: never in a request."""
        done = Allotted()
        for row in scan(RewardRow):
            # Also one that is sold freely by now: somebody may still wait for it.
            for county, line in _lines(row.reward_id).items():
                done = self._serve(row.reward_id, county, line, now, done)
        return done

    def waiting(self, reward_id: str, county: str) -> list[queues.Waiting]:
        """Who waits for a reward in a county, first to be served first; one query."""
        return queues.waiting(reward_id, county) if ID.fullmatch(reward_id) else []

    def decline(
        self, redemption_id: str, reason: DeclineReason, *, actor: str, now: datetime
    ) -> State:
        """Refuse somebody who waits: his points are back. Safe to repeat.

        Raises ``NotFound("redemption.not_found")`` and what ``rules.after`` raises.
        """
        state = retrying(partial(self._decline, redemption_id, reason, now))
        facts = {"redemption_id": redemption_id, "reason": reason.value, "actor": actor}
        log.info("redemption.declined", extra=facts)
        return state

    def _serve(
        self, reward_id: str, county: str, line: list[str], now: datetime, done: Allotted
    ) -> Allotted:
        """Serve one queue in its order; nobody is served before one whose turn failed."""
        is_open = True
        for redemption_id in line:
            try:
                ended = retrying(
                    partial(self._step, redemption_id, reward_id, county, now, is_open)
                )
            except DomainError as error:
                facts = {"redemption_id": redemption_id, "code": error.code}
                log.warning("redemption.allotment_failed", extra=facts)
                done, is_open = replace(done, failed=done.failed + 1), False
                continue
            if ended is State.RESERVED:
                done = replace(done, reserved=done.reserved + 1)
            elif ended is State.DECLINED:
                done = replace(done, declined=done.declined + 1)
            elif ended is State.QUEUED:  # nothing is left; who waits for too long is still told
                is_open = False
        return done

    def _step(
        self, redemption_id: str, reward_id: str, county: str, now: datetime, is_open: bool
    ) -> State | None:
        """Judge one who waits; QUEUED when he waits on, None when others ended his waiting."""
        row, reward = find(redemption_id), _reward(reward_id)
        if row is None or row.state != State.QUEUED.value:
            return None
        why = queue_rules.why_declined(reward, county, ends_at=row.expires_at, now=now)
        if why is not None:
            return self._decline(redemption_id, why, now)
        assert reward is not None
        is_settled = row.reserved_at + queue_rules.SETTLED_AFTER <= now
        if not (is_open and is_settled and reward.state is RewardState.PUBLISHED):
            return State.QUEUED
        shards = supply_rules.in_turn(stocks.shards_of(reward, county, now), redemption_id)
        took = stocks.take_one(reward, shards, lambda shard: self._allot(row, reward, shard, now))
        return State.RESERVED if took else State.QUEUED

    def _allot(self, row: RedemptionRow, reward: Reward, shard: Shard, now: datetime) -> bool:
        """Make it a voucher; False, and nothing happened, when the shard was empty."""
        state = rules.after(row.entity(), Action.ALLOT, now=now)
        tx = Transaction()
        self._vouchers.add_to(tx, row, reward, shard)
        changes = [
            RedemptionRow.version.set(row.version + 1),
            RedemptionRow.state.set(state.value),
            RedemptionRow.queue.remove(),
            RedemptionRow.stock_shard.set(shard.name),
            RedemptionRow.code_turn.set(row.code_turn),
            RedemptionRow.due_shard.set(due_shard(row.redemption_id)),
            RedemptionRow.expires_at.set(rules.expires_at(reward, now=now)),
            # Who handed it over when he asked may have closed since.
            RedemptionRow.fulfillers.set(set(reward.fulfillers)),
        ]
        if row.pool_unit is not None:
            changes.append(RedemptionRow.pool_unit.set(row.pool_unit))
        tx.update("redemption", row, changes, RedemptionRow.version == row.version)
        event = outbox.row(ALLOTTED, row.redemption_id, row.county, payload_of(row, now), now)
        tx.put("outbox", event)
        try:
            tx.commit()
        except Refused as refused:
            if refused.names - {"stock", "code"}:
                raise Stale from refused
            if "stock" in refused:
                return False
            if row.code_turn >= LAST_TURN:
                raise Unavailable("store.busy") from refused
            row.code_turn += 1  # the code is another's by chance: the next turn gives another one
            return self._allot(row, reward, shard, now)
        return True

    def _decline(self, redemption_id: str, reason: DeclineReason, now: datetime) -> State:
        row = find(redemption_id)
        if row is None:
            raise NotFound("redemption.not_found")
        if row.state == State.DECLINED.value:
            return State.DECLINED
        command = Command(
            action=Action.DECLINE,
            member_id=SCHEDULE,
            request=redemption_id,
            redemption=row.entity(),
        )
        state = rules.after(command.redemption, Action.DECLINE, now=now)
        payload = {**payload_of(row, now), "reason": reason.value}
        event = outbox.row(DECLINED, redemption_id, row.county, payload, now)
        posting = command.plan(self._ledger, state, now)
        flip(row, state, posting, now=now, declined=reason, events={"outbox": event})
        return state


def _reward(reward_id: str) -> Reward | None:
    row = get(RewardRow, reward_id) if ID.fullmatch(reward_id) else None
    return row.entity() if row is not None else None


def _lines(reward_id: str) -> Mapping[str, list[str]]:
    """Who waits for a reward, by county, first to be served first."""
    lines: dict[str, list[str]] = {}
    for row in query(RedemptionRow.by_queue, reward_id):
        lines.setdefault(queue_rules.county_of(row.queue_rank), []).append(row.redemption_id)
    return lines
