"""A county's roster comes in whole or not at all, and what it takes away is gone at once."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Unauthorised, Unavailable
from models.base.ids import new_id
from models.base.tables import Database
from models.people.accounts import load_phone
from models.people.entities import RoleName, SignedIn
from models.people.importing import ImportReport, read_csv
from models.people.roster import Roster
from models.people.tables import RosterRow
from tests.support.people import (
    PSEUDONYMS,
    People,
    a_county,
    a_line,
    a_phone,
    import_lines,
)


def a_bound_officer(people: People, county: str) -> tuple[str, SignedIn]:
    """An officer of ``county`` (its roster is he alone), signed in: phone, session."""
    openid, phone = new_id("openid"), a_phone()
    import_lines([a_line(phone, county=county)], county=county)
    people.bind(people.sign_in(openid).actor, openid, phone)
    return phone, people.sign_in(openid)


def is_revoked(people: People, signed_in: SignedIn) -> bool:
    try:
        people.sessions.authenticate(signed_in.token)
    except Unauthorised as error:
        return error.code == "session.revoked"
    return False


def test_the_same_file_changes_nothing_the_second_time(database: Database) -> None:
    county = a_county()
    lines = [a_line(a_phone(), county=county, scope=f"grid:{n}") for n in range(3)]

    first, second = import_lines(lines, county=county), import_lines(lines, county=county)

    assert first == ImportReport(added=3)
    assert second == ImportReport()


def test_what_a_file_adds_changes_and_drops_is_counted(database: Database) -> None:
    county = a_county()
    kept, changed, dropped, new = (a_phone() for _ in range(4))
    import_lines([a_line(p, county=county) for p in (kept, changed, dropped)], county=county)

    report = import_lines(
        [
            a_line(kept, county=county),
            a_line(changed, county=county, to="2027-01-01"),
            a_line(new, county=county),
        ],
        county=county,
    )

    assert report == ImportReport(added=1, changed=1, removed=1)
    (entry,) = load_phone(PSEUDONYMS.phone(changed)).entries()
    assert entry.ends_at == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert load_phone(PSEUDONYMS.phone(dropped)).entries() == []


def test_a_changed_entry_keeps_attributes_of_a_newer_code(database: Database) -> None:
    county, phone = a_county(), a_phone()
    import_lines([a_line(phone, county=county)], county=county)
    (row,) = load_phone(PSEUDONYMS.phone(phone)).rows
    row.update(actions=[RosterRow.synthetic.set(True)])

    import_lines([a_line(phone, county=county, display="网格长")], county=county)

    (after,) = load_phone(PSEUDONYMS.phone(phone)).rows
    assert (after.display, after.synthetic) == ("网格长", True)


def test_an_import_leaves_the_other_counties_alone(database: Database) -> None:
    here, there, phone = a_county(), a_county(), a_phone()
    import_lines([a_line(phone, county=there)], county=there)
    import_lines([a_line(phone, county=here)], county=here)

    report = import_lines([], county=here)

    assert report == ImportReport(removed=1)
    assert [entry.county for entry in load_phone(PSEUDONYMS.phone(phone)).entries()] == [there]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"phone_key": "13800000000"}, "roster.bad_phone_key"),
        ({"phone_key": ""}, "roster.bad_phone_key"),
        ({"role": "mayor"}, "roster.unknown_role"),
        ({"role": "keeper"}, "roster.bad_scope"),
        ({"scope": "grid:"}, "roster.bad_scope"),
        ({"role": "district", "scope": "county:000000"}, "roster.bad_scope"),
        ({"county": "411599"}, "roster.foreign_county"),
        ({"display": ""}, "roster.bad_display"),
        ({"display": "长" * 21}, "roster.bad_display"),
        ({"from": "soon"}, "roster.bad_time"),
        ({"from": ""}, "roster.bad_time"),
        ({"from": "2026-01-01T00:00:00"}, "roster.bad_time"),
        ({"to": "2026-01-01"}, "roster.ends_before_start"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(
    database: Database, columns: dict[str, str], code: str
) -> None:
    county, phone = a_county(), a_phone()
    good = a_line(phone, county=county)

    report = import_lines(
        [good, a_line(a_phone(), **{"county": county, **columns}), good], county=county
    )

    assert report.refused == ((3, code), (4, "roster.duplicate"))
    assert load_phone(PSEUDONYMS.phone(phone)).rows == ()


def test_no_county_gives_out_roles_over_anothers_grid(database: Database) -> None:
    county = a_county()
    lines = [a_line(a_phone(), county=county, scope="grid:theirs")]

    report = import_lines(lines, county=county, foreign="grid:theirs")

    assert report == ImportReport(refused=((2, "roster.foreign_scope"),))


def test_more_roles_than_one_transaction_takes_are_refused(database: Database) -> None:
    county, phone = a_county(), a_phone()
    lines = [a_line(phone, county=county, scope=f"grid:{n}") for n in range(21)]

    assert import_lines(lines, county=county).refused == ((22, "roster.too_many_roles"),)
    assert import_lines(lines[:20], county=county).added == 20


@pytest.mark.parametrize("columns", [None, {"display": "网格长"}, {"to": "2026-12-31"}])
def test_a_removed_or_changed_entry_ends_the_sessions(
    people: People, columns: dict[str, str] | None
) -> None:
    county = a_county()
    phone, signed_in = a_bound_officer(people, county)
    lines = [] if columns is None else [a_line(phone, **{"county": county, **columns})]

    import_lines(lines, county=county)

    assert is_revoked(people, signed_in)


def test_an_unchanged_entry_leaves_the_session_open(people: People) -> None:
    county = a_county()
    phone, signed_in = a_bound_officer(people, county)

    import_lines([a_line(phone, county=county), a_line(a_phone(), county=county)], county=county)

    assert not is_revoked(people, signed_in)


def test_a_role_added_to_a_bound_phone_is_there_at_the_next_sign_in(people: People) -> None:
    county, openid, phone = a_county(), new_id("openid"), a_phone()
    people.bind(people.sign_in(openid).actor, openid, phone)

    import_lines([a_line(phone, county=county)], county=county)

    assert [role.county for role in people.sign_in(openid).actor.roles] == [county]


def test_a_file_is_read_with_or_without_a_byte_order_mark() -> None:
    text = (
        "phone_key,role,scope,county,display,from,to\nph,officer,grid:1,411502,网格员,2026-01-01,\n"
    )
    expected = {
        "phone_key": "ph",
        "role": "officer",
        "scope": "grid:1",
        "county": "411502",
        "display": "网格员",
        "from": "2026-01-01",
        "to": "",
    }

    assert read_csv(text) == read_csv("\ufeff" + text) == [expected]


def test_on_duty_names_bound_officers_then_others_then_leads(
    people: People, clock: FixedClock
) -> None:
    county, grid = a_county(), new_id("grid")
    bound, unbound, lead, past = (a_phone() for _ in range(4))
    openid = new_id("openid")
    scope = {"county": county, "scope": f"grid:{grid}"}
    import_lines(
        [
            a_line(unbound, **scope, display="二号网格员"),
            a_line(lead, **scope, role="grid_lead", display="网格长"),
            a_line(bound, **scope, display="一号网格员"),
            a_line(past, **scope, display="前网格员", to="2026-03-01"),
        ],
        county=county,
    )
    people.bind(people.sign_in(openid).actor, openid, bound)

    roster = Roster(clock=clock)

    assert [entry.display for entry in roster.on_duty(grid)] == [
        "一号网格员",
        "二号网格员",
        "网格长",
    ]
    assert roster.on_duty(grid)[0].member_id == PSEUDONYMS.member_id(openid)
    assert [e.display for e in roster.holders(RoleName.GRID_LEAD, f"grid:{grid}")] == ["网格长"]
    assert roster.on_duty("nowhere") == ()


def test_the_roster_is_remembered_for_thirty_seconds(database: Database, clock: FixedClock) -> None:
    county, grid = a_county(), new_id("grid")
    roster = Roster(clock=clock)
    assert roster.on_duty(grid) == ()
    import_lines([a_line(a_phone(), county=county, scope=f"grid:{grid}")], county=county)

    seen = [len(roster.on_duty(grid))]
    clock.advance(timedelta(seconds=31))
    seen.append(len(roster.on_duty(grid)))

    assert seen == [0, 1]


def test_what_was_known_serves_while_the_tables_are_away(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    county, grid = a_county(), new_id("grid")
    import_lines([a_line(a_phone(), county=county, scope=f"grid:{grid}")], county=county)
    roster = Roster(clock=clock)
    known = roster.on_duty(grid)
    clock.advance(timedelta(minutes=5))

    def away(*_: object) -> list[RosterRow]:
        raise Unavailable("store.busy")

    monkeypatch.setattr("models.people.roster.query", away)

    assert roster.on_duty(grid) == known != ()
    with pytest.raises(Unavailable):
        roster.on_duty("never-seen")


@pytest.mark.parametrize("text", ["a,b,a\n1,2,3\n", "a,b\n1,2,3\n"])
def test_a_file_of_which_a_cell_would_be_passed_over_is_not_read(text: str) -> None:
    with pytest.raises(csv.Error):
        read_csv(text)


def test_empty_cells_beyond_the_headings_are_nothing() -> None:
    assert read_csv("a,b,,\n1,2,,,\n") == [{"a": "1", "b": "2"}]
