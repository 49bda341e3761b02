"""The root of a day: one hash over every wallet's head, and the proof that a wallet is under it.

The reconciliation writes a piece for each page of wallets; the pieces' roots make the day's tree.
A day's root takes in the one before, so the newest vouches for all. A member's proof is read from
two rows, whatever the number of members.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from models.base.store import get, get_many, put_if_absent, query
from models.points import rules, trees
from models.points.checkpoint_tables import ROOT, CheckpointRow, PieceRow, RootRow
from models.points.tables import WalletRow

log = logging.getLogger(__name__)

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
REACH_DAYS = 90
"""A root names the one before it, if that is not older than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The proof that a wallet stood under a day's root, with its entries 1 to ``version``."""

    day: str
    version: int
    path: tuple[str, ...]
    previous: str
    root: str


def root_of(day: str) -> RootRow | None:
    """A day's root; None until its night is done, and for what is no day: anybody may ask."""
    return get(RootRow, day, ROOT) if DAY.fullmatch(day) else None


def newest(day: str) -> RootRow | None:
    """The last root of a day or of one of the ninety days before it; two reads."""
    return root_of(day) or _before(day)


def pieces(day: str) -> list[PieceRow]:
    """A day's pieces in order."""
    return query(PieceRow, day, PieceRow.piece < ROOT, page_size=20)


def finish(day: str, *, now: datetime) -> RootRow:
    """Write the root over a day's pieces, all of which are there. Repeating finds the same one.

    A wallet that stood in the root before and is gone is an ERROR, ``ledger.wallet_missing``, and
    counts as a drift.
    """
    parts = pieces(day)
    before = _before(day)
    tops = [part.top for part in parts]
    missing = _missing(parts, pieces(before.day)) if before else 0
    previous = before.root if before else rules.GENESIS
    row = RootRow(
        day,
        ROOT,
        root=trees.day_root(day, previous, trees.top(tops)),
        previous=previous,
        previous_day=before.day if before else None,
        tops=tops,
        wallets=sum(len(part.leaves) for part in parts),
        entries=sum(part.entries for part in parts),
        totals=rules.merge(*(part.totals for part in parts)),
        drifts=_drifted(parts) + missing,
        at=now,
    )
    stands = row if put_if_absent(row) else root_of(day)
    return stands or row


def inclusion(member_id: str) -> Inclusion | None:
    """The proof of a member's wallet in the last root that took it in; None while there is none.

    Two reads. A wallet that did not change stays proven by an older root.
    """
    checkpoint = get(CheckpointRow, member_id)
    if checkpoint is None:
        return None
    day = checkpoint.root_day
    part, root = get_many([(PieceRow, (day, checkpoint.root_piece)), (RootRow, (day, ROOT))])
    if not isinstance(part, PieceRow) or not isinstance(root, RootRow):
        return None
    index = next((i for i, one in enumerate(part.leaves) if one[0] == member_id), None)
    if index is None:
        return None
    within = trees.path([trees.leaf(*one) for one in part.leaves], index)
    above = trees.path(root.tops, int(part.piece) - 1)
    return Inclusion(
        day=day,
        version=part.leaves[index][1],
        path=(*within, *above),
        previous=root.previous,
        root=root.root,
    )


def _before(day: str) -> RootRow | None:
    last = date.fromisoformat(day)
    days = [(last - timedelta(days=back)).isoformat() for back in range(1, REACH_DAYS + 1)]
    found = get_many([(RootRow, (one, ROOT)) for one in days])
    return next((row for row in found if isinstance(row, RootRow)), None)


def _drifted(parts: Sequence[PieceRow]) -> int:
    return sum(len({fault[0] for fault in part.faults}) for part in parts)


def _missing(parts: Sequence[PieceRow], before: Sequence[PieceRow]) -> int:
    """How many wallets of the day before are not there any more; a wallet is never deleted."""
    here = {one[0] for part in parts for one in part.leaves}
    absent = sorted({one[0] for part in before for one in part.leaves} - here)
    found = get_many([(WalletRow, (member_id,)) for member_id in absent])
    gone = [member_id for member_id, row in zip(absent, found, strict=True) if row is None]
    for member_id in gone:
        log.error("ledger.wallet_missing", extra={"member_id": member_id})
    return len(gone)
