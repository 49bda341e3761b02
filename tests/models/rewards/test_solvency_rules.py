"""A year that goes broke, or in which points buy nothing, fails with the clause it violates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rewards.population_rules import CHECK_INS, REPORTS, TYPICAL
from models.rewards.solvency_entities import (
    Broken,
    Claims,
    Clause,
    County,
    Economy,
    Fund,
    Item,
    Verdict,
)
from models.rewards.solvency_rules import judge, told, worsened
from tests.support.economies import (
    EAST,
    SHELF,
    WEST,
    a_sheet,
    an_economy,
    items,
    two_counties,
)

ONE_FUND = (Fund(fund_id="city", points=400_000),)
SHARED = (*items(fund_id="city"), *items(EAST, fund_id="city"))


def a_shelf(**changed: tuple[int, int]) -> tuple[Item, ...]:
    """The sound shelf with other (price, quota)."""
    return items(shelf=tuple((name, *changed.get(name, rest)) for name, *rest in SHELF))


GOOD = {
    "the shipped rules, a sound shelf": an_economy(),
    "two counties, each with its own fund": two_counties(),
    "two counties that one fund carries together": replace(
        two_counties(), items=SHARED, funds=ONE_FUND
    ),
    "a bonus that is doubled with stock for it": an_economy(
        sheet=a_sheet(report__first={"points": 20, "urgent_bonus": 20}), fund=300_000
    ),
    "a campaign of two months, held by its budget": an_economy(
        sheets=(
            *(a_sheet(activity__attended={"points": 500, "budget_a_day": 100}),) * 2,
            *(a_sheet(),) * 10,
        )
    ),
    "old points that lapse before they are too many": an_economy(
        claims=Claims(points=90_000, lapsing=dict.fromkeys(range(1, 13), 7_000))
    ),
    "no cap on check-ins alone: the overall caps hold": an_economy(
        sheet=a_sheet(station__check_in={"per_day": None, "per_month": None})
    ),
    "a fund of just what the year gives": an_economy(fund=160_000),
}

BAD: dict[str, tuple[Economy, set[tuple[Broken, str | None]]]] = {
    "prices that only reports could reach": (
        an_economy(on_offer=a_shelf(haircut=(30, 400), reading=(30, 100))),
        {(Broken.UNREACHABLE, WEST)},
    ),
    "check-ins that are worth nothing": (
        an_economy(sheet=a_sheet(station__check_in={"points": 0})),
        {(Broken.UNREACHABLE, WEST)},
    ),
    "no stock in one of two counties": (
        two_counties(east=()),
        {(Broken.UNCOVERED, EAST), (Broken.EMPTY, EAST)},
    ),
    "a fund that is too small": (
        an_economy(fund=100_000),
        {(Broken.UNCOVERED, WEST)},
    ),
    "a fund that carries each county, but not both": (
        replace(two_counties(), items=SHARED, funds=(Fund(fund_id="city", points=250_000),)),
        {(Broken.UNDERFUNDED, None)},
    ),
    "a report and its bonus doubled without more in the fund": (
        an_economy(sheet=a_sheet(report__first={"points": 20, "urgent_bonus": 20}), fund=160_000),
        {(Broken.UNCOVERED, WEST)},
    ),
    "a quota cut to a quarter": (
        an_economy(on_offer=items(shelf=tuple((n, p, q // 4) for n, p, q in SHELF))),
        {(Broken.UNCOVERED, WEST), (Broken.SCARCE, WEST)},
    ),
    "the overall caps removed": (
        an_economy(sheet=a_sheet(per_day=None, per_month=None)),
        {(Broken.UNCOVERED, WEST)},
    ),
    "twice the members on the same shelf": (
        an_economy(members=1_200),
        {(Broken.UNCOVERED, WEST), (Broken.SCARCE, WEST)},
    ),
    "debts of years past": (
        an_economy(claims=Claims(points=90_000)),
        {(Broken.UNCOVERED, WEST)},
    ),
    "cheap things for a few, dear ones for the cover": (
        an_economy(
            on_offer=items(shelf=(("haircut", 10, 170), ("holiday", 2_000, 100))), fund=10**6
        ),
        {(Broken.STRANDED, WEST)},
    ),
    "a limit for each member that leaves stock lying": (
        an_economy(
            on_offer=tuple(replace(item, per_member=1) for item in a_shelf(health=(200, 40)))
        ),
        {(Broken.UNCOVERED, WEST)},
    ),
    "quotas that are funded for half a year": (
        an_economy(on_offer=tuple(replace(item, months=6) for item in items())),
        {(Broken.UNCOVERED, WEST)},
    ),
    "the one thing within reach is for a few occupations": (
        an_economy(on_offer=tuple(replace(item, is_open=item.price > 20) for item in items())),
        {(Broken.UNREACHABLE, WEST)},
    ),
}


def broken(verdict: Verdict) -> set[tuple[Broken, str | None]]:
    return {(clause.code, clause.county) for clause in told(verdict.clauses)}


def the_clause(economy: Economy, code: Broken) -> Clause:
    return next(clause for clause in judge(economy).clauses if clause.code is code)


@pytest.mark.parametrize("name", GOOD)
def test_a_sound_year_passes_and_shows_its_figures(name: str) -> None:
    verdict = judge(GOOD[name])

    assert verdict.clauses == ()
    assert verdict.passes
    assert len(verdict.months) == 12 * len(GOOD[name].counties)


@pytest.mark.parametrize("name", BAD)
def test_a_year_that_fails_names_every_clause_it_violates(name: str) -> None:
    economy, expected = BAD[name]

    assert broken(judge(economy)) == expected


def test_the_median_makes_one_report_where_the_mean_makes_three() -> None:
    assert sum(REPORTS) == 3 * len(REPORTS)
    assert sum(CHECK_INS) == 10 * len(CHECK_INS)
    assert (REPORTS[TYPICAL.median], CHECK_INS[TYPICAL.median]) == (1, 10)
    assert REPORTS[TYPICAL.median + 1] == 1


def test_the_member_in_the_middle_has_twenty_points_after_sixty_days_and_none_by_reports() -> None:
    (reach,) = judge(an_economy()).reaches
    (by_reports,) = judge(an_economy(sheet=a_sheet(station__check_in={"points": 0}))).reaches

    assert (reach.points, reach.cheapest) == (20, 10)
    assert by_reports.points == 0


def test_the_worst_sixty_days_of_the_year_count() -> None:
    poor = a_sheet(station__check_in={"points": 0})
    economy = an_economy(sheets=(*(a_sheet(),) * 5, poor, poor, *(a_sheet(),) * 5))

    (reach,) = judge(economy).reaches

    assert reach.points == 0


def test_who_is_as_busy_as_the_middle_or_busier_stands_in_the_queue_before_him() -> None:
    (reach,) = judge(an_economy(members=1_000)).reaches

    assert reach.needed == 550 + 10  # eleven twentieths, and one in a hundred who hunts


def test_a_clause_says_when_it_breaks_first_and_how_much_is_short_at_the_worst() -> None:
    clause = the_clause(an_economy(fund=100_000), Broken.UNCOVERED)
    ends = judge(an_economy(fund=100_000)).months

    first = next(end for end in ends if end.liability > 100_000)
    assert clause.figures["month"] == first.month == "2027-07"
    assert clause.figures["worst_month"] == "2027-11"
    assert clause.figures["short"] == ends[-1].liability - 100_000


def test_what_stands_already_counts_and_lapses_in_its_month() -> None:
    lapsing = an_economy(claims=Claims(points=5_000, lapsing={2: 3_000, 3: 9_000}))

    first, second, third, *_ = judge(lapsing).months

    assert first.liability == 5_000 + first.issued
    assert (second.lapsed, third.lapsed) == (3_000, 9_000)
    assert third.liability == 5_000 + sum(e.issued for e in (first, second, third)) - 12_000


def test_an_item_whose_fund_is_unknown_covers_nothing() -> None:
    economy = replace(an_economy(), funds=())

    assert broken(judge(economy)) == {(Broken.UNCOVERED, WEST), (Broken.SCARCE, WEST)}


def test_an_act_is_never_worth_more_than_the_overall_cap_of_its_day() -> None:
    dear, dearer = (a_sheet(report__first={"points": points}) for points in (60, 600))

    assert judge(an_economy(sheet=dear)).months == judge(an_economy(sheet=dearer)).months


def test_a_rule_that_the_population_knows_nothing_of_is_not_free() -> None:
    before = an_economy()
    new = replace(a_sheet().acts[0], rule="parade.joined", group="", per_day=None)
    after = an_economy(sheet=replace(a_sheet(), acts=(*a_sheet().acts, new)))

    assert judge(after).months[0].issued > judge(before).months[0].issued


def test_what_was_broken_before_does_not_hold_up_what_heals_it() -> None:
    empty = judge(an_economy(on_offer=()))
    haircuts = judge(an_economy(on_offer=items(shelf=(("haircut", 10, 200),))))

    assert worsened(empty, haircuts) == ()
    assert {clause.code for clause in worsened(haircuts, empty)} == {
        Broken.UNCOVERED,
        Broken.EMPTY,
        Broken.STRANDED,
    }


def test_the_first_item_on_a_shelf_must_be_within_reach_all_the_same() -> None:
    empty = judge(an_economy(on_offer=()))
    dear = judge(an_economy(on_offer=items(shelf=(("health", 200, 50),))))

    assert [clause.code for clause in worsened(empty, dear)] == [Broken.UNREACHABLE]


def test_a_year_without_members_owes_nothing_and_needs_nothing_but_an_offer() -> None:
    assert judge(an_economy(members=0)).passes


def test_an_item_that_costs_nothing_or_owes_stock_is_a_bug() -> None:
    with pytest.raises(ValueError):
        items(shelf=(("free", 0, 1),))
    with pytest.raises(ValueError):
        items(shelf=(("owed", 1, -1),))
    with pytest.raises(ValueError):
        an_economy(sheets=(a_sheet(),))


QUOTAS = st.tuples(*[st.integers(0, 300)] * 4)
PRICES = st.tuples(*[st.integers(1, 400)] * 4)
LIMITS = st.one_of(st.none(), st.integers(1, 12))
OUT_OF_REACH = {Broken.EMPTY, Broken.UNREACHABLE, Broken.SCARCE}


@st.composite
def economies(draw: st.DrawFn) -> Economy:
    """A county with four items and two funds, anywhere between sound and broke."""
    limit = draw(LIMITS)
    on_offer = tuple(
        Item(
            reward_id=f"r{n}",
            county=WEST,
            price=price,
            quota=quota,
            fund_id=f"f{n % 2}",
            per_member=limit,
        )
        for n, (price, quota) in enumerate(zip(draw(PRICES), draw(QUOTAS), strict=True))
    )
    economy = an_economy(
        sheet=a_sheet(station__check_in={"points": draw(st.integers(0, 3))}),
        members=draw(st.integers(0, 400)),
        on_offer=on_offer,
        claims=Claims(points=draw(st.integers(0, 50_000))),
    )
    funds = tuple(Fund(fund_id=f"f{n}", points=draw(st.integers(0, 150_000))) for n in (0, 1))
    return replace(economy, funds=funds)


def changed(economy: Economy, which: int, **by: int) -> Economy:
    """The economy with attributes of one item raised."""
    on_offer = list(economy.items)
    raised = {name: getattr(on_offer[which], name) + more for name, more in by.items()}
    on_offer[which] = replace(on_offer[which], **raised)
    return replace(economy, items=tuple(on_offer))


@settings(max_examples=60)
@given(economies(), st.integers(0, 3), st.integers(1, 500))
def test_more_stock_never_makes_a_year_fail(economy: Economy, which: int, more: int) -> None:
    before, after = judge(economy), judge(changed(economy, which, quota=more))

    assert before.passes <= after.passes
    assert {c.code for c in worsened(before, after)} <= {Broken.SCARCE, Broken.UNREACHABLE}


@settings(max_examples=60)
@given(economies(), st.integers(0, 1), st.integers(1, 10**6))
def test_more_money_never_makes_a_year_fail(economy: Economy, which: int, more: int) -> None:
    funds = list(economy.funds)
    funds[which] = replace(funds[which], points=funds[which].points + more)

    before, after = judge(economy), judge(replace(economy, funds=tuple(funds)))

    assert before.passes <= after.passes


@settings(max_examples=60)
@given(economies(), st.integers(1, 300), st.integers(1, 300))
def test_one_more_item_never_makes_a_year_fail(economy: Economy, price: int, quota: int) -> None:
    new = replace(economy.items[0], reward_id="new", price=price, quota=quota)

    before, after = judge(economy), judge(replace(economy, items=(*economy.items, new)))

    assert before.passes <= after.passes


@settings(max_examples=60)
@given(economies(), st.integers(0, 3), st.integers(1, 400))
def test_a_higher_price_brings_nothing_nearer(economy: Economy, which: int, more: int) -> None:
    before, after = judge(economy), judge(changed(economy, which, price=more))

    assert {c.code for c in before.clauses} & OUT_OF_REACH <= _widened(after)


def _widened(verdict: Verdict) -> set[Broken]:
    """Any of the three says that the one in the middle gets nothing."""
    return OUT_OF_REACH if {c.code for c in verdict.clauses} & OUT_OF_REACH else set()


@settings(max_examples=60)
@given(
    economies(),
    st.sampled_from([act.rule for act in a_sheet().acts]),
    st.sampled_from(["points", "urgent_bonus"]),
    st.integers(1, 50),
)
def test_more_points_for_an_act_never_cover_better(
    economy: Economy, rule: str, what: str, more: int
) -> None:
    paid = replace(
        economy.sheets[0],
        acts=tuple(
            replace(act, **{what: getattr(act, what) + more}) if act.rule == rule else act
            for act in economy.sheets[0].acts
        ),
    )

    before, after = judge(economy), judge(replace(economy, sheets=(paid,) * 12))

    for old, new in zip(before.months, after.months, strict=True):
        assert new.liability >= old.liability
        assert new.stock == old.stock


@settings(max_examples=60)
@given(
    economies(),
    st.sampled_from([act.rule for act in a_sheet().acts]),
    st.sampled_from(["per_day", "per_week", "per_month"]),
)
def test_a_cap_that_goes_never_covers_better(economy: Economy, rule: str, cap: str) -> None:
    sheet = economy.sheets[0]
    freed = replace(
        sheet,
        acts=tuple(replace(act, **{cap: None}) if act.rule == rule else act for act in sheet.acts),
    )

    before, after = judge(economy), judge(replace(economy, sheets=(freed,) * 12))

    pairs = zip(before.months, after.months, strict=True)
    assert all(new.liability >= old.liability for old, new in pairs)


@settings(max_examples=60)
@given(economies(), st.integers(1, 10**5))
def test_more_claims_never_make_a_year_pass(economy: Economy, more: int) -> None:
    claims = {WEST: Claims(points=economy.claims[WEST].points + more)}

    before, after = judge(economy), judge(replace(economy, claims=claims))

    assert after.passes <= before.passes


@settings(max_examples=60)
@given(economies(), st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter_nor_does_asking_twice(
    economy: Economy, random: object
) -> None:
    shuffled = list(economy.items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert judge(replace(economy, items=tuple(shuffled))) == judge(economy)


def test_a_city_of_ten_counties_is_judged_in_less_than_a_second_of_work() -> None:
    counties = [f"4115{n:02d}" for n in range(10)]
    economy = replace(
        an_economy(),
        counties=tuple(County(county=county, members=2_600) for county in counties),
        items=tuple(
            item
            for county in counties
            for item in items(county, "city", tuple((n, p, 5 * q) for n, p, q in SHELF))
        ),
        funds=(Fund(fund_id="city", points=8 * 10**6),),
    )

    assert judge(economy).passes
