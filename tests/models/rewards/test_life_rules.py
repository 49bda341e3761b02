"""From draft to retired: what leads where, what a fund must carry, when a price may rise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.errors import Conflict
from models.rewards import life_rules, supply_rules
from models.rewards.entities import ON_OFFER, Name, Reward, RewardState, Supply
from models.rewards.life_rules import By, RewardAction

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
NAME = Name(zh="理发", en="Haircut")
PUBLISHED, DRAFT = RewardState.PUBLISHED, RewardState.DRAFT


def a_reward(
    state: RewardState = PUBLISHED,
    *,
    price: int = 10,
    quota: int = 5,
    until: str | None = "2027-01",
    committed: int = 0,
) -> Reward:
    return Reward(
        reward_id="r",
        class_id="life",
        county="c",
        name=NAME,
        terms=NAME,
        price=price,
        valid_days=30,
        fulfillers=("merchant:x",),
        state=state,
        supply=Supply(quotas={"c": quota}, funded_until=until),
        committed=committed,
    )


@pytest.mark.parametrize(("state", "action"), list(product(RewardState, RewardAction)))
def test_every_pair_of_state_and_action_leads_somewhere_or_is_refused(
    state: RewardState, action: RewardAction
) -> None:
    steps = [step for step in life_rules.STEPS if (step.source, step.action) == (state, action)]

    if steps:
        assert life_rules.after(state, action, by=steps[0].by) is steps[0].target
        stranger = By.ADMIN if steps[0].by is By.SCHEDULE else By.SCHEDULE
        with pytest.raises(Conflict):
            life_rules.after(state, action, by=stranger)
        return
    with pytest.raises(Conflict, match=r"reward\.not_possible") as refusal:
        life_rules.after(state, action)
    assert refusal.value.details == {"state": state.value, "action": action.value}


def test_nothing_leads_back_from_retired_and_every_state_leads_there() -> None:
    assert not [step for step in life_rules.STEPS if step.source is RewardState.RETIRED]
    assert {step.source for step in life_rules.STEPS if step.target is RewardState.RETIRED} == (
        set(RewardState) - {RewardState.RETIRED}
    )


@pytest.mark.parametrize(
    ("state", "wanted", "reached"),
    [
        (DRAFT, DRAFT, DRAFT),
        (DRAFT, RewardState.FUNDED, RewardState.FUNDED),
        (DRAFT, PUBLISHED, PUBLISHED),
        (RewardState.FUNDED, PUBLISHED, PUBLISHED),
        (RewardState.PAUSED, PUBLISHED, RewardState.PAUSED),
        (RewardState.SOLD_OUT, PUBLISHED, RewardState.SOLD_OUT),
        (PUBLISHED, DRAFT, None),
        (RewardState.PAUSED, RewardState.FUNDED, None),
        (RewardState.RETIRED, PUBLISHED, None),
    ],
)
def test_publishing_leads_on_and_never_back(
    state: RewardState, wanted: RewardState, reached: RewardState | None
) -> None:
    if reached is None:
        with pytest.raises(Conflict, match=r"reward\.not_possible"):
            life_rules.towards(state, wanted)
    else:
        assert life_rules.towards(state, wanted) is reached


def test_a_fund_carries_every_voucher_of_the_months_to_come() -> None:
    assert life_rules.committed(None, a_reward(), now=NOW) == 10 * 5 * 3
    assert life_rules.committed(None, a_reward(until="2026-11"), now=NOW) == 50
    assert life_rules.committed(None, a_reward(DRAFT), now=NOW) == 0


def test_retiring_frees_the_months_to_come_alone() -> None:
    before = a_reward(committed=150)
    retired = replace(before, state=RewardState.RETIRED)

    assert life_rules.committed(before, retired, now=NOW) == 50
    assert life_rules.committed(a_reward(DRAFT), retired, now=NOW) == 0


def test_a_lower_price_frees_points_from_the_next_month_on() -> None:
    before = a_reward(committed=150)

    cheaper = life_rules.committed(before, replace(before, price=8), now=NOW)
    dearer = life_rules.committed(before, replace(before, price=12), now=NOW)

    assert (cheaper, dearer) == (50 + 2 * 40, 3 * 60)


@given(
    prices=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    quotas=st.lists(st.integers(1, 9), min_size=6, max_size=6),
)
def test_what_is_committed_always_covers_what_could_be_sold(
    prices: list[int], quotas: list[int]
) -> None:
    """Each month one change of price and of the next month's quota; everything is sold."""
    reward = a_reward(price=prices[0], quota=quotas[0], until="2027-06")
    reward = replace(reward, committed=life_rules.committed(None, reward, now=NOW))
    sold, now = 0, NOW

    for price, quota in zip(prices, quotas, strict=False):
        month = supply_rules.month_of(now)
        holding = supply_rules.in_month(reward.supply, month)
        dearest = max(price, reward.price)
        following = Supply(quotas={"c": quota})
        after = replace(
            reward,
            price=price,
            supply=replace(
                reward.supply,
                quotas=holding.quotas,
                following=following,
                following_from=supply_rules.month_after(month),
            ),
        )
        reward = replace(after, committed=life_rules.committed(reward, after, now=now))
        sold += dearest * holding.quotas["c"]
        now += timedelta(days=31)

    assert reward.committed >= sold


def test_a_price_may_fall_at_once_and_rise_after_ninety_days() -> None:
    locked = replace(a_reward(), price_locked_until=NOW + life_rules.PRICE_LOCKED_FOR)

    def may(price: int, days: int) -> bool:
        return life_rules.may_cost(locked, price, now=NOW + timedelta(days=days))

    assert [may(9, 0), may(10, 0), may(11, 0), may(11, 89), may(11, 90)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert life_rules.may_cost(a_reward(), 99, now=NOW)


def test_what_is_funded_is_spent_when_its_last_month_is_over() -> None:
    until_november = a_reward(until="2026-11")

    assert not life_rules.is_spent(until_november, NOW)
    assert life_rules.is_spent(until_november, NOW + timedelta(hours=8))
    assert not life_rules.is_spent(a_reward(until=None), NOW)
    assert not life_rules.is_spent(a_reward(RewardState.PAUSED, until="2026-01"), NOW)


def test_the_diagram_shows_every_step() -> None:
    drawn = life_rules.diagram()

    for step in life_rules.STEPS:
        assert f"{step.source} --> {step.target}: {step.by} {step.action}" in drawn


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_the_diagram_of_the_table(name: str) -> None:
    text = (Path(__file__).resolve().parents[3] / name).read_text(encoding="utf-8")

    assert f"```mermaid\n{life_rules.diagram()}```" in text


def test_members_know_what_is_on_offer() -> None:
    assert {PUBLISHED, RewardState.SOLD_OUT, RewardState.PAUSED} == ON_OFFER
