"""What a row of a sheet makes of a reward that stands, and what keeps it from that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from models.base.clock import utc_text
from models.rewards import publication_rules
from models.rewards.entities import Fund, Name, Reward, RewardState, Supply
from tests.models.rewards.test_life_rules import NOW, a_reward

DAY = timedelta(days=1)
LAST_HOUR = NOW + timedelta(hours=7, minutes=30)
"""Half an hour before the month ends in China."""
LOCKED = NOW + 90 * DAY


def standing(state: RewardState = RewardState.PUBLISHED, **changes: object) -> Reward:
    """A reward on offer, funded to January, whose price is locked."""
    reward = replace(
        a_reward(state, committed=150), fund_id="f", price_locked_until=LOCKED, published_at=NOW
    )
    return replace(reward, **changes)  # type: ignore[arg-type]


def wanted(price: int = 10, quota: int = 5, until: str | None = "2027-01") -> Reward:
    return replace(a_reward(price=price, quota=quota, until=until), fund_id="f")


def wrongs(before: Reward | None, after: Reward, *, now: object = NOW) -> list[tuple[str, str]]:
    found = publication_rules.wrongs(before, after, now=now)  # type: ignore[arg-type]
    return [(each.column, each.code) for each in found]


@pytest.mark.parametrize(
    ("until", "fits"),
    [("2026-11", True), ("2026-10", False), ("2029-11", True), ("2029-12", False), (None, True)],
)
def test_a_fund_promises_from_this_month_to_three_years_ahead(
    until: str | None, fits: bool
) -> None:
    expected = [] if fits else [("funded_until", "field.out_of_range")]

    assert wrongs(None, wanted(until=until)) == expected


def test_the_way_back_is_the_only_thing_told_of_a_row_that_goes_back() -> None:
    row = replace(wanted(price=99), county="other", state=RewardState.DRAFT)

    assert wrongs(standing(), row) == [("status", "reward.not_possible")]


def test_county_fund_and_price_of_what_is_on_offer_are_judged_together() -> None:
    row = replace(wanted(price=11), county="other", fund_id="g")

    assert wrongs(standing(), row) == [
        ("county", "reward.county_fixed"),
        ("price", "reward.price_locked"),
        ("fund_id", "reward.fund_fixed"),
    ]
    told = list(publication_rules.wrongs(standing(), row, now=NOW))
    assert [each.limit for each in told] == ["c", utc_text(LOCKED), "f"]


def test_what_is_not_on_offer_yet_is_free_but_for_its_county() -> None:
    draft = standing(RewardState.DRAFT)

    assert wrongs(draft, replace(wanted(price=99), fund_id="g")) == []
    assert wrongs(draft, replace(wanted(), county="other")) == [("county", "reward.county_fixed")]


def test_a_seeded_reward_without_a_fund_may_be_given_one() -> None:
    assert wrongs(standing(fund_id=None), wanted()) == []


def test_while_the_month_turns_a_quota_that_is_about_to_count_is_left_alone() -> None:
    pending = standing(
        supply=Supply(
            quotas={"c": 5},
            following=Supply(quotas={"c": 9}),
            following_from="2026-12",
            funded_until="2027-01",
        )
    )

    assert wrongs(pending, wanted(quota=7), now=LAST_HOUR) == [("quotas", "reward.month_turns")]
    assert wrongs(pending, wanted(quota=9), now=LAST_HOUR) == []
    assert wrongs(pending, wanted(quota=7), now=NOW) == []
    assert wrongs(standing(), wanted(quota=7), now=LAST_HOUR) == []


def test_a_first_publication_locks_the_price_and_a_draft_locks_nothing() -> None:
    new = publication_rules.published(None, wanted(), now=NOW)
    draft = publication_rules.published(None, replace(wanted(), state=RewardState.DRAFT), now=NOW)

    assert (new.published_at, new.price_locked_until, new.committed) == (NOW, LOCKED, 150)
    assert (draft.published_at, draft.price_locked_until, draft.committed) == (None, None, 0)


@pytest.mark.parametrize(("price", "until"), [(10, LOCKED), (8, LOCKED + DAY), (12, LOCKED + DAY)])
def test_each_new_price_stands_for_ninety_days_again(price: int, until: object) -> None:
    after = publication_rules.published(standing(), wanted(price=price), now=NOW + DAY)

    assert after.price_locked_until == until
    assert after.published_at == NOW


def test_a_new_quota_waits_and_a_new_end_does_not() -> None:
    same = publication_rules.published(standing(), wanted(until="2027-03"), now=NOW)
    other = publication_rules.published(standing(), wanted(quota=7), now=NOW)
    late = publication_rules.published(standing(), wanted(quota=7), now=LAST_HOUR)

    assert same.supply == Supply(quotas={"c": 5}, funded_until="2027-03")
    assert other.supply.quotas == {"c": 5}
    assert other.supply.following == Supply(quotas={"c": 7})
    assert (other.supply.following_from, late.supply.following_from) == ("2026-12", "2027-01")


@pytest.mark.parametrize(
    ("state", "until", "reached"),
    [
        (RewardState.SOLD_OUT, "2026-12", RewardState.PUBLISHED),
        (RewardState.SOLD_OUT, "2026-11", RewardState.PUBLISHED),
        (RewardState.SOLD_OUT, None, RewardState.PUBLISHED),
        (RewardState.SOLD_OUT, "2026-10", RewardState.SOLD_OUT),
        (RewardState.PAUSED, "2026-12", RewardState.PAUSED),
    ],
)
def test_what_is_sold_out_comes_back_with_a_month_and_what_is_paused_stays(
    state: RewardState, until: str | None, reached: RewardState
) -> None:
    after = publication_rules.published(standing(state), wanted(until=until), now=NOW)

    assert after.state is reached


def test_what_the_seed_invented_stays_marked_as_such() -> None:
    assert publication_rules.published(standing(synthetic=True), wanted(), now=NOW).synthetic


def test_value_moves_with_price_quota_and_whatever_is_new() -> None:
    before = standing()

    def moves(after: Reward, first: Reward | None = before) -> bool:
        return publication_rules.moves_value(first, after)

    assert moves(replace(before, price=9))
    assert moves(replace(before, supply=Supply(quotas={"c": 6})))
    assert moves(before, None)
    assert moves(before, standing(RewardState.FUNDED))
    assert not moves(replace(before, valid_days=60))
    assert not moves(replace(before, state=RewardState.DRAFT), None)


def test_a_fund_is_drawn_by_the_difference_alone() -> None:
    before = {"a": standing(committed=100), "b": standing(fund_id=None, committed=0)}
    after = {
        "a": standing(committed=130),
        "b": standing(fund_id="g", committed=50),
        "new": standing(fund_id="f", committed=7),
        "none": standing(fund_id=None, committed=0),
        "same": standing(fund_id="h", committed=0),
    }

    assert publication_rules.drawn(before, after) == {"f": 37, "g": 50}
    name = Name(zh="资金", en="Fund")
    fund = Fund(fund_id="f", county="c", name=name, points_cap=100, committed=30)
    assert publication_rules.room(fund) == 70
