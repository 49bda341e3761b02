"""The rider's side: reserve a reward, show its voucher, cancel."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from models.base.clock import Clock
from models.base.errors import Conflict, Forbidden, NotFound, Unavailable
from models.base.ids import content_hash, derived_id
from models.base.paging import Cursors, Page
from models.base.store import Refused, Stale, Transaction, get_many, page_of, retrying
from models.people.entities import Actor
from models.points.ledger import Ledger
from models.points.posting import Posting
from models.rewards import rules
from models.rewards.catalogue import is_offered_to, published
from models.rewards.changes import Command, due_shard, find, flip, hold_transfer
from models.rewards.codes import Codes
from models.rewards.entities import Action, Outcome, Redemption, Reward, State, Voucher
from models.rewards.tables import ONLY_SHARD, CodeRow, RedemptionRow, StockRow

CODE_TURNS = 3
"""A code of 50 bits may be another redemption's by chance: then the next one is taken."""


class _CodeTaken(Exception):
    pass


class Redemptions:
    """What a member does with his redemptions. Foreign ones are unknown to him."""

    def __init__(self, *, clock: Clock, ledger: Ledger, codes: Codes, cursors: Cursors) -> None:
        self._clock = clock
        self._ledger = ledger
        self._codes = codes
        self._cursors = cursors

    def redeem(self, actor: Actor, *, reward_id: str, client_request_id: str) -> Voucher:
        """Hold the points and take one from stock; repeated, it answers the same voucher.

        Raises ``NotFound("reward.not_found")``, ``Forbidden("occupation.unconfirmed")``,
        ``Conflict`` (``points.insufficient`` with ``missing`` points, ``reward.sold_out``,
        ``request.reused``). 12 write units and those of two indexes.
        """
        for turn in range(CODE_TURNS):
            try:
                return retrying(
                    partial(self._reserve, actor, reward_id, client_request_id, turn=turn)
                )
            except _CodeTaken:
                continue
        raise Unavailable("store.busy")

    def cancel(self, actor: Actor, *, redemption_id: str, client_request_id: str) -> Outcome:
        """Give points and stock back while nothing was handed over.

        Raises ``NotFound("redemption.not_found")`` and what ``rules.after`` raises.
        """
        return retrying(lambda: self._cancel(actor, redemption_id, client_request_id))

    def voucher(self, actor: Actor, redemption_id: str) -> Voucher:
        """One of his own, as it is now. Raises ``NotFound("redemption.not_found")``."""
        return self.shown(self._own(actor, redemption_id))

    def voucher_by_key(self, actor: Actor, client_request_id: str) -> Voucher:
        """What became of a request whose answer was lost. Raises as ``voucher`` does."""
        return self.voucher(actor, _redemption_id(actor, client_request_id))

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

    def _reserve(
        self, actor: Actor, reward_id: str, client_request_id: str, *, turn: int
    ) -> Voucher:
        now = self._clock.now()
        redemption_id = _redemption_id(actor, client_request_id)
        standing = find(redemption_id)
        if standing is not None:
            return self._first_answer(standing, reward_id)
        reward = published(reward_id)
        if reward is None or not is_offered_to(actor, reward):
            raise NotFound("reward.not_found")
        if not actor.may_spend(now):
            raise Forbidden("occupation.unconfirmed")
        posting = self._ledger.plan_hold(
            member_id=actor.member_id,
            county=reward.county,
            transfer_id=hold_transfer(redemption_id),
            points=reward.price,
            now=now,
            source={"redemption_id": redemption_id, "reward_id": reward_id},
        )
        if posting.already:
            raise Stale
        row = _row(actor, reward, redemption_id, now=now, turn=turn)
        self._commit(row, posting)
        return self.shown(row)

    def _commit(self, row: RedemptionRow, posting: Posting) -> None:
        tx = Transaction()
        posting.add_to(tx)
        tx.guard("redemption", row)
        tx.guard("code", self._code_row(row))
        stock = StockRow(row.reward_id, ONLY_SHARD)
        tx.update("stock", stock, [StockRow.rem.add(-1)], StockRow.rem >= 1)
        try:
            tx.commit()
        except Refused as refused:
            if Posting.lost(refused) or "redemption" in refused:
                raise Stale from refused
            # Nobody promises that every failed condition is named: look for our own twin.
            if find(row.redemption_id) is not None:
                raise Stale from refused
            if "stock" in refused:
                raise Conflict("reward.sold_out") from refused
            raise _CodeTaken from refused

    def _code_row(self, row: RedemptionRow) -> CodeRow:
        code = self._codes.code(row.redemption_id, row.code_turn)
        key = self._codes.code_key(code)
        assert key is not None
        return CodeRow(key, county=row.county, redemption_id=row.redemption_id)

    def _first_answer(self, row: RedemptionRow, reward_id: str) -> Voucher:
        if row.request_hash != _request_hash(reward_id):
            raise Conflict("request.reused")
        first = replace(
            row.entity(),
            state=State.RESERVED,
            version=1,
            ended_at=None,
            fulfilled_at=None,
            fulfilled_by=None,
        )
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
        """A redemption as its owner, and nobody else, may see it now."""
        redemption = row.entity()
        if rules.is_usable(redemption, now=self._clock.now()):
            return self._with_code(redemption, row.code_turn)
        return Voucher(redemption=redemption, code=None, qr=None, qr_expires_at=None)

    def _with_code(self, redemption: Redemption, turn: int) -> Voucher:
        qr, ends = self._codes.qr(redemption.redemption_id, self._clock.now())
        code = self._codes.code(redemption.redemption_id, turn)
        return Voucher(redemption=redemption, code=code, qr=qr, qr_expires_at=ends)


def _redemption_id(actor: Actor, client_request_id: str) -> str:
    return derived_id("red", actor.member_id, client_request_id)


def _request_hash(reward_id: str) -> str:
    return content_hash({"reward_id": reward_id})


def _row(
    actor: Actor, reward: Reward, redemption_id: str, *, now: datetime, turn: int
) -> RedemptionRow:
    return RedemptionRow(
        redemption_id,
        county=reward.county,
        member_id=actor.member_id,
        reward_id=reward.reward_id,
        name_zh=reward.name.zh,
        name_en=reward.name.en,
        points=reward.price,
        fulfillers=set(reward.fulfillers),
        state=State.RESERVED.value,
        version=1,
        code_turn=turn,
        request_hash=_request_hash(reward.reward_id),
        reserved_at=now,
        expires_at=rules.expires_at(reward, now=now),
        due_shard=due_shard(redemption_id),
    )
