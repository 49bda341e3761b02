"""Codes that somebody else made: kept encrypted, given one to a voucher, shown to its owner alone.

A voucher takes its code in the transaction that reserves it, and gives it back unseen in the one
that cancels or expires it, so pool and stock always agree. Who has seen a code can use it: to show
it is to hand over, and spends the points. Nothing brings a code back that was shown.
"""

from __future__ import annotations

import base64
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from models.base.errors import Conflict
from models.base.ids import keyed_id
from models.base.store import Transaction, get, get_many, page_of, query
from models.rewards.entities import Reward
from models.rewards.pool_tables import PoolUnitRow
from models.rewards.tables import RedemptionRow

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
LOOKED_AT = 25
"""Free codes that are looked at together: enough for reservations at one moment to part."""
COUNTED = 100


class Pools:
    """Seals, gives and opens codes. Two keys that never leave the server: one hides, one marks."""

    def __init__(self, *, seal_key: bytes, mark_key: bytes) -> None:
        self._seal_key = seal_key
        self._mark_key = mark_key

    def unit_id(self, code: str) -> str:
        """The id that a code has in any pool; without the key nobody can tell it from the code."""
        return keyed_id("unit", self._mark_key, code)

    def content(self, codes: list[str]) -> str:
        """A mark of all of a file's codes, whatever their order."""
        return keyed_id("content", self._mark_key, *sorted(codes))

    def seal(self, unit_id: str, code: str) -> str:
        """Encrypt a code so that only the row of ``unit_id`` can be opened with it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(
            nonce + self._cipher.encrypt(nonce, code.encode(), unit_id.encode())
        ).decode()

    def give(self, tx: Transaction, row: RedemptionRow, reward: Reward) -> None:
        """Give a free code to a redemption, in the transaction that reserves it: 3 write units.

        A query and a read. Raises ``Conflict("reward.sold_out")`` when no code is free; when
        another was quicker the transaction's write ``unit`` refuses: choose again.
        """
        unit = _free(reward.reward_id, row.redemption_id)
        if unit is None:
            raise Conflict("reward.sold_out")
        row.pool_unit = unit.unit_id
        changes = [
            PoolUnitRow.redemption_id.set(row.redemption_id),
            PoolUnitRow.given_at.set(row.reserved_at),
            PoolUnitRow.free_in.remove(),
        ]
        tx.update("unit", unit, changes, PoolUnitRow.free_in == reward.reward_id)

    def code_of(self, row: RedemptionRow) -> str:
        """The code that a redemption has: for its owner's eyes, and only once it is handed over.

        One read. Raises ``ValueError`` where the row was tampered with.
        """
        assert row.pool_unit is not None
        unit = get(PoolUnitRow, row.pool_unit)
        if unit is None or unit.redemption_id != row.redemption_id:
            raise ValueError("a voucher without its code")
        return self._open(unit)

    def _open(self, unit: PoolUnitRow) -> str:
        from cryptography.exceptions import InvalidTag

        sealed = base64.b64decode(unit.sealed)
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            code = self._cipher.decrypt(nonce, text, unit.unit_id.encode())
        except InvalidTag as error:
            raise ValueError("a code that is not the one of its row") from error
        return code.decode()

    @cached_property
    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only where a pool is used

        return AESGCM(self._seal_key)


def left(reward_id: str, quota: int) -> int:
    """How many of a ``quota`` there are codes for; counts no further than a hundred. One query.

    Of an index that may lag by a moment: what is shown, not what is decided on.
    """
    wanted = min(quota, COUNTED)
    if wanted == 0:
        return 0
    free = len(query(PoolUnitRow.by_free, reward_id, limit=wanted, page_size=wanted))
    return quota if free == wanted else free


def give_back(tx: Transaction, row: RedemptionRow) -> None:
    """Make a code that nobody saw free again, as the transaction's write ``unit``: 3 write units.

    Nothing for a redemption without one. Another redemption's code stays where it is.
    """
    if row.pool_unit is None:
        return
    changes = [
        PoolUnitRow.redemption_id.remove(),
        PoolUnitRow.given_at.remove(),
        PoolUnitRow.free_in.set(row.reward_id),
    ]
    unit = PoolUnitRow(row.pool_unit)
    tx.update("unit", unit, changes, PoolUnitRow.redemption_id == row.redemption_id)


def _free(reward_id: str, redemption_id: str) -> PoolUnitRow | None:
    """A free code; different redemptions look at different ones.

    The index may lag, so what it names is read again before one is chosen.
    """
    after = None
    while True:
        keys, after = page_of(
            PoolUnitRow.by_free, reward_id, limit=LOOKED_AT, after=after, scan_index_forward=True
        )
        rows = get_many([(PoolUnitRow, (key.unit_id,)) for key in keys]) if keys else []
        free = [row for row in rows if isinstance(row, PoolUnitRow) and row.free_in == reward_id]
        if free:
            return free[sum(redemption_id.encode()) % len(free)]
        if after is None:
            return None
