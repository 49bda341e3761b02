"""Why a report goes where it goes; a dry run says the same as the filing, and writes nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.local import engine as engines
from models.alerts.tables import InboxRow
from models.base.clock import FixedClock
from models.base.errors import Invalid, NotFound
from models.base.geometry import Position, polygon_area_m2
from models.base.ids import new_id
from models.base.paging import Cursors
from models.base.store import query
from models.base.tables import Database, use_database
from models.cases import routed
from models.cases.categories import Categories
from models.cases.changes import parties_in
from models.cases.dry_run import DryRun, Spot
from models.cases.entities import Action, Party, Step
from models.cases.listing import Listing, Queue
from models.cases.routing import Routes, ladder
from models.cases.tables import CaseEventRow, CaseRow
from models.people.entities import Actor, Role, RoleName
from models.people.roster import Roster
from models.people.tables import RosterRow
from models.places.entities import Division, DivisionKind, Grid
from models.places.service import Places
from tests.support.cases import LONG_AGO, Town, a_photo, a_rider

COUNTY, FOREIGN = "411503", "411502"
ZONE = "FZ-TEST"
WEST, SOUTH, SIDE = 114.08, 32.12, 0.01
JULY = datetime(2026, 6, 30, 16, tzinfo=UTC)
LEAVE = datetime(2026, 3, 19, 16, tzinfo=UTC)


def a_grid(grid_id: str, column: float = 0, *, side: float = SIDE, **changed: Any) -> Grid:
    west = WEST + column * SIDE
    polygon = (
        (west, SOUTH),
        (west + side, SOUTH),
        (west + side, SOUTH + side),
        (west, SOUTH + side),
    )
    grid = Grid(
        grid_id=grid_id,
        name=f"网格{grid_id}",
        county=COUNTY,
        community_id="street",
        community_name="羊山街道",
        polygon=polygon,
        area_m2=polygon_area_m2(polygon),
    )
    return replace(grid, **changed)


def a_division(division_id: str, **changed: Any) -> Division:
    street = Division(
        division_id=division_id,
        name="羊山街道",
        kind=DivisionKind.TOWNSHIP,
        code=None,
        county=COUNTY,
        parent=COUNTY,
        managed_by=COUNTY,
    )
    return replace(street, **changed)


MIDDLE = Position(lon=WEST + SIDE / 2, lat=SOUTH + SIDE / 2)
EDGE = Position(lon=WEST + SIDE - 0.0001, lat=SOUTH + SIDE / 2)
"""9 m inside the first grid; east of it lies the second."""


@dataclass
class City:
    """A city of one test's own: two grids side by side, and whom the test puts on duty."""

    clock: FixedClock
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.places = Places(self.clock)
        self.roster = Roster(clock=self.clock)
        self.categories = Categories(clock=self.clock)
        self.routes = Routes(clock=self.clock, places=self.places, roster=self.roster)
        self.dry_run = DryRun(
            clock=self.clock, places=self.places, roster=self.roster, categories=self.categories
        )
        self.places.put_grids([a_grid("A"), a_grid("B", 1)])

    def post(
        self,
        display: str,
        role: RoleName = RoleName.OFFICER,
        scope: str = "grid:A",
        *,
        is_bound: bool = True,
        **columns: Any,
    ) -> Actor:
        """Somebody on the roster."""
        actor = a_rider(roles=(Role(role=role, scope=scope, county=COUNTY),))
        RosterRow(
            new_id("phk"),
            f"{role.value}#{scope}",
            schema=1,
            county=COUNTY,
            role=role.value,
            scope=scope,
            display=display,
            member_id=actor.member_id if is_bound else None,
            **{"starts_at": LONG_AGO, **columns},
        ).save()
        self.roster.forget()
        return actor

    def reason(self, position: Position = MIDDLE, **how: Any) -> tuple[str, str]:
        """Why a report goes where it goes, in both languages."""
        place = self.routes.place(position, **{"accuracy_m": 10.0, **how})
        assert place is not None
        said = routed.reason(routed.stored(place))
        return said.zh, said.en

    def explained(self, position: Position = MIDDLE, **how: Any) -> Any:
        """A dry run."""
        return self.dry_run.explain(Spot(position=position, **{"accuracy_m": 10.0, **how}))


@pytest.fixture
def city(engine: engines.Engine, database: Database, clock: FixedClock) -> Iterator[City]:
    prefix = f"{uuid.uuid4().hex[:8]}-"
    engines.create_tables(engine.url, prefix)
    use_database(replace(database, prefix=prefix))
    yield City(clock)
    use_database(database)


# the officer and why ----------------------------------------------------------------------------


def test_the_first_on_duty_has_it(city: City) -> None:
    city.post("甲岗")

    zh, en = city.reason()

    assert zh == "位于“网格A”内，距边界471米；由甲岗负责"
    assert en == "inside 网格A, 471 m from its edge; 甲岗 has it"
    assert city.explained()["why"] == ["first_on_duty"]


def test_for_who_is_on_leave_the_deputy_has_it_and_the_reason_says_so(city: City) -> None:
    away = [
        {
            "from": "2026-03-19T16:00:00.000Z",
            "to": "2026-03-22T16:00:00.000Z",
            "reason": "annual",
        }
    ]
    city.post("甲岗", away=away)
    stands_in = {"phone_key": "ph", "display": "甲岗", "since": "2020-01-01T00:00:00Z"}
    city.post(
        "乙岗",
        starts_at=LEAVE,
        ends_at=LEAVE + timedelta(days=3),
        stands_in={**stands_in, "reason": "annual"},
    )

    before, meanwhile = (city.explained(at=at) for at in (LEAVE - timedelta(seconds=1), LEAVE))

    assert (before["officer"], before["why"]) == ("甲岗", ["first_on_duty"])
    assert (meanwhile["officer"], meanwhile["why"]) == ("乙岗", ["deputy_for_leave"])
    assert meanwhile["stands_in_for"] == "甲岗"
    assert meanwhile["reason"].endswith("甲岗休假，由乙岗代班")
    assert meanwhile["reason_en"].endswith("乙岗 stands in for 甲岗, on leave")


def test_where_no_officer_is_the_lead_has_it(city: City) -> None:
    city.post("网格长", RoleName.GRID_LEAD)

    assert city.reason()[0].endswith("没有网格员在岗，由网格长负责")
    assert city.explained()["why"] == ["lead_for_nobody"]


def test_where_nobody_is_the_ladder_is_climbed(city: City) -> None:
    city.post("街道", RoleName.COMMUNITY, "community:street")

    shown = city.explained()

    assert (shown["officer"], shown["why"]) == (None, ["nobody"])
    assert shown["reason"].endswith("暂无人在岗，逐级上报")
    assert [(one["display"], one["why"]) for one in shown["told"]] == [("街道", "up_the_ladder")]


def test_nobody_is_given_what_he_reported_himself(city: City) -> None:
    himself = city.post("甲岗")
    city.post("乙岗", starts_at=LONG_AGO + timedelta(days=1))

    place = city.routes.place(MIDDLE, accuracy_m=10, reporter_id=himself.member_id)

    assert place is not None
    assert place.officer is not None
    assert (place.officer.display, place.why) == ("乙岗", ("first_on_duty", "not_the_reporter"))
    assert city.reason(reporter_id=himself.member_id)[0].endswith("由乙岗负责（上报人本人回避）")


@pytest.mark.parametrize(
    ("with_lead", "said"),
    [(True, "由网格长负责（上报人本人回避）"), (False, "在岗的是上报人本人，逐级上报")],
)
def test_of_a_reporter_who_is_alone_on_duty_the_reason_is_true(
    city: City, with_lead: bool, said: str
) -> None:
    himself = city.post("甲岗")
    if with_lead:
        city.post("网格长", RoleName.GRID_LEAD)

    assert city.reason(reporter_id=himself.member_id)[0].endswith(said)


# the polygon ------------------------------------------------------------------------------------


def test_the_polygon_is_named_with_the_version_it_had(city: City) -> None:
    first = routed.stored(city.routes.place(MIDDLE, accuracy_m=10))  # type: ignore[arg-type]

    city.places.put_grids([a_grid("A", name="新名")])
    second = city.explained()

    assert first["grid"] == {"id": "A", "name": "网格A", "version": 1}
    assert second["grid"] == {"id": "A", "name": "新名", "version": 2}


def test_of_overlapping_grids_all_are_candidates_and_the_reason_says_how_many(city: City) -> None:
    city.places.put_grids([a_grid("SMALL", 0.4, side=0.008)])

    shown = city.explained()

    assert shown["rule"] == "smallest_area"
    assert [one["id"] for one in shown["candidates"]] == ["SMALL", "A"]
    assert "；2个网格重叠，取面积最小者；" in shown["reason"]


def test_a_street_of_next_month_is_in_no_explanation_of_this_one_but_among_the_unused(
    city: City,
) -> None:
    city.places.put_divisions([a_division("new", name="政和街道", valid_from=date(2026, 7, 1))])
    new = a_grid("NEW", 0.4, side=0.008, community_id="new", community_name="政和街道")
    city.places.put_grids([new])

    before, after = city.explained(at=JULY - timedelta(seconds=1)), city.explained(at=JULY)

    assert before["grid"]["id"] == "A"
    assert [(one["id"], one["why"]) for one in before["not_used"]] == [
        ("NEW", "community_not_valid")
    ]
    before["not_used"] = []
    assert "政和街道" not in json.dumps(before, ensure_ascii=False)
    assert (after["grid"]["id"], after["community"]["name"]) == ("NEW", "政和街道")
    assert after["not_used"] == []


def test_a_grid_changed_elsewhere_routes_anew_within_a_minute(city: City) -> None:
    elsewhere = City(city.clock)
    assert city.explained()["grid"]["id"] == "A"

    elsewhere.places.put_grids([a_grid("SMALL", 0.4, side=0.008)])
    elsewhere.post("新岗", scope="grid:SMALL")
    city.clock.advance(timedelta(seconds=31))

    assert city.explained()["grid"]["id"] == "SMALL"
    assert city.explained()["officer"] == "新岗"


# the functional zone ----------------------------------------------------------------------------


def test_land_run_by_a_zone_says_so_and_goes_to_the_zones_posts_before_the_countys(
    city: City,
) -> None:
    zone = a_division(ZONE, name="羊山新区", kind=DivisionKind.FUNCTIONAL_ZONE)
    city.places.put_divisions([replace(zone, valid_from=date(2026, 1, 1))])
    city.places.put_grids([a_grid("A", managed_by=ZONE)])
    city.post("区级", RoleName.DISTRICT, f"county:{COUNTY}")

    told = []
    for role, scope in (
        (RoleName.DUTY, f"zone:{ZONE}"),
        (RoleName.DISTRICT, f"zone:{ZONE}"),
        (RoleName.COMMUNITY, "community:street"),
    ):
        told.append(city.explained()["told"][0]["scope"])
        city.post(role.value, role, scope)
    told.append(city.explained()["told"][0]["scope"])

    assert told == [f"county:{COUNTY}", f"county:{COUNTY}", f"zone:{ZONE}", "community:street"]
    assert city.explained()["zone"] == "羊山新区"
    assert "；由羊山新区管理；" in city.explained()["reason"]
    before_it_was = datetime(2025, 12, 31, 15, 59, tzinfo=UTC)
    assert city.explained(at=before_it_was)["zone"] is None


def test_the_ladder_ends_at_the_duty_list() -> None:
    posts = ladder(grid_id="g", community_id="c", county="411503", zone_id="z")

    assert [(step, role.value, scope) for step, role, scope in posts] == [
        (Step.LEAD, "grid_lead", "grid:g"),
        (Step.LEAD, "grid_lead", "community:c"),
        (Step.COMMUNITY, "community", "community:c"),
        (Step.DISTRICT, "district", "zone:z"),
        (Step.DISTRICT, "district", "county:411503"),
        (Step.DISTRICT, "duty", "zone:z"),
        (Step.DISTRICT, "duty", "county:411503"),
    ]
    without = ladder(grid_id="g", community_id="c", county="411503", zone_id=None)
    assert [scope for _, _, scope in without if scope.startswith("zone")] == []


# the neighbour ----------------------------------------------------------------------------------


def test_the_neighbour_is_named_when_the_edge_is_nearer_than_the_accuracy(city: City) -> None:
    city.post("甲岗")
    city.post("邻岗", scope="grid:B")

    near, far = city.explained(EDGE, accuracy_m=20.0), city.explained(EDGE, accuracy_m=5.0)

    assert (near["neighbour"], near["neighbour_m"]) == ("网格B", 9)
    assert near["reason"].endswith("紧邻“网格B”，一并知会")
    assert near["reason_en"].endswith("网格B next door is informed")
    assert [(one["display"], one["how"], one["why"]) for one in near["told"]] == [
        ("甲岗", "alert", "first_reachable"),
        ("邻岗", "inbox", "neighbour"),
    ]
    assert (far["neighbour"], far["neighbours"]) == (None, [])


def test_over_the_countys_border_nobody_is_informed(city: City) -> None:
    city.places.put_grids([a_grid("B", 1, county=FOREIGN)])
    city.post("邻岗", scope="grid:B")

    shown = city.explained(EDGE, accuracy_m=20.0)

    assert [(one["id"], one["county"]) for one in shown["neighbours"]] == [("B", FOREIGN)]
    assert (shown["neighbour"], shown["told"]) == (None, [])


def test_who_looks_after_both_grids_is_told_once(city: City) -> None:
    both = city.post("机动岗")
    city.post("机动岗", scope="grid:B")
    row = next(row for row in RosterRow.scan() if row.scope == "grid:B")
    row.update(actions=[RosterRow.member_id.set(both.member_id)])
    city.roster.forget()

    told = city.explained(EDGE, accuracy_m=20.0)["told"]

    assert [one["how"] for one in told] == ["alert"]


# who is told ------------------------------------------------------------------------------------


def test_danger_is_told_to_everybody_and_other_things_to_the_first_who_can_be_reached(
    city: City,
) -> None:
    city.post("甲岗", is_bound=False)
    city.post("乙岗")
    city.post("网格长", RoleName.GRID_LEAD)

    danger, bikes = city.explained(category="E0505"), city.explained(category="E0493a")

    assert [one["display"] for one in danger["told"]] == ["乙岗", "网格长"]
    assert {one["why"] for one in danger["told"]} == {"everybody_for_danger"}
    assert [one["display"] for one in bikes["told"]] == ["乙岗"]
    assert [(one["display"], one["reachable"]) for one in bikes["on_duty"]] == [
        ("乙岗", True),
        ("甲岗", False),
        ("网格长", True),
    ]


def test_an_explanation_names_posts_and_never_people(city: City) -> None:
    officer = city.post("甲岗")

    shown = json.dumps(city.explained())

    assert officer.member_id not in shown
    assert "phk" not in shown


@pytest.mark.parametrize("counties", [None, {COUNTY}, {COUNTY, FOREIGN}])
def test_a_dry_run_answers_for_the_counties_asked(city: City, counties: Any) -> None:
    spot = Spot(position=MIDDLE, accuracy_m=10)

    assert city.dry_run.explain(spot, counties=counties)["grid"]["id"] == "A"


def test_outside_every_grid_and_outside_the_counties_is_nowhere(city: City) -> None:
    nowhere = Position(lon=115.5, lat=32.5)

    with pytest.raises(NotFound, match=r"routing\.nowhere"):
        city.dry_run.explain(Spot(position=nowhere, accuracy_m=10))
    with pytest.raises(NotFound, match=r"routing\.nowhere"):
        city.dry_run.explain(Spot(position=MIDDLE, accuracy_m=10), counties={FOREIGN})


@pytest.mark.parametrize(
    ("how", "field_name"),
    [({"category": "nonsense"}, "category"), ({"at": datetime(1, 1, 1, tzinfo=UTC)}, "at")],
)
def test_what_cannot_be_asked_is_named(city: City, how: Any, field_name: str) -> None:
    with pytest.raises(Invalid) as refused:
        city.explained(**how)

    assert [bad.field for bad in refused.value.fields] == [field_name]


# what is kept -----------------------------------------------------------------------------------


def a_town(city: City, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The use cases around the city's first grid."""
    plots = {COUNTY: [a_grid("A", managed_by=ZONE)]}
    monkeypatch.setattr("tests.support.cases._ground", lambda host: (city.places, plots))
    city.places.put_grids(plots[COUNTY])
    city.places.put_divisions(
        [a_division(ZONE, name="羊山新区", kind=DivisionKind.FUNCTIONAL_ZONE)]
    )
    return Town(city.clock)


def test_a_case_keeps_what_the_dry_run_said_and_whoever_is_over_it_finds_it(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = a_town(city, monkeypatch)
    rider = a_rider()
    said = city.explained(EDGE, accuracy_m=12.0)

    receipt = town.intake.submit(
        rider, town.a_report(rider, lon=EDGE.lon, lat=EDGE.lat, photos=(a_photo(rider),))
    )

    case = town.case(receipt["case"]["id"])
    kept = dict(routed.told(case.routing))
    assert kept == {name: said[name] for name in kept}
    assert routed.told(receipt["case"]["routing"]) == kept
    assert (case.zone_id, case.neighbour_grid_id) == (ZONE, "B")
    assert (
        town.intake.submit(
            rider,
            town.a_report(
                rider,
                client_request_id=new_id("crid"),
                lon=MIDDLE.lon,
                lat=MIDDLE.lat,
                photos=(a_photo(rider),),
            ),
        )["case"]["routing"].get("neighbour")
        is None
    )


@pytest.mark.parametrize(
    ("role", "scope", "is_over_it"),
    [
        (RoleName.DISTRICT, f"zone:{ZONE}", True),
        (RoleName.DUTY, f"zone:{ZONE}", True),
        (RoleName.DUTY, f"county:{COUNTY}", True),
        (RoleName.DUTY, f"county:{FOREIGN}", False),
        (RoleName.DISTRICT, "zone:FZ-OTHER", False),
    ],
)
def test_the_zone_and_the_duty_list_act_as_supervisors_of_their_cases_and_see_them_listed(
    city: City, monkeypatch: pytest.MonkeyPatch, role: RoleName, scope: str, is_over_it: bool
) -> None:
    town = a_town(city, monkeypatch)
    case = town.filed(lon=MIDDLE.lon, lat=MIDDLE.lat)
    county = FOREIGN if FOREIGN in scope else COUNTY
    actor = a_rider(roles=(Role(role=role, scope=scope, county=county),))
    listing = Listing(
        clock=city.clock, places=city.places, working=town.working, cursors=Cursors(b"k" * 32)
    )

    listed = listing.queue(actor, Queue())

    assert parties_in(actor, case) == ((Party.SUPERVISOR,) if is_over_it else ())
    assert [item["id"] for item in listed.items] == ([case.case_id] if is_over_it else [])


@pytest.mark.parametrize("role", [RoleName.DISTRICT, RoleName.DUTY])
def test_the_history_names_the_post_over_a_zone_that_acted(
    city: City, monkeypatch: pytest.MonkeyPatch, role: RoleName
) -> None:
    town = a_town(city, monkeypatch)
    case = town.filed(lon=MIDDLE.lon, lat=MIDDLE.lat)
    above = city.post("羊山新区值班", role, f"zone:{ZONE}")
    town.roster.forget()

    town.act(above, case, Action.NOTE, text="请尽快处置", version=None)

    (note,) = [event for event in town.events(case.case_id) if event.action == Action.NOTE]
    assert note.display == "羊山新区值班"


def test_a_dry_run_writes_nothing(city: City) -> None:
    city.post("甲岗")
    before = list(RosterRow.scan())

    city.explained(EDGE, accuracy_m=20.0)

    assert list(CaseRow.scan()) == []
    assert list(InboxRow.scan()) == []
    assert len(list(RosterRow.scan())) == len(before)


def test_an_old_routing_still_tells_its_reason() -> None:
    old = {"rule": "only_grid", "boundary_m": 12, "reason": "位于", "reason_en": "inside"}

    told = routed.told({**old, "officer": "甲岗"})

    assert (told["reason"], told["reason_en"], told["officer"]) == ("位于", "inside", "甲岗")
    assert (told["grid"], told["why"], told["neighbour"]) == (None, [], None)
    assert routed.told({"rule": "only_grid", "boundary_m": 12})["reason"] == ""


def test_the_inbox_of_the_officer_next_door_is_empty_of_what_is_far_from_his_edge(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = a_town(city, monkeypatch)
    neighbour = city.post("邻岗", scope="grid:B")

    case = town.filed(lon=MIDDLE.lon, lat=MIDDLE.lat)

    assert case.neighbour_grid_id is None
    assert query(InboxRow, neighbour.member_id) == []


def test_a_repeated_report_gets_its_first_receipt_with_its_routing_also_an_old_one(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = a_town(city, monkeypatch)
    rider = a_rider()
    command = town.a_report(rider, lon=EDGE.lon, lat=EDGE.lat, photos=(a_photo(rider),))
    first = town.intake.submit(rider, command)

    assert town.intake.submit(rider, command) == first
    assert first["case"]["routing"]["grid"]["id"] == "A"
    (event,) = town.events(first["case"]["id"])
    old = {
        "rule": "only_grid",
        "boundary_m": 9,
        "reason": "位于",
        "reason_en": "in",
        "officer": "甲",
    }
    answer = {**event.answer, "case": {**event.answer["case"], "routing": old}}
    event.update(actions=[CaseEventRow.answer.set(answer)])
    assert town.intake.submit(rider, command)["case"]["routing"] == old
