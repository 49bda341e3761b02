"""The guard reads what stands, judges what is to come, and lets one publication in at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.engine import Engine
from models.base.errors import Conflict
from models.base.store import Refused, Stale, Transaction, get, retrying
from models.base.tables import Database, _shared, use_database
from models.points.acts import RuleBook
from models.points.checkpoint_tables import ROOT, RootRow
from models.points.entities import Rule
from models.points.rule_sheets import first_book
from models.rewards import publishing, solvency_ledger
from models.rewards.entities import (
    Eligibility,
    Fund,
    Limit,
    Name,
    Reward,
    RewardState,
    Supply,
)
from models.rewards.solvency import Judgement, Solvency
from models.rewards.solvency_entities import Broken
from models.rewards.solvency_ledger import Ledger
from models.rewards.solvency_tables import PLAN, PlanRow
from models.rewards.tables import RewardRow
from tests.support.categories import own_tables
from tests.support.economies import EAST, SHELF, WEST

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_shelf(database: Database, engine: Engine) -> Iterator[None]:
    """A shelf of this test's alone: the guard sees everything that is on offer."""
    before = _shared.database
    assert isinstance(before, Database)
    own_tables(engine.url, "rewards", "funds", "solvency-plan", "point-roots", "entries")
    yield
    use_database(before)


def a_reward(name: str, price: int, quota: int, county: str = WEST, **other: Any) -> Reward:
    return replace(
        Reward(
            reward_id=f"{county}-{name}",
            class_id="everyday",
            county=county,
            name=Name(zh="权益", en="Reward"),
            terms=Name(zh="到店出示", en="Show it"),
            price=price,
            valid_days=30,
            fulfillers=("merchant:m",),
            fund_id=f"{county}-fund",
            supply=Supply(quotas={county: quota}),
        ),
        **other,
    )


def a_fund(county: str = WEST, points: int = 250_000) -> Fund:
    return Fund(
        fund_id=f"{county}-fund",
        county=county,
        name=Name(zh="关爱基金", en="Fund"),
        points_cap=points,
    )


def a_shelf(county: str = WEST, points: int = 250_000) -> tuple[Reward, ...]:
    """A sound county on the shelf."""
    publishing.put_funds([a_fund(county, points)])
    rewards = tuple(a_reward(name, price, quota, county) for name, price, quota in SHELF)
    publishing.publish(rewards)
    return rewards


def a_guard(
    *,
    book: RuleBook | None = None,
    totals: dict[str, int] | None = None,
    counties: int = 1,
    issued: int = 0,
) -> Solvency:
    grids = dict.fromkeys((WEST, EAST)[:counties], 20)
    return Solvency(
        book=lambda: book or first_book(),
        grids=lambda: grids,
        ledger=lambda _: Ledger(totals=totals or {}, issued=issued),
    )


def a_draft(rule: str = "report.first", **changed: Any) -> Rule:
    (first,) = first_book().versions[rule]
    return replace(first, version=2, effective_from=NOW + timedelta(minutes=5), **changed)


def codes(judgement: Judgement) -> set[Broken]:
    return {clause.code for clause in judgement.violated}


def test_the_shipped_rules_with_a_sound_shelf_pass_and_show_every_month() -> None:
    a_shelf()

    judgement = a_guard().standing(NOW)

    assert judgement.violated == ()
    assert [end.month for end in judgement.verdict.months][::11] == ["2026-11", "2027-10"]
    assert judgement.members == {WEST: 600}
    judgement.require()


def test_a_dearer_rule_is_refused_with_every_clause_and_its_figures() -> None:
    a_shelf(points=160_000)
    drafts = [a_draft(points=60), a_draft("station.check_in", points=0)]

    with pytest.raises(Conflict, match=r"solvency\.refused") as refused:
        a_guard().of_rules(drafts, NOW).require()

    clauses = refused.value.details["clauses"]
    assert [clause["code"] for clause in clauses] == [
        "solvency.uncovered",
        "solvency.unreachable",
    ]
    assert clauses[0]["short"] == clauses[0]["liability"] - clauses[0]["stock"] > 0


def test_a_rule_that_costs_less_passes_although_the_city_is_not_covered_yet() -> None:
    guard = a_guard()

    assert codes(guard.standing(NOW)) == {Broken.UNCOVERED, Broken.EMPTY}
    assert codes(guard.of_rules([a_draft(points=5)], NOW)) == set()
    assert codes(guard.of_rules([a_draft(points=15)], NOW)) == {Broken.UNCOVERED}


def test_a_campaign_counts_in_its_months_alone() -> None:
    a_shelf(points=160_000)
    begins = NOW + timedelta(days=40)
    double = a_draft(points=20, urgent_bonus=20)
    short = replace(double, effective_from=begins, effective_to=begins + timedelta(days=20))

    assert codes(a_guard().of_rules([double], NOW)) == {Broken.UNCOVERED}
    assert codes(a_guard().of_rules([short], NOW)) == set()


def test_the_year_begins_when_the_draft_takes_effect() -> None:
    late = replace(a_draft(points=60), effective_from=NOW + timedelta(days=300))

    judgement = a_guard().of_rules([late], NOW)

    assert judgement.verdict.months[0].month == "2027-09"


def test_a_dearer_price_and_a_smaller_quota_are_refused() -> None:
    haircut, reading, *_ = a_shelf()
    guard = a_guard()
    cut = replace(haircut, supply=Supply(quotas={WEST: 10}))

    assert codes(
        guard.of_rewards([replace(haircut, price=25), replace(reading, price=30)], (), NOW)
    ) == {Broken.UNREACHABLE}
    assert codes(guard.of_rewards([cut], (), NOW)) == {Broken.SCARCE}
    assert codes(guard.of_rewards([replace(haircut, price=9)], (), NOW)) == set()


def test_a_change_that_waits_for_next_month_is_what_counts() -> None:
    haircut, *_ = a_shelf()
    later = Supply(
        quotas={WEST: 200},
        following=Supply(quotas={WEST: 10}),
        following_from="2026-12",
    )

    assert codes(a_guard().of_rewards([replace(haircut, supply=later)], (), NOW)) == {Broken.SCARCE}


def test_what_is_not_on_offer_or_not_for_everybody_brings_nobody_nearer() -> None:
    haircut, reading, *_ = a_shelf()
    closed: list[dict[str, Any]] = [
        {"state": RewardState.PAUSED},
        {"needs_approval": True},
        {"eligibility": Eligibility(member_days=90)},
        {"supply": Supply(quotas={WEST: 200}, funded_until="2026-10")},
    ]

    for change in closed:
        drafts = [replace(haircut, **change), replace(reading, **change)]
        assert Broken.UNREACHABLE in codes(a_guard().of_rewards(drafts, (), NOW)), change


def test_a_limit_leaves_stock_that_nobody_may_take() -> None:
    rewards = a_shelf()
    limited = [replace(each, limit=Limit(count=1, days=400)) for each in rewards]

    judgement = a_guard().of_rewards(limited, (), NOW)

    assert judgement.verdict.months[0].stock == 606 * (10 + 20 + 50) + 600 * 200


def test_what_was_handed_over_is_gone_from_its_fund_and_what_stands_is_owed() -> None:
    a_shelf()
    guard = a_guard(totals={"a": 1_000, "p": 20, "h": 3, "d": -50, f"red:{WEST}-aid": 30_000})

    first = guard.standing(NOW).verdict.months[0]

    assert first.liability == 1_023 + first.issued
    assert first.stock == 250_000 - 30_000


def test_what_stands_is_parted_among_counties_as_their_members_are() -> None:
    a_shelf()
    a_shelf(EAST)
    guard = a_guard(totals={"a": 1_001}, counties=2)
    guard.plan({EAST: 200}, actor="finance", now=NOW)

    owed = {
        end.county: end.liability - end.issued
        for end in guard.standing(NOW).verdict.months
        if end.month == "2026-11"
    }

    assert owed == {WEST: 751, EAST: 251}


def test_a_county_that_has_not_begun_is_planned_for_nobody_and_not_judged() -> None:
    a_shelf()
    guard = a_guard(counties=2)
    assert {clause.county for clause in guard.standing(NOW).violated} == {EAST}

    guard.plan({EAST: 0}, actor="finance", now=NOW)

    assert guard.standing(NOW).violated == ()
    assert guard.standing(NOW).members == {WEST: 600, EAST: 0}


def test_planning_again_keeps_what_is_not_named_and_says_who_planned() -> None:
    guard = a_guard(counties=2)

    guard.plan({WEST: 700}, actor="finance", now=NOW)
    guard.plan({EAST: 50}, actor="office", now=NOW)
    row = get(PlanRow, PLAN)

    assert row is not None
    assert (row.members, row.changed_by) == ({WEST: 700, EAST: 50}, "office")


def test_more_points_than_the_plan_explains_are_more_members_than_planned() -> None:
    a_shelf()
    planned = a_guard().standing(NOW)
    a_month = sum(end.issued for end in planned.verdict.months) // 12

    as_planned = a_guard(issued=a_month).standing(NOW)
    twice = a_guard(issued=2 * a_month).standing(NOW)

    assert as_planned.members == {WEST: 600}
    assert 1_195 <= twice.members[WEST] <= 1_200
    assert codes(twice) == {Broken.UNCOVERED, Broken.SCARCE}


def a_root(day: str, **totals: int) -> None:
    RootRow(
        day,
        ROOT,
        root="r",
        previous="p",
        tops=[],
        wallets=1,
        entries=1,
        totals={"iss:report.first@1": -totals["issued"], "a": totals["available"]},
        drifts=0,
        at=NOW,
    ).save()


def test_the_newest_root_says_what_is_owed_and_the_one_a_month_before_what_was_given() -> None:
    a_root("2026-10-30", issued=900, available=700)
    a_root("2026-11-29", issued=1_000, available=750)

    found = solvency_ledger.standing(NOW)

    assert (found.outstanding, found.issued) == (750, 100)


def test_before_the_first_root_the_entries_say_what_is_owed() -> None:
    assert solvency_ledger.standing(NOW) == Ledger(totals={})


def publish(judge: Callable[[], Judgement], reward: Reward, between: Callable[[], None]) -> None:
    """Publish a reward as the shelf does: judge, write under the plan's version, or judge again."""

    def once() -> None:
        judgement = judge()
        between()
        judgement.require()
        tx = Transaction()
        judgement.join(tx)
        tx.update(
            "reward",
            RewardRow(reward.reward_id),
            [RewardRow.quotas.set(reward.supply.quotas)],
            RewardRow.reward_id.exists(),
        )
        try:
            tx.commit()
        except Refused as refused:
            raise Stale from refused

    retrying(once)


@pytest.mark.parametrize("is_planned", [False, True])
def test_of_two_that_are_fine_alone_and_insolvent_together_the_second_is_refused(
    is_planned: bool,
) -> None:
    haircut, reading, *_ = a_shelf()
    guard = a_guard()
    if is_planned:
        guard.plan({WEST: 600}, actor="finance", now=NOW)
    fewer = [replace(each, supply=Supply(quotas={WEST: 70})) for each in (haircut, reading)]
    assert [codes(guard.of_rewards([each], (), NOW)) for each in fewer] == [set(), set()]
    waiting = [
        lambda: publish(lambda: guard.of_rewards([fewer[1]], (), NOW), fewer[1], lambda: None)
    ]

    with pytest.raises(Conflict, match=r"solvency\.refused") as refused:
        publish(
            lambda: guard.of_rewards([fewer[0]], (), NOW),
            fewer[0],
            lambda: waiting.pop()() if waiting else None,
        )

    (clause,) = refused.value.details["clauses"]
    assert (clause["code"], clause["units"]) == ("solvency.scarce", 280)
    assert guard.standing(NOW).violated == ()
    row = get(RewardRow, reading.reward_id)
    assert row is not None
    assert row.quotas == {WEST: 70}
