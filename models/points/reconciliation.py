"""The nightly proof: every wallet against its entries, page by page, until the day has its root.

Each wallet is proven from its checkpoint, so only entries since then are folded; once a week, on
its own day, from its first entry. A ledger that is not sound after three looks freezes its wallet,
is an ERROR (``ledger.drifted``) each night until it is set right by people, and is never corrected
here. A page's row is put once: a run that was stopped goes on after the last page, and runs that
overlap share the pages.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from models.base.clock import Clock, business_day
from models.base.ids import seq_text
from models.base.store import get, get_many, put_if_absent, query, scan_page, update_if
from models.points import roots, rules, trees
from models.points.acts import RuleBook
from models.points.chains import START, Fault, Point
from models.points.checking import Pause, by_kind, examine
from models.points.checkpoint_tables import ROOT, CheckpointRow, PieceRow, point_of
from models.points.freezing import freeze
from models.points.posting import accounts_of
from models.points.rule_sheets import first_book
from models.points.tables import WalletRow

log = logging.getLogger(__name__)

PAGE = 256
"""Wallets in a piece: its row stays below 30 KB."""
RUN_FOR = timedelta(minutes=10)
"""A run stops after this, well within the longest time a function may take; the next goes on."""
TURN_DAYS = 7
"""A ledger is proven from its first entry this often. *Source:* ledger design, reconciliation."""
KEPT = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one run did. ``root`` is the day's once all is proven; None: a later run goes on.

    ``drifts`` are the members whose ledger is not sound: those that this run met, and for the run
    that ends the day (``is_done_now``) all of the day's.
    """

    day: str
    wallets: int = 0
    entries: int = 0
    drifts: int = 0
    is_done_now: bool = False
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proven:
    """A wallet as this night met it; ``entries`` is how many were folded for it."""

    wallet: WalletRow
    point: Point
    faults: tuple[Fault, ...]
    entries: int

    @property
    def leaf(self) -> tuple[str, int, str]:
        """What was proven; of a ledger that is not sound, what its wallet says."""
        said = self.wallet if self.faults else self.point
        return self.wallet.member_id, said.version, said.head


class Reconciliation:
    """Proves the ledger. Safe to repeat, to stop anywhere, and to run twice at the same time."""

    def __init__(
        self,
        *,
        clock: Clock,
        book: Callable[[], RuleBook] = first_book,
        page: int = PAGE,
        pause: Pause = time.sleep,
    ) -> None:
        self._clock = clock
        self._book = book
        self._page = page
        self._pause = pause

    def run(self) -> Night:
        """Go on with the present day (China) for up to ten minutes; nothing when it has its root.

        Costs, for each wallet, half a read unit to scan it and a read of its checkpoint; for each
        that changed, a query of its new entries, a read of their transfers, and a write.
        """
        began = self._clock.now()
        day = business_day(began)
        known = roots.root_of(day)
        if known is not None:
            return Night(day=day, root=known.root)
        done = Night(day=day)
        last = _last_piece(day)
        while last is None or last.after is not None:
            if self._clock.now() - began >= RUN_FOR:
                return done
            last, done = self._piece(last, done)
        row = roots.finish(day, now=self._clock.now())
        facts = {"day": day, "root": row.root, "wallets": row.wallets, "drifts": row.drifts}
        log.info("ledger.proven", extra=facts)
        # All of the day's: an alarm hears also what a run found that did not live to say so.
        return replace(done, drifts=row.drifts, is_done_now=True, root=row.root)

    def _piece(self, last: PieceRow | None, done: Night) -> tuple[PieceRow, Night]:
        """Prove one page of wallets and put its row, or find that another run has put it."""
        number = seq_text(int(last.piece) + 1 if last else 1)
        wallets, after = scan_page(WalletRow, limit=self._page, after=last.after if last else None)
        checkpoints = get_many([(CheckpointRow, (wallet.member_id,)) for wallet in wallets])
        found = [
            self._prove(wallet, row if isinstance(row, CheckpointRow) else None, done.day, number)
            for wallet, row in zip(wallets, checkpoints, strict=True)
        ]
        now = self._clock.now()
        row = _piece_row(done.day, number, found, after=after, now=now)
        if not put_if_absent(row):
            row = get(PieceRow, done.day, number) or row
        return row, replace(
            done,
            wallets=done.wallets + len(found),
            entries=done.entries + sum(one.entries for one in found),
            drifts=done.drifts + sum(1 for one in found if one.faults),
        )

    def _prove(
        self, wallet: WalletRow, checkpoint: CheckpointRow | None, day: str, piece: str
    ) -> _Proven:
        proven = point_of(checkpoint) if checkpoint else START
        start = START if _is_its_turn(wallet.member_id, day) else proven
        if start != START and _fits(start, wallet):
            return _Proven(wallet=wallet, point=start, faults=(), entries=0)
        examined = examine(
            wallet.member_id, start, through=proven, book=self._book(), pause=self._pause
        )
        now = self._clock.now()
        if examined.faults:
            _report(wallet.member_id, examined.faults, now=now)
            return _Proven(wallet=wallet, point=start, faults=examined.faults, entries=0)
        point = examined.point
        _keep(wallet.member_id, point, day=day, piece=piece, now=now)
        folded = point.version - start.version
        return _Proven(wallet=wallet, point=point, faults=(), entries=folded)


def _is_its_turn(member_id: str, day: str) -> bool:
    """Whether it is this ledger's day of the week to be proven from its first entry."""
    turn = hashlib.sha256(member_id.encode()).digest()[0] % TURN_DAYS
    return date.fromisoformat(day).toordinal() % TURN_DAYS == turn


def _fits(point: Point, wallet: WalletRow) -> bool:
    same = (point.version, point.head) == (wallet.version, wallet.head)
    return same and point.own == accounts_of(wallet)


def _keep(member_id: str, point: Point, *, day: str, piece: str, now: datetime) -> None:
    """Remember how far a ledger is proven; what another run proved further stays."""
    actions = [
        CheckpointRow.schema.set(1),
        CheckpointRow.version.set(point.version),
        CheckpointRow.head.set(point.head),
        CheckpointRow.accounts.set(point.accounts),
        CheckpointRow.root_day.set(day),
        CheckpointRow.root_piece.set(piece),
        CheckpointRow.proven_at.set(now),
    ]
    no_further = CheckpointRow.version.does_not_exist() | (CheckpointRow.version <= point.version)
    update_if(CheckpointRow(member_id), actions, no_further)


def _report(member_id: str, faults: tuple[Fault, ...], *, now: datetime) -> None:
    is_frozen_now = freeze(member_id, faults, now=now)
    said = [f"{fault.code}@{fault.seq}" for fault in faults[:20]]
    facts = {"member_id": member_id, "faults": said, "is_frozen_now": is_frozen_now}
    log.error("ledger.drifted", extra=facts)


def _piece_row(
    day: str, number: str, found: list[_Proven], *, after: object, now: datetime
) -> PieceRow:
    leaves = [one.leaf for one in found]
    totals = rules.merge(*(one.point.accounts for one in found))
    faults = [[fault.member_id, fault.code, fault.seq] for one in found for fault in one.faults[:5]]
    return PieceRow(
        day,
        number,
        leaves=leaves,
        top=trees.top([trees.leaf(*one) for one in leaves]),
        entries=sum(version for _, version, _ in leaves),
        totals=by_kind(totals),
        faults=faults,
        after=after,
        at=now,
        ttl=int((now + KEPT).timestamp()),
    )


def _last_piece(day: str) -> PieceRow | None:
    rows = query(PieceRow, day, PieceRow.piece < ROOT, scan_index_forward=False, limit=1)
    return rows[0] if rows else None
