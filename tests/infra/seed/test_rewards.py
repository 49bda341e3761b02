"""What the seed puts on the shelf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.engine import Engine
from infra.local.seed import rewards, roster
from models.base.store import get
from models.base.tables import Database, use_database
from models.points.rule_sheets import first_book
from models.rewards.solvency import Solvency
from models.rewards.solvency_ledger import Ledger
from models.rewards.tables import RewardRow
from tests.support.categories import own_tables


@pytest.fixture
def own_shelf(database: Database, engine: Engine) -> Iterator[Services]:
    """A shelf of this test's alone: the guard sees everything that is on offer."""
    own = own_tables(
        engine.url,
        "entitlement-classes",
        "merchants",
        "rewards",
        "funds",
        "solvency-plan",
    )
    yield Services(Settings(dynamodb_url=engine.url, table_prefix=own.prefix))
    use_database(database)


def test_each_county_has_a_reward_of_every_class_and_a_haircut_for_ten_points() -> None:
    for county in roster.COUNTIES:
        own = [reward for reward in rewards.rewards() if reward.county == county]

        assert Counter(r.class_id for r in own) == Counter(c.class_id for c in rewards.CLASSES)
        haircut = next(reward for reward in own if reward.name.zh.startswith("理发"))
        assert (haircut.price, haircut.valid_days) == (10, 30)


def test_nothing_crosses_a_countys_border() -> None:
    county_by_place = {f"merchant:{m.merchant_id}": m.county for m in rewards.merchants()}

    for reward in rewards.rewards():
        merchants = [place for place in reward.fulfillers if place.startswith("merchant:")]
        assert {county_by_place[place] for place in merchants} == {reward.county}


def test_a_voucher_lasts_thirty_days_and_for_a_health_check_sixty() -> None:
    days = {(reward.class_id == "health", reward.valid_days) for reward in rewards.rewards()}

    assert days == {(True, 60), (False, 30)}


def test_every_invented_row_says_so() -> None:
    assert all(row.synthetic for row in (*rewards.rewards(), *rewards.merchants()))


def test_what_is_planted_passes_the_guard_with_the_rules_that_come_with_the_code(
    own_shelf: Services,
) -> None:
    rewards.plant(own_shelf)
    guard = Solvency(
        book=first_book,
        grids=lambda: dict.fromkeys(roster.COUNTIES, 20),
        ledger=lambda _: Ledger(totals={}),
    )

    judgement = guard.standing(own_shelf.clock.now())

    assert judgement.violated == ()
    assert {reach.county for reach in judgement.verdict.reaches} == set(roster.COUNTIES)
    worst = max(end.liability for end in judgement.verdict.months)
    assert worst < 160_000 < 280_000 < judgement.verdict.months[0].stock


def test_planting_twice_changes_nothing_and_a_changed_price_is_one_row(database: Database) -> None:
    services = Services(Settings(dynamodb_url=str(database.endpoint_url)))
    rewards.plant(services)
    haircut = rewards.rewards()[0]
    RewardRow(haircut.reward_id).update(actions=[RewardRow.price.set(11)])
    RewardRow(haircut.reward_id).update(actions=[RewardRow.quotas.set({haircut.county: 3})])

    again, last = rewards.plant(services), rewards.plant(services)

    row = get(RewardRow, haircut.reward_id)
    assert (again, last) == (1, 0)
    assert row is not None
    assert (row.price, row.quotas) == (10, {haircut.county: 3})
