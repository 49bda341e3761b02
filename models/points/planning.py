"""Read, roll, decide: what every plan does, whatever it moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models.base.errors import Conflict
from models.base.store import Stale, get_together
from models.base.tables import Table
from models.points import rules
from models.points.entities import Accounts, EntryKind, Legs
from models.points.posting import Event, Posting, accounts_of, planned
from models.points.tables import TransferRow, WalletRow

Build = Callable[[Accounts, str], Legs]
"""Legs of a movement, from the accounts as they are today (``YYYY-MM-DD``, China)."""

Key = tuple[type[Table], tuple[Any, ...]]


def plan(event: Event, build: Build) -> Posting:
    """Plan a movement that hangs on nothing but the member's accounts. One read call."""
    wallet, posted, _ = read(event.member_id, event.transfer_id)
    if posted is not None:
        return posted_before(posted, event.member_id, event.request_hash)
    return decided(event, wallet, build)


def read(
    member_id: str, transfer_id: str, beside: Sequence[Key] = ()
) -> tuple[WalletRow | None, TransferRow | None, list[Table | None]]:
    """The wallet, the transfer if it has posted, and the rows ``beside`` them.

    They are one snapshot: a twin that has posted is seen, so nobody is refused what he already has.
    """
    own: list[Key] = [(WalletRow, (member_id,)), (TransferRow, (transfer_id,))]
    wallet, posted, *others = get_together([*own, *beside])
    assert wallet is None or isinstance(wallet, WalletRow)
    assert posted is None or isinstance(posted, TransferRow)
    return wallet, posted, others


def posted_before(row: TransferRow, member_id: str, request_hash: str | None) -> Posting:
    """What has posted already. Raises ``Conflict("request.reused")`` for other content."""
    if row.member_id != member_id or row.request_hash != request_hash:
        raise Conflict("request.reused")
    return Posting(
        member_id=row.member_id,
        transfer_id=row.transfer_id,
        points=row.points,
        limit=row.limit,
        already=True,
    )


def decided(event: Event, wallet: WalletRow | None, build: Build) -> Posting:
    """What time did to the accounts, then the event's own legs.

    Raises ``Stale`` where they overdraw an account: what they were built on has moved.
    """
    if event.kind is EntryKind.HOLD and wallet is not None and wallet.frozen_at is not None:
        raise Conflict("points.frozen")
    before = accounts_of(wallet)
    rolled = rules.roll(before, today=event.today)
    try:
        own = build(rules.apply(before, rolled), event.today)
        return planned(event, wallet, rolled=rolled, own=own)
    except rules.Overdrawn as error:
        raise Stale from error
