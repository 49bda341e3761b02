"""Plane and sphere geometry for GCJ-02 positions: distances, polygons, an own square grid.

Everything is `lon, lat` in degrees. Distances stay in GCJ-02, where WeChat measures: its local
distortion is 0.1 %, whereas mixing it with WGS-84 costs 500 m. A ring is a polygon's outline as
`(lon, lat)` vertices in either direction, closed or open, without holes.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

EARTH_RADIUS_M = 6_371_008.8
CELL_DEGREES = 0.002
MAX_RADIUS_M = 10_000.0

Ring: TypeAlias = Sequence[tuple[float, float]]

# Cells are counted in 1e-7 degrees (1 cm), so that 114.08 / 0.002 does not depend on rounding.
_E7_PER_DEGREE = 10_000_000
_E7_PER_CELL = 20_000

# Constants of the GCJ-02 formula as publicly reverse-engineered (Krasovsky 1940 ellipsoid).
_GCJ_AXIS_M = 6_378_245.0
_GCJ_ECCENTRICITY_SQUARED = 0.00669342162296594323


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Name a point in GCJ-02 degrees; raise ValueError when it is not on the globe."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        _check_degrees(self.lon, self.lat)


@dataclass(frozen=True, slots=True, kw_only=True)
class WGS84Position:
    """Name a point in WGS-84 degrees, as maps outside China and EXIF have it."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        _check_degrees(self.lon, self.lat)


class Box(NamedTuple):
    """Bound a ring, in degrees; both ends included."""

    west: float
    south: float
    east: float
    north: float


def distance_m(a: Position, b: Position) -> float:
    """Measure the great-circle distance in metres."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lon = math.sin(math.radians(b.lon - a.lon) / 2)
    chord = half_lat * half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon * half_lon
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def contains(ring: Ring, position: Position) -> bool:
    """Tell whether the position lies inside the ring.

    Western and southern edges belong to the ring, eastern and northern ones to the neighbour,
    so a point on an edge shared by two rings is in exactly one of them.
    """
    inside = False
    for start, end in _edges(ring):
        if (start[1] > position.lat) != (end[1] > position.lat) and _is_west_of(
            position, start, end
        ):
            inside = not inside
    return inside


def distance_to_boundary_m(ring: Ring, position: Position) -> float:
    """Measure the distance in metres to the nearest edge, from inside or outside.

    A plane touching the globe at the position is used: exact to 0.1 % within 10 km.
    """
    to_plane = _plane_at(position)
    return min(_distance_from_origin(to_plane(start), to_plane(end)) for start, end in _edges(ring))


def polygon_area_m2(ring: Ring) -> float:
    """Measure the enclosed area in square metres, whatever the ring's direction."""
    # lon against sin(lat) is an equal-area projection; the first vertex as origin keeps digits.
    origin_lon, origin_lat = ring[0]
    origin_y = math.sin(math.radians(origin_lat))
    points = [
        (math.radians(lon - origin_lon), math.sin(math.radians(lat)) - origin_y)
        for lon, lat in ring
    ]
    doubled = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in _edges(points))
    return abs(doubled) / 2 * EARTH_RADIUS_M**2


def bbox(ring: Ring) -> Box:
    """Bound the ring by its extreme longitudes and latitudes."""
    lons, lats = [lon for lon, _ in ring], [lat for _, lat in ring]
    return Box(west=min(lons), south=min(lats), east=max(lons), north=max(lats))


def cell_of(position: Position) -> str:
    """Name the 0.002 degree square holding the position (about 190 m by 220 m in Xinyang).

    >>> cell_of(Position(lon=114.0825, lat=32.1225))
    '57041_16061'
    """
    return _cell_id(_cell_index(position.lon), _cell_index(position.lat))


def cells_within(position: Position, radius_m: float) -> tuple[str, ...]:
    """List every cell touched by a circle, from south-west to north-east.

    In Xinyang 50 m touch 1 to 4 cells. Raises ValueError for a radius outside 0..10,000 m,
    because the number of cells grows with its square.
    """
    if not 0 <= radius_m <= MAX_RADIUS_M:
        raise ValueError(f"radius_m must be within 0..{MAX_RADIUS_M:.0f}: {radius_m}")
    # A centimetre, and 0.1 % for the curvature: a cell too many is harmless, one too few is not.
    reach_m = radius_m * 1.001 + 0.01
    return tuple(
        _cell_id(column, row)
        for row in _cell_range(position.lat, _degrees_north(reach_m))
        for column in _cell_range(position.lon, _degrees_east(reach_m, position.lat))
        if distance_m(position, _nearest_in_cell(position, column, row)) <= reach_m
    )


def cells_of_box(box: Box) -> tuple[str, ...]:
    """List every cell touched by the box, from south-west to north-east."""
    return tuple(
        _cell_id(column, row)
        for row in range(_cell_index(box.south), _cell_index(box.north) + 1)
        for column in range(_cell_index(box.west), _cell_index(box.east) + 1)
    )


def offset(position: Position, *, east_m: float, north_m: float) -> Position:
    """Move a position by metres; exact to 0.1 % within 10 km."""
    return Position(
        lon=position.lon + _degrees_east(east_m, position.lat),
        lat=position.lat + _degrees_north(north_m),
    )


def wgs84_to_gcj02(position: WGS84Position) -> Position:
    """Shift a WGS-84 point in mainland China to GCJ-02 (elsewhere the two are the same)."""
    shift_lon, shift_lat = _gcj_shift(position.lon, position.lat)
    return Position(lon=position.lon + shift_lon, lat=position.lat + shift_lat)


def gcj02_to_wgs84(position: Position) -> WGS84Position:
    """Undo the shift to less than a millimetre, by fixed-point iteration."""
    lon, lat = position.lon, position.lat
    # Each round gains about three digits from an error of 500 m: five are ample for 1 mm.
    for _ in range(5):
        shift_lon, shift_lat = _gcj_shift(lon, lat)
        lon, lat = position.lon - shift_lon, position.lat - shift_lat
    return WGS84Position(lon=lon, lat=lat)


def _check_degrees(lon: float, lat: float) -> None:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError("a position is lon within -180..180, lat within -90..90")


def _edges(ring: Ring) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    previous = ring[-1]
    for vertex in ring:
        if vertex != previous:
            yield previous, vertex
        previous = vertex


def _is_west_of(position: Position, a: tuple[float, float], b: tuple[float, float]) -> bool:
    # From the southern end up in both rings sharing the edge: rounding then agrees in both.
    (x1, y1), (x2, y2) = (a, b) if a[1] < b[1] else (b, a)
    return (x2 - x1) * (position.lat - y1) > (position.lon - x1) * (y2 - y1)


def _plane_at(origin: Position) -> Callable[[tuple[float, float]], tuple[float, float]]:
    metres_north = math.radians(1) * EARTH_RADIUS_M
    metres_east = metres_north * math.cos(math.radians(origin.lat))

    def to_plane(vertex: tuple[float, float]) -> tuple[float, float]:
        return (vertex[0] - origin.lon) * metres_east, (vertex[1] - origin.lat) * metres_north

    return to_plane


def _distance_from_origin(a: tuple[float, float], b: tuple[float, float]) -> float:
    edge_x, edge_y = b[0] - a[0], b[1] - a[1]
    length_squared = edge_x * edge_x + edge_y * edge_y
    if length_squared == 0:
        return math.hypot(*a)
    share = -(a[0] * edge_x + a[1] * edge_y) / length_squared
    share = min(1.0, max(0.0, share))
    return math.hypot(a[0] + share * edge_x, a[1] + share * edge_y)


def _degrees_north(metres: float) -> float:
    return math.degrees(metres / EARTH_RADIUS_M)


def _degrees_east(metres: float, lat: float) -> float:
    return math.degrees(metres / (EARTH_RADIUS_M * math.cos(math.radians(lat))))


def _cell_id(column: int, row: int) -> str:
    return f"{column}_{row}"


def _cell_index(degrees: float) -> int:
    return round(degrees * _E7_PER_DEGREE) // _E7_PER_CELL


def _cell_range(degrees: float, reach: float) -> range:
    return range(_cell_index(degrees - reach), _cell_index(degrees + reach) + 1)


def _nearest_in_cell(position: Position, column: int, row: int) -> Position:
    return Position(
        lon=min(max(position.lon, column * CELL_DEGREES), (column + 1) * CELL_DEGREES),
        lat=min(max(position.lat, row * CELL_DEGREES), (row + 1) * CELL_DEGREES),
    )


def _gcj_shift(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    phi = math.radians(lat)
    curvature = 1 - _GCJ_ECCENTRICITY_SQUARED * math.sin(phi) ** 2
    meridian_m = _GCJ_AXIS_M * (1 - _GCJ_ECCENTRICITY_SQUARED) / curvature**1.5
    parallel_m = _GCJ_AXIS_M / math.sqrt(curvature) * math.cos(phi)
    return (
        math.degrees(_gcj_east_m(x, y) / parallel_m),
        math.degrees(_gcj_north_m(x, y) / meridian_m),
    )


def _gcj_east_m(x: float, y: float) -> float:
    return (
        (300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)))
        + _wave(x, (20.0, 6.0), (20.0, 2.0))
        + _wave(x, (20.0, 1.0), (40.0, 1 / 3))
        + _wave(x, (150.0, 1 / 12), (300.0, 1 / 30))
    )


def _gcj_north_m(x: float, y: float) -> float:
    return (
        (-100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)))
        + _wave(x, (20.0, 6.0), (20.0, 2.0))
        + _wave(y, (20.0, 1.0), (40.0, 1 / 3))
        + _wave(y, (160.0, 1 / 12), (320.0, 1 / 30))
    )


def _wave(value: float, *terms: tuple[float, float]) -> float:
    amplitudes = (size * math.sin(value * frequency * math.pi) for size, frequency in terms)
    return sum(amplitudes) * 2.0 / 3.0
