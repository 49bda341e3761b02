"""The rider's side: reserve a reward, show its voucher, cancel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from models.base.clock import Clock
from models.base.errors import NotFound, Unavailable
from models.base.paging import Cursors, Page
from models.base.store import get_many, page_of, retrying
from models.people.entities import Actor
from models.points.ledger import Ledger, transfer
from models.rewards import queue_rules, queues, refusals, reveals, rules
from models.rewards.changes import Command, find, flip, hold_transfer
from models.rewards.codes import Codes
from models.rewards.entities import Action, CodeSource, Outcome, Redemption, State, Voucher
from models.rewards.pools import Pools
from models.rewards.reserving import Hardship, Reserving, redemption_of
from models.rewards.tables import RedemptionRow
from models.rewards.vouchers import CodeTaken, Giver

CODE_TURNS = 3
"""A code of 50 bits may be another redemption's by chance: then the next one is taken."""


class Redemptions:
    """What a member does with his redemptions. Foreign ones are unknown to him."""

    def __init__(
        self,
        *,
        clock: Clock,
        ledger: Ledger,
        codes: Codes,
        cursors: Cursors,
        pools: Pools | None = None,
        hardship: Hardship | None = None,
    ) -> None:
        self._clock = clock
        givers: dict[CodeSource, Giver] = {CodeSource.POOL: pools.give} if pools else {}
        self._reserving = Reserving(
            clock=clock, ledger=ledger, codes=codes, givers=givers, hardship=hardship
        )
        self._pools = pools
        self._ledger = ledger
        self._codes = codes
        self._cursors = cursors

    def redeem(self, actor: Actor, *, reward_id: str, client_request_id: str) -> Voucher:
        """Hold the points and take one from stock; repeated, it answers the same voucher.

        What is allotted rather than sold holds the points and waits (``allocation.py``).
        Raises ``NotFound("reward.not_found")``; ``Forbidden``: ``occupation.unconfirmed``,
        ``reward.not_eligible``; ``Conflict``: ``points.insufficient`` with ``missing`` points,
        ``reward.sold_out``, ``reward.limit_reached`` (these five stand: the same request is told
        the same again), ``points.frozen``, ``reward.paused``, ``request.reused``.
        At most 18 write units with those of two indexes; a refusal writes one.
        """
        reserve = self._reserving.reserve
        for turn in range(CODE_TURNS):
            try:
                row = retrying(partial(reserve, actor, reward_id, client_request_id, turn=turn))
            except CodeTaken:
                continue
            return self._first_answer(row)
        raise Unavailable("store.busy")

    def cancel(self, actor: Actor, *, redemption_id: str, client_request_id: str) -> Outcome:
        """Give points and stock back while nothing was handed over.

        Raises ``NotFound("redemption.not_found")`` and what ``rules.after`` raises.
        """
        return retrying(lambda: self._cancel(actor, redemption_id, client_request_id))

    def voucher(self, actor: Actor, redemption_id: str) -> Voucher:
        """One of his own, as it is now; a queued one with its place, for one query more.

        Raises ``NotFound("redemption.not_found")``.
        """
        row = self._own(actor, redemption_id)
        if row.pool_unit is not None and self._pools is not None:
            return reveals.shown(row, self._pools)
        return replace(self.shown(row), place=queues.place_of(row))

    def voucher_by_key(self, actor: Actor, client_request_id: str) -> Voucher:
        """What became of a request whose answer was lost. Raises as ``voucher`` does, and the
        refusal that the request was told."""
        redemption_id = redemption_of(actor, client_request_id)
        row = find(redemption_id)
        if row is None:
            refusal = refusals.standing(transfer(hold_transfer(redemption_id)))
            if refusal is not None:
                raise refusal
        return self.voucher(actor, redemption_id)

    def page(self, actor: Actor, *, limit: int, cursor: str | None = None) -> Page[Voucher]:
        """His redemptions, newest first: one query of an index of keys, and their rows.

        A new one may be missing for a moment; those that are shown are as they stand now.
        """
        scope = f"redemptions:{actor.member_id}"
        keys, last = page_of(
            RedemptionRow.by_member,
            actor.member_id,
            limit=limit,
            after=self._cursors.open(scope, cursor),
        )
        rows = get_many([(RedemptionRow, (key.redemption_id,)) for key in keys]) if keys else []
        vouchers = [self.shown(row) for row in rows if isinstance(row, RedemptionRow)]
        return Page(items=vouchers, next_cursor=self._cursors.seal(scope, last))

    def _first_answer(self, row: RedemptionRow) -> Voucher:
        queued = row.queue_rank is not None
        first = replace(
            row.entity(),
            state=State.QUEUED if queued else State.RESERVED,
            version=1,
            ended_at=None,
            fulfilled_at=None,
            fulfilled_by=None,
            decline_reason=None,
        )
        if queued:
            first = replace(first, expires_at=row.reserved_at + queue_rules.WAIT_AT_MOST)
            return Voucher(redemption=first, code=None, qr=None, qr_expires_at=None)
        return self._with_code(first, row.code_turn)

    def _cancel(self, actor: Actor, redemption_id: str, client_request_id: str) -> Outcome:
        now = self._clock.now()
        row = self._own(actor, redemption_id)
        command = Command(
            action=Action.CANCEL,
            member_id=actor.member_id,
            request=client_request_id,
            redemption=row.entity(),
        )
        earlier = command.earlier()
        if earlier is not None:
            return earlier
        state = rules.after(command.redemption, Action.CANCEL, now=now)
        flip(row, state, command.plan(self._ledger, state, now), now=now)
        return command.outcome(state, now)

    def _own(self, actor: Actor, redemption_id: str) -> RedemptionRow:
        row = find(redemption_id)
        if row is None or row.member_id != actor.member_id:
            raise NotFound("redemption.not_found")
        return row

    def shown(self, row: RedemptionRow) -> Voucher:
        """A redemption as its owner, and nobody else, may see it now; no imported code."""
        redemption = row.entity()
        if rules.is_usable(redemption, now=self._clock.now()):
            return self._with_code(redemption, row.code_turn)
        return Voucher(redemption=redemption, code=None, qr=None, qr_expires_at=None)

    def _with_code(self, redemption: Redemption, turn: int) -> Voucher:
        if redemption.code_source is CodeSource.POOL:
            return Voucher(redemption=redemption, code=None, qr=None, qr_expires_at=None)
        qr, ends = self._codes.qr(redemption.redemption_id, self._clock.now())
        code = self._codes.code(redemption.redemption_id, turn)
        return Voucher(redemption=redemption, code=code, qr=qr, qr_expires_at=ends)
