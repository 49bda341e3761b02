"""Builders of what two people decide about points: an office with a maker and a checker."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.alerts import outbox
from models.alerts.tables import OutboxRow
from models.base.clock import Clock
from models.base.ids import derived_id
from models.base.paging import Cursors
from models.base.store import get
from models.cases.rules import clean_text
from models.people.entities import Actor
from models.points.appeals import Appeals, Verdict
from models.points.decisions import TOPIC, Decisions
from models.points.ledger import Ledger
from models.points.proposal_rules import Decision
from models.points.proposal_tables import ProposalRow
from models.points.proposals import Proposals
from tests.support.people import People, a_request_id
from tests.support.points import COUNTY

MAKER, CHECKER = "county-maker", "county-checker"
_numbers = itertools.count(1)


def a_reference() -> str:
    """Something that happened once."""
    return f"act-{next(_numbers)}"


@dataclass
class Office:
    """The use cases on the real tables; proposals are made and checked by two posts."""

    clock: Clock
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.people = People(self.clock)
        self.proposals = Proposals(clock=self.clock)
        self.decisions = Decisions(clock=self.clock, ledger=self.ledger, tell=outbox.row)
        self.appeals = Appeals(
            clock=self.clock, cursors=Cursors(b"k" * 32), clean=clean_text, tell=outbox.row
        )

    def rider(self) -> Actor:
        """A member who signed in."""
        return self.people.sign_in().actor

    def propose(self, member_id: str, *, maker: str = MAKER, **columns: object) -> str:
        """Propose one thing; it must be taken."""
        line = {"member_id": member_id, "reference": a_reference(), **columns}
        proposed = self.proposals.propose(line, county=COUNTY, actor=maker)
        assert proposed.refused == ()
        (proposal,) = proposed.proposals
        return str(proposal["proposal_id"])

    def decide(
        self, proposal_id: str, decision: Decision = Decision.APPROVE, *, by: str = CHECKER
    ) -> Mapping[str, Any]:
        """Decide on one proposal."""
        return self.decisions.decide(proposal_id, decision, county=COUNTY, actor=by)

    def post(self, member_id: str, **columns: object) -> str:
        """Propose and approve."""
        proposal_id = self.propose(member_id, **columns)
        self.decide(proposal_id)
        return proposal_id

    def appeal(self, rider: Actor, seq: int, *, text: str = "当时我就在现场") -> str:
        """Appeal against an entry; the id that it was asked under."""
        request_id = a_request_id()
        self.appeals.appeal(rider, str(seq), text, request_id)
        return request_id

    def judge(self, rider: Actor, seq: int, verdict: Verdict, *, by: str) -> Mapping[str, Any]:
        """Decide on an appeal."""
        return self.appeals.decide(rider.member_id, seq, verdict, county=COUNTY, actor=by)


def proposal(proposal_id: str) -> ProposalRow:
    """A proposal as it stands."""
    row = get(ProposalRow, proposal_id)
    assert row is not None
    return row


def told(proposal_id: str) -> OutboxRow | None:
    """What its member is to be told of a proposal."""
    return get(OutboxRow, derived_id("out", TOPIC, proposal_id))
