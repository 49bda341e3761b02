"""Two of the same: what speaks for it, what against, and how several share one certainty."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.geometry import Position, distance_m, offset
from models.cases.likeness import Candidate, Likeness, Seen, Spot, compare, together

NOW = datetime(2026, 3, 18, 8, 0, tzinfo=UTC)
HERE = Position(lon=114.08, lat=32.13)


def at(east_m: float = 0, *, accuracy_m: float = 10) -> Spot:
    return Spot(position=offset(HERE, east_m=east_m, north_m=0), accuracy_m=accuracy_m)


def seen(east_m: float = 0, *, accuracy_m: float = 10, **values: Any) -> Seen:
    values = {"category": "P0137", "family": "lighting", **values}
    return Seen(spot=at(east_m, accuracy_m=accuracy_m), **values)


def standing(what: Seen, *, age_h: float = 1, fixed_h: float | None = None) -> Candidate:
    fixed_at = None if fixed_h is None else NOW - timedelta(hours=fixed_h)
    return Candidate(seen=what, created_at=NOW - timedelta(hours=age_h), fixed_at=fixed_at)


def likeness(report: Seen, *cases: Candidate) -> list[Likeness]:
    return compare(report, cases, NOW)


def one(report: Seen, case: Candidate) -> Likeness:
    return likeness(report, case)[0]


def part(found: Likeness, name: str) -> float:
    return {part.name: part.weight for part in found.parts}.get(name, 0.0)


def test_what_stands_close_is_the_same_and_what_is_far_is_not_even_shown() -> None:
    near, far = one(seen(), standing(seen(8))), one(seen(), standing(seen(140)))

    assert near.is_same
    assert near.is_shown
    assert not far.is_same
    assert not far.is_shown


def test_another_family_at_the_same_spot_is_never_the_same() -> None:
    found = one(seen(), standing(seen(family="waste", category="E0110")))

    assert (found.score, found.parts, found.is_shown) == (0.0, (), False)


def test_a_distance_means_less_where_phones_are_unsure() -> None:
    sure = one(seen(accuracy_m=5), standing(seen(35, accuracy_m=5)))
    unsure = one(seen(accuracy_m=40), standing(seen(35, accuracy_m=40)))

    assert part(sure, "distance") < part(unsure, "distance")


def test_no_phone_is_believed_to_be_exact() -> None:
    exact, good = (one(seen(accuracy_m=a), standing(seen(10, accuracy_m=a))) for a in (0.0, 4.0))

    assert exact == good


def test_the_same_number_outweighs_thirty_metres_and_another_one_five() -> None:
    far_same = one(seen(object_id="0042017"), standing(seen(35, object_id="0042017")))
    near_other = one(seen(object_id="0042017"), standing(seen(5, object_id="0098655")))

    assert far_same.is_same
    assert not near_other.is_same


def test_one_wrong_digit_of_a_plate_is_a_misreading_but_of_a_pole_the_neighbour() -> None:
    pole = one(seen(object_id="0042017"), standing(seen(object_id="0042018")))
    bikes: dict[str, Any] = {"category": "E0493a", "family": "parking"}
    plate = one(seen(object_id="80042017", **bikes), standing(seen(object_id="80042018", **bikes)))

    assert part(pole, "object_id") < 0 < part(plate, "object_id")


def test_nothing_follows_from_an_id_that_only_one_of_them_has() -> None:
    assert part(one(seen(object_id="0042017"), standing(seen())), "object_id") == 0


def test_like_photos_speak_for_it_unlike_ones_hardly_against_and_unknown_ones_not() -> None:
    alike = one(seen(hashes=(0,)), standing(seen(hashes=((1 << 64) - 1, (1 << 47) - 1))))
    unlike = one(seen(hashes=(0,)), standing(seen(hashes=((1 << 48) - 1,))))
    unknown = one(seen(hashes=(0,)), standing(seen()))

    assert part(alike, "photo") > 2
    assert -1 < part(unlike, "photo") < 0
    assert part(unknown, "photo") == 0


def test_a_fixed_thing_may_be_back_but_an_open_one_is_likelier() -> None:
    fixed = one(seen(), standing(seen(5), age_h=30, fixed_h=20))
    still = one(seen(), standing(seen(5), age_h=30))

    assert fixed.is_shown
    assert 0 < fixed.score < still.score
    assert part(fixed, "age") < part(still, "age") < 0


def test_a_fixed_case_steps_aside_for_the_later_one_of_its_place() -> None:
    fixed = standing(seen(2, category="E0110", family="waste"), age_h=40, fixed_h=30)
    later = standing(seen(9, category="E0110", family="waste"), age_h=5)
    report = seen(category="E0110", family="waste")

    alone = one(report, fixed)
    beside, newer = likeness(report, fixed, later)

    assert alone.is_same
    assert not beside.is_same
    assert newer.is_same
    assert part(beside, "reported_again") < 0


def test_what_was_fixed_at_once_does_not_step_aside_for_itself() -> None:
    found = one(seen(), standing(seen(5), age_h=3, fixed_h=3))

    assert part(found, "reported_again") == 0


def test_two_that_may_be_meant_make_each_other_doubtful_and_are_both_shown() -> None:
    left, right = likeness(seen(), standing(seen(-15)), standing(seen(15)))

    assert left.score == pytest.approx(right.score, rel=1e-3)
    assert not left.is_same
    assert left.is_shown
    assert right.is_shown


def test_a_family_nobody_measured_is_judged_with_caution() -> None:
    known = one(seen(), standing(seen(5)))
    unknown = one(seen(family="snow"), standing(seen(5, family="snow")))

    assert unknown.is_shown
    assert unknown.score <= known.score


def test_two_sightings_place_a_thing_better_than_one() -> None:
    both = together(at(0, accuracy_m=10), at(30, accuracy_m=20))

    assert distance_m(both.position, HERE) == pytest.approx(6, abs=0.1)
    assert both.accuracy_m == pytest.approx(10 * 2 / math.sqrt(5), abs=0.1)


spots = st.builds(at, st.floats(-140, 140), accuracy_m=st.floats(0, 200, allow_nan=False))
things = st.builds(
    Seen,
    spot=spots,
    category=st.sampled_from(["E0493a", "E0410", "P0137"]),
    family=st.sampled_from(["parking", "lighting", "new"]),
    object_id=st.none() | st.text("0123456789", min_size=1, max_size=8),
    hashes=st.lists(st.integers(0, (1 << 128) - 1), max_size=2).map(tuple),
)
candidates = st.builds(
    standing, things, age_h=st.floats(0, 300), fixed_h=st.none() | st.floats(0, 72)
)


@given(report=things, cases=st.lists(candidates, max_size=6))
def test_scores_share_one_certainty_and_follow_from_their_parts(
    report: Seen, cases: list[Candidate]
) -> None:
    found = compare(report, cases, NOW)

    assert sum(likeness.score for likeness in found) <= 1
    odds = [
        math.exp(sum(part.weight for part in likeness.parts)) if likeness.parts else 0.0
        for likeness in found
    ]
    for own, likeness in zip(odds, found, strict=True):
        assert likeness.score == pytest.approx(own / (1 + sum(odds)))
        assert all(math.isfinite(part.weight) and part.weight for part in likeness.parts)


@given(report=things, cases=st.lists(candidates, max_size=5), order=st.randoms())
def test_the_order_of_the_cases_means_nothing(
    report: Seen, cases: list[Candidate], order: Any
) -> None:
    indexes = list(range(len(cases)))
    order.shuffle(indexes)

    straight = compare(report, cases, NOW)
    shuffled = compare(report, [cases[index] for index in indexes], NOW)

    assert [round(found.score, 9) for found in shuffled] == [
        round(straight[index].score, 9) for index in indexes
    ]
