"""Reserve a reward: points, stock, limit and voucher go together, once, in every race."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from models.base.clock import Clock
from models.base.errors import Conflict, Forbidden, NotFound
from models.base.ids import content_hash, derived_id
from models.base.store import Refused, Stale, Transaction, get_many
from models.base.tables import Table
from models.people.entities import Actor
from models.points.ledger import Ledger
from models.points.posting import Posting
from models.points.reading import balances
from models.points.tables import TransferRow
from models.rewards import limits, queue_rules, refusals, rules, stocks
from models.rewards import supply_rules as supply
from models.rewards.candidates import candidate_of
from models.rewards.changes import ID, due_shard, find, hold_transfer
from models.rewards.codes import Codes
from models.rewards.entities import CodeSource, Reward, RewardState, State
from models.rewards.hardships import in_hardship
from models.rewards.supply_rules import Shard
from models.rewards.tables import LimitRow, RedemptionRow, RewardRow
from models.rewards.vouchers import CodeTaken, Giver, Vouchers

_Found = TypeVar("_Found")

Hardship: TypeAlias = Callable[[str, datetime], bool]
"""Whether a member is helped as one in hardship at an instant."""


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
        hardship: Hardship | None = None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._vouchers = Vouchers(codes, givers)
        self._hardship = hardship or in_hardship

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
        if rules.takes_queue(reward):
            return self._queued(wish, posting)
        return self._taken(wish, posting)

    def _taken(self, wish: _Wish, posting: Posting) -> RedemptionRow:
        """Take one from stock; "sold out" is told only when all shards were empty at one moment."""
        made: list[RedemptionRow] = []
        shards: tuple[Shard, ...] = ()
        if wish.reward.state is RewardState.PUBLISHED:
            found = stocks.shards_of(wish.reward, wish.county, wish.now)
            shards = supply.in_turn(found, wish.redemption_id)

        def commit(shard: Shard) -> bool:
            made.append(_row(wish, shard))
            return self._commit(wish, made[-1], posting, shard)

        if not stocks.take_one(wish.reward, shards, commit):
            raise Conflict("reward.sold_out")
        return made[-1]

    def _queued(self, wish: _Wish, posting: Posting) -> RedemptionRow:
        """Wait: the points are held, nothing is taken from stock. 10 write units and an index's."""
        member_id, now = wish.actor.member_id, wish.now
        owned = balances(member_id, now)
        claim = queue_rules.Claim(
            county=wish.county,
            is_hardship=self._hardship(member_id, now),
            points=owned.available + owned.held,
            asked_at=now,
        )
        row = _row(wish, None)
        row.queue, row.queue_rank = wish.reward.reward_id, queue_rules.rank(claim)
        row.expires_at = now + queue_rules.WAIT_AT_MOST
        self._commit(wish, row, posting, None)
        return row

    def _commit(
        self, wish: _Wish, row: RedemptionRow, posting: Posting, shard: Shard | None
    ) -> bool:
        """Commit; False, and nothing happened, when the shard was empty."""
        tx = Transaction()
        posting.add_to(tx)
        tx.guard("redemption", row)
        if shard is not None:
            self._vouchers.add_to(tx, row, wish.reward, shard)
        if wish.reward.limit is not None:
            limits.taking(tx, wish.reward, wish.limit, row, wish.now)
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


def _row(wish: _Wish, shard: Shard | None) -> RedemptionRow:
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
        state=(State.RESERVED if shard else State.QUEUED).value,
        version=1,
        code_turn=wish.turn,
        request_hash=request_hash(reward.reward_id),
        reserved_at=wish.now,
        expires_at=rules.expires_at(reward, now=wish.now),
        due_shard=due_shard(wish.redemption_id) if shard else None,
        stock_shard=shard.name if shard else None,
        limited=True if reward.limit is not None else None,
    )
