"""Plan an award: the rule of the act's day, the caps of its month, a campaign's budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base.clock import business_day
from models.points import acts, budgets, caps, rules
from models.points.acts import TOTALS, Grant, RuleBook
from models.points.budgets import BudgetChange
from models.points.cap_tables import BudgetRow, CapRow
from models.points.caps import CapChange
from models.points.entities import Accounts, Act, EntryKind, Legs, Rule
from models.points.planning import Build, Key, decided, posted_before, read
from models.points.posting import Event, Posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What is to be given, to whom and for what; see ``Ledger.plan_award``."""

    member_id: str
    county: str
    transfer_id: str
    act: Act
    now: datetime
    matures_at: datetime | None
    source: Mapping[str, Any]


def plan(book: RuleBook, award: Award) -> Posting:
    """Plan an award with its limits; one read call, of four rows at most but for a split week."""
    act, day = award.act, business_day(award.act.at)
    rule, totals = book.at(act.rule, act.at), book.at(TOTALS, act.at)
    months, budget = caps.months_of(rule, day), budgets.key_of(rule, act, day)
    beside: list[Key] = [(CapRow, (award.member_id, month)) for month in months]
    if budget is not None:
        beside.append((BudgetRow, budget))
    wallet, posted, rows = read(award.member_id, award.transfer_id, beside)
    if posted is not None:
        return posted_before(posted, award.member_id, None)
    left = budgets.left(rows[-1], rule) if budget is not None else None
    granted = acts.grant(rule, totals, act, caps.used(rows, rule.group, day), left)
    inputs = acts.inputs_of(act, rule, totals, granted, day)
    posting = decided(_event(award, rule, granted, inputs), wallet, _build(award, rule, granted))
    changes: dict[str, CapChange | BudgetChange | None] = {
        "caps": caps.counted(rows[0], award.member_id, act, rule, granted, day),
        "budget": budgets.taken(budget, rule, granted.granted) if budget is not None else None,
    }
    return posting.with_beside({name: one for name, one in changes.items() if one is not None})


def _event(award: Award, rule: Rule, granted: Grant, inputs: Mapping[str, Any]) -> Event:
    return Event(
        member_id=award.member_id,
        county=award.county,
        transfer_id=award.transfer_id,
        kind=EntryKind.AWARD,
        rule=rule.id,
        points=granted.granted,
        gross=granted.gross,
        limit=granted.limit,
        counted=award.act.counted,
        source={**award.source, "inputs": inputs},
        now=award.now,
    )


def _build(award: Award, rule: Rule, granted: Grant) -> Build:
    due = business_day(award.matures_at) if award.matures_at else None

    def build(accounts: Accounts, today: str) -> Legs:
        return rules.award(
            accounts,
            points=granted.granted,
            rule=rule.id,
            month=rules.expiry_month(today),
            day=due if due and due > today else None,
        )

    return build
