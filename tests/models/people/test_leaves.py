"""A county's leaves come in whole or not at all; the deputy may act, who is away may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from models.base.clock import FixedClock
from models.base.errors import Unauthorised
from models.base.ids import new_id
from models.base.store import get
from models.base.tables import Database
from models.people import leaving
from models.people.entities import Left
from models.people.importing import ImportReport, import_roster
from models.people.leaves import import_leaves
from models.people.members import Members
from models.people.roster import Roster
from models.people.tables import LeaveRow, SignInRow, leaves_of, scan_roster
from tests.support.people import PSEUDONYMS, People, a_county, a_line, a_phone

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
FIRST, LAST = datetime(2026, 3, 19, 16, tzinfo=UTC), datetime(2026, 3, 22, 16, tzinfo=UTC)
"""The leave of these tests: from the 20th until before the 23rd, days in China."""


@dataclass
class County:
    """A county of a test's own, whose officers have bound their phones."""

    people: People
    clock: FixedClock
    name: str = field(default_factory=a_county)
    told: list[Left] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.grid = new_id("grid")
        self.lines: list[dict[str, str]] = []

    def officer(self, **columns: str) -> tuple[str, str]:
        """Somebody new on this county's roster: openid and phone."""
        phone, openid = a_phone(), new_id("openid")
        columns = {"scope": f"grid:{new_id('grid')}", "county": self.name, **columns}
        self.lines.append(a_line(phone, **columns))
        self.import_roster()
        self.people.bind(self.people.sign_in(openid).actor, openid, phone)
        return openid, phone

    def import_roster(self) -> ImportReport:
        return import_roster(
            self.lines,
            county=self.name,
            owns=lambda scope: True,
            now=self.clock.now(),
            actor="test",
            tell=self.tell,
        )

    def import_leaves(self, *rows: dict[str, str]) -> ImportReport:
        return import_leaves(
            rows, county=self.name, now=self.clock.now(), actor="test", tell=self.tell
        )

    def tell(self, left: Left) -> SignInRow:
        """Any row will do; what it says is kept."""
        self.told.append(left)
        return SignInRow(new_id("left"), "#test", schema=1, owner="", signed_in_at=NOW, ttl=0)

    def leave(self, who: str, deputy: str, **columns: str) -> dict[str, str]:
        row = {
            "phone_key": PSEUDONYMS.phone(who),
            "scope": "",
            "county": self.name,
            "from": "2026-03-20",
            "to": "2026-03-23",
            "deputy_phone_key": PSEUDONYMS.phone(deputy),
            "reason": "annual",
        }
        return row | columns

    def scopes(self, openid: str) -> list[str]:
        """Where somebody who signs in now has a role."""
        return [role.scope for role in self.people.sign_in(openid).actor.roles]


@pytest.fixture
def county(people: People, clock: FixedClock) -> County:
    return County(people, clock)


def test_the_deputy_may_act_in_the_grid_for_the_time_of_the_leave_and_the_other_may_not(
    county: County,
) -> None:
    absent, phone = county.officer(scope=f"grid:{county.grid}")
    deputy, his_phone = county.officer(scope="grid:other")

    assert county.import_leaves(county.leave(phone, his_phone)) == ImportReport(added=1)

    seen = []
    for at in (NOW, FIRST, LAST - timedelta(seconds=1), LAST):
        county.clock.set(at)
        seen.append((county.scopes(absent), sorted(county.scopes(deputy))))
    before = ([f"grid:{county.grid}"], ["grid:other"])
    meanwhile: tuple[list[str], list[str]] = ([], [f"grid:{county.grid}", "grid:other"])
    assert seen == [before, meanwhile, meanwhile, before]


def test_a_session_gains_and_loses_the_role_by_itself(county: County) -> None:
    absent, phone = county.officer(scope=f"grid:{county.grid}")
    deputy, his_phone = county.officer(scope="grid:other")
    county.import_leaves(county.leave(phone, his_phone))
    sessions = [county.people.sign_in(who) for who in (absent, deputy)]

    held = []
    for at in (NOW, FIRST, LAST):
        county.clock.set(at)
        actors = [county.people.sessions.authenticate(each.token) for each in sessions]
        held.append([f"grid:{county.grid}" in [r.scope for r in actor.roles] for actor in actors])

    assert held == [[True, False], [False, True], [True, False]]


def test_sessions_from_before_end_for_both_and_for_nobody_else(county: County) -> None:
    people = [county.officer() for _ in range(3)]
    sessions = [county.people.sign_in(openid) for openid, _ in people]
    (_, phone), (_, his_phone), _ = people

    county.import_leaves(county.leave(phone, his_phone))

    ended = []
    for signed_in in sessions:
        try:
            county.people.sessions.authenticate(signed_in.token)
        except Unauthorised as error:
            ended.append(error.code)
        else:
            ended.append("")
    assert ended == ["session.revoked", "session.revoked", ""]


def test_on_duty_names_the_deputy_at_the_instant_asked(county: County) -> None:
    _, phone = county.officer(scope=f"grid:{county.grid}", display="甲")
    _, his_phone = county.officer(scope="grid:other", display="乙")
    county.import_leaves(county.leave(phone, his_phone))
    roster = Roster(clock=county.clock)

    names = [[e.display for e in roster.on_duty(county.grid, at)] for at in (NOW, FIRST, LAST)]

    assert names == [["甲"], ["乙"], ["甲"]]
    assert [e.display for e in roster.on_duty(county.grid)] == ["甲"]


def test_a_leave_is_known_elsewhere_within_a_minute(county: County) -> None:
    county.clock.set(FIRST)
    _, phone = county.officer(scope=f"grid:{county.grid}", display="甲")
    _, his_phone = county.officer(scope="grid:other", display="乙")
    elsewhere = Roster(clock=county.clock)
    before = [e.display for e in elsewhere.on_duty(county.grid)]

    county.import_leaves(county.leave(phone, his_phone))
    county.clock.advance(timedelta(seconds=31))

    assert (before, [e.display for e in elsewhere.on_duty(county.grid)]) == (["甲"], ["乙"])


def test_the_same_file_changes_nothing_and_an_empty_one_ends_every_leave(county: County) -> None:
    absent, phone = county.officer(scope=f"grid:{county.grid}")
    deputy, his_phone = county.officer(scope="grid:other")
    leave = county.leave(phone, his_phone)

    reports = [county.import_leaves(leave), county.import_leaves(leave)]
    signed_in = county.people.sign_in(deputy)
    reports.append(county.import_leaves(leave))

    assert reports == [ImportReport(added=1), ImportReport(), ImportReport()]
    county.people.sessions.authenticate(signed_in.token)
    assert county.import_leaves(leave | {"reason": "sick"}) == ImportReport(changed=1)
    assert county.import_leaves() == ImportReport(removed=1)
    county.clock.set(FIRST)
    assert (county.scopes(absent), county.scopes(deputy)) == (
        [f"grid:{county.grid}"],
        ["grid:other"],
    )
    assert leaves_of(county.name) == []


def test_a_leave_outlives_the_import_of_the_roster(county: County) -> None:
    _, phone = county.officer(scope=f"grid:{county.grid}")
    deputy, his_phone = county.officer(scope="grid:other")
    county.import_leaves(county.leave(phone, his_phone))

    assert county.import_roster() == ImportReport()
    county.lines[0] = a_line(phone, county=county.name, scope="grid:moved")
    county.import_roster()

    county.clock.set(FIRST)
    assert sorted(county.scopes(deputy)) == ["grid:moved", "grid:other"]


def test_a_deputy_who_leaves_the_roster_stands_in_no_more(county: County) -> None:
    _, phone = county.officer(scope=f"grid:{county.grid}")
    deputy, his_phone = county.officer(scope="grid:other")
    county.import_leaves(county.leave(phone, his_phone))

    del county.lines[1]
    county.import_roster()

    county.clock.set(FIRST)
    assert county.scopes(deputy) == []


def test_a_deputy_who_binds_his_phone_during_the_leave_is_on_duty(county: County) -> None:
    county.clock.set(FIRST)
    _, phone = county.officer(scope=f"grid:{county.grid}")
    late, openid = a_phone(), new_id("openid")
    county.lines.append(a_line(late, county=county.name, scope="grid:other"))
    county.import_roster()
    county.import_leaves(county.leave(phone, late))
    before = Roster(clock=county.clock).on_duty(county.grid)

    county.people.bind(county.people.sign_in(openid).actor, openid, late)

    (entry,) = Roster(clock=county.clock).on_duty(county.grid)
    assert [each.member_id for each in before] == [None]
    assert entry.member_id == PSEUDONYMS.member_id(openid)


def test_other_counties_leaves_and_rosters_stay_as_they_are(
    people: People, clock: FixedClock
) -> None:
    here, there = County(people, clock), County(people, clock)
    rows = {}
    for county in (here, there):
        _, phone = county.officer()
        _, his_phone = county.officer()
        county.import_leaves(county.leave(phone, his_phone))
        rows[county.name] = scan_roster(county.name)

    here.import_leaves()

    assert len(leaves_of(there.name)) == 1
    assert len(scan_roster(there.name)) == len(rows[there.name]) == 3


Refusal = Callable[[County], dict[str, str]]


def _foreign(county: County) -> dict[str, str]:
    elsewhere = County(county.people, county.clock)
    return {"deputy_phone_key": PSEUDONYMS.phone(elsewhere.officer()[1])}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda c: {"phone_key": PSEUDONYMS.phone(a_phone())}, "leave.unknown_post"),
        (lambda c: {"scope": "grid:not-his"}, "leave.unknown_post"),
        (lambda c: {"deputy_phone_key": PSEUDONYMS.phone(a_phone())}, "leave.unknown_deputy"),
        (_foreign, "leave.foreign_deputy"),
        (
            lambda c: {"deputy_phone_key": PSEUDONYMS.phone(c.officer(to="2026-03-22")[1])},
            "leave.deputy_not_valid",
        ),
        (
            lambda c: {
                "deputy_phone_key": PSEUDONYMS.phone(c.officer(role="keeper", scope="station:1")[1])
            },
            "leave.unknown_deputy",
        ),
        (lambda c: {"reason": "tired"}, "leave.unknown_reason"),
    ],
)
def test_a_leave_that_cannot_be_is_refused_by_line_and_code_and_nothing_is_written(
    county: County, wrong: Refusal, code: str
) -> None:
    _, phone = county.officer()
    _, his_phone = county.officer()
    good = county.leave(his_phone, phone, **{"from": "2026-05-01", "to": "2026-05-02"})
    bad = county.leave(phone, his_phone, **wrong(county))

    report = county.import_leaves(good, bad)

    assert report == ImportReport(refused=((3, code),))
    assert leaves_of(county.name) == []
    assert not [row for row in scan_roster(county.name) if row.stands_in or row.away]


def test_leaves_that_overlap_are_refused_at_the_later_line(county: County) -> None:
    _, phone = county.officer()
    _, his_phone = county.officer()
    leave = county.leave(phone, his_phone)

    report = county.import_leaves(leave, leave | {"from": "2026-03-22", "to": "2026-03-25"})

    assert report.refused == ((3, "leave.overlaps"),)


def test_two_who_would_stand_in_for_each_other_at_once_are_refused(county: County) -> None:
    _, phone = county.officer()
    _, his_phone = county.officer()

    report = county.import_leaves(
        county.leave(phone, his_phone), county.leave(his_phone, phone, reason="sick")
    )

    assert report.refused == ((2, "leave.circle"), (3, "leave.circle"))


def test_nobody_stands_in_for_more_posts_than_a_phone_may_hold(county: County) -> None:
    _, his_phone = county.officer()
    phones = [a_phone(), a_phone()]
    county.lines += [
        a_line(phone, county=county.name, scope=f"grid:{phone[-4:]}-{number}")
        for phone in phones
        for number in range(11)
    ]
    county.import_roster()

    report = county.import_leaves(*(county.leave(phone, his_phone) for phone in phones))

    assert report.refused == ((2, "leave.deputy_overloaded"), (3, "leave.deputy_overloaded"))
    assert county.import_leaves(county.leave(phones[0], his_phone)) == ImportReport(added=1)


def test_the_table_shows_an_admin_who_is_away_and_why(county: County) -> None:
    _, phone = county.officer()
    _, his_phone = county.officer()
    county.import_leaves(county.leave(phone, his_phone, scope=county.lines[0]["scope"]))

    (leave,) = leaves_of(county.name)
    key = f"{leave.phone_key}#{leave.scope}#2026-03-19T16:00:00.000Z"
    row = get(LeaveRow, county.name, key)

    assert row is not None
    assert (row.reason, row.deputy_key) == ("annual", PSEUDONYMS.phone(his_phone))
    assert (row.imported_by, row.imported_at) == ("test", NOW)


# who left ---------------------------------------------------------------------------------------


def left(county: County) -> list[tuple[str, str, datetime]]:
    """Who is told to have left what, and when."""
    return [(each.member_id, *each.scopes, each.at) for each in county.told]


def test_whoever_loses_his_post_by_an_import_has_left_at_that_moment(county: County) -> None:
    openid, _ = county.officer(scope=f"grid:{county.grid}")
    county.officer(role="keeper", scope="station:1")
    stays = county.officer()
    assert left(county) == []

    del county.lines[:2]
    county.import_roster()

    assert left(county) == [(PSEUDONYMS.member_id(openid), f"grid:{county.grid}", NOW)]
    assert county.scopes(stays[0]) == [county.lines[0]["scope"]]


def test_an_entry_that_only_moves_its_beginning_is_nobodys_leaving(county: County) -> None:
    county.officer()

    county.lines[0]["from"] = "2025-12-01"
    county.import_roster()

    assert left(county) == []


def test_an_entry_cut_short_by_an_import_is_told_with_its_end(county: County) -> None:
    openid, _ = county.officer(scope=f"grid:{county.grid}")

    county.lines[0]["to"] = "2026-03-17"
    county.import_roster()

    ended = datetime(2026, 3, 16, 16, tzinfo=UTC)
    assert left(county) == [(PSEUDONYMS.member_id(openid), f"grid:{county.grid}", ended)]


def test_a_leave_that_begins_is_told_once_however_often_one_looks(county: County) -> None:
    openid, phone = county.officer(scope=f"grid:{county.grid}")
    deputy, his_phone = county.officer(scope="grid:other")
    county.import_leaves(county.leave(phone, his_phone))
    assert left(county) == []

    county.clock.set(FIRST + timedelta(minutes=30))
    swept = [leaving.sweep(county.clock.now(), county.tell, county.name) for _ in range(3)]

    assert swept == [1, 0, 0]
    assert left(county) == [(PSEUDONYMS.member_id(openid), f"grid:{county.grid}", FIRST)]
    county.clock.set(LAST)
    assert leaving.sweep(LAST, county.tell, county.name) == 1
    assert left(county)[1] == (PSEUDONYMS.member_id(deputy), f"grid:{county.grid}", LAST)


def test_a_leave_imported_while_it_lasts_is_told_at_once(county: County) -> None:
    openid, phone = county.officer(scope=f"grid:{county.grid}")
    _, his_phone = county.officer()
    county.clock.set(FIRST + timedelta(hours=3))

    county.import_leaves(county.leave(phone, his_phone))

    assert left(county) == [(PSEUDONYMS.member_id(openid), f"grid:{county.grid}", FIRST)]


def test_who_still_holds_the_grid_by_another_entry_has_not_left(county: County) -> None:
    _, phone = county.officer(scope=f"grid:{county.grid}", to="2026-03-20")
    county.lines.append(
        a_line(phone, county=county.name, scope=f"grid:{county.grid}", role="grid_lead")
    )
    county.import_roster()

    county.clock.set(FIRST)

    assert leaving.sweep(FIRST, county.tell, county.name) == 0
    del county.lines[1]
    county.import_roster()
    assert {scope for _, scope, _ in left(county)} == {f"grid:{county.grid}"}


def test_posts_without_a_phone_or_of_other_roles_leave_nothing_behind(
    county: County, database: Database
) -> None:
    county.lines = [
        a_line(a_phone(), county=county.name, to="2026-03-20"),
        a_line(a_phone(), county=county.name, role="community", scope="community:1"),
    ]
    county.import_roster()
    county.officer(role="community", scope="community:2", to="2026-03-20")

    assert leaving.sweep(LAST, county.tell, county.name) == 0


def test_of_two_sweeps_at_once_one_tells(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    county.officer(to="2026-03-20")
    county.clock.set(FIRST)
    read = leaving.scan_roster

    def overtaken(name: str | None = None) -> list[object]:
        rows = read(name)
        monkeypatch.setattr(leaving, "scan_roster", read)
        swept.append(leaving.sweep(FIRST, county.tell, county.name))
        return rows

    swept: list[int] = []
    monkeypatch.setattr(leaving, "scan_roster", overtaken)
    swept.append(leaving.sweep(FIRST, county.tell, county.name))

    assert swept == [1, 0]


def test_who_loses_his_phone_has_left_every_post_at_once(county: County) -> None:
    openid, phone = county.officer(scope=f"grid:{county.grid}")
    county.lines += [
        a_line(phone, county=county.name, scope="grid:second"),
        a_line(phone, county=county.name, scope="grid:past", to="2026-03-01"),
        a_line(phone, county=county.name, scope="station:1", role="keeper"),
    ]
    county.import_roster()
    people = People(county.clock, wechat=county.people.wechat)
    people.members = Members(
        pseudonyms=PSEUDONYMS, clock=county.clock, phones=people.wechat, tell=county.tell
    )

    people.members.release_phone(PSEUDONYMS.member_id(openid))

    (gone,) = [each for each in county.told if each.at == NOW and len(each.scopes) == 2]
    assert gone.member_id == PSEUDONYMS.member_id(openid)
    assert gone.scopes == tuple(sorted([f"grid:{county.grid}", "grid:second"]))
    assert Roster(clock=county.clock).on_duty(county.grid)[0].member_id is None
