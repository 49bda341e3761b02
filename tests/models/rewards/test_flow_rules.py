"""Points flow from counties to funds: what is left over is what no way round can place."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from models.rewards.flow_rules import uncarried

POINTS = st.integers(0, 20)
COUNTIES, FUNDS = ("a", "b", "c"), ("f", "g", "h")
CLAIMS = st.fixed_dictionaries(dict.fromkeys(COUNTIES, POINTS))
STOCK = st.fixed_dictionaries({(c, f): POINTS for c in COUNTIES for f in FUNDS})
CARRIED = st.fixed_dictionaries(dict.fromkeys(FUNDS, POINTS))


@given(CLAIMS, STOCK, CARRIED)
def test_what_is_left_over_is_the_worst_lack_of_any_counties_together(
    claims: dict[str, int], stock: dict[tuple[str, str], int], funds: dict[str, int]
) -> None:
    some = [group for n in range(4) for group in combinations(COUNTIES, n)]
    lacks = [
        sum(claims[county] for county in group)
        - sum(min(funds[fund], sum(stock[county, fund] for county in group)) for fund in FUNDS)
        for group in some
    ]

    left, _ = uncarried(claims, stock, funds)

    assert left == max(lacks)


def test_a_county_makes_way_where_it_has_another_fund() -> None:
    stock = {("a", "f"): 5, ("a", "g"): 5, ("b", "f"): 5}

    assert uncarried({"a": 5, "b": 5}, stock, {"f": 5, "g": 5}) == (0, ())


def test_the_fund_that_is_used_up_is_to_blame() -> None:
    stock = {("a", "f"): 9, ("b", "f"): 9, ("c", "g"): 9}

    assert uncarried({"a": 4, "b": 4, "c": 4}, stock, {"f": 5, "g": 9}) == (3, ("f",))


def test_a_county_without_any_fund_keeps_its_claims() -> None:
    assert uncarried({"a": 4}, {}, {"f": 9}) == (4, ())
