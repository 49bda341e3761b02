import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.base import geometry
from models.base.geometry import Position, WGS84Position

XINYANG_LON = st.floats(113.71, 115.95)
XINYANG_LAT = st.floats(31.38, 32.66)
positions = st.builds(Position, lon=XINYANG_LON, lat=XINYANG_LAT)
bearings = st.floats(0, 2 * math.pi)

METRES_PER_DEGREE = math.radians(1) * geometry.EARTH_RADIUS_M
SQUARE = [(114.08, 32.12), (114.09, 32.12), (114.09, 32.13), (114.08, 32.13)]


def at(lon: float, lat: float) -> Position:
    return Position(lon=lon, lat=lat)


def moved(start: Position, *, metres: float, bearing: float) -> Position:
    return geometry.offset(
        start, east_m=metres * math.sin(bearing), north_m=metres * math.cos(bearing)
    )


@pytest.mark.parametrize(
    ("lon", "lat"), [(32.1, 114.0), (181.0, 0.0), (0.0, math.nan), (math.inf, 0.0)]
)
def test_swapped_or_impossible_degrees_are_not_a_position(lon, lat):
    with pytest.raises(ValueError, match="lon within"):
        Position(lon=lon, lat=lat)


def test_a_degree_of_latitude_is_111_kilometres():
    assert geometry.distance_m(at(114, 32), at(114, 33)) == pytest.approx(METRES_PER_DEGREE)


def test_a_degree_of_longitude_shrinks_with_latitude():
    measured = geometry.distance_m(at(114.0, 60), at(114.01, 60))

    assert measured == pytest.approx(METRES_PER_DEGREE * 0.01 * 0.5, rel=1e-6)


@given(positions, positions)
def test_distance_is_the_same_both_ways_and_zero_only_at_the_spot(a, b):
    assert geometry.distance_m(a, b) == pytest.approx(geometry.distance_m(b, a), abs=1e-6)
    assert geometry.distance_m(a, a) == 0


@given(positions, st.floats(0, 5_000), bearings)
def test_offset_moves_by_the_metres_asked_for(start, metres, bearing):
    end = moved(start, metres=metres, bearing=bearing)

    assert geometry.distance_m(start, end) == pytest.approx(metres, rel=1e-3, abs=1e-3)


def test_western_and_southern_edges_belong_to_the_ring_and_the_others_do_not():
    assert geometry.contains(SQUARE, at(114.085, 32.125))
    assert geometry.contains(SQUARE, at(114.08, 32.125))
    assert geometry.contains(SQUARE, at(114.085, 32.12))
    assert not geometry.contains(SQUARE, at(114.09, 32.125))
    assert not geometry.contains(SQUARE, at(114.085, 32.13))


def test_a_notch_in_the_outline_is_outside():
    u_shape = [(0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)]

    assert geometry.contains(u_shape, at(0.5, 2))
    assert geometry.contains(u_shape, at(2.5, 2))
    assert not geometry.contains(u_shape, at(1.5, 2))


def test_a_closed_ring_and_its_reverse_are_the_same_polygon():
    closed = [*SQUARE, SQUARE[0]]

    for ring in (closed, SQUARE[::-1]):
        assert geometry.contains(ring, at(114.085, 32.125))
        assert geometry.polygon_area_m2(ring) == pytest.approx(geometry.polygon_area_m2(SQUARE))
        assert geometry.distance_to_boundary_m(ring, at(114.081, 32.125)) == pytest.approx(
            geometry.distance_to_boundary_m(SQUARE, at(114.081, 32.125))
        )


@given(
    st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)),
    st.integers(0, 3),
    st.floats(0, 1),
    st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
)
@example(hub=(0.5, 0.5), spoke=0, share=1.0, point=(0.5, 0.5))
@example(hub=(0.5, 0.5), spoke=0, share=0.0, point=(0.0, 0.0))
def test_every_point_of_a_divided_square_is_in_exactly_one_part(hub, spoke, share, point):
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    parts = [[a, b, hub] for a, b in pairwise([*corners, corners[0]])]
    corner = corners[spoke]
    on_the_spoke = (
        corner[0] + share * (hub[0] - corner[0]),
        corner[1] + share * (hub[1] - corner[1]),
    )

    for x, y in (point, on_the_spoke):
        holders = sum(geometry.contains(part, at(x, y)) for part in parts)
        assert holders == (1 if x < 1 and y < 1 else 0)


@given(positions, st.floats(1, 2_000), st.floats(1, 2_000))
def test_the_boundary_is_as_far_as_the_nearest_wall_of_a_room(centre, west_m, north_m):
    south_west = geometry.offset(centre, east_m=-west_m, north_m=-3_000)
    north_east = geometry.offset(centre, east_m=3_000, north_m=north_m)
    room = [
        (south_west.lon, south_west.lat),
        (north_east.lon, south_west.lat),
        (north_east.lon, north_east.lat),
        (south_west.lon, north_east.lat),
    ]

    measured = geometry.distance_to_boundary_m(room, centre)

    assert measured == pytest.approx(min(west_m, north_m), rel=1e-6)


def test_the_boundary_is_measured_from_outside_to_the_nearest_corner():
    outside = at(114.07, 32.11)

    assert geometry.distance_to_boundary_m(SQUARE, outside) == pytest.approx(
        geometry.distance_m(outside, at(*SQUARE[0])), rel=1e-3
    )


def test_area_of_a_square_is_the_product_of_its_sides():
    height_m = geometry.distance_m(at(114.085, 32.12), at(114.085, 32.13))
    width_m = geometry.distance_m(at(114.08, 32.125), at(114.09, 32.125))

    assert geometry.polygon_area_m2(SQUARE) == pytest.approx(width_m * height_m, rel=1e-6)


def test_area_of_the_northern_hemisphere_is_half_the_globe():
    eighths = [(lon, 0.0) for lon in range(-180, 181, 45)]
    hemisphere = [*eighths, (180.0, 90.0), (-180.0, 90.0)]

    half_globe = 2 * math.pi * geometry.EARTH_RADIUS_M**2
    assert geometry.polygon_area_m2(hemisphere) == pytest.approx(half_globe)


def test_the_bounding_box_names_its_sides():
    box = geometry.bbox(SQUARE)

    assert (box.west, box.south, box.east, box.north) == (114.08, 32.12, 114.09, 32.13)


def test_a_cell_starts_exactly_at_its_own_edge():
    # In binary floating point 114.082 // 0.002 is 57040, and 32.032 * 1e7 falls short of a whole.
    assert geometry.cell_of(at(114.082, 32.122)) == "57041_16061"
    assert geometry.cell_of(at(114.082, 32.032)) == "57041_16016"
    assert geometry.cell_of(at(114.0819999, 32.1219999)) == "57040_16060"


def test_cells_within_fifty_metres_are_one_in_the_middle_and_four_at_a_corner():
    assert geometry.cells_within(at(114.083, 32.123), 50) == ("57041_16061",)
    assert geometry.cells_within(at(114.082, 32.122), 50) == (
        "57040_16060",
        "57041_16060",
        "57040_16061",
        "57041_16061",
    )


def test_a_corner_cell_the_circle_does_not_reach_is_left_out():
    near_the_corner = geometry.offset(at(114.082, 32.122), east_m=40, north_m=40)

    assert geometry.cells_within(near_the_corner, 50) == (
        "57041_16060",
        "57040_16061",
        "57041_16061",
    )


@given(positions)
def test_fifty_metres_never_touch_more_than_four_cells(centre):
    cells = geometry.cells_within(centre, 50)

    assert 1 <= len(cells) <= 4
    assert geometry.cell_of(centre) in cells


@given(positions, st.floats(0, 3_000), bearings, st.floats(0, 1))
def test_whatever_lies_in_the_circle_lies_in_its_cells(centre, radius_m, bearing, share):
    inside = moved(centre, metres=radius_m * share * 0.999, bearing=bearing)

    assert geometry.cell_of(inside) in geometry.cells_within(centre, radius_m)


@given(positions, st.floats(1, 3_000))
def test_no_cell_is_listed_twice_or_out_of_reach(centre, radius_m):
    cells = geometry.cells_within(centre, radius_m)

    assert len(set(cells)) == len(cells)
    diagonal_m = 300
    for cell in cells:
        column, row = (int(part) for part in cell.split("_"))
        corner = at(column * geometry.CELL_DEGREES, row * geometry.CELL_DEGREES)
        assert geometry.distance_m(centre, corner) <= radius_m * 1.002 + diagonal_m


@pytest.mark.parametrize("radius_m", [-1, 10_001, math.nan])
def test_an_unbounded_circle_is_refused(radius_m):
    with pytest.raises(ValueError, match="radius_m"):
        geometry.cells_within(at(114.08, 32.12), radius_m)


@given(positions, st.floats(0, 0.01), st.floats(0, 0.01), st.floats(0, 1), st.floats(0, 1))
def test_whatever_lies_in_a_box_lies_in_its_cells(corner, width, height, share_x, share_y):
    box = geometry.Box(corner.lon, corner.lat, corner.lon + width, corner.lat + height)

    inside = at(corner.lon + width * share_x, corner.lat + height * share_y)

    assert geometry.cell_of(inside) in geometry.cells_of_box(box)


def test_the_published_point_is_shifted_to_gcj02():
    shifted = geometry.wgs84_to_gcj02(WGS84Position(lon=116.42079, lat=39.90105))

    assert shifted.lon == pytest.approx(116.42702, abs=5e-6)
    assert shifted.lat == pytest.approx(39.90245, abs=5e-6)


@given(st.floats(103, 122), st.floats(22, 41))
def test_shifting_there_and_back_loses_less_than_a_millimetre(lon, lat):
    back = geometry.gcj02_to_wgs84(geometry.wgs84_to_gcj02(WGS84Position(lon=lon, lat=lat)))

    assert geometry.distance_m(at(back.lon, back.lat), at(lon, lat)) < 0.001


@given(st.floats(103, 122), st.floats(22, 41))
def test_the_two_frames_are_hundreds_of_metres_apart(lon, lat):
    shifted = geometry.wgs84_to_gcj02(WGS84Position(lon=lon, lat=lat))

    assert 100 < geometry.distance_m(at(lon, lat), shifted) < 750


def test_two_vertices_too_close_to_tell_apart_are_one_corner():
    ring = [(0.0, 0.0), (1e-200, 0.0), (0.0, 0.01)]

    assert geometry.distance_to_boundary_m(ring, at(-0.001, -0.001)) == pytest.approx(
        geometry.distance_m(at(-0.001, -0.001), at(0, 0)), rel=1e-6
    )
