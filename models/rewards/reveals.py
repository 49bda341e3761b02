"""Show a voucher's imported code: from then on it is used, whatever its owner does with it."""

from __future__ import annotations

from models.base.clock import Clock
from models.base.errors import Conflict, NotFound
from models.base.store import retrying
from models.people.entities import Actor
from models.points.ledger import Ledger
from models.rewards import rules
from models.rewards.changes import Command, find, flip
from models.rewards.entities import Action, State, Voucher
from models.rewards.pools import Pools
from models.rewards.tables import RedemptionRow


class Reveals:
    """What the owner of a voucher with an imported code does with it."""

    def __init__(self, *, clock: Clock, ledger: Ledger, pools: Pools) -> None:
        self._clock = clock
        self._ledger = ledger
        self._pools = pools

    def reveal(self, actor: Actor, *, redemption_id: str, client_request_id: str) -> Voucher:
        """Spend the points and show the code; repeated, also under another id, it shows it again.

        It counts as handed over by the first of the reward's places, whose month it is in. Raises
        ``NotFound("redemption.not_found")``, ``Conflict("redemption.not_pooled")`` and what
        ``rules.after`` raises. 10 write units with indexes.
        """
        row = retrying(lambda: self._reveal(actor, redemption_id, client_request_id))
        return shown(row, self._pools)

    def _reveal(self, actor: Actor, redemption_id: str, client_request_id: str) -> RedemptionRow:
        now, row = self._clock.now(), find(redemption_id)
        if row is None or row.member_id != actor.member_id:
            raise NotFound("redemption.not_found")
        if row.pool_unit is None:
            raise Conflict("redemption.not_pooled")
        command = Command(
            action=Action.FULFIL,
            member_id=actor.member_id,
            request=client_request_id,
            redemption=row.entity(),
        )
        if command.earlier() is not None or row.state == State.FULFILLED.value:
            return row
        state = rules.after(command.redemption, Action.FULFIL, now=now)
        place = min(row.fulfillers)
        flip(row, state, command.plan(self._ledger, state, now, place=place), now=now, scope=place)
        return self._reveal(actor, redemption_id, client_request_id)


def shown(row: RedemptionRow, pools: Pools) -> Voucher:
    """A voucher with an imported code as its owner sees it: the code while it is his."""
    is_his = row.state == State.FULFILLED.value
    code = pools.code_of(row) if is_his else None
    return Voucher(redemption=row.entity(), code=code, qr=None, qr_expires_at=None)
