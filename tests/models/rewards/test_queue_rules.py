"""Hardship first, then days of waiting, then points held; nobody is overtaken by a later equal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.clock import business_day
from models.rewards import queue_rules
from models.rewards.entities import DeclineReason, QueueReason, RewardState, Supply
from models.rewards.queue_rules import Claim
from tests.models.rewards.test_life_rules import a_reward

NOON = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_claim(
    *,
    is_hardship: bool = False,
    points: int = 10,
    asked_at: datetime = NOON,
    county: str = "411503",
) -> Claim:
    return Claim(county=county, is_hardship=is_hardship, points=points, asked_at=asked_at)


claims = st.builds(
    Claim,
    county=st.just("411503"),
    is_hardship=st.booleans(),
    points=st.integers(0, 3000),
    asked_at=st.integers(0, 60 * 24 * 5).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)


def test_each_reason_outweighs_all_that_come_after_it() -> None:
    in_order = [
        a_claim(is_hardship=True, points=0, asked_at=NOON + 9 * DAY),
        a_claim(points=0, asked_at=NOON),
        a_claim(points=500, asked_at=NOON + DAY + timedelta(hours=2)),
        a_claim(points=499, asked_at=NOON + DAY),
        a_claim(points=499, asked_at=NOON + DAY + timedelta(seconds=1)),
    ]

    assert sorted(in_order[2:] + in_order[:2], key=queue_rules.rank) == in_order


@given(st.lists(claims, min_size=2, max_size=12))
def test_the_order_of_the_texts_is_the_order_of_the_reasons(found: list[Claim]) -> None:
    by_text = sorted(found, key=queue_rules.rank)

    assert by_text == sorted(
        found,
        key=lambda claim: (
            not claim.is_hardship,
            business_day(claim.asked_at),
            -claim.points,
            claim.asked_at,
        ),
    )


@given(claims, st.integers(1, 10_000))
def test_a_later_equal_never_overtakes(claim: Claim, later_minutes: int) -> None:
    later = replace(claim, asked_at=claim.asked_at + timedelta(minutes=later_minutes))

    assert queue_rules.rank(claim) < queue_rules.rank(later)


@given(claims)
def test_a_rank_tells_what_it_was_made_of(claim: Claim) -> None:
    rank = queue_rules.rank(claim)

    is_first = queue_rules.reason_of(rank) is QueueReason.HARDSHIP
    assert is_first is claim.is_hardship
    assert queue_rules.county_of(rank) == claim.county
    assert queue_rules.points_of(rank) == claim.points
    assert queue_rules.asked_at(rank) == claim.asked_at


def test_a_day_is_a_day_in_china() -> None:
    before = a_claim(points=0, asked_at=datetime(2026, 11, 30, 15, 59, tzinfo=UTC))
    after = a_claim(points=999, asked_at=datetime(2026, 11, 30, 16, 0, tzinfo=UTC))

    assert queue_rules.rank(before) < queue_rules.rank(after)


@pytest.mark.parametrize(
    ("state", "county", "waited", "reason"),
    [
        (RewardState.PUBLISHED, "c", timedelta(0), None),
        (RewardState.PAUSED, "c", timedelta(0), None),
        (RewardState.PUBLISHED, "later", timedelta(0), None),
        (RewardState.PUBLISHED, "other", timedelta(0), DeclineReason.NO_QUOTA),
        (RewardState.RETIRED, "c", timedelta(0), DeclineReason.RETIRED),
        (None, "c", timedelta(0), DeclineReason.RETIRED),
        (RewardState.PUBLISHED, "c", 90 * DAY, DeclineReason.WAITED_TOO_LONG),
        (RewardState.PUBLISHED, "c", 89 * DAY, None),
    ],
)
def test_nobody_waits_for_what_cannot_come(
    state: RewardState | None, county: str, waited: timedelta, reason: DeclineReason | None
) -> None:
    plan = Supply(
        quotas={"c": 1}, following=Supply(quotas={"c": 1, "later": 1}), following_from="2027-01"
    )
    reward = replace(a_reward(state), supply=plan) if state else None

    found = queue_rules.why_declined(
        reward, county, ends_at=NOON + queue_rules.WAIT_AT_MOST, now=NOON + waited
    )

    assert found is reason
