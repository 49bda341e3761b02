"""How a month's quota is parted, and from when another one counts."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from models.rewards import supply_rules as supply
from models.rewards.entities import Supply

MONTH = "2026-11"


@given(amount=st.integers(0, 500), count=st.integers(1, 40))
def test_the_shards_hold_the_quota_together_and_none_holds_nothing(amount: int, count: int) -> None:
    found = supply.shards(Supply(quotas={"c": amount}, shards=count), "c", MONTH)

    caps = [shard.cap for shard in found]
    assert sum(caps) == amount
    assert all(cap >= 1 for cap in caps)
    assert len({shard.name for shard in found}) == len(found) == min(amount, count)
    assert not caps or max(caps) - min(caps) <= 1


@given(count=st.integers(1, 16), key=st.text(max_size=20))
def test_every_shard_is_tried_once_whoever_begins_where(count: int, key: str) -> None:
    found = supply.shards(Supply(quotas={"c": 100}, shards=count), "c", MONTH)

    assert sorted(supply.in_turn(found, key), key=found.index) == list(found)
    assert supply.in_turn((), key) == ()


def test_takers_begin_at_different_shards() -> None:
    found = supply.shards(Supply(quotas={"c": 100}, shards=4), "c", MONTH)

    firsts = [supply.in_turn(found, f"red_{number}")[0].name for number in range(400)]

    assert all(60 <= firsts.count(shard.name) <= 140 for shard in found)


def test_a_county_has_its_own_quota_and_a_month_its_own_rows() -> None:
    both = Supply(quotas={"a": 1, "b": 2})

    assert [supply.quota(both, county, MONTH) for county in ("a", "b", "c")] == [1, 2, 0]
    names = {
        supply.shards(both, county, month)[0].name
        for county in ("a", "b")
        for month in (MONTH, "2026-12")
    }
    assert len(names) == 4


def test_a_new_quota_counts_from_its_month_on() -> None:
    changed = Supply(
        quotas={"c": 5},
        following=Supply(quotas={"c": 9}, shards=3),
        following_from="2027-01",
        funded_until="2027-02",
    )

    found = [supply.quota(changed, "c", f"2026-{n}") for n in (11, 12)]
    later = [supply.quota(changed, "c", f"2027-0{n}") for n in (1, 2, 3)]

    assert (found, later) == ([5, 5], [9, 9, 0])
    assert len(supply.shards(changed, "c", "2027-01")) == 3
    assert supply.counties(changed, "2027-03") == {}


def test_a_month_begins_at_midnight_in_china() -> None:
    last = datetime(2026, 11, 30, 15, 59, 59, 999000, tzinfo=UTC)

    assert supply.month_of(last) == "2026-11"
    assert supply.month_of(datetime(2026, 11, 30, 16, 0, tzinfo=UTC)) == "2026-12"


def test_in_a_months_last_hour_a_change_waits_for_the_month_after() -> None:
    before = datetime(2026, 11, 30, 14, 59, tzinfo=UTC)

    assert supply.changes_from(before) == "2026-12"
    assert supply.changes_from(datetime(2026, 11, 30, 15, 0, tzinfo=UTC)) == "2027-01"


def test_who_has_no_county_yet_takes_from_the_rewards_own() -> None:
    both = Supply(quotas={"a": 1}, following=Supply(quotas={"b": 1}), following_from="2027-01")

    assert supply.county_for(both, own=None, home="a") == "a"
    assert supply.county_for(both, own="b", home="a") == "b"
    assert supply.county_for(both, own="c", home="a") is None
