"""A merchant failed a rider who had handed his voucher in: two people give the points back.

One proposes with a reason, another approves. The proposal stands on the redemption, so that
proposing, undoing and approving are decided by the same condition on its version.
"""

from __future__ import annotations

import logging

from models.alerts import outbox
from models.base.clock import Clock
from models.base.errors import Conflict, Forbidden
from models.base.store import Stale, retrying, update_if
from models.people import links
from models.points.ledger import Ledger
from models.points.proposal_rules import Person, read_person
from models.rewards import rules
from models.rewards.changes import Command, flip, known
from models.rewards.entities import Action, Outcome, RefundReason, State
from models.rewards.payloads import payload_of
from models.rewards.tables import RedemptionRow

log = logging.getLogger(__name__)

TOPIC = "redemption.refunded"
CONSOLE = "console"


class Refunds:
    """What admins do. Every command may be repeated.

    ``actor`` is the opaque name of who acts, read as for proposals about points: no two spellings
    are two people, and who gives a member's id or a phone's key refunds nothing to himself or to
    those close to him. Each raises ``Invalid`` (field ``actor``).
    """

    def __init__(self, *, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger

    def propose(self, redemption_id: str, *, reason: RefundReason, actor: str) -> None:
        """Ask for a refund of what was handed over. One write.

        Raises ``NotFound``, ``Conflict`` as ``rules.after`` says, and
        ``redemption.refund_proposed`` when there is another proposal; ``Forbidden``
        (``proposal.own_account``).
        """
        maker = read_person(actor)
        retrying(lambda: self._propose(redemption_id, reason, maker))
        log.info("refund.proposed", extra=_facts(redemption_id, maker))

    def decline(self, redemption_id: str, *, actor: str) -> None:
        """Drop a proposal, one's own or another's; nothing when there is none."""
        decliner = read_person(actor)
        retrying(lambda: self._decline(redemption_id))
        log.info("refund.declined", extra=_facts(redemption_id, decliner))

    def approve(self, redemption_id: str, *, actor: str) -> Outcome:
        """Refund what another proposed: the points go back into the buckets they came from.

        A bucket that is past goes on for a month of grace; the member's place under the reward's
        limit is free again; stock is not given back, for the thing left the shelf. The rider is
        told. Raises as ``propose`` does, ``Conflict("redemption.refund_not_proposed")``, and
        ``Forbidden`` (``redemption.refund_own_proposal``, ``proposal.own_account``).
        """
        checker = read_person(actor)
        outcome = retrying(lambda: self._approve(redemption_id, checker))
        log.info("refund.approved", extra=_facts(redemption_id, checker))
        return outcome

    def _propose(self, redemption_id: str, reason: RefundReason, maker: Person) -> None:
        now, row = self._clock.now(), known(redemption_id)
        rules.after(row.entity(), Action.REFUND, now=now)
        if row.refund_asked_by is not None:
            if (row.refund_asked_by, row.refund_reason) == (maker.name, reason.value):
                return
            raise Conflict("redemption.refund_proposed", reason=row.refund_reason)
        _require_other(maker, row)
        changes = [
            RedemptionRow.version.set(row.version + 1),
            RedemptionRow.refund_reason.set(reason.value),
            RedemptionRow.refund_asked_by.set(maker.name),
            RedemptionRow.refund_asked_at.set(now),
        ]
        if not update_if(row, changes, RedemptionRow.version == row.version):
            raise Stale

    def _decline(self, redemption_id: str) -> None:
        row = known(redemption_id)
        if row.refund_asked_by is None or row.state != State.FULFILLED.value:
            return
        changes = [
            RedemptionRow.version.set(row.version + 1),
            RedemptionRow.refund_reason.remove(),
            RedemptionRow.refund_asked_by.remove(),
            RedemptionRow.refund_asked_at.remove(),
        ]
        if not update_if(row, changes, RedemptionRow.version == row.version):
            raise Stale

    def _approve(self, redemption_id: str, checker: Person) -> Outcome:
        now, row = self._clock.now(), known(redemption_id)
        command = Command(
            action=Action.REFUND,
            member_id=CONSOLE,
            request=redemption_id,
            redemption=row.entity(),
        )
        earlier = command.earlier()
        if earlier is not None:
            return earlier
        state = rules.after(command.redemption, Action.REFUND, now=now)
        if row.refund_asked_by is None:
            raise Conflict("redemption.refund_not_proposed")
        if row.refund_asked_by == checker.name:
            raise Forbidden("redemption.refund_own_proposal")
        _require_other(checker, row)
        payload = {**payload_of(row, now), "reason": row.refund_reason}
        event = outbox.row(TOPIC, redemption_id, row.county, payload, now)
        posting = command.plan(self._ledger, state, now)
        flip(row, state, posting, now=now, decided_by=checker.name, events={"outbox": event})
        return command.outcome(state, now)


def _require_other(person: Person, row: RedemptionRow) -> None:
    if links.is_close(person.given, row.member_id):
        raise Forbidden("proposal.own_account")


def _facts(redemption_id: str, person: Person) -> dict[str, str]:
    return {"redemption_id": redemption_id, "actor": person.name}
