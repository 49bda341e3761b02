"""Reserve a reward: points, stock, limit and voucher go together, once, in every race."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from models.base.clock import Clock
from models.base.errors import Conflict, Forbidden, NotFound
from models.base.ids import content_hash, derived_id
from models.base.store import TRIES, Refused, Stale, Transaction, get_many
from models.base.tables import Table
from models.people.entities import Actor
from models.points.ledger import Ledger
from models.points.posting import Posting
from models.points.tables import TransferRow
from models.rewards import limits, refusals, rules, stocks
from models.rewards import supply_rules as supply
from models.rewards.candidates import candidate_of
from models.rewards.changes import ID, due_shard, find, hold_transfer
from models.rewards.codes import Codes
from models.rewards.entities import CodeSource, Reward, RewardState, State
from models.rewards.supply_rules import Shard
from models.rewards.tables import CodeRow, LimitRow, RedemptionRow, RewardRow

_Found = TypeVar("_Found")

Giver: TypeAlias = Callable[[Transaction, RedemptionRow, Reward], None]
"""Adds what a voucher carries beside its own code to the transaction that reserves it. Its writes
that refuse make the reservation read again; it raises ``Conflict("reward.sold_out")`` itself."""


class CodeTaken(Exception):
    """The code is another redemption's by chance: reserve again under the next ``turn``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """Who wants what, as it stood when it was read. ``county`` is whose quota it takes from."""

    actor: Actor
    reward: Reward
    county: str
    redemption_id: str
    limit: LimitRow | None
    now: datetime
    turn: int


class Reserving:
    """The one way to a redemption. ``givers`` serve the rewards whose codes are not ours alone."""

    def __init__(
        self,
        *,
        clock: Clock,
        ledger: Ledger,
        codes: Codes,
        givers: Mapping[CodeSource, Giver] | None = None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._codes = codes
        self._givers = givers or {}

    def reserve(
        self, actor: Actor, reward_id: str, client_request_id: str, *, turn: int
    ) -> RedemptionRow:
        """Reserve, or answer what the request made before. One attempt.

        Two reads (three where the reward asks who the member is) and one transaction of at most
        18 write units. Raises ``Stale``, ``CodeTaken``, and what ``Redemptions.redeem`` says.
        """
        now, redemption_id = self._clock.now(), redemption_of(actor, client_request_id)
        read = _read(actor.member_id, reward_id, redemption_id)
        if read.redemption is not None:
            return _same(read.redemption.request_hash, reward_id, read.redemption)
        told = refusals.standing(read.transfer)
        if read.transfer is not None and told is not None:
            raise _same(read.transfer.request_hash, reward_id, told)
        reward, county = _offered(actor, read.reward)
        wish = _Wish(
            actor=actor,
            reward=reward,
            county=county,
            redemption_id=redemption_id,
            limit=read.limit,
            now=now,
            turn=turn,
        )
        try:
            return self._given(wish)
        except (Conflict, Forbidden) as refusal:
            if refusal.code in refusals.FINAL:
                refusals.keep(
                    refusal,
                    transfer_id=hold_transfer(redemption_id),
                    member_id=actor.member_id,
                    county=reward.county,
                    request_hash=request_hash(reward_id),
                    now=now,
                )
            raise

    def _given(self, wish: _Wish) -> RedemptionRow:
        reward, now = wish.reward, wish.now
        if reward.state is RewardState.PAUSED:
            raise Conflict("reward.paused")
        rules.require_eligible(reward, candidate_of(wish.actor, [reward], now), now=now)
        if reward.limit is not None:
            limits.require_room(reward.limit, wish.limit, now)
        posting = self._ledger.plan_hold(
            member_id=wish.actor.member_id,
            county=reward.county,
            transfer_id=hold_transfer(wish.redemption_id),
            points=reward.price,
            now=now,
            source={"redemption_id": wish.redemption_id, "reward_id": reward.reward_id},
            request_hash=request_hash(reward.reward_id),
        )
        if posting.already:
            raise Stale
        return self._taken(wish, posting)

    def _taken(self, wish: _Wish, posting: Posting) -> RedemptionRow:
        """Take from the first shard; when that is empty, from one that has some.

        "Sold out" is told only when all were empty at one moment.
        """
        reward = wish.reward
        shards = supply.in_turn(stocks.shards_of(reward, wish.county, wish.now), wish.redemption_id)
        some = shards if reward.state is RewardState.PUBLISHED else ()
        for _ in range(TRIES):
            if not some:
                raise Conflict("reward.sold_out")
            row = _row(wish, some[0])
            if self._commit(wish, row, posting, some[0]):
                return row
            some = stocks.with_some(reward, shards) if len(shards) > 1 else ()
        raise Stale

    def _commit(self, wish: _Wish, row: RedemptionRow, posting: Posting, shard: Shard) -> bool:
        """Commit; False, and nothing happened, when the shard was empty."""
        tx = Transaction()
        posting.add_to(tx)
        tx.guard("redemption", row)
        if wish.reward.codes is CodeSource.OWN:
            tx.guard("code", self._code_row(row))
        stocks.take(tx, wish.reward, shard)
        if wish.reward.limit is not None:
            limits.taking(tx, wish.reward, wish.limit, row, wish.now)
        giver = self._givers.get(wish.reward.codes)
        if giver is not None:
            giver(tx, row, wish.reward)
        try:
            tx.commit()
        except Refused as refused:
            if refused.names - {"stock", "code"}:
                raise Stale from refused
            if "stock" in refused:
                return False
            # Nobody promises that every failed condition is named: look for our own twin.
            if find(row.redemption_id) is not None:
                raise Stale from refused
            raise CodeTaken from refused
        return True

    def _code_row(self, row: RedemptionRow) -> CodeRow:
        code = self._codes.code(row.redemption_id, row.code_turn)
        key = self._codes.code_key(code)
        assert key is not None
        return CodeRow(key, county=row.county, redemption_id=row.redemption_id)


def redemption_of(actor: Actor, client_request_id: str) -> str:
    """The id of the redemption that a member's request makes."""
    return derived_id("red", actor.member_id, client_request_id)


def request_hash(reward_id: str) -> str:
    """What a request asked for: the same id must not ask for something else."""
    return content_hash({"reward_id": reward_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    redemption: RedemptionRow | None
    transfer: TransferRow | None
    reward: RewardRow | None
    limit: LimitRow | None


def _read(member_id: str, reward_id: str, redemption_id: str) -> _Read:
    """Everything but the points, in one call; what goes together is decided by conditions."""
    wanted: list[tuple[type[Table], tuple[str, ...]]] = [
        (RedemptionRow, (redemption_id,)),
        (TransferRow, (hold_transfer(redemption_id),)),
    ]
    if ID.fullmatch(reward_id):
        wanted += [(RewardRow, (reward_id,)), (LimitRow, (member_id, reward_id))]
    rows = {type(row): row for row in get_many(wanted) if row is not None}
    return _Read(
        redemption=rows.get(RedemptionRow),  # type: ignore[arg-type]  # keyed by its own type
        transfer=rows.get(TransferRow),  # type: ignore[arg-type]
        reward=rows.get(RewardRow),  # type: ignore[arg-type]
        limit=rows.get(LimitRow),  # type: ignore[arg-type]
    )


def _same(asked_before: str | None, reward_id: str, found: _Found) -> _Found:
    if asked_before != request_hash(reward_id):
        raise Conflict("request.reused")
    return found


def _offered(actor: Actor, row: RewardRow | None) -> tuple[Reward, str]:
    reward = row.entity() if row is not None else None
    if reward is None or not rules.is_shown(reward):
        raise NotFound("reward.not_found")
    county = supply.county_for(reward.supply, own=actor.county, home=reward.county)
    if county is None:
        raise NotFound("reward.not_found")
    return reward, county


def _row(wish: _Wish, shard: Shard) -> RedemptionRow:
    reward = wish.reward
    return RedemptionRow(
        wish.redemption_id,
        county=reward.county,
        member_id=wish.actor.member_id,
        reward_id=reward.reward_id,
        name_zh=reward.name.zh,
        name_en=reward.name.en,
        points=reward.price,
        fulfillers=set(reward.fulfillers),
        state=State.RESERVED.value,
        version=1,
        code_turn=wish.turn,
        request_hash=request_hash(reward.reward_id),
        reserved_at=wish.now,
        expires_at=rules.expires_at(reward, now=wish.now),
        due_shard=due_shard(wish.redemption_id),
        stock_shard=shard.name,
        limited=True if reward.limit is not None else None,
    )
