"""A merchant closes: nothing new is promised in his name, and what only he could keep is paid back.

Closing is a mark on the merchant and as many passes as it takes. A pass retires the rewards that
only he hands over, takes him out of the others, and goes through the open vouchers one by one:
those of his alone are cancelled with points, stock, code and place under the limit given back and
their owners told; others lose him. Each voucher is a transaction of its own under its version, so
passes may be repeated, overlap each other, and overlap the merchant's own last handovers.

What was being reserved, published or undone during a pass is found by the next. The closing is
finished when two passes, further apart than an undo can come, found nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from models.alerts import outbox
from models.base.clock import Clock
from models.base.errors import DomainError, NotFound
from models.base.store import Stale, get, get_many, query, retrying, scan, update_if
from models.points.ledger import Ledger
from models.rewards import rules
from models.rewards.changes import DUE_SHARDS, ID, Command, find, flip
from models.rewards.entities import Action, RewardState, State
from models.rewards.life_rules import RewardAction
from models.rewards.payloads import payload_of
from models.rewards.publication import Publication
from models.rewards.tables import MerchantRow, RedemptionRow, RewardRow

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

log = logging.getLogger(__name__)

TOPIC = "redemption.merchant_closed"
CLOSING = "closing"
QUIET = rules.UNDO_WITHIN + timedelta(minutes=5)
"""A handover of before a pass can be undone for five minutes after it; the rest is for an index
that lags and a transaction that is tried again."""
AT_ONCE = 500
"""Vouchers that one run lets go: about half a minute, and an answer of 100 KB."""


class Fate(StrEnum):
    """What became of a voucher in a pass."""

    CANCELLED = "cancelled"
    KEPT = "kept"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One voucher: cancelled; kept, for others hand it over too; gone, for it had changed before
    (``code`` says into what); or failed, with an error's code, and left for the next pass."""

    redemption_id: str
    fate: Fate
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One pass. ``has_more``: it stopped at ``AT_ONCE``. ``finished_at``: None while it goes on."""

    merchant_id: str
    closed_at: datetime
    rewards: tuple[str, ...]
    results: tuple[Result, ...]
    has_more: bool
    finished_at: datetime | None


class Closings:
    """Closes merchants for good."""

    def __init__(self, *, clock: Clock, ledger: Ledger, publication: Publication) -> None:
        self._clock = clock
        self._ledger = ledger
        self._publication = publication

    def close(self, merchant_id: str, *, actor: str) -> Progress:
        """Close a merchant and make a pass; repeated, it makes another.

        Raises ``NotFound("merchant.not_found")``. A pass reads every open voucher; cancelling one
        costs 13 write units with its notice, and 5 more where it had a limit and a code.
        """
        row = get(MerchantRow, merchant_id) if ID.fullmatch(merchant_id) else None
        if row is None:
            raise NotFound("merchant.not_found")
        if row.closed_at is None:
            changes = [
                MerchantRow.closed_at.set(self._clock.now()),
                MerchantRow.closed_by.set(actor),
            ]
            if update_if(row, changes, MerchantRow.closed_at.does_not_exist()):
                log.info("merchant.closed", extra={"merchant_id": merchant_id, "actor": actor})
        return self._pass(merchant_id)

    def go_on(self) -> list[Progress]:
        """Make a pass for every closing that is not finished; for the schedule."""
        rows = [row for row in scan(MerchantRow) if row.closed_at and not row.finished_at]
        return [self._pass(row.merchant_id) for row in rows]

    def _pass(self, merchant_id: str) -> Progress:
        began, place = self._clock.now(), f"merchant:{merchant_id}"
        rewards = tuple(self._close_rewards(place))
        results: list[Result] = []
        has_more = False
        for redemption_id in _open_with(place):
            if len(results) == AT_ONCE:
                has_more = True
                break
            results.append(self._ended(redemption_id, place))
        row = _note(merchant_id, began, is_clean=not (rewards or results))
        assert row.closed_at is not None
        return Progress(
            merchant_id=merchant_id,
            closed_at=row.closed_at,
            rewards=rewards,
            results=tuple(results),
            has_more=has_more,
            finished_at=row.finished_at,
        )

    def _close_rewards(self, place: str) -> Iterator[str]:
        """Let nobody reserve in the place's name; yields the rewards that this changed."""
        for row in scan(RewardRow):
            if place not in row.fulfillers or row.status == RewardState.RETIRED:
                continue
            retrying(partial(self._close_reward, row.reward_id, place))
            yield row.reward_id

    def _close_reward(self, reward_id: str, place: str) -> None:
        row = get(RewardRow, reward_id)
        if row is None or place not in row.fulfillers:
            return
        if len(row.fulfillers) == 1:
            action, now = RewardAction.RETIRE, self._clock.now()
            self._publication.change(reward_id, action, actor=CLOSING, now=now)
            return
        changes = [
            RewardRow.fulfillers.delete({place}),
            RewardRow.version.set((row.version or 0) + 1),
            RewardRow.changed_by.set(CLOSING),
        ]
        if not update_if(row, changes, _unchanged(row)):
            raise Stale

    def _ended(self, redemption_id: str, place: str) -> Result:
        try:
            result = retrying(partial(self._let_go, redemption_id, place))
        except DomainError as error:
            result = Result(redemption_id=redemption_id, fate=Fate.FAILED, code=error.code)
            facts = {"redemption_id": redemption_id, "code": error.code}
            log.warning("redemption.closing_failed", extra=facts)
        return result

    def _let_go(self, redemption_id: str, place: str) -> Result:
        row = find(redemption_id)
        assert row is not None
        command = Command(
            action=Action.CLOSE,
            member_id=CLOSING,
            request=redemption_id,
            redemption=row.entity(),
        )
        if command.earlier() is not None:
            return Result(redemption_id=redemption_id, fate=Fate.CANCELLED)
        if row.state != State.RESERVED.value or place not in row.fulfillers:
            return Result(redemption_id=redemption_id, fate=Fate.GONE, code=row.state)
        if len(row.fulfillers) > 1:
            changes = [
                RedemptionRow.fulfillers.delete({place}),
                RedemptionRow.version.set(row.version + 1),
            ]
            if not update_if(row, changes, RedemptionRow.version == row.version):
                raise Stale
            return Result(redemption_id=redemption_id, fate=Fate.KEPT)
        now = self._clock.now()
        state = rules.after(command.redemption, Action.CLOSE, now=now)
        event = outbox.row(TOPIC, redemption_id, row.county, payload_of(row, now), now)
        posting = command.plan(self._ledger, state, now)
        flip(row, state, posting, now=now, events={"outbox": event})
        return Result(redemption_id=redemption_id, fate=Fate.CANCELLED)


def _open_with(place: str) -> Iterator[str]:
    """Open vouchers that the place may hand over; those of an index that may lag, read again."""
    for shard in range(DUE_SHARDS):
        keys = [key.redemption_id for key in query(RedemptionRow.by_due, str(shard))]
        for start in range(0, len(keys), 100):
            some = keys[start : start + 100]
            for row in get_many([(RedemptionRow, (redemption_id,)) for redemption_id in some]):
                if isinstance(row, RedemptionRow) and _concerns(row, place):
                    yield row.redemption_id


def _concerns(row: RedemptionRow, place: str) -> bool:
    return row.state == State.RESERVED.value and place in row.fulfillers


def _note(merchant_id: str, began: datetime, *, is_clean: bool) -> MerchantRow:
    """Write down how a pass ended; answers the merchant as he stands then."""
    row = get(MerchantRow, merchant_id)
    assert row is not None
    if row.finished_at is None:
        if not is_clean:
            changes = [MerchantRow.clean_since.remove()]
        elif row.clean_since is not None and row.clean_since + QUIET <= began:
            changes = [MerchantRow.finished_at.set(began)]
        else:
            changes = [MerchantRow.clean_since.set(row.clean_since or began)]
        update_if(row, changes, MerchantRow.finished_at.does_not_exist())
    return get(MerchantRow, merchant_id) or row


def _unchanged(row: RewardRow) -> Condition:
    if row.version is None:
        condition: Condition = RewardRow.version.does_not_exist()
        return condition
    return RewardRow.version == row.version
