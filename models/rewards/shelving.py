"""The shelf as it stands, and what is to be written of it: all at once, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.update import Action as Change

from models.base.store import Refused, Stale, Transaction, get, scan
from models.rewards.entities import Fund, Reward
from models.rewards.publishing import fund_row, row_of
from models.rewards.tables import SHELF, ClassRow, FundRow, RewardRow, ShelfRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Everything as it stood when it was read; ``version`` counts publications."""

    version: int
    rows: Mapping[str, RewardRow]
    rewards: Mapping[str, Reward]
    funds: Mapping[str, Fund]
    classes: Mapping[str, ClassRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written; ``funds`` are as they stand afterwards."""

    rewards: Mapping[str, Reward]
    funds: Mapping[str, Fund]
    classes: Sequence[ClassRow]

    @property
    def is_empty(self) -> bool:
        return not (self.rewards or self.funds or self.classes)

    def commit(self, shelf: Shelf, actor: str) -> None:
        """Write everything, if nobody has published meanwhile. Raises ``Stale``."""
        tx = Transaction()
        if shelf.version:
            counted = [ShelfRow.version.set(shelf.version + 1)]
            tx.update("shelf", ShelfRow(SHELF), counted, ShelfRow.version == shelf.version)
        else:
            tx.guard("shelf", ShelfRow(SHELF, version=1))
        for row in self.classes:
            tx.put(f"class.{row.class_id}", row)
        for fund in self.funds.values():
            tx.put(f"fund.{fund.fund_id}", fund_row(fund))
        for reward in self.rewards.values():
            _put_reward(tx, reward, shelf.rows.get(reward.reward_id), actor)
        try:
            tx.commit()
        except Refused as refused:
            raise Stale from refused


def read_shelf() -> Shelf:
    """Read everything, a few dozen rows: for an admin's command, never for a request."""
    # The version first: what is published while the rest is read refuses the commit.
    version = get(ShelfRow, SHELF)
    rows = {row.reward_id: row for row in scan(RewardRow)}
    return Shelf(
        version=version.version if version else 0,
        rows=rows,
        rewards={reward_id: row.entity() for reward_id, row in rows.items()},
        funds={row.fund_id: row.entity() for row in scan(FundRow) if row.fund_id != SHELF},
        classes={row.class_id: row for row in scan(ClassRow)},
    )


def _put_reward(tx: Transaction, reward: Reward, before: RewardRow | None, actor: str) -> None:
    row = row_of(reward)
    row.changed_by = actor
    if before is None:
        row.version = 1
        tx.guard(f"reward.{reward.reward_id}", row)
        return
    row.version = (before.version or 0) + 1
    values = row.attribute_values
    changes: list[Change] = [
        attribute.remove() if values.get(name) is None else attribute.set(values[name])
        for name, attribute in RewardRow.get_attributes().items()
        if name != "reward_id"
    ]
    tx.update(f"reward.{reward.reward_id}", row, changes, unchanged(before))


def unchanged(row: RewardRow) -> Any:
    """The condition that nobody has changed a reward since it was read."""
    if row.version is None:
        return RewardRow.version.does_not_exist()
    return RewardRow.version == row.version
