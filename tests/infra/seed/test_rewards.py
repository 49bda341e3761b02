"""What the seed puts on the shelf."""

from __future__ import annotations

from collections import Counter

from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.seed import rewards, roster
from models.base.store import get
from models.base.tables import Database
from models.rewards.tables import RewardRow


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
