"""The rows of stock: take one, give it back, and see what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from models.base.store import TRIES, Stale, Transaction, get_together
from models.base.tables import Table
from models.rewards import supply_rules as supply
from models.rewards.entities import Reward
from models.rewards.supply_rules import Shard
from models.rewards.tables import RedemptionRow, StockRow


def shards_of(reward: Reward, county: str, now: datetime) -> tuple[Shard, ...]:
    """The reward's shards for a county in the month of ``now``; none: nothing to be had."""
    return supply.shards(reward.supply, county, supply.month_of(now))


def take(tx: Transaction, reward: Reward, shard: Shard) -> None:
    """Take one in a transaction, as its write ``stock``; refused when nothing is left there.

    2 write units. The first taking of a month makes the row.
    """
    row = StockRow(reward.reward_id, shard.name)
    actions = [
        StockRow.schema.set(1),
        StockRow.county.set(shard.name.split("#")[1]),
        StockRow.cap.set(StockRow.cap | shard.cap),
        StockRow.rem.set((StockRow.rem | shard.cap) - 1),
    ]
    if reward.synthetic:
        actions.append(StockRow.synthetic.set(True))
    tx.update("stock", row, actions, StockRow.rem.does_not_exist() | (StockRow.rem >= 1))


def take_one(reward: Reward, shards: Sequence[Shard], commit: Callable[[Shard], bool]) -> bool:
    """Take from the first shard; when that is empty, from one that has some.

    ``commit`` answers False, and nothing happened, when its shard was empty. False: all were empty
    at one moment. Raises ``Stale`` when others were always quicker.
    """
    some = tuple(shards)
    for _ in range(TRIES):
        if not some:
            return False
        if commit(some[0]):
            return True
        some = with_some(reward, shards) if len(shards) > 1 else ()
    raise Stale


def give_back(tx: Transaction, row: RedemptionRow) -> None:
    """Give back what a redemption took, to where it came from; nothing when it took nothing.

    No condition: a reward that is no longer stocked must not keep a rider's points.
    """
    if row.stock_shard is not None:
        stock = StockRow(row.reward_id, row.stock_shard)
        tx.update("stock", stock, [StockRow.rem.add(1)])


def with_some(reward: Reward, shards: Sequence[Shard]) -> tuple[Shard, ...]:
    """Those of some shards that have something left, all at one moment; one read."""
    rows = get_together([(StockRow, (reward.reward_id, shard.name)) for shard in shards])
    return tuple(shard for shard, row in zip(shards, rows, strict=True) if rem_of(row, shard))


def rem_of(row: Table | None, shard: Shard) -> int:
    """What is left in a shard, from its row; nobody has taken from one that has none."""
    return row.rem if isinstance(row, StockRow) else shard.cap
