"""Publish rewards, their funds and classes: a sheet is judged whole, and written at once.

Publishers race for one row: who loses reads again and is judged against what the winner wrote, so
that neither a fund nor the solvency of the year is promised twice.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from models.base.errors import NotFound
from models.base.store import Refused, Stale, Transaction, get, retrying, scan
from models.rewards import judging, life_rules, reward_sheets
from models.rewards.changes import ID
from models.rewards.entities import Reward, RewardState
from models.rewards.judging import Draft, Guard, Report
from models.rewards.life_rules import By, RewardAction
from models.rewards.reward_sheets import CLASSES, FUNDS, REWARDS
from models.rewards.shelving import read_shelf, unchanged
from models.rewards.tables import SHELF, FundRow, RewardRow, ShelfRow

log = logging.getLogger(__name__)


class Publication:
    """What admins do with the shelf."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._guard = guard

    def publish(self, draft: Draft, now: datetime, *, dry_run: bool) -> Report:
        """Make the shelf what a draft says, or say what that would change. Safe to repeat.

        Reads the whole shelf, a few dozen rows: an admin's command, never a request's.
        """
        wrong = tuple(
            error
            for kind, rows in (
                (CLASSES, draft.classes),
                (FUNDS, draft.funds),
                (REWARDS, draft.rewards),
            )
            for error in reward_sheets.errors(kind, rows)
        )
        if wrong:
            return Report(wrong=wrong)
        told: list[Report] = []

        def decide() -> Report:
            shelf = read_shelf()
            plan, report = judging.judged(draft, shelf, now, self._guard)
            if report.wrong or dry_run:
                return report
            if not plan.is_empty:
                told.append(report)
                plan.commit(shelf, draft.actor)
            return told[-1] if told else report  # also when its reply was lost

        report = retrying(decide)
        if not (report.wrong or dry_run):
            facts = {"actor": draft.actor, "added": report.added, "changed": list(report.changed)}
            log.info("rewards.published", extra=facts)
        return report

    def rewards(self) -> list[Reward]:
        """Every reward that is not retired, by county and id; for an admin, never for a request."""
        found = [row.entity() for row in scan(RewardRow)]
        left = [reward for reward in found if reward.state is not RewardState.RETIRED]
        return sorted(left, key=lambda reward: (reward.county, reward.reward_id))

    def change(
        self, reward_id: str, action: RewardAction, *, actor: str, now: datetime, by: By = By.ADMIN
    ) -> RewardState:
        """Pause, resume or retire a reward; answers where it stands. Safe to repeat.

        Raises ``NotFound("reward.not_found")``, ``Conflict("reward.not_possible")``.
        """
        state = retrying(lambda: _change(reward_id, action, actor=actor, now=now, by=by))
        facts = {"reward_id": reward_id, "action": action.value, "actor": actor}
        log.info("reward.changed", extra=facts)
        return state

    def sell_out(self, now: datetime) -> int:
        """Mark what was funded up to a month that is over; answers how many. For the schedule."""
        spent = [row.reward_id for row in scan(RewardRow) if life_rules.is_spent(row.entity(), now)]
        for reward_id in spent:
            action, by = RewardAction.SELL_OUT, By.SCHEDULE
            self.change(reward_id, action, actor=by.value, now=now, by=by)
        return len(spent)


def _change(
    reward_id: str, action: RewardAction, *, actor: str, now: datetime, by: By
) -> RewardState:
    row = get(RewardRow, reward_id) if ID.fullmatch(reward_id) else None
    if row is None:
        raise NotFound("reward.not_found")
    before = row.entity()
    if before.state in {step.target for step in life_rules.STEPS if step.action is action}:
        return before.state
    state = life_rules.after(before.state, action, by=by)
    after = replace(before, state=state)
    promised = before.committed
    if action is RewardAction.RETIRE:
        promised = life_rules.committed(before, after, now=now)
    tx = Transaction()
    changes = [
        RewardRow.status.set(state.value),
        RewardRow.committed.set(promised),
        RewardRow.version.set((row.version or 0) + 1),
        RewardRow.changed_by.set(actor),
    ]
    tx.update("reward", row, changes, unchanged(row))
    if promised != before.committed and before.fund_id is not None:
        fewer = promised - before.committed
        tx.update("fund", FundRow(before.fund_id), [FundRow.committed.add(fewer)])
        # Who is publishing now has read the fund as it was.
        tx.update("shelf", ShelfRow(SHELF), [ShelfRow.schema.set(1), ShelfRow.version.add(1)])
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused
    return state
