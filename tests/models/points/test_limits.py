"""What caps and budgets read and write, row by row: their edges, and how long they are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.base.clock import CHINA
from models.base.ids import new_id
from models.base.store import get
from models.base.tables import Database
from models.points import acts, budgets, caps
from models.points.acts import TOTALS, RuleBook, Used
from models.points.cap_tables import BudgetRow, CapRow
from models.points.entities import Act, Rule
from models.points.ledger import Ledger
from models.points.posting import Posting
from models.points.reading import balances
from tests.support.points import COUNTY, a_member_id

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
TOTAL = Rule(rule=TOTALS, version=1, points=0, per_day=10, per_month=10)
TIGHT = Rule(rule="tight", version=1, points=10, per_day=1, per_week=1, per_month=1)
PAID = Rule(
    rule="paid", version=1, points=10, per_week=2, campaign="spring", budget_per_grid_day=15
)


def _award(rule: Rule, member_id: str, act: Act, *, matures_at: datetime | None = None) -> Posting:
    book = RuleBook({TOTALS: (TOTAL,), rule.rule: (rule,)})
    ledger, transfer_id = Ledger(lambda: book), new_id("trf")
    return ledger.post(
        lambda: ledger.plan_award(
            member_id=member_id,
            county=COUNTY,
            transfer_id=transfer_id,
            act=act,
            now=NOW,
            matures_at=matures_at,
            source={"case_id": "case_1"},
        )
    )


def _row(**values: object) -> CapRow:
    return CapRow("mem_1", "2026-03", **{"version": 1, "points": {}, "acts": {}, **values})


def test_the_first_act_of_all_is_within_caps_of_one() -> None:
    granted = acts.grant(TIGHT, TOTAL, Act(rule="tight", at=NOW), Used())

    assert (granted.gross, granted.granted, granted.units, granted.limit) == (10, 10, 1, None)


@pytest.mark.parametrize("rows", [[], [None], [_row(acts={"other": {"18": 2}})]])
def test_who_has_had_nothing_has_used_nothing(rows: list[CapRow | None]) -> None:
    assert caps.used(rows, "mine", "2026-03-18") == Used(
        day=0, week=0, month=0, points_day=0, points_month=0
    )


def test_what_was_used_is_counted_by_day_week_and_month() -> None:
    row = _row(points={"17": 3, "18": 4, "02": 5}, acts={"mine": {"17": 1, "18": 2, "02": 4}})

    assert caps.used([row], "mine", "2026-03-18") == Used(
        day=2, week=3, month=7, points_day=4, points_month=12
    )
    assert caps.used([row], "mine", "2026-03-19") == Used(
        day=0, week=3, month=7, points_day=0, points_month=12
    )


@pytest.mark.parametrize(
    ("day", "months"),
    [
        ("2026-03-18", ["2026-03"]),
        ("2026-04-01", ["2026-04", "2026-03"]),
        ("2026-03-31", ["2026-03", "2026-04"]),
    ],
)
def test_a_cap_of_the_week_needs_the_months_that_the_week_lies_in(
    day: str, months: list[str]
) -> None:
    assert caps.months_of(TIGHT, day) == months


def test_without_a_cap_of_the_week_its_own_month_is_enough() -> None:
    rule = Rule(rule="daily", version=1, points=1, per_day=1)

    assert caps.months_of(rule, "2026-04-01") == ["2026-04"]


@pytest.mark.parametrize(
    ("campaign", "budget", "key"),
    [
        ("spring", 15, ("spring", "g1#2026-03-18")),
        ("spring", None, None),
        (None, 15, None),
        (None, None, None),
    ],
)
def test_a_budget_needs_a_campaign_and_an_amount(
    campaign: str | None, budget: int | None, key: tuple[str, str] | None
) -> None:
    rule = Rule(rule="paid", version=1, points=10, campaign=campaign, budget_per_grid_day=budget)
    act = Act(rule="paid", at=NOW, grid_id="g1")

    assert budgets.key_of(rule, act, "2026-03-18") == key
    kept = acts.inputs_of(act, rule, TOTAL, acts.grant(rule, TOTAL, act, Used()), "2026-03-18")
    assert ("campaign" in kept, "grid" in kept) == (key is not None, key is not None)


def test_a_severity_is_kept_where_the_rule_has_a_bonus_for_it() -> None:
    plain, urgent = TIGHT, Rule(rule="u", version=1, points=10, urgent_bonus=5)
    act = Act(rule="u", at=NOW, severity="A")

    def kept(rule: Rule, act: Act) -> dict[str, object]:
        return acts.inputs_of(act, rule, TOTAL, acts.grant(rule, TOTAL, act, Used()), "2026-03-18")

    assert kept(urgent, act)["severity"] == "A"
    assert "severity" not in kept(plain, act)
    assert "severity" not in kept(urgent, Act(rule="u", at=NOW))


def test_a_budget_is_read_beside_both_months_of_a_week_and_kept_for_430_days(
    database: Database,
) -> None:
    at, grid = datetime(2026, 4, 1, 2, 0, tzinfo=UTC), new_id("grid")
    members = [a_member_id() for _ in range(3)]

    granted = [
        _award(PAID, member, Act(rule="paid", at=at, grid_id=grid)).points for member in members
    ]

    assert granted == [10, 5, 0]
    budget = get(BudgetRow, "spring", f"{grid}#2026-04-01")
    month = get(CapRow, members[0], "2026-04")
    assert budget is not None
    assert month is not None
    assert (budget.rem, budget.cap) == (0, 15)
    ends = datetime(2026, 4, 1, tzinfo=CHINA) + timedelta(days=430)
    assert (budget.ttl, month.ttl) == (int(ends.timestamp()), int(ends.timestamp()))


def test_an_award_that_matures_today_is_available_at_once(database: Database) -> None:
    member_id = a_member_id()

    _award(TIGHT, member_id, Act(rule="tight", at=NOW), matures_at=NOW + timedelta(hours=1))

    found = balances(member_id, NOW)
    assert (found.available, found.pending) == (10, 0)


def test_a_week_is_from_monday_to_sunday() -> None:
    days = {"15": 1, "16": 2, "22": 4, "23": 8}

    assert caps.used([_row(acts={"mine": days})], "mine", "2026-03-18").week == 6


def test_what_completes_an_award_is_no_new_act_but_its_points_count() -> None:
    act = Act(rule="tight", at=NOW, paid=4, counted=True)
    grant = acts.grant(TIGHT, TOTAL, act, Used(day=1))

    changed = caps.counted(None, "mem_1", act, TIGHT, grant, "2026-03-18")

    assert changed is not None
    assert (grant.granted, changed.points, changed.acts) == (6, {"18": 6}, {})


def test_an_award_of_nothing_changes_no_cap() -> None:
    act = Act(rule="tight", at=NOW)
    grant = acts.grant(TIGHT, TOTAL, act, Used(day=1))

    assert grant.granted == 0
    assert caps.counted(None, "mem_1", act, TIGHT, grant, "2026-03-18") is None
