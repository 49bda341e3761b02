"""What follows from leaves: who is away, who stands in, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.people.covering import LEAVE_REASONS, Cover, Leave, read_leave
from models.people.entities import RoleName, RosterEntry
from models.people.rules import BadLine, RosterLine, by_duty, entry_key, roles_at

DAY = datetime(2026, 3, 1, tzinfo=UTC)
A, B, C, D = (f"ph_{letter * 26}" for letter in "ABCD")


def day(number: float) -> datetime:
    return DAY + timedelta(days=number)


def a_post(
    phone: str,
    scope: str = "grid:1",
    *,
    role: RoleName = RoleName.OFFICER,
    since: float = -100,
    until: float | None = None,
) -> RosterLine:
    entry = RosterEntry(
        role=role,
        scope=scope,
        county="411503",
        display=f"岗位{phone[3]}",
        starts_at=day(since),
        ends_at=None if until is None else day(until),
    )
    return RosterLine(phone_key=phone, entry=entry)


def a_leave(
    phone: str, deputy: str, first: float, last: float, *, scope: str | None = None
) -> Leave:
    return Leave(
        phone_key=phone,
        scope=scope,
        starts_at=day(first),
        ends_at=day(last),
        deputy_key=deputy,
        reason="annual",
    )


def standing(lines: list[RosterLine], leaves: list[Leave], at: float, scope: str) -> list[str]:
    """Whose phones hold a post in a scope at an instant."""
    return sorted(
        line.phone_key
        for line in Cover(lines, leaves).lines()
        if line.entry.scope == scope and line.entry.is_valid(day(at))
    )


@pytest.mark.parametrize(
    ("at", "there"), [(0.9, A), (1, B), (4.9, B), (5, A)], ids=["before", "first", "last", "after"]
)
def test_the_deputy_is_there_exactly_while_the_other_is_away(at: float, there: str) -> None:
    lines = [a_post(A), a_post(B, "grid:2")]

    assert standing(lines, [a_leave(A, B, 1, 5)], at, "grid:1") == [there]


def test_the_deputy_has_the_same_role_in_the_same_scope_and_says_for_whom() -> None:
    lines = [a_post(A, role=RoleName.GRID_LEAD), a_post(B, "grid:2")]

    (line,) = [each for each in Cover(lines, [a_leave(A, B, 1, 5)]).lines() if each.entry.stands_in]

    entry = line.entry
    assert (line.phone_key, entry.role, entry.scope) == (B, RoleName.GRID_LEAD, "grid:1")
    assert (entry.display, entry.starts_at, entry.ends_at) == ("岗位B", day(1), day(5))
    assert entry.stands_in is not None
    assert (entry.stands_in.display, entry.stands_in.reason) == ("岗位A", "annual")
    assert entry_key(entry) == f"411503#grid_lead#grid:1#2026-03-02T08:00:00#for#{A}"


def test_a_leave_takes_away_every_post_unless_it_names_one() -> None:
    lines = [a_post(A), a_post(A, "grid:2"), a_post(B, "grid:3")]

    everything = [a_leave(A, B, 1, 5)]
    one = [a_leave(A, B, 1, 5, scope="grid:2")]

    assert [standing(lines, everything, 2, f"grid:{n}") for n in (1, 2)] == [[B], [B]]
    assert [standing(lines, one, 2, f"grid:{n}") for n in (1, 2)] == [[A], [B]]


def test_a_deputy_who_is_away_himself_is_stood_in_for_that_while() -> None:
    lines = [a_post(A), a_post(B, "grid:2"), a_post(C, "grid:3")]
    leaves = [a_leave(A, B, 1, 9), a_leave(B, C, 3, 5)]

    there = [standing(lines, leaves, at, "grid:1") for at in (2, 3, 4.9, 5, 8)]

    assert there == [[B], [C], [C], [B], [B]]
    assert standing(lines, leaves, 4, "grid:2") == [C]


def test_a_deputy_who_left_one_of_his_posts_to_another_still_stands_in() -> None:
    lines = [a_post(A), a_post(B, "grid:2"), a_post(C, "grid:3")]
    leaves = [a_leave(A, B, 1, 9), a_leave(B, C, 1, 9, scope="grid:2")]

    assert standing(lines, leaves, 4, "grid:1") == [B]


def test_two_who_stand_in_for_each_other_are_a_circle_only_while_both_are_away() -> None:
    lines = [a_post(A), a_post(B, "grid:2")]
    apart = [a_leave(A, B, 1, 3), a_leave(B, A, 3, 5)]
    at_once = [a_leave(A, B, 1, 4), a_leave(B, A, 3, 5)]

    assert [Cover(lines, apart).has_circle(leave) for leave in apart] == [False, False]
    assert [Cover(lines, at_once).has_circle(leave) for leave in at_once] == [True, True]
    assert standing(lines, at_once, 3.5, "grid:1") == []


def test_a_deputy_takes_the_place_of_who_is_away_before_those_who_came_later() -> None:
    lines = [a_post(A, since=-100), a_post(C, since=-50), a_post(B, "grid:2")]
    cover = Cover(lines, [a_leave(A, B, 1, 5)]).lines()
    here = [line.entry for line in cover if line.entry.scope == "grid:1"]

    assert [entry.display for entry in by_duty(here, day(2))] == ["岗位B", "岗位C"]
    assert [entry.display for entry in by_duty(here, day(6))] == ["岗位A", "岗位C"]


def test_a_deputy_is_there_no_longer_than_he_is_on_the_roster_himself() -> None:
    lines = [a_post(A), a_post(B, "grid:2", since=2, until=4)]

    there = [standing(lines, [a_leave(A, B, 1, 5)], at, "grid:1") for at in (1, 2, 3.9, 4)]

    assert there == [[], [B], [B], []]


def test_a_post_that_ends_within_the_leave_is_stood_in_for_until_then() -> None:
    lines = [a_post(A, until=3), a_post(B, "grid:2")]

    assert standing(lines, [a_leave(A, B, 1, 5)], 2.9, "grid:1") == [B]
    assert standing(lines, [a_leave(A, B, 1, 5)], 3, "grid:1") == []


def test_posts_that_work_on_no_case_are_not_stood_in_for() -> None:
    lines = [a_post(A, "station:1", role=RoleName.KEEPER), a_post(B)]

    assert standing(lines, [a_leave(A, B, 1, 5)], 2, "station:1") == [A]


def test_a_leave_whose_deputy_has_left_the_roster_leaves_the_post_empty() -> None:
    assert standing([a_post(A)], [a_leave(A, B, 1, 5)], 2, "grid:1") == []


def test_the_deputys_role_is_his_for_the_time_of_the_leave() -> None:
    lines = Cover([a_post(A), a_post(B, "grid:2")], [a_leave(A, B, 1, 5)]).lines()
    his = [line.entry for line in lines if line.phone_key == B]

    assert [role.scope for role in roles_at(his, day(2))] == ["grid:1", "grid:2"]
    assert [role.scope for role in roles_at(his, day(5))] == ["grid:2"]


@pytest.mark.parametrize(
    ("spans", "covered"),
    [
        ([(-9, None)], True),
        ([(-9, 5)], True),
        ([(-9, 4.9)], False),
        ([(1.1, None)], False),
        ([(-9, 3), (3, 8)], True),
        ([(-9, 3), (3.1, 8)], False),
    ],
)
def test_a_deputy_must_hold_a_post_as_long_as_the_leave_lasts(
    spans: list[tuple[float, float | None]], covered: bool
) -> None:
    posts = [a_post(B, "grid:2", since=since, until=until) for since, until in spans]

    assert Cover([a_post(A), *posts], []).is_covered(a_leave(A, B, 1, 5)) is covered


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (a_leave(A, C, 4, 6), True),
        (a_leave(A, C, 5, 6), False),
        (a_leave(B, C, 1, 5), False),
        (a_leave(A, C, 2, 3, scope="grid:1"), True),
    ],
)
def test_leaves_of_one_person_overlap_when_they_are_of_one_post_at_once(
    other: Leave, overlaps: bool
) -> None:
    leave = a_leave(A, B, 1, 5)

    assert leave.overlaps(other) is other.overlaps(leave) is overlaps
    assert not a_leave(A, B, 1, 5, scope="grid:1").overlaps(a_leave(A, B, 1, 5, scope="grid:2"))
    assert a_leave(A, B, 1, 5, scope="grid:1").overlaps(a_leave(A, C, 4, 9, scope="grid:1"))


days = st.integers(0, 12)
phones = st.sampled_from([A, B, C, D])
some_leaves = st.lists(
    st.builds(
        lambda phone, deputy, first, length: a_leave(phone, deputy, first, first + length),
        phones,
        phones,
        days,
        st.integers(1, 5),
    ),
    max_size=5,
)


def there_by_hand(leaves: list[Leave], phone: str, at: float, seen: tuple[str, ...] = ()) -> str:
    """Who stands where ``phone`` should, asked one instant at a time; empty for nobody."""
    leave = next(
        (
            one
            for one in leaves
            if one.phone_key == phone and one.starts_at <= day(at) < one.ends_at
        ),
        None,
    )
    if leave is None:
        return phone
    if leave.deputy_key in (*seen, phone):
        return ""
    return there_by_hand(leaves, leave.deputy_key, at, (*seen, phone))


@given(some_leaves, st.floats(-1, 18))
def test_at_every_instant_exactly_he_is_there_whom_asking_by_hand_finds(
    drawn: list[Leave], at: float
) -> None:
    leaves: list[Leave] = []
    for leave in drawn:
        if leave.deputy_key != leave.phone_key and not any(map(leave.overlaps, leaves)):
            leaves.append(leave)
    lines = [a_post(phone, f"grid:{phone[3]}") for phone in (A, B, C, D)]
    cover = Cover(lines, leaves)
    if any(cover.has_circle(leave) for leave in leaves):
        return

    for phone in (A, B, C, D):
        scope = f"grid:{phone[3]}"
        assert standing(lines, leaves, at, scope) == [there_by_hand(leaves, phone, at)]


def a_row(**columns: str) -> dict[str, str]:
    row = {
        "phone_key": A,
        "scope": "",
        "county": "411503",
        "from": "2026-03-02",
        "to": "2026-03-06",
        "deputy_phone_key": B,
        "reason": "annual",
    }
    return row | columns


def test_a_good_line_is_read_with_days_as_they_are_in_china() -> None:
    leave = read_leave(a_row(scope=" grid:1 "), "411503")

    assert leave == Leave(
        phone_key=A,
        scope="grid:1",
        starts_at=datetime(2026, 3, 1, 16, tzinfo=UTC),
        ends_at=datetime(2026, 3, 5, 16, tzinfo=UTC),
        deputy_key=B,
        reason="annual",
    )
    assert read_leave(a_row(**{"from": "2026-03-02T13:00:00+08:00"}), "411503").scope is None
    assert [read_leave(a_row(reason=reason), "411503").reason for reason in LEAVE_REASONS]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"county": "411502"}, "leave.foreign_county"),
        ({"phone_key": "13800000000"}, "leave.bad_phone_key"),
        ({"deputy_phone_key": ""}, "leave.bad_deputy_key"),
        ({"deputy_phone_key": A}, "leave.own_deputy"),
        ({"reason": "tired"}, "leave.unknown_reason"),
        ({"from": "soon"}, "leave.bad_time"),
        ({"to": ""}, "leave.bad_time"),
        ({"to": "2026-03-02"}, "leave.ends_before_start"),
    ],
)
def test_a_bad_line_is_told_by_its_code(columns: dict[str, str], code: str) -> None:
    with pytest.raises(BadLine, match=code):
        read_leave(a_row(**columns), "411503")
