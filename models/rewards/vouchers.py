"""What makes a redemption a voucher: one from stock, a code of its own, and what its kind adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from models.base.store import Transaction
from models.rewards import stocks
from models.rewards.codes import Codes
from models.rewards.entities import CodeSource, Reward
from models.rewards.supply_rules import Shard
from models.rewards.tables import CodeRow, RedemptionRow

Giver: TypeAlias = Callable[[Transaction, RedemptionRow, Reward], None]
"""Adds what a voucher carries beside its own code to the transaction that reserves it. Its writes
that refuse make the reservation read again; it raises ``Conflict("reward.sold_out")`` itself."""


class CodeTaken(Exception):
    """The code is another redemption's by chance: try again under the next ``turn``."""


class Vouchers:
    """Adds to the transaction that makes a voucher: its writes ``stock`` and ``code``, 2 units
    each, or instead of the code those of the giver that serves the reward's kind of code."""

    def __init__(self, codes: Codes, givers: Mapping[CodeSource, Giver] | None = None) -> None:
        self._codes = codes
        self._givers = givers or {}

    def add_to(self, tx: Transaction, row: RedemptionRow, reward: Reward, shard: Shard) -> None:
        """``row`` names the code's turn; ``stock`` refuses where the shard is empty."""
        stocks.take(tx, reward, shard)
        if reward.codes is CodeSource.OWN:
            tx.guard("code", self._code_row(row))
        else:  # without its giver there is no such voucher
            self._givers[reward.codes](tx, row, reward)

    def _code_row(self, row: RedemptionRow) -> CodeRow:
        code = self._codes.code(row.redemption_id, row.code_turn)
        key = self._codes.code_key(code)
        assert key is not None
        return CodeRow(key, county=row.county, redemption_id=row.redemption_id)
