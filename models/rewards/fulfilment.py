"""The merchant's side: look before taking, fulfil, undo within five minutes, the day's totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from models.base.clock import Clock, business_day
from models.base.errors import Conflict, Exhausted, Forbidden, NotFound
from models.base.store import get, query, retrying
from models.people import links
from models.people.entities import Actor, RoleName
from models.points.ledger import Ledger, transfer
from models.points.tables import answer_of
from models.rewards import rules
from models.rewards.changes import Command, find, flip, known, transfer_of
from models.rewards.codes import Codes
from models.rewards.entities import Action, DayLine, DayTotals, Outcome, Redemption, State
from models.rewards.tables import CodeRow, RedemptionRow
from models.rewards.tries import Tries

FULFILLING_ROLES = (RoleName.MERCHANT, RoleName.KEEPER)


class Fulfilment:
    """What merchants and keepers do. A redemption that is not theirs is unknown to them.

    ``shown`` is what the rider shows: the QR payload, or the ten-character code.
    """

    def __init__(self, *, clock: Clock, ledger: Ledger, codes: Codes) -> None:
        self._clock = clock
        self._ledger = ledger
        self._codes = codes
        self._tries = Tries()

    def preview(self, actor: Actor, shown: str) -> Redemption:
        """What would be handed over; refuses as ``fulfil`` does, and writes nothing but tries."""
        now = self._clock.now()
        redemption_id, is_fresh = self._read(actor, shown, now)
        row = known(redemption_id)
        _scope_of(actor, row)
        redemption = row.entity()
        rules.after(redemption, Action.FULFIL, now=now)
        _require_fresh(is_fresh)
        return redemption

    def fulfil(self, actor: Actor, *, shown: str, client_request_id: str) -> Outcome:
        """Hand over: the held points are spent. Repeated, it answers the same.

        Raises ``NotFound("redemption.not_found")`` for what is unknown or another's,
        ``Forbidden("redemption.own")`` for one's own, ``Conflict`` as ``rules.after`` says, and
        ``redemption.qr_stale`` for a payload older than its minute, ``Exhausted`` as ``Tries``
        says. 10 write units with indexes, and two for each count of a typed code.
        """
        try:
            found = self._read(actor, shown, self._clock.now())
        except Exhausted:
            earlier = self._told_before(actor, shown, client_request_id)
            if earlier is None:
                raise
            return earlier
        return retrying(lambda: self._fulfil(actor, found, client_request_id))

    def undo(self, actor: Actor, *, redemption_id: str, client_request_id: str) -> Outcome:
        """Take a fulfilment back: reserved again or, past its end, expired with all given back.

        Only who fulfilled may, for five minutes. Raises as ``fulfil`` does.
        """
        return retrying(lambda: self._undo(actor, redemption_id, client_request_id))

    def day(self, actor: Actor, day: str | None = None) -> DayTotals:
        """What the actor's own places handed over on a day in China (None: today).

        One query per place, of an index that may lag by a moment.
        """
        wanted = day or business_day(self._clock.now())
        rows = [row for scope in sorted(_scopes(actor)) for row in _fulfilled(scope, wanted)]
        lines = _lines(row.entity() for row in rows)
        return DayTotals(
            day=wanted,
            count=sum(line.count for line in lines),
            points=sum(line.points for line in lines),
            lines=lines,
        )

    def _fulfil(self, actor: Actor, found: tuple[str, bool], client_request_id: str) -> Outcome:
        now = self._clock.now()
        redemption_id, is_fresh = found
        row = known(redemption_id)
        scope = _scope_of(actor, row)
        command = _command(Action.FULFIL, actor, row, client_request_id)
        earlier = command.earlier()
        if earlier is not None:
            return earlier
        state = rules.after(command.redemption, Action.FULFIL, now=now)
        _require_fresh(is_fresh)
        posting = command.plan(self._ledger, state, now, place=scope)
        flip(row, state, posting, now=now, scope=scope)
        return command.outcome(state, now)

    def _undo(self, actor: Actor, redemption_id: str, client_request_id: str) -> Outcome:
        now = self._clock.now()
        row = known(redemption_id)
        _scope_of(actor, row)
        command = _command(Action.UNDO, actor, row, client_request_id)
        earlier = command.earlier()
        if earlier is not None:
            return earlier
        if row.fulfilled_by is not None and row.fulfilled_by not in _scopes(actor):
            raise NotFound("redemption.not_found")
        state = rules.after(command.redemption, Action.UNDO, now=now)
        flip(row, state, command.plan(self._ledger, state, now), now=now)
        return command.outcome(state, now)

    def _read(self, actor: Actor, shown: str, now: datetime) -> tuple[str, bool]:
        """Which redemption is shown, and whether that is fresh; a typed code always is."""
        qr = self._codes.read_qr(shown, now)
        if qr is not None:
            return qr.redemption_id, qr.is_fresh
        key = self._codes.code_key(shown)
        if key is None:  # nothing would be looked up, so nothing is guessed
            raise NotFound("redemption.not_found")
        return self._behind_code(actor, key, now), True

    def _behind_code(self, actor: Actor, key: str, now: datetime) -> str:
        who = [f"session:{actor.session_id}", *sorted(_scopes(actor))]
        counted = self._tries.count(who, now)
        code = get(CodeRow, key)
        row = find(code.redemption_id) if code else None
        if row is None or not _allowed(actor, row):
            raise NotFound("redemption.not_found")
        self._tries.give_back(counted)
        return row.redemption_id

    def _told_before(self, actor: Actor, shown: str, client_request_id: str) -> Outcome | None:
        """What the same request was told when it succeeded: that it may not guess is no answer.

        The code must be the one that it succeeded with, or a used id would be a way to guess.
        """
        posted = transfer(transfer_of(Action.FULFIL, actor.member_id, client_request_id))
        row = find(answer_of(posted).get("redemption_id", "")) if posted else None
        if row is None:
            return None
        code = self._codes.code(row.redemption_id, row.code_turn)
        if self._codes.code_key(code) != self._codes.code_key(shown):
            return None
        return _command(Action.FULFIL, actor, row, client_request_id).earlier()


def _command(action: Action, actor: Actor, row: RedemptionRow, client_request_id: str) -> Command:
    return Command(
        action=action,
        member_id=actor.member_id,
        request=client_request_id,
        redemption=row.entity(),
    )


def _scopes(actor: Actor, county: str | None = None) -> frozenset[str]:
    return frozenset(
        held.scope
        for held in actor.roles
        if held.role in FULFILLING_ROLES and county in (None, held.county)
    )


def _scope_of(actor: Actor, row: RedemptionRow) -> str:
    """The actor's place that may hand this over: foreign ones look as if there were none."""
    allowed = _allowed(actor, row)
    if not allowed:
        raise NotFound("redemption.not_found")
    if row.member_id == actor.member_id or links.had_one_phone(row.member_id, actor.member_id):
        raise Forbidden("redemption.own")
    return row.fulfilled_by if row.fulfilled_by in allowed else allowed[0]


def _allowed(actor: Actor, row: RedemptionRow) -> list[str]:
    """The actor's places that may hand it over; what its owner reveals is nobody else's matter."""
    if row.pool_unit is not None:
        return []
    return sorted(_scopes(actor, row.county) & set(row.fulfillers))


def _require_fresh(is_fresh: bool) -> None:
    if not is_fresh:
        raise Conflict("redemption.qr_stale")


def _fulfilled(scope: str, day: str) -> Iterable[RedemptionRow]:
    rows = query(RedemptionRow.by_merchant_day, f"{scope}#{day}")
    return [row for row in rows if row.state == State.FULFILLED.value]


def _lines(redemptions: Iterable[Redemption]) -> tuple[DayLine, ...]:
    groups: dict[tuple[str, str], list[Redemption]] = defaultdict(list)
    for redemption in redemptions:
        groups[redemption.fulfilled_by or "", redemption.reward_id].append(redemption)
    return tuple(
        DayLine(
            scope=scope,
            reward_id=reward_id,
            reward_name=group[0].reward_name,
            count=len(group),
            points=sum(redemption.points for redemption in group),
        )
        for (scope, reward_id), group in sorted(groups.items())
    )
