import time as timer
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base import geometry
from models.base.geometry import Position
from models.places.entities import Grid
from models.places.rules import NEIGHBOUR_WITHIN_M, GridIndex, neighbours, route

WEST, SOUTH = 114.03, 32.09


def a_grid(
    grid_id="G1", *, west=WEST, south=SOUTH, width=0.01, height=0.01, name="东一网格"
) -> Grid:
    polygon = (
        (west, south),
        (west + width, south),
        (west + width, south + height),
        (west, south + height),
    )
    return Grid(
        grid_id=grid_id,
        name=name,
        county="411502",
        community_id="411502001",
        community_name="老城街道",
        polygon=polygon,
        area_m2=geometry.polygon_area_m2(polygon),
        synthetic=True,
    )


INSIDE = Position(lon=WEST + 0.001, lat=SOUTH + 0.005)

boxes = st.builds(
    a_grid,
    grid_id=st.integers(0, 999).map(str),
    west=st.floats(WEST, WEST + 0.1),
    south=st.floats(SOUTH, SOUTH + 0.1),
    width=st.floats(0.0001, 0.06),
    height=st.floats(0.0001, 0.06),
)


def test_a_position_in_one_grid_is_routed_there_with_its_distance_to_the_edge():
    routing = route(INSIDE, [a_grid()])

    assert routing is not None
    assert (routing.grid_id, routing.rule, routing.candidates) == ("G1", "only_grid", ("G1",))
    edge_m = geometry.distance_m(INSIDE, Position(lon=WEST, lat=INSIDE.lat))
    assert routing.boundary_m == round(edge_m) == 94
    assert routing.reason == "位于“东一网格”内，距边界94米"
    assert routing.reason_en == "inside 东一网格, 94 m from its edge"


def test_a_position_in_no_grid_has_no_route():
    assert route(Position(lon=115.0, lat=32.0), [a_grid()]) is None
    assert route(INSIDE, []) is None


def test_the_smallest_of_overlapping_grids_wins():
    square = a_grid("SQUARE", width=0.002, name="广场网格")
    whole = a_grid("A-WHOLE")

    routing = route(INSIDE, [whole, square])

    assert routing is not None
    assert (routing.grid_id, routing.rule) == ("SQUARE", "smallest_area")
    assert routing.candidates == ("SQUARE", "A-WHOLE")
    assert routing.reason.endswith("；2个网格重叠，取面积最小者")
    assert routing.reason_en.endswith("the smallest of 2 overlapping grids")


def test_grids_of_one_size_are_told_apart_by_their_id():
    routing = route(INSIDE, [a_grid("G2"), a_grid("G1")])

    assert routing is not None
    assert routing.candidates == ("G1", "G2")


@given(
    st.lists(boxes, max_size=12),
    st.floats(WEST - 0.01, WEST + 0.17),
    st.floats(SOUTH - 0.01, SOUTH + 0.17),
)
def test_the_index_finds_what_trying_every_grid_finds(grids, lon, lat):
    position = Position(lon=lon, lat=lat)

    assert GridIndex(grids).route(position) == route(position, grids)


def test_a_huge_grid_is_found_without_being_cut_into_cells():
    huge = a_grid("HUGE", width=1.0, height=1.0)

    index = GridIndex([huge, a_grid("SMALL")])

    assert [grid.grid_id for grid in index.near(Position(lon=114.9, lat=33.0))] == ["HUGE"]
    routing = index.route(INSIDE)
    assert routing is not None
    assert routing.candidates == ("SMALL", "HUGE")


def test_a_route_over_two_hundred_grids_costs_less_than_two_hundred_microseconds():
    index = GridIndex(
        a_grid(f"{column}-{row}", west=WEST + column * 0.01, south=SOUTH + row * 0.01)
        for column in range(20)
        for row in range(10)
    )

    rounds = []
    for _ in range(20):
        begun = timer.perf_counter()
        for _ in range(50):
            index.route(INSIDE)
        rounds.append((timer.perf_counter() - begun) / 50)

    assert min(rounds) < 200e-6


def test_a_grid_without_an_area_is_refused():
    with pytest.raises(ValueError, match="no area"):
        replace(a_grid(), polygon=((114.0, 32.0), (114.1, 32.0), (114.0, 32.0)))
    with pytest.raises(ValueError, match="no area"):
        replace(a_grid(), area_m2=0.0)


def test_a_grid_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="ends before"):
        replace(a_grid(), valid_from=date(2026, 7, 1), valid_to=date(2026, 7, 1))


# neighbours -------------------------------------------------------------------------------------

EAST = WEST + 0.01


def at(east_m=0.0, north_m=0.0, *, of=None):
    """A spot so far from the middle of the eastern edge of the first grid."""
    return geometry.offset(
        of or Position(lon=EAST, lat=SOUTH + 0.005), east_m=east_m, north_m=north_m
    )


def beside(grid_id="G2", **changed):
    """The next grid to the east."""
    return a_grid(grid_id, **{"west": EAST, **changed})


def names(position, accuracy_m, grids, chosen=None):
    return [
        each.grid_id
        for each in neighbours(position, chosen or grids[0], accuracy_m=accuracy_m, grids=grids)
    ]


@pytest.mark.parametrize(
    ("inside_m", "accuracy_m", "informed"),
    [(10, 12, True), (12, 10, False), (49, 500, True), (51, 500, False), (49.5, 49.6, True)],
)
def test_a_neighbour_is_named_when_the_edge_is_nearer_than_the_accuracy_up_to_fifty_metres(
    inside_m, accuracy_m, informed
):
    found = names(at(-inside_m), accuracy_m, [a_grid(), beside()])

    assert NEIGHBOUR_WITHIN_M == 50
    assert found == (["G2"] if informed else [])


def test_beyond_the_last_grid_nobody_is_there_to_be_informed():
    assert names(at(-5), 30, [a_grid()]) == []


def test_of_several_the_one_reaching_furthest_into_the_surroundings_comes_first():
    south, north = SOUTH + 0.005, SOUTH + 0.0052
    lower = beside("A-LOWER", south=south - 0.005, height=0.005)
    upper = beside("B-UPPER", south=south, height=0.005)
    above = Position(lon=EAST, lat=north)

    found = neighbours(at(-10, of=above), a_grid(), accuracy_m=50, grids=[a_grid(), lower, upper])

    assert [each.grid_id for each in found] == ["B-UPPER", "A-LOWER"]
    assert found[0].share > found[1].share > 0
    assert found[0].distance_m == 10


def test_over_the_edge_of_a_small_grid_lies_the_larger_one_beneath_it():
    square, whole = a_grid("SQUARE", width=0.002, west=WEST + 0.004), a_grid("WHOLE")
    position = Position(lon=WEST + 0.0041, lat=SOUTH + 0.005)

    (found,) = neighbours(position, square, accuracy_m=15, grids=[square, whole])

    assert (found.grid_id, found.distance_m) == ("WHOLE", 0)


def test_a_larger_grid_that_is_nowhere_chosen_is_no_neighbour():
    small, covered = beside("SMALL"), a_grid("COVERED", west=EAST, width=0.011, height=0.011)

    assert names(at(-10), 30, [a_grid(), small, covered]) == ["SMALL"]


@given(boxes, st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 80), st.lists(boxes, max_size=6))
def test_a_neighbour_is_a_grid_within_reach_and_never_the_chosen_one(
    grid, x, y, accuracy_m, others
):
    box = geometry.bbox(grid.polygon)
    position = Position(
        lon=box.west + (box.east - box.west) * x, lat=box.south + (box.north - box.south) * y
    )
    grids = list({each.grid_id: each for each in [*others, grid]}.values())
    routing = route(position, grids)
    if routing is None:
        return
    chosen = next(each for each in grids if each.grid_id == routing.grid_id)

    for found in neighbours(position, chosen, accuracy_m=accuracy_m, grids=grids):
        assert found.grid_id != chosen.grid_id
        assert routing.boundary_m <= min(accuracy_m, 50) + 1
        assert found.distance_m <= min(accuracy_m, 50) + 2
        assert 0 < found.share <= 1
