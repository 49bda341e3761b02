"""Post to the ledger: read, decide, and put wallet, entry and transfer into one transaction.

A plan reads and decides; its ``Posting`` joins the transaction of whoever asked for it, so that a
case closes, or a reward is taken, together with the points or not at all. Wallet, entry and
transfer each guard against posting twice: the wallet by its version, the others by not existing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base.errors import NotFound
from models.base.ids import derived_id
from models.base.store import Refused, Stale, Transaction, get, get_together, retrying
from models.base.tables import Table
from models.points import acts, awarding, planning, rules
from models.points.acts import RuleBook
from models.points.awarding import Award
from models.points.entities import Act, EntryKind, Legs, Rule
from models.points.planning import Build as Build
from models.points.posting import Event, Posting
from models.points.rule_sheets import first_book
from models.points.tables import TransferRow


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStep:
    """What becomes of a hold. That it is spent or given back only once is the redemption's
    condition, in the same transaction."""

    member_id: str
    hold_transfer_id: str
    transfer_id: str
    now: datetime
    source: Mapping[str, Any]
    request_hash: str | None = None
    answer: Mapping[str, Any] | None = None


class Ledger:
    """The only way points move.

    Every plan reads once, all of it as it stood at one instant, and is repeatable: a transfer that
    has posted comes back with ``already`` set, before anything is judged. A plan given a
    ``request_hash`` raises ``Conflict("request.reused")`` when that transfer posted with other
    content.

    ``rules`` are those that awards follow; by default the ones that come with the code.
    """

    def __init__(self, rules: Callable[[], RuleBook] = first_book) -> None:
        self._rules = rules

    def plan(self, event: Event, build: Build) -> Posting:
        """Plan any movement: what time did to the accounts, then the legs that ``build`` gives.

        ``build`` may refuse with ``Conflict``; it is asked only when the transfer has not posted,
        so a refusal is never told to one whose own twin succeeded. Legs that overdraw an account
        raise ``Stale``: what they were built on has moved. One read call.
        """
        return planning.plan(event, build)

    def plan_award(
        self,
        *,
        member_id: str,
        county: str,
        transfer_id: str,
        act: Act,
        now: datetime,
        matures_at: datetime | None,
        source: Mapping[str, Any],
    ) -> Posting:
        """Give what an act is worth under the rules of its own day, as far as caps and budget go.

        ``Posting.points`` is what was granted, ``limit`` what it met, if anything. The points are
        pending until the day of ``matures_at`` in China; None, or a day that has come, makes them
        available at once. Zero points post too: the event is then known to be done, and the rider
        reads why. ``source`` says what for, by ids, without personal text. Six write units, two for
        the caps, two for a budget. Raises ``NotFound("rule.not_found")``.
        """
        award = Award(
            member_id=member_id,
            county=county,
            transfer_id=transfer_id,
            act=act,
            now=now,
            matures_at=matures_at,
            source=source,
        )
        return awarding.plan(self._rules(), award)

    def worth(self, act: Act) -> int:
        """What an act is worth, whatever the limits; from memory."""
        rule = self.rule(act.rule, act.at)
        return acts.gross(rule, quantity=act.quantity, severity=act.severity, paid=act.paid)

    def rule(self, rule: str, at: datetime) -> Rule:
        """The version of a rule that holds at an instant; from memory.

        Raises ``NotFound("rule.not_found")``.
        """
        return self._rules().at(rule, at)

    def plan_maturity(
        self, *, member_id: str, award_transfer_id: str, transfer_id: str, now: datetime
    ) -> Posting:
        """Make an award available before its day; nothing moves when it has matured by itself.

        ``transfer_id`` must be derived from the award's, so that an award matures once.
        No more becomes available than the award's claw-back left. Raises
        ``NotFound("transfer.not_found")`` while the award has not posted.
        """
        found, back = get_together(
            [
                (TransferRow, (award_transfer_id,)),
                (TransferRow, (claw_back_id(award_transfer_id),)),
            ]
        )
        award = _of(member_id, found)
        taken_back = back.own_legs if isinstance(back, TransferRow) else None
        event = Event(
            member_id=member_id,
            county=award.county,
            transfer_id=transfer_id,
            kind=EntryKind.MATURITY,
            points=award.points,
            source={"award": award_transfer_id},
            now=now,
        )
        return self.plan(
            event, lambda accounts, _: rules.mature(accounts, award.own_legs, taken_back)
        )

    def plan_hold(
        self,
        *,
        member_id: str,
        county: str,
        transfer_id: str,
        points: int,
        now: datetime,
        source: Mapping[str, Any],
        request_hash: str | None = None,
        answer: Mapping[str, Any] | None = None,
    ) -> Posting:
        """Set points aside.

        Raises ``Conflict``: ``points.insufficient`` with ``missing`` points, ``points.frozen``
        while the member's balances are in doubt.
        """
        event = Event(
            member_id=member_id,
            county=county,
            transfer_id=transfer_id,
            kind=EntryKind.HOLD,
            points=points,
            source=source,
            now=now,
            request_hash=request_hash,
            answer=answer,
        )
        return self.plan(event, lambda accounts, _: rules.hold(accounts, points=points))

    def plan_settle(self, step: HoldStep, *, reward_id: str) -> Posting:
        """Spend a hold on a reward."""
        return _plan_step(
            EntryKind.SETTLE, step, lambda held, _: rules.settle(held, reward_id=reward_id)
        )

    def plan_reinstate(self, step: HoldStep, *, reward_id: str) -> Posting:
        """Hold again what was spent."""
        return _plan_step(
            EntryKind.REINSTATE, step, lambda held, _: rules.reinstate(held, reward_id=reward_id)
        )

    def plan_refund(self, step: HoldStep, *, reward_id: str) -> Posting:
        """Give back what was spent, into the buckets it came from."""
        return _plan_step(
            EntryKind.REFUND,
            step,
            lambda held, today: rules.refund(held, reward_id=reward_id, today=today),
        )

    def plan_release(self, step: HoldStep) -> Posting:
        """Give a hold back, into the buckets it came from."""
        return _plan_step(
            EntryKind.RELEASE, step, lambda held, today: rules.release(held, today=today)
        )

    def post(self, plan: Callable[[], Posting]) -> Posting:
        """Post in a transaction of its own, planning anew for as long as others are quicker."""

        def decide() -> Posting:
            posting = plan()
            if posting.already:
                return posting
            tx = Transaction()
            posting.add_to(tx)
            try:
                tx.commit()
            except Refused as refused:
                raise Stale from refused
            return posting

        return retrying(decide)


def transfer(transfer_id: str) -> TransferRow | None:
    """Look up whether a business event has posted; one strong read."""
    return get(TransferRow, transfer_id)


def claw_back_id(award_transfer_id: str) -> str:
    """The transfer that takes an award back, once."""
    return derived_id("trf", "claw_back", award_transfer_id)


def _plan_step(kind: EntryKind, step: HoldStep, legs_of: Callable[[Legs, str], Legs]) -> Posting:
    hold = _of(step.member_id, transfer(step.hold_transfer_id))
    event = Event(
        member_id=step.member_id,
        county=hold.county,
        transfer_id=step.transfer_id,
        kind=kind,
        points=hold.points,
        source=step.source,
        now=step.now,
        request_hash=step.request_hash,
        answer=step.answer,
    )
    return planning.plan(event, lambda _, today: legs_of(hold.own_legs, today))


def _of(member_id: str, row: Table | None) -> TransferRow:
    if not isinstance(row, TransferRow) or row.member_id != member_id:
        raise NotFound("transfer.not_found")
    return row
