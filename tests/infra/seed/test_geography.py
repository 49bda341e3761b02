import json
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.seed import geography
from models.base import geometry
from models.base.geometry import Position
from models.places.entities import DivisionKind
from models.places.rules import GridIndex, route
from models.places.service import Places

GRIDS = geography.grids()
INDEX = GridIndex(GRIDS)
DIVISION_BY_ID = {division.division_id: division for division in geography.divisions()}


def grid_at(lon: float, lat: float):
    routing = INDEX.route(Position(lon=lon, lat=lat))
    return next(grid for grid in GRIDS if routing and grid.grid_id == routing.grid_id)


def test_the_city_has_ten_districts_two_zones_and_224_townships():
    kinds = Counter(division.kind for division in geography.divisions())

    assert kinds == {
        DivisionKind.COUNTY: 10,
        DivisionKind.FUNCTIONAL_ZONE: 2,
        DivisionKind.TOWNSHIP: 224,
    }
    assert len(DIVISION_BY_ID) == 236


def test_every_division_hangs_below_the_city():
    for division in geography.divisions():
        assert division.parent == "411500" or division.parent in DIVISION_BY_ID
        assert division.managed_by == "411500" or division.managed_by in DIVISION_BY_ID
        assert not division.synthetic


def test_a_name_that_exists_twice_has_two_ids():
    namesakes = [d.division_id for d in geography.divisions() if d.name == "老城街道"]

    assert namesakes == ["411502001", "411526004"]


def test_the_new_area_is_counted_under_one_county_and_run_by_itself():
    zone, street = DIVISION_BY_ID["FZ-YANGSHAN"], DIVISION_BY_ID["411503001"]

    assert (zone.code, zone.county, zone.parent) == (None, "411503", "411503")
    assert (street.county, street.parent, street.managed_by) == ("411503", "411503", "FZ-YANGSHAN")
    assert DIVISION_BY_ID["411503004"].managed_by == "411503"


def test_the_high_tech_zone_brings_its_own_townships():
    zone = DIVISION_BY_ID["FZ-GAOXIN"]
    townships = [d.division_id for d in geography.divisions() if d.parent == "FZ-GAOXIN"]

    assert (zone.code, zone.parent) == ("411571", "411500")
    assert townships == ["411571001", "411571002"]


def test_two_counties_are_in_use():
    assert [county.name for county in geography.counties()] == ["浉河区", "平桥区"]
    assert {grid.county for grid in GRIDS} == {"411502", "411503"}


def test_eighty_tiles_and_four_small_grids_are_all_marked_invented():
    assert len(GRIDS) == len({grid.grid_id for grid in GRIDS}) == 84
    assert all(grid.synthetic for grid in GRIDS)
    assert sum(grid.area_m2 < 200_000 for grid in GRIDS) == 4


def test_each_grid_is_under_a_township_of_its_county():
    for grid in GRIDS:
        township = DIVISION_BY_ID[grid.community_id]
        assert (township.kind, township.county) == (DivisionKind.TOWNSHIP, grid.county)
        assert township.name == grid.community_name
        assert (grid.managed_by == "FZ-YANGSHAN") == (township.managed_by == "FZ-YANGSHAN")


@given(st.floats(114.03, 114.1299), st.floats(32.09, 32.1699))
def test_the_tiles_leave_no_gap_and_do_not_overlap(lon, lat):
    tiles = [grid for grid in GRIDS if "-S" not in grid.grid_id]

    routing = route(Position(lon=lon, lat=lat), tiles)

    assert routing is not None
    assert routing.rule == "only_grid"


@pytest.mark.parametrize(
    ("lon", "lat", "county", "managed_by"),
    [
        (114.0799, 32.15, "411502", None),
        (114.0801, 32.15, "411503", "FZ-YANGSHAN"),
        (114.0801, 32.1299, "411503", None),
        (114.08, 32.13, "411503", "FZ-YANGSHAN"),
    ],
)
def test_the_borders_run_where_they_were_drawn(lon, lat, county, managed_by):
    grid = grid_at(lon, lat)

    assert (grid.county, grid.managed_by) == (county, managed_by)


def test_the_station_square_reaches_over_the_border_and_wins():
    routing = INDEX.route(Position(lon=114.081, lat=32.109))

    assert routing is not None
    assert routing.candidates == ("411502-S1", "411503-0206")
    assert routing.rule == "smallest_area"


def test_each_small_grid_is_chosen_at_its_own_middle():
    for grid in (grid for grid in GRIDS if "-S" in grid.grid_id):
        box = geometry.bbox(grid.polygon)
        assert grid_at((box.west + box.east) / 2, (box.south + box.north) / 2) == grid


def test_the_new_area_has_51_neighbour_and_6_warm_new_stations():
    stations = geography.stations()

    assert Counter(station["kind"] for station in stations) == {"NEIGHBOR": 51, "WARM_NEW": 6}
    assert len({station["station_id"] for station in stations}) == 57
    assert len({station["name"] for station in stations}) == 57
    assert all(station["synthetic"] for station in stations)


def test_stations_lie_in_the_new_area_in_the_grid_they_name():
    for station in geography.stations():
        grid = grid_at(station["lon"], station["lat"])
        assert grid.managed_by == station["managed_by"] == "FZ-YANGSHAN"
        assert (grid.grid_id, grid.county) == (station["grid_id"], station["county"])
        assert grid.community_id == station["community_id"]


def test_no_two_stations_are_nearer_than_150_metres():
    positions = [Position(lon=one["lon"], lat=one["lat"]) for one in geography.stations()]

    assert min(geometry.distance_m(a, b) for a, b in combinations(positions, 2)) >= 150


def test_opening_patterns_have_the_shares_that_were_set():
    shares = Counter(json.dumps(station["hours"]["mon"]) for station in geography.stations())

    assert sorted(shares.values(), reverse=True) == [23, 14, 11, 6, 1, 1, 1]
    assert shares['[["00:00", "24:00"]]'] == 6
    assert shares['[["08:30", "12:00"], ["14:30", "18:00"]]'] == 14
    assert shares['[["18:00", "06:00"]]'] == 1
    assert shares["[]"] == 1


def test_every_span_is_a_time_of_day_and_spans_of_a_day_are_in_order():
    for station in geography.stations():
        assert list(station["hours"]) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        assert any(station["hours"].values())
        for spans in station["hours"].values():
            assert all("00:00" <= time <= "24:00" for span in spans for time in span)
            assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_warm_new_stations_have_every_facility_and_others_the_basic_ones():
    basic = {"drinking_water", "seating", "charging", "medicine_box"}
    for station in geography.stations():
        assert basic <= set(station["facilities"])
        assert len(station["facilities"]) == len(set(station["facilities"]))
        if station["kind"] == "WARM_NEW":
            assert len(station["facilities"]) == 14


def test_the_same_city_is_made_every_time():
    assert geography.stations() == geography.stations()
    assert geography.grids() == geography.grids()
    first = geography.stations()[0]
    assert (first["station_id"], first["lon"], first["lat"]) == (
        "FZ-YANGSHAN-01",
        114.108568,
        32.143174,
    )


def test_putting_the_city_twice_changes_nothing(database, clock):
    places = Places(clock)
    places.put_divisions(geography.divisions())
    places.put_grids(GRIDS)

    again = places.put_divisions(geography.divisions()), places.put_grids(GRIDS)

    assert again == (0, 0)
    assert all(places.grid(grid.grid_id) == grid for grid in GRIDS)
    assert all(places.division(key) == division for key, division in DIVISION_BY_ID.items())
