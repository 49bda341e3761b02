"""A rule and a quota are each fine alone and insolvent together: one of them is judged again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.engine import Engine
from models.base.clock import FixedClock
from models.base.errors import Conflict
from models.base.tables import Database, _shared, use_database
from models.points import rule_publishing
from models.points.entities import Rule
from models.points.rule_publishing import RulePublishing
from models.points.rule_sheets import PointRules, read_book
from models.rewards import publishing
from models.rewards.entities import EntitlementClass, Fund, Merchant, Name, Reward
from models.rewards.judging import Draft, Report
from models.rewards.publication import Publication
from models.rewards.solvency import Judgement, Solvency
from models.rewards.solvency_ledger import Ledger
from tests.support.categories import own_tables
from tests.support.economies import SHELF, WEST

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
DOUBLED = {"rule": "report.first", "points": 20, "urgent_bonus": 20}
FEWER = 27
"""Health checks a month: enough for the rules as they are, too few for a doubled report."""


class Interrupted(Solvency):
    """A guard beside which something else happens once, after it has judged."""

    def __init__(self, meanwhile: Callable[[], object] | None = None) -> None:
        super().__init__(
            book=read_book, grids=lambda: {WEST: 20}, ledger=lambda _: Ledger(totals={})
        )
        self._meanwhile = [meanwhile] if meanwhile else []
        self.asked = 0

    def of_rules(self, drafts: Sequence[Rule], now: datetime) -> Judgement:
        return self._interrupted(super().of_rules(drafts, now))

    def of_rewards(
        self, rewards: Sequence[Reward], funds: Sequence[Fund], now: datetime
    ) -> Judgement:
        return self._interrupted(super().of_rewards(rewards, funds, now))

    def _interrupted(self, judgement: Judgement) -> Judgement:
        self.asked += 1
        if self._meanwhile:
            self._meanwhile.pop()()
        return judgement


def publish_rule(guard: Solvency) -> rule_publishing.Report:
    publication = rule_publishing.Publication(
        rules=[DOUBLED], actor="city", effective_from=NOW + timedelta(minutes=5)
    )
    rules = RulePublishing(PointRules(clock=FixedClock(NOW)), guard)
    return rules.publish(publication, NOW, dry_run=False)


def a_row(name: str, price: int, quota: int) -> dict[str, str]:
    return {
        "reward_id": f"{WEST}-{name}",
        "class_id": "everyday",
        "county": WEST,
        "name_zh": "权益",
        "name_en": "Reward",
        "terms_zh": "到店出示",
        "terms_en": "Show it",
        "price": str(price),
        "valid_days": "30",
        "fulfillers": "merchant:m",
        "fund_id": "fund",
        "quotas": f"{WEST}={quota}",
        "funded_until": "2028-12",
    }


def publish_rewards(guard: Solvency, *rows: dict[str, str]) -> Report:
    draft = Draft(actor="city", rewards=rows, counties={WEST})
    return Publication(guard).publish(draft, NOW, dry_run=False)


def publish_quota(guard: Solvency) -> Report:
    return publish_rewards(guard, a_row("health", 200, FEWER))


@pytest.fixture(autouse=True)
def shelf(database: Database, engine: Engine) -> Iterator[None]:
    """A county with a sound shelf, and nobody else's."""
    before = _shared.database
    assert isinstance(before, Database)
    own_tables(
        engine.url,
        "entitlement-classes",
        "merchants",
        "rewards",
        "funds",
        "point-rules",
        "solvency-plan",
    )
    publishing.put_classes(
        [EntitlementClass(class_id="everyday", name=Name(zh="生活", en="Everyday"), position=1)]
    )
    publishing.put_merchants(
        [Merchant(merchant_id="m", county=WEST, name="店", address="街", lon=114.0, lat=32.1)]
    )
    publishing.put_funds(
        [
            Fund(
                fund_id="fund",
                county=WEST,
                name=Name(zh="关爱基金", en="Fund"),
                points_cap=10**6,
            )
        ]
    )
    report = publish_rewards(Interrupted(), *(a_row(*item) for item in SHELF))
    assert (report.wrong, report.clauses) == ((), ())
    yield
    use_database(before)


def test_either_is_published_alone() -> None:
    dry = Publication(Interrupted()).publish(
        Draft(actor="city", rewards=[a_row("health", 200, FEWER)], counties={WEST}),
        NOW,
        dry_run=True,
    )

    assert (dry.wrong, dry.clauses) == ((), ())
    assert dry.year is not None
    assert {end.stock for end in dry.year.months} == {172_800}
    assert publish_rule(Interrupted()).versions == {"report.first": 2}


def test_a_rule_is_judged_again_after_a_quota_was_cut_beside_it() -> None:
    guard = Interrupted(lambda: publish_quota(Interrupted()))

    with pytest.raises(Conflict, match=r"solvency\.refused") as refused:
        publish_rule(guard)

    (clause,) = refused.value.details["clauses"]
    assert (clause["code"], clause["stock"], guard.asked) == ("solvency.uncovered", 172_800, 2)
    assert [one.version for one in read_book().versions["report.first"]] == [1]


def test_a_quota_is_judged_again_after_a_rule_was_raised_beside_it() -> None:
    guard = Interrupted(lambda: publish_rule(Interrupted()))

    report = publish_quota(guard)

    assert [wrong.code for wrong in report.wrong] == ["solvency.refused"]
    assert [clause["code"] for clause in report.clauses] == ["solvency.uncovered"]
    assert guard.asked == 2
    assert [one.version for one in read_book().versions["report.first"]] == [1, 2]


def test_a_plan_for_more_members_beside_it_is_noticed_too() -> None:
    planner = Interrupted()
    guard = Interrupted(lambda: planner.plan({WEST: 750}, actor="city", now=NOW))

    report = publish_quota(guard)

    assert [clause["code"] for clause in report.clauses] == ["solvency.uncovered"]
    assert guard.asked == 2
