"""Stop a wallet whose ledger is in doubt from spending, and let it go when two people say so.

Nothing is ever corrected here: awards go on, holds are settled and released, new ones are refused
(``points.frozen``). A frozen wallet thaws once its ledger proves sound again, from its first entry,
and one person has asked for it and another agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from models.base.clock import utc_text
from models.base.errors import Conflict, NotFound
from models.base.store import Refused, Stale, Transaction, get, query, retrying, update_if
from models.points.chains import START, Fault
from models.points.checking import examine
from models.points.checkpoint_tables import CheckpointRow, FreezeRow, point_of
from models.points.tables import WalletRow

Outcome = Literal["asked", "thawed"]
KEPT = 100


def freeze(member_id: str, faults: Sequence[Fault], *, now: datetime) -> bool:
    """Freeze a wallet; False when it was frozen already, or is not there. One transaction.

    The first hundred faults are kept: a ledger that is wrong throughout must freeze all the same,
    and a row holds 400 KB.
    """
    tx = Transaction()
    said = [{"code": fault.code, "seq": fault.seq} for fault in faults[:KEPT]]
    tx.guard("freeze", FreezeRow(member_id, utc_text(now), faults=said))
    is_free = WalletRow.version.exists() & WalletRow.frozen_at.does_not_exist()
    tx.update("wallet", WalletRow(member_id), [WalletRow.frozen_at.set(now)], is_free)
    try:
        tx.commit()
    except Refused:
        return False
    return True


def thaw(member_id: str, *, actor: str, now: datetime) -> Outcome:
    """Ask that a wallet may spend again, or agree to it: the second of two actors lets it go.

    Safe to repeat: each is told the same again. Raises ``NotFound`` for a member without a wallet,
    ``Conflict``: ``points.not_frozen``, or ``points.still_drifted`` (``faults``: what is wrong
    still) while the ledger does not prove sound.
    """
    return retrying(lambda: _thaw(member_id, actor, now))


def _thaw(member_id: str, actor: str, now: datetime) -> Outcome:
    wallet = get(WalletRow, member_id)
    if wallet is None:
        raise NotFound
    if wallet.frozen_at is None:
        if _last_thawed_by(member_id) == actor:
            return "thawed"
        raise Conflict("points.not_frozen")
    checkpoint = get(CheckpointRow, member_id)
    proven = point_of(checkpoint) if checkpoint else START
    faults = examine(member_id, through=proven).faults
    if faults:
        raise Conflict("points.still_drifted", faults=[f"{one.code}@{one.seq}" for one in faults])
    freeze_row = FreezeRow(member_id, utc_text(wallet.frozen_at))
    asking = [FreezeRow.asked_by.set(actor), FreezeRow.asked_at.set(now)]
    if update_if(freeze_row, asking, FreezeRow.asked_by.does_not_exist()):
        return "asked"
    tx = Transaction()
    letting = [FreezeRow.thawed_by.set(actor), FreezeRow.thawed_at.set(now)]
    another = FreezeRow.asked_by.exists() & (FreezeRow.asked_by != actor)
    tx.update("freeze", freeze_row, letting, another & FreezeRow.thawed_by.does_not_exist())
    frozen = WalletRow.frozen_at == wallet.frozen_at
    tx.update("wallet", wallet, [WalletRow.frozen_at.remove()], frozen)
    try:
        tx.commit()
    except Refused as refused:
        if "wallet" in refused:
            raise Stale from refused
        return "asked"
    return "thawed"


def _last_thawed_by(member_id: str) -> str | None:
    rows: list[FreezeRow] = query(FreezeRow, member_id, scan_index_forward=False, limit=1)
    return rows[0].thawed_by if rows else None
