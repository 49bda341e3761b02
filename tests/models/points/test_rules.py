"""Points are never made, lost or overdrawn, whatever happens in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.errors import Conflict
from models.points import rules
from models.points.entities import Accounts, Entry, EntryKind, Legs

TODAY = "2026-03-18"


def test_points_of_a_day_stay_valid_to_the_end_of_that_month_two_years_on() -> None:
    assert rules.expiry_month("2026-03-18") == "2028-03"
    assert rules.expiry_month("2026-12-31") == "2028-12"
    assert rules.expiry_month("2028-02-29") == "2030-02"


def test_what_cancels_out_leaves_no_leg() -> None:
    assert rules.merge({"a": 3, "b": 1}, {"a": -3}) == {"b": 1}


def test_legs_that_do_not_sum_to_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to zero"):
        rules.apply({}, {"h": 1})


@pytest.mark.parametrize(
    "legs",
    [
        {"h": -1, "exp": 1},
        {"a:2028-03": -1, "h": 1},
        {"p:2026-03-25:2028-03": -1, "h": 1},
        {"d": 1, "exp": -1},
    ],
)
def test_no_account_is_ever_overdrawn(legs: Legs) -> None:
    with pytest.raises(rules.Overdrawn):
        rules.apply({}, legs)


def test_pending_points_mature_on_their_day_and_not_before() -> None:
    accounts = {"p:2026-03-25:2028-03": 10}

    assert rules.roll(accounts, today="2026-03-24") == {}
    assert rules.roll(accounts, today="2026-03-25") == {
        "p:2026-03-25:2028-03": -10,
        "a:2028-03": 10,
    }


def test_a_bucket_lasts_through_its_month_and_is_gone_on_the_first_of_the_next() -> None:
    accounts = {"a:2028-03": 7}

    assert rules.roll(accounts, today="2028-03-31") == {}
    assert rules.roll(accounts, today="2028-04-01") == {"a:2028-03": -7, "exp": 7}


def test_what_matured_long_ago_expires_in_the_same_roll() -> None:
    legs = rules.roll({"p:2026-03-25:2028-03": 4}, today="2028-04-01")

    assert legs == {"p:2026-03-25:2028-03": -4, "exp": 4}


def test_half_of_an_award_repays_debt_and_odd_points_stay_with_the_rider() -> None:
    legs = rules.award({"d": -9}, points=5, rule="r@1", month="2028-03", day=None)

    assert legs == {"iss:r@1": -5, "d": 2, "a:2028-03": 3}


def test_no_more_debt_is_repaid_than_there_is() -> None:
    legs = rules.award({"d": -1}, points=10, rule="r@1", month="2028-03", day="2026-03-25")

    assert legs == {"iss:r@1": -10, "d": 1, "p:2026-03-25:2028-03": 9}


def test_an_award_of_nothing_moves_nothing_and_one_below_is_refused() -> None:
    assert rules.award({}, points=0, rule="r@1", month="2028-03", day=None) == {}
    with pytest.raises(ValueError, match="negative"):
        rules.award({}, points=-1, rule="r@1", month="2028-03", day=None)


def test_an_award_matured_early_leaves_the_other_awards_of_its_day() -> None:
    awarded = {"iss:r@1": -10, "p:2026-03-25:2028-03": 10}

    legs = rules.mature({"p:2026-03-25:2028-03": 12}, awarded)

    assert legs == {"p:2026-03-25:2028-03": -10, "a:2028-03": 10}


def test_an_award_of_a_single_point_matures_early_like_any_other() -> None:
    bucket = "p:2026-03-25:2028-03"

    assert rules.mature({bucket: 1}, {"iss:r@1": -1, bucket: 1}) == {bucket: -1, "a:2028-03": 1}


def test_an_award_that_has_matured_by_itself_matures_no_more() -> None:
    assert rules.mature({"a:2028-03": 10}, {"p:2026-03-25:2028-03": 10}) == {}


@pytest.mark.parametrize(("there", "moved"), [(12, 10), (10, 10), (7, 7), (0, 0)])
def test_an_award_matured_early_takes_no_more_than_is_left_of_its_day(
    there: int, moved: int
) -> None:
    bucket = "p:2026-03-25:2028-03"
    accounts = {bucket: there} if there else {}

    legs = rules.mature(accounts, {"iss:r@1": -10, bucket: 10})

    assert legs == ({bucket: -moved, "a:2028-03": moved} if moved else {})


def test_what_was_taken_back_of_an_award_matures_no_more() -> None:
    bucket = "p:2026-03-25:2028-03"
    awarded, taken_back = {"iss:r@1": -10, bucket: 10}, {"iss:r@1": 10, bucket: -7, "d": -3}

    assert rules.mature({bucket: 9}, awarded, taken_back) == {bucket: -3, "a:2028-03": 3}
    assert rules.mature({bucket: 9}, awarded, {"iss:r@1": 10, bucket: -10}) == {}


@pytest.mark.parametrize(
    ("owed", "points", "legs"),
    [
        (0, 500, {"d": -500}),
        (0, 501, {"d": -500, "wo:cap": -1}),
        (490, 10, {"d": -10}),
        (500, 3, {"wo:cap": -3}),
        (20, 0, {}),
    ],
)
def test_no_member_owes_more_than_the_cap(owed: int, points: int, legs: Legs) -> None:
    assert rules.owe({"d": -owed} if owed else {}, points) == legs


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 301)), max_size=12))
def test_debt_is_capped_and_half_of_each_award_repays_it(steps: list[tuple[bool, int]]) -> None:
    """True owes so many points, False awards them; odd ones stay with the rider."""
    accounts: Accounts = {}
    for owes, points in steps:
        before = -accounts.get("d", 0)
        if owes:
            legs = {**rules.owe(accounts, points), "iss:r@1": points} if points else {}
        else:
            legs = rules.award(accounts, points=points, rule="r@1", month="2028-03", day=None)
        accounts = rules.apply(accounts, legs)
        after = -accounts.get("d", 0)
        assert after <= rules.DEBT_CAP
        if owes:
            assert after == min(rules.DEBT_CAP, before + points)
        else:
            assert before - after == min(before, points // 2)


def test_what_two_people_decide_has_counter_accounts_of_its_own() -> None:
    names = [rules.adjusted("error"), rules.written_off("age")]

    assert names == ["adj:error", "wo:age"]
    assert not any(map(rules.is_own, names))


def test_those_that_expire_first_are_spent_first() -> None:
    accounts = {"a:2028-03": 5, "a:2026-04": 3, "a:2027-01": 4}

    assert rules.hold(accounts, points=8) == {
        "h": 8,
        "a:2026-04": -3,
        "a:2027-01": -4,
        "a:2028-03": -1,
    }


def test_a_hold_beyond_what_is_available_says_how_much_is_missing() -> None:
    with pytest.raises(Conflict) as refusal:
        rules.hold({"a:2028-03": 7, "p:2026-03-25:2028-03": 10}, points=10)

    assert refusal.value.code == "points.insufficient"
    assert refusal.value.details == {"missing": 3, "price": 10}


def test_all_of_what_is_available_can_be_held() -> None:
    assert rules.hold({"a:2028-03": 7}, points=7) == {"h": 7, "a:2028-03": -7}


def test_released_points_go_back_where_they_came_from() -> None:
    held = {"h": 5, "a:2026-04": -3, "a:2028-03": -2}

    assert rules.release(held, today=TODAY) == {"h": -5, "a:2026-04": 3, "a:2028-03": 2}


def test_released_points_of_an_expired_bucket_get_a_month_of_grace() -> None:
    held = {"h": 5, "a:2026-02": -3, "a:2028-03": -2}

    assert rules.release(held, today=TODAY) == {"h": -5, "a:2026-04": 3, "a:2028-03": 2}
    assert rules.refund({"h": 3, "a:2026-02": -3}, reward_id="haircut", today=TODAY) == {
        "red:haircut": -3,
        "a:2026-04": 3,
    }


@pytest.mark.parametrize(("today", "month"), [("2028-03-01", "2028-03"), ("2028-03-02", "2028-04")])
def test_a_month_of_grace_is_thirty_days_to_the_end_of_that_month(today: str, month: str) -> None:
    legs = rules.release({"h": 3, "a:2028-02": -3}, today=today)

    assert legs == {"h": -3, f"a:{month}": 3}


def test_a_bucket_of_this_very_month_needs_no_grace() -> None:
    assert rules.release({"h": 3, "a:2026-03": -3}, today="2026-03-31") == {
        "h": -3,
        "a:2026-03": 3,
    }


def test_settling_and_reinstating_undo_each_other() -> None:
    held = {"h": 5, "a:2028-03": -5}

    both = rules.merge(
        rules.settle(held, reward_id="haircut"), rules.reinstate(held, reward_id="haircut")
    )

    assert rules.settle(held, reward_id="haircut") == {"h": -5, "red:haircut": 5}
    assert both == {}


def _entry(**changes: object) -> Entry:
    entry = Entry(
        member_id="m",
        seq=1,
        transfer_id="t",
        kind=EntryKind.AWARD,
        rule="r@1",
        county="c",
        legs={"a:2028-03": 1, "iss:r@1": -1},
        source={"case_id": "x"},
        posted_at=datetime(2026, 3, 18, tzinfo=UTC),
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"member_id": "n"},
        {"seq": 2},
        {"transfer_id": "u"},
        {"kind": EntryKind.HOLD},
        {"rule": "r@2"},
        {"county": "d"},
        {"legs": {"a:2028-03": 2, "iss:r@1": -2}},
        {"source": {"case_id": "y"}},
    ],
)
def test_the_hash_covers_everything_that_an_entry_says(changes: dict[str, object]) -> None:
    at = "2026-03-18T00:00:00.000Z"
    plain = rules.chain(rules.GENESIS, _entry(), posted_at=at)

    assert rules.chain(rules.GENESIS, _entry(**changes), posted_at=at) != plain
    assert rules.chain(plain, _entry(), posted_at=at) != plain
    assert rules.chain(rules.GENESIS, _entry(), posted_at="2026-03-18T00:00:00.001Z") != plain
    assert rules.chain(rules.GENESIS, _entry(), posted_at=at) == plain


def test_an_entry_is_hashed_as_it_always_was() -> None:
    """What was exported must go on proving itself."""
    entry = _entry(source={"grid": "羊山"})

    assert '"source":{"grid":"羊山"}' in rules.body_text(entry, posted_at="2026-03-18")
    assert rules.link(rules.GENESIS, "{}") == (
        "86f3be0d3f7230fa71629fd19978dd80dbfdcc9d4be8bfd6d643ea6cc7e568f3"
    )


def test_the_hash_does_not_depend_on_the_order_of_legs() -> None:
    at = "2026-03-18T00:00:00.000Z"
    turned = _entry(legs={"iss:r@1": -1, "a:2028-03": 1})

    assert rules.chain("x", turned, posted_at=at) == rules.chain("x", _entry(), posted_at=at)


acts = st.lists(
    st.tuples(
        st.sampled_from(["award", "pend", "hold", "settle", "release", "reinstate", "refund"]),
        st.integers(min_value=0, max_value=40),
        st.integers(min_value=0, max_value=400),
    ),
    max_size=30,
)


class _Books:
    """Plays acts against the rules, and keeps its own simple count beside them."""

    def __init__(self) -> None:
        self.day = date(2026, 3, 18)
        self.accounts: Accounts = {}
        self.everything: Legs = {}
        self.entries: list[Entry] = []
        self.open: list[Legs] = []
        self.spent: list[Legs] = []
        self.issued = self.redeemed = 0

    @property
    def today(self) -> str:
        return self.day.isoformat()

    def play(self, act: str, points: int, days: int) -> None:
        self.day += timedelta(days=days)
        rolled = rules.roll(self.accounts, today=self.today)
        self._post(rules.merge(rolled, self._legs(rules.apply(self.accounts, rolled), act, points)))

    def _legs(self, accounts: Accounts, act: str, points: int) -> Legs:
        if act in ("award", "pend"):
            self.issued += points
            day = (self.day + timedelta(days=7)).isoformat() if act == "pend" else None
            month = rules.expiry_month(self.today)
            return rules.award(accounts, points=points, rule="r@1", month=month, day=day)
        if act == "hold":
            return self._hold(accounts, points)
        if act in ("settle", "release") and self.open:
            held = self.open.pop(0)
            if act == "release":
                return rules.release(held, today=self.today)
            self.spent.append(held)
            self.redeemed += held["h"]
            return rules.settle(held, reward_id="x")
        if act in ("reinstate", "refund") and self.spent:
            held = self.spent.pop(0)
            self.redeemed -= held["h"]
            if act == "refund":
                return rules.refund(held, reward_id="x", today=self.today)
            self.open.append(held)
            return rules.reinstate(held, reward_id="x")
        return {}

    def _hold(self, accounts: Accounts, points: int) -> Legs:
        available = rules.total(accounts, rules.AVAILABLE)
        if available < points + 1:
            with pytest.raises(Conflict) as refusal:
                rules.hold(accounts, points=points + 1)
            assert refusal.value.details["missing"] == points + 1 - available
            return {}
        legs = rules.hold(accounts, points=points + 1)
        self.open.append(legs)
        return legs

    def _post(self, legs: Legs) -> None:
        self.accounts = rules.apply(self.accounts, legs)
        self.everything = rules.merge(self.everything, legs)
        self.entries.append(_entry(seq=len(self.entries) + 1, legs=legs))


@given(acts)
def test_books_balance_after_every_act(script: list[tuple[str, int, int]]) -> None:
    books = _Books()

    for act, points, days in script:
        books.play(act, points, days)

        assert sum(books.everything.values()) == 0
        assert rules.fold(books.entries) == books.accounts
        assert books.accounts.get("h", 0) == sum(held["h"] for held in books.open)
        assert -books.everything.get("iss:r@1", 0) == books.issued
        assert books.everything.get("red:x", 0) == books.redeemed
        stale = [a for a in books.accounts if a.startswith("a:") and a[2:] < books.today[:7]]
        assert not stale
        assert not [a for a in books.accounts if a.startswith("p:") and a[2:12] <= books.today]


@given(acts)
def test_rolling_twice_is_rolling_once(script: list[tuple[str, int, int]]) -> None:
    books = _Books()
    for act, points, days in script:
        books.play(act, points, days)

    later = (books.day + timedelta(days=300)).isoformat()
    once = rules.apply(books.accounts, rules.roll(books.accounts, today=later))

    assert rules.roll(once, today=later) == {}
