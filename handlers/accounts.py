"""Points and rewards, wired: the part of ``wiring`` that picks their implementations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from handlers.gateways import Gateways
from models.alerts import outbox
from models.cases.rules import clean_text
from models.points.acts import RuleBook
from models.points.appeals import Appeals
from models.points.decisions import Decisions
from models.points.exporting import Exports
from models.points.ledger import Ledger
from models.points.proposals import Proposals
from models.points.reading import Statements
from models.points.reconciliation import Reconciliation
from models.points.rule_publishing import RulePublishing
from models.points.rule_sheets import PointRules
from models.rewards import solvency_ledger
from models.rewards.allocation import Allocation
from models.rewards.catalogue import Catalogue
from models.rewards.closings import Closings
from models.rewards.codes import Codes as RewardCodes
from models.rewards.expiry import Expiry
from models.rewards.fulfilment import Fulfilment
from models.rewards.pool_imports import PoolImports
from models.rewards.pools import Pools
from models.rewards.publication import Publication
from models.rewards.redemptions import Redemptions
from models.rewards.refunds import Refunds
from models.rewards.reveals import Reveals
from models.rewards.settlements import Settlements
from models.rewards.solvency import Solvency


class Accounts(Gateways):
    """Everything that keeps points, and what they buy."""

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.point_rules.current)

    @cached_property
    def point_rules(self) -> PointRules:
        return PointRules(clock=self.clock)

    @cached_property
    def rule_publishing(self) -> RulePublishing:
        return RulePublishing(self.point_rules, guard=self.solvency)

    @cached_property
    def statements(self) -> Statements:
        return Statements(self.cursors)

    @cached_property
    def exports(self) -> Exports:
        return Exports(self.cursors)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        return Reconciliation(clock=self.clock, book=self.point_rules.current)

    @cached_property
    def proposals(self) -> Proposals:
        return Proposals(clock=self.clock)

    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(clock=self.clock, ledger=self.ledger, tell=outbox.row)

    @cached_property
    def point_appeals(self) -> Appeals:
        return Appeals(clock=self.clock, cursors=self.cursors, clean=clean_text, tell=outbox.row)

    @cached_property
    def allocation(self) -> Allocation:
        return Allocation(ledger=self.ledger, codes=self.reward_codes, pools=self.pools)

    @cached_property
    def catalogue(self) -> Catalogue:
        return Catalogue(clock=self.clock, cursors=self.cursors)

    @cached_property
    def publication(self) -> Publication:
        return Publication(self.solvency)

    @cached_property
    def reward_codes(self) -> RewardCodes:
        return RewardCodes(self.keys.derive("redemption"))

    @cached_property
    def redemptions(self) -> Redemptions:
        return Redemptions(
            clock=self.clock,
            ledger=self.ledger,
            codes=self.reward_codes,
            cursors=self.cursors,
            pools=self.pools,
        )

    @cached_property
    def pools(self) -> Pools:
        return Pools(
            seal_key=self.keys.derive("code-pool"), mark_key=self.keys.derive("code-pool-mark")
        )

    @cached_property
    def pool_imports(self) -> PoolImports:
        return PoolImports(clock=self.clock, pools=self.pools)

    @cached_property
    def reveals(self) -> Reveals:
        return Reveals(clock=self.clock, ledger=self.ledger, pools=self.pools)

    @cached_property
    def fulfilment(self) -> Fulfilment:
        return Fulfilment(clock=self.clock, ledger=self.ledger, codes=self.reward_codes)

    @cached_property
    def expiry(self) -> Expiry:
        return Expiry(ledger=self.ledger)

    @cached_property
    def closings(self) -> Closings:
        return Closings(clock=self.clock, ledger=self.ledger, publication=self.publication)

    @cached_property
    def refunds(self) -> Refunds:
        return Refunds(clock=self.clock, ledger=self.ledger)

    @cached_property
    def settlements(self) -> Settlements:
        return Settlements(clock=self.clock)

    @cached_property
    def solvency(self) -> Solvency:
        return Solvency(
            book=self._newest_rules,
            grids=self.grids_by_county,
            ledger=solvency_ledger.standing,
        )

    def grids_by_county(self) -> Mapping[str, int]:
        """The counties that have begun, with the number of their grids."""
        return Counter(grid.county for grid in self.places.grids())

    def _newest_rules(self) -> RuleBook:
        self.point_rules.forget()
        return self.point_rules.current()
