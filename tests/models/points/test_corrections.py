"""What two people decide moves points in a fixed order, and never more than there was to move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.points import corrections, rules
from models.points.entities import Accounts, Legs

DAYS = ("2026-03-19", "2026-03-25", "2026-04-02")
MONTHS = ("2026-04", "2028-03", "2028-04")
AWARD: Legs = {"iss:report.first@1": -10, "p:2026-03-25:2028-03": 10}

_points = st.integers(min_value=1, max_value=400)
_accounts = st.dictionaries(
    st.sampled_from(
        ["h", *(f"a:{month}" for month in MONTHS), *(f"p:{day}:{MONTHS[1]}" for day in DAYS)]
    ),
    _points,
).flatmap(
    lambda own: st.integers(min_value=0, max_value=rules.DEBT_CAP).map(
        lambda debt: rules.merge(own, {"d": -debt})
    )
)


def _award(points: int, repaid: int, *, pending: bool) -> Legs:
    target = f"p:{DAYS[1]}:{MONTHS[1]}" if pending else f"a:{MONTHS[1]}"
    return rules.merge({"iss:report.first@1": -points}, {"d": repaid}, {target: points - repaid})


def test_an_awards_own_pending_points_go_first_then_those_that_mature_last() -> None:
    accounts = {
        "a:2026-04": 5,
        "p:2026-03-19:2028-03": 4,
        "p:2026-03-25:2028-03": 6,
        "p:2026-04-02:2028-03": 2,
    }

    legs = corrections.claw_back(accounts, AWARD, points=10)

    assert legs == {
        "iss:report.first@1": 10,
        "p:2026-03-25:2028-03": -6,
        "p:2026-04-02:2028-03": -2,
        "p:2026-03-19:2028-03": -2,
    }


def test_no_more_than_the_award_put_in_is_taken_from_a_shared_day_before_the_newest() -> None:
    accounts = {"p:2026-03-25:2028-03": 8, "p:2026-04-02:2028-03": 1}
    awarded = {"iss:r@1": -5, "p:2026-03-25:2028-03": 3, "a:2028-03": 2}

    assert corrections.claw_back(accounts, awarded, points=5) == {
        "iss:r@1": 5,
        "p:2026-03-25:2028-03": -4,
        "p:2026-04-02:2028-03": -1,
    }


def test_available_points_go_from_those_that_expire_first_and_the_rest_is_owed() -> None:
    accounts = {"a:2028-03": 4, "a:2026-04": 3, "h": 50}

    assert corrections.claw_back(accounts, AWARD, points=10) == {
        "iss:report.first@1": 10,
        "a:2026-04": -3,
        "a:2028-03": -4,
        "d": -3,
    }


def test_nobody_owes_more_than_the_cap_and_the_remainder_is_written_off() -> None:
    assert corrections.claw_back({"d": -496}, AWARD, points=10) == {
        "iss:report.first@1": 10,
        "d": -4,
        "wo:cap": -6,
    }
    assert corrections.deduct({"d": -500}, points=7, reason="doubled") == {
        "adj:doubled": 7,
        "wo:cap": -7,
    }


@pytest.mark.parametrize("points", [0, -1, 6])
def test_no_more_is_taken_back_than_the_award_left_after_its_own_debt(points: int) -> None:
    awarded = {"iss:r@1": -10, "d": 5, "a:2028-03": 5}

    with pytest.raises(ValueError, match="no more"):
        corrections.claw_back({"a:2028-03": 100}, awarded, points=points)


def test_a_credit_repays_no_more_debt_than_it_may_and_than_there_is() -> None:
    legs = corrections.credit({"d": -9}, points=10, repays=5, reason="missing", month="2028-03")
    rest = corrections.credit({"d": -2}, points=10, repays=5, reason="missing", month="2028-03")

    assert legs == {"adj:missing": -10, "d": 5, "a:2028-03": 5}
    assert rest == {"adj:missing": -10, "d": 2, "a:2028-03": 8}


def test_no_more_debt_is_forgiven_than_there_is() -> None:
    assert corrections.write_off({"d": -30}, points=20, reason="old") == {"d": 20, "wo:old": -20}
    assert corrections.write_off({"d": -30}, points=40, reason="old") == {"d": 30, "wo:old": -30}
    assert corrections.write_off({"a:2028-03": 5}, points=40, reason="old") == {}
    assert corrections.write_off({"d": -30}, points=40, reason="old", keeps=25) == {
        "d": 5,
        "wo:old": -5,
    }
    assert corrections.write_off({"d": -30}, points=40, reason="old", keeps=31) == {}


def test_the_debt_of_a_time_is_what_was_owed_anew_in_it_whatever_was_repaid() -> None:
    owed, repaid = {"d": -9, "iss:r@1": 9}, {"d": 4, "a:2028-03": 4, "iss:r@1": -8}

    assert corrections.incurred([owed, repaid, {"h": 3, "a:2028-03": -3}, {"d": -2}]) == 11
    assert corrections.incurred([repaid]) == corrections.incurred([]) == 0


@given(accounts=_accounts, points=_points, repaid=st.integers(0, 200), pending=st.booleans())
def test_a_claw_back_keeps_every_law_whatever_there_is(
    accounts: Accounts, points: int, repaid: int, pending: bool
) -> None:
    awarded = _award(points, min(repaid, points // 2), pending=pending)
    net = corrections.net_credit(awarded)

    legs = corrections.claw_back(accounts, awarded, points=net)
    after = rules.apply(accounts, legs)

    assert sum(legs.values()) == 0
    assert legs["iss:report.first@1"] == net
    assert after.get("h", 0) == accounts.get("h", 0)
    assert -after.get("d", 0) <= rules.DEBT_CAP
    owes = legs.get("d", 0) or legs.get("wo:cap", 0)
    is_left = rules.total(after, rules.PENDING) or rules.total(after, rules.AVAILABLE)
    assert not (owes and is_left)
    assert not legs.get("wo:cap", 0) or -after["d"] == rules.DEBT_CAP


@given(accounts=_accounts, points=_points)
def test_what_is_given_back_after_a_taking_leaves_nobody_poorer_or_richer(
    accounts: Accounts, points: int
) -> None:
    taken = corrections.deduct(accounts, points=points, reason="doubled")
    between = rules.apply(accounts, taken)
    back, repays = corrections.restores(taken)

    legs = corrections.credit(between, points=back, repays=repays, reason="upheld", month="2028-05")
    after = rules.apply(between, legs)

    for part in (rules.AVAILABLE, rules.PENDING, rules.HELD, rules.DEBT):
        assert rules.total(after, part) == rules.total(accounts, part)
