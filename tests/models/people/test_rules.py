"""The pure decisions about people."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.base.errors import Invalid
from models.people import rules
from models.people.entities import Away, RoleName, RosterEntry, Standing, standing_of
from models.people.pseudonyms import e164, phone_key_for
from models.people.tables import session_roles, to_entries
from tests.support.people import PSEUDONYMS, a_line, a_phone, a_role, an_actor

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)


def an_entry(
    *,
    role: RoleName = RoleName.OFFICER,
    county: str = "411503",
    days_from: int = -1,
    days_to: int | None = 1,
) -> RosterEntry:
    return RosterEntry(
        role=role,
        scope=f"{rules.SCOPE_KIND_BY_ROLE[role]}:1",
        county=county,
        display="网格员",
        starts_at=NOW + timedelta(days=days_from),
        ends_at=None if days_to is None else NOW + timedelta(days=days_to),
    )


@pytest.mark.parametrize(
    ("days_from", "days_to", "valid"),
    [(0, 1, True), (-1, 0, False), (1, 2, False), (-1, None, True), (-1, 1, True)],
)
def test_an_entry_holds_from_its_beginning_until_before_its_end(
    days_from: int, days_to: int | None, valid: bool
) -> None:
    entry = an_entry(days_from=days_from, days_to=days_to)

    assert entry.is_valid(NOW) is valid
    assert (len(rules.roles_at([entry], NOW)) == 1) is valid


@pytest.mark.parametrize(
    ("role", "scope", "is_good"),
    [
        ("duty", "county:411503", True),
        ("duty", "zone:FZ-YANGSHAN", True),
        ("district", "zone:FZ-YANGSHAN", True),
        ("duty", "grid:1", False),
        ("community", "zone:FZ-YANGSHAN", False),
        ("duty", "county:411502", False),
    ],
)
def test_the_duty_list_and_the_district_are_over_a_county_or_one_of_its_zones(
    role: str, scope: str, is_good: bool
) -> None:
    columns = a_line(a_phone(), role=role, scope=scope)

    expectation = nullcontext() if is_good else pytest.raises(rules.BadLine, match="bad_scope")
    with expectation:
        assert rules.read_line(columns, "411503").entry.scope == scope


@pytest.mark.parametrize(
    ("days_from", "days_to", "away", "lost"),
    [
        (1, 2, None, None),
        (-2, 2, None, None),
        (-2, 0, None, 0),
        (-2, -1, None, -1),
        (-2, None, (-1, 1), -1),
        (-2, None, (-1, 0), None),
        (-1, None, (-2, 1), -1),
        (-2, 0, (-1, 1), -1),
        (-3, -2, (-1, 1), -2),
    ],
)
def test_an_entry_is_lost_at_its_end_or_when_a_leave_begins(
    days_from: int, days_to: int | None, away: tuple[int, int] | None, lost: int | None
) -> None:
    entry = an_entry(days_from=days_from, days_to=days_to)
    if away is not None:
        first, last = (NOW + timedelta(days=number) for number in away)
        leave = Away(starts_at=first, ends_at=last, reason="annual")
        entry = replace(entry, away=(leave,))

    expected = None if lost is None else NOW + timedelta(days=lost)
    assert entry.lost_at(NOW) == expected
    assert entry.is_valid(NOW) is (expected is None and days_from <= 0)


def test_an_entry_at_rest_is_no_role_and_a_session_keeps_the_leave() -> None:
    leave = Away(starts_at=NOW, ends_at=NOW + timedelta(hours=1), reason="shift")
    entry = replace(an_entry(days_to=None), away=(leave,))

    (again,) = to_entries(session_roles([entry]))

    assert again == entry
    assert rules.roles_at([again], NOW) == ()
    assert len(rules.roles_at([again], NOW + timedelta(hours=1))) == 1


def test_a_role_listed_twice_is_held_once() -> None:
    assert len(rules.roles_at([an_entry(), an_entry(days_from=-3)], NOW)) == 1


def test_a_county_is_taken_from_roles_that_agree_only() -> None:
    assert rules.county_of([an_entry(), an_entry()]) == "411503"
    assert rules.county_of([an_entry(), an_entry(county="411502")]) is None
    assert rules.county_of([]) is None


@pytest.mark.parametrize(
    ("has_phone", "days_left", "standing"),
    [
        (False, None, Standing.GUEST),
        (True, None, Standing.PHONE),
        (False, 1, Standing.CONFIRMED),
        (True, 0, Standing.PHONE),
        (False, -1, Standing.GUEST),
    ],
)
def test_standing_follows_from_phone_and_confirmation(
    has_phone: bool, days_left: int | None, standing: Standing
) -> None:
    until = None if days_left is None else NOW + timedelta(days=days_left)

    assert standing_of(has_phone=has_phone, confirmed_until=until, now=NOW) == standing


def test_an_actor_has_roles_where_they_hold_only() -> None:
    actor = an_actor(a_role(RoleName.OFFICER, "g1"), a_role(RoleName.GRID_LEAD, "g2"))

    assert actor.scopes(RoleName.OFFICER) == {"grid:g1"}
    assert actor.has(RoleName.GRID_LEAD, "grid:g2")
    assert not actor.has(RoleName.OFFICER, "grid:g2")


@pytest.mark.parametrize(
    "phone", ["13800000000", "+8613800000000", "86 138 0000 0000", "0086-138-0000-0000"]
)
def test_one_phone_has_one_key_however_it_is_written(phone: str) -> None:
    assert phone_key_for(phone, b"k" * 32) == phone_key_for("13800000000", b"k" * 32)


@pytest.mark.parametrize("phone", ["", "12", "+", "abc", "1380000000٠", "1" * 16, "138 0000 000x"])
def test_what_is_no_phone_is_refused(phone: str) -> None:
    with pytest.raises(Invalid):
        e164(phone)


def test_a_foreign_number_of_eleven_digits_is_not_taken_for_a_chinese_one() -> None:
    assert e164("+12025550100") == "+12025550100"


def test_each_purpose_has_names_of_its_own() -> None:
    names = {
        PSEUDONYMS.member_id("x")[4:],
        PSEUDONYMS.union_key("x")[4:],
        PSEUDONYMS.follower_id("x")[4:],
        PSEUDONYMS.login_id("x")[4:],
        PSEUDONYMS.verification_key("x")[4:],
    }

    assert len(names) == 5
    assert "iiii" not in repr(PSEUDONYMS)


def test_a_roster_line_says_dates_in_china_or_instants() -> None:
    line = rules.read_line(
        a_line(a_phone(), **{"from": "2026-01-01", "to": "2026-01-02T00:00:00Z"}), "411503"
    )

    assert line.entry.starts_at == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert line.entry.ends_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert rules.entry_key(line.entry) == "411503#officer#grid:g1#2026-01-01"


def test_a_columnless_line_is_a_bad_line() -> None:
    with pytest.raises(rules.BadLine):
        rules.read_line({}, "411503")


@pytest.mark.parametrize(
    ("token", "member_id"),
    [
        (f"mbr_{'A' * 26}.{'-' * 43}", f"mbr_{'A' * 26}"),
        (f"mbr_{'I' * 26}.{'-' * 43}", None),
        (f"mbr_{'A' * 26}.{'-' * 42}", None),
    ],
)
def test_a_token_names_its_member_if_it_has_the_form(token: str, member_id: str | None) -> None:
    assert rules.member_of_token(token) == member_id


def test_a_session_reads_back_the_roles_it_repeats_and_skips_unknown_ones() -> None:
    entries = [an_entry(), an_entry(days_to=None)]
    kept = session_roles(entries)

    assert to_entries([*kept, kept[0] | {"role": "role_of_a_newer_code"}]) == entries
