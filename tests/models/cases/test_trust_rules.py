"""What hints at abuse and what it weighs; that no signal by itself ever costs anybody anything."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.geometry import Position, offset
from models.cases import trust_rules
from models.cases.trust_rules import GOOD, OUTCOMES, Kind, Mark, Sighting

NOW = datetime(2026, 3, 18, 2, tzinfo=UTC)
HERE = Position(lon=114.0853, lat=32.1462)
SIGNALS = sorted(set(Kind) - OUTCOMES)


def mark(kind: Kind, *, days: float = 0, weight: float | None = None) -> Mark:
    full = trust_rules.WEIGHT[kind] if weight is None else weight
    return Mark(kind=kind, weight=full, at=NOW - timedelta(days=days))


def seen(
    *, east_m: float = 0, seconds: float = 0, accuracy_m: float = 12, thing: str = ""
) -> Sighting:
    return Sighting(
        position=offset(HERE, east_m=east_m, north_m=0),
        at=NOW + timedelta(seconds=seconds),
        accuracy_m=accuracy_m,
        thing=thing or f"thing at {east_m}",
    )


marks = st.lists(
    st.builds(
        Mark,
        kind=st.sampled_from(Kind),
        weight=st.sampled_from(sorted(trust_rules.WEIGHT.values())),
        at=st.integers(0, 2000).map(lambda days: NOW - timedelta(days=days)),
    ),
    max_size=60,
)


@given(marks)
def test_trust_lies_between_0_and_100(given_marks: list[Mark]) -> None:
    assert 0 <= trust_rules.trust_of(given_marks, NOW) <= 100


def test_of_whom_nothing_is_known_has_50() -> None:
    assert trust_rules.trust_of([], NOW) == 50


def test_valid_reports_raise_and_refused_ones_lower() -> None:
    assert trust_rules.trust_of([mark(Kind.VALID)] * 6, NOW) == 80
    assert trust_rules.trust_of([mark(Kind.REJECTED)] * 6, NOW) == 20


def test_everything_halves_in_90_days() -> None:
    assert trust_rules.share_of(mark(Kind.VALID, days=90), NOW) == pytest.approx(0.5)
    assert trust_rules.trust_of([mark(Kind.VALID, days=90)] * 12, NOW) == 80
    assert trust_rules.trust_of([mark(Kind.VALID, days=2000)] * 12, NOW) == 50


@pytest.mark.parametrize("kind", SIGNALS)
def test_what_was_dismissed_counts_nothing_and_hints_at_nothing(kind: Kind) -> None:
    dismissed = mark(kind, weight=0)

    assert trust_rules.trust_of([dismissed], NOW) == 50
    assert trust_rules.consequence([dismissed]).hints == ()


@given(marks)
def test_nothing_follows_from_signals_but_hints_for_officials(given_marks: list[Mark]) -> None:
    consequence = trust_rules.consequence(given_marks)

    assert [field.name for field in fields(consequence)] == ["hints"]
    assert set(consequence.hints) == {one.kind for one in given_marks} - OUTCOMES


@pytest.mark.parametrize("kind", SIGNALS)
def test_one_signal_by_itself_moves_trust_by_less_than_one_refused_report(kind: Kind) -> None:
    refused = trust_rules.trust_of([mark(Kind.REJECTED)], NOW)

    assert refused <= trust_rules.trust_of([mark(kind)], NOW) <= 50


def test_every_kind_has_a_weight_and_people_weigh_most() -> None:
    assert set(trust_rules.WEIGHT) == set(Kind)
    assert max(trust_rules.WEIGHT[kind] for kind in SIGNALS) <= trust_rules.WEIGHT[Kind.REJECTED]
    assert GOOD < OUTCOMES


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(60, {Kind.IMPOSSIBLE_TRAVEL}), (100, {Kind.FAST_TRAVEL}), (150, set())],
)
def test_a_journey_faster_than_a_bike_is_noticed(seconds: float, expected: set[Kind]) -> None:
    found = trust_rules.signals_of(seen(seconds=seconds), [seen(east_m=3000)], is_moving=False)

    assert set(found) == expected


def test_the_same_place_at_the_same_moment_is_no_journey() -> None:
    assert trust_rules.signals_of(seen(), [seen(east_m=290)], is_moving=False) == {}


def test_the_third_report_from_the_very_same_point_is_noticed() -> None:
    before = [seen(seconds=-3600, thing="a"), seen(seconds=-7200, thing="b")]

    assert trust_rules.signals_of(seen(thing="c"), before[:1], is_moving=False) == {}
    assert trust_rules.signals_of(seen(thing="c"), before, is_moving=False) == {
        Kind.SAME_COORDINATES: "3"
    }


def test_the_third_report_of_one_thing_within_a_week_is_noticed() -> None:
    day = 86400
    new = seen(thing="bike")
    before = [
        seen(east_m=5, seconds=-day, thing="bike"),
        seen(east_m=9, seconds=-6 * day, thing="bike"),
    ]
    older = [
        seen(east_m=5, seconds=-day, thing="bike"),
        seen(east_m=9, seconds=-8 * day, thing="bike"),
    ]

    assert trust_rules.signals_of(new, before, is_moving=False) == {Kind.SAME_THING: "3"}
    assert trust_rules.signals_of(new, older, is_moving=False) == {}


def test_a_phone_without_error_and_a_moving_bike_are_noticed() -> None:
    found = trust_rules.signals_of(seen(accuracy_m=0), [], is_moving=True)

    assert set(found) == {Kind.NO_ERROR, Kind.MOVING}


@pytest.mark.parametrize(
    ("taken_at", "is_noticed"),
    [
        ("2026-03-18T10:09:00", False),
        ("2026-03-18T10:11:00", True),
        ("2026-03-18T02:09:00+00:00", False),
        ("2026-03-17T10:00:00", True),
        ("not a time", False),
        (None, False),
    ],
)
def test_a_camera_that_says_another_time_is_noticed(taken_at: str | None, is_noticed: bool) -> None:
    found = trust_rules.photo_signals({"taken_at": taken_at}, captured_at=NOW, gap_m=None)

    assert (Kind.PHOTO_TIME in found) == is_noticed


@pytest.mark.parametrize(("gap_m", "is_noticed"), [(200.0, False), (201.0, True), (None, False)])
def test_a_camera_that_says_another_place_is_noticed(gap_m: float | None, is_noticed: bool) -> None:
    found = trust_rules.photo_signals({}, captured_at=NOW, gap_m=gap_m)

    assert (Kind.PHOTO_PLACE in found) == is_noticed


@pytest.mark.parametrize(("other", "is_same"), [("ff", True), ("fc", True), ("f8", False)])
def test_two_of_128_bits_apart_is_the_same_picture(other: str, is_same: bool) -> None:
    assert trust_rules.is_same_picture("ff", other) == is_same


def test_less_than_half_of_the_last_twenty_is_noticed_and_fewer_say_nothing() -> None:
    refused, valid = (Kind.REJECTED, None), (Kind.VALID, None)

    assert trust_rules.habits([refused] * 19) == {}
    assert trust_rules.habits([refused] * 11 + [valid] * 9) == {Kind.LOW_ACCEPTANCE: "9/20"}
    assert trust_rules.habits([refused] * 10 + [valid] * 10) == {}
    assert trust_rules.habits([valid] * 20 + [refused] * 30) == {}


def test_nearly_all_by_one_officer_is_noticed() -> None:
    one, other = (Kind.VALID, "ofc_1"), (Kind.VALID, "ofc_2")

    assert trust_rules.habits([one] * 16 + [other] * 4) == {Kind.ONE_OFFICER: "16/20"}
    assert trust_rules.habits([one] * 15 + [other] * 5) == {}
