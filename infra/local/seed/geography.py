"""Xinyang's divisions as they are, and a synthetic city of grids and stations on top of them.

Pure and deterministic: every call gives the same rows. What is invented says `synthetic`.
"""

import json
import math
import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from models.base import geometry
from models.base.geometry import Position
from models.places.entities import Division, DivisionKind, Grid
from models.places.rules import GridIndex

RNG_SEED = 20251031
WEST_COUNTY, EAST_COUNTY = "411502", "411503"
ZONE = "FZ-YANGSHAN"

# The urban rectangle in thousandths of a degree, so that neighbours share exact vertices.
_WEST, _SOUTH, _STEP = 114_030, 32_090, 10
_COLUMNS, _ROWS = 10, 8
_FIRST_EAST_COLUMN, _FIRST_ZONE_ROW = 5, 4

_WEST_STREETS = tuple(f"{WEST_COUNTY}{number:03}" for number in range(1, 11))
_ZONE_STREETS = tuple(f"{EAST_COUNTY}{number:03}" for number in (1, 2, 3))
_EAST_STREETS = tuple(f"{EAST_COUNTY}{number:03}" for number in (4, 7, 8, 9))

# Small grids laid over the tiles: id, name, street, managed_by, then west, south, width, height.
# The first reaches over the border of two counties and belongs to one of them.
_SPECIAL_GRIDS = (
    (f"{WEST_COUNTY}-S1", "站前广场网格", f"{WEST_COUNTY}003", None, (114_078, 32_108, 4, 3)),
    (f"{WEST_COUNTY}-S2", "集贸市场网格", f"{WEST_COUNTY}001", None, (114_044, 32_124, 3, 2)),
    (f"{EAST_COUNTY}-S1", "医院周边网格", f"{EAST_COUNTY}004", None, (114_104, 32_104, 3, 3)),
    (f"{EAST_COUNTY}-S2", "商业街网格", f"{EAST_COUNTY}001", ZONE, (114_088, 32_146, 4, 2)),
)

_STATION_KINDS = ("WARM_NEW",) * 6 + ("NEIGHBOR",) * 51
_NAME_BY_KIND = {"WARM_NEW": "暖新驿站", "NEIGHBOR": "睦邻驿站"}
_STATIONS_WITHIN_M, _STATIONS_APART_M = 2_500, 150

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKEND = ("sat", "sun")

# What any station has, and what only some have; the warm-new ones have all of it.
_BASIC_FACILITIES = ("drinking_water", "seating", "charging", "medicine_box")
_MORE_FACILITIES = (
    "microwave",
    "air_conditioning",
    "toilet",
    "raincoat",
    "tool_box",
    "air_pump",
    "wifi",
    "books",
    "fridge",
    "aed",
)

_Span = tuple[str, str]
_Week = dict[str, tuple[_Span, ...]]


def counties() -> tuple[Division, ...]:
    """Give the two counties in use: 浉河区 and 平桥区."""
    in_use = {WEST_COUNTY, EAST_COUNTY}
    return tuple(division for division in divisions() if division.division_id in in_use)


def divisions() -> tuple[Division, ...]:
    """Give Xinyang's 10 districts, 2 functional zones and 224 townships."""
    source = _source()
    return (
        *(_county(district, source["city"]["code"]) for district in source["districts"]),
        *(_zone(zone, source["city"]["code"]) for zone in source["functional_zones"]),
        *(
            _township(township, district["code"], district["code"])
            for district in source["districts"]
            for township in district["townships"]
        ),
        *(
            _township(township, zone["id"], zone["code"])
            for zone in source["functional_zones"]
            for township in zone.get("townships", ())
        ),
    )


def grids() -> tuple[Grid, ...]:
    """Give 80 tiles of 0.01 degrees and 4 small grids over them."""
    tiles = (_tile(column, row) for row in range(_ROWS) for column in range(_COLUMNS))
    special = (
        _grid(grid_id, name, street, managed_by, corner)
        for grid_id, name, street, managed_by, corner in _SPECIAL_GRIDS
    )
    return (*tiles, *special)


def stations() -> tuple[dict[str, Any], ...]:
    """Give 羊山新区's 57 stations: 6 WARM_NEW (暖新), then 51 NEIGHBOR (睦邻).

    ``hours`` lists `[opens, closes]` per day, `HH:MM` in China; `24:00` ends the day, and a span
    that closes before it opens runs into the next morning.
    """
    rng = random.Random(RNG_SEED)
    index = GridIndex(grid for grid in grids() if grid.managed_by == ZONE)
    grid_by_id = {grid.grid_id: grid for grid in grids()}
    positions = _scattered(rng, index, len(_STATION_KINDS))
    hours = _shuffled(rng, _opening_patterns())
    rows = []
    for number, (kind, position) in enumerate(zip(_STATION_KINDS, positions, strict=True)):
        routing = index.route(position)
        assert routing is not None
        weekly, access = hours[number]
        grid = grid_by_id[routing.grid_id]
        rows.append(
            {
                "station_id": f"{ZONE}-{number + 1:02}",
                "name": f"{grid.community_name}·{_NAME_BY_KIND[kind]}{number + 1:02}",
                "kind": kind,
                "county": grid.county,
                "managed_by": ZONE,
                "community_id": grid.community_id,
                "grid_id": grid.grid_id,
                "lon": position.lon,
                "lat": position.lat,
                "hours": {day: [list(span) for span in spans] for day, spans in weekly.items()},
                "access": access,
                "facilities": _facilities(rng, kind),
                "synthetic": True,
            }
        )
    return tuple(rows)


@cache
def _source() -> Mapping[str, Any]:
    text = Path(__file__).with_name("xinyang.json").read_text(encoding="utf-8")
    content: Mapping[str, Any] = json.loads(text)
    return content


def _county(district: Mapping[str, Any], city: str) -> Division:
    return Division(
        division_id=district["code"],
        name=district["name"],
        kind=DivisionKind.COUNTY,
        code=district["code"],
        county=district["code"],
        parent=city,
        managed_by=city,
    )


def _zone(zone: Mapping[str, Any], city: str) -> Division:
    # 羊山新区 has no code: its land is counted under 平桥区, which does not run it.
    county = zone.get("code") or zone["overlaps"][0]
    return Division(
        division_id=zone["id"],
        name=zone["name"],
        kind=DivisionKind.FUNCTIONAL_ZONE,
        code=zone.get("code"),
        county=county,
        parent=city if "code" in zone else county,
        managed_by=city,
    )


def _township(township: Mapping[str, Any], parent: str, county: str) -> Division:
    code = township["code"]
    return Division(
        division_id=code,
        name=township["name"],
        kind=DivisionKind.TOWNSHIP,
        code=code,
        county=county,
        parent=parent,
        managed_by=ZONE if code in _ZONE_STREETS else parent,
    )


def _tile(column: int, row: int) -> Grid:
    street = _street(column, row)
    number = f"{row + 1:02}{column + 1:02}"
    return _grid(
        f"{street[:6]}-{number}",
        f"网格{number}",
        street,
        ZONE if street in _ZONE_STREETS else None,
        (_WEST + column * _STEP, _SOUTH + row * _STEP, _STEP, _STEP),
    )


def _street(column: int, row: int) -> str:
    if column < _FIRST_EAST_COLUMN:
        return _WEST_STREETS[column * 2 + row // 4]
    streets = _ZONE_STREETS if row >= _FIRST_ZONE_ROW else _EAST_STREETS
    east_column = column - _FIRST_EAST_COLUMN
    return streets[east_column * len(streets) // (_COLUMNS - _FIRST_EAST_COLUMN)]


def _grid(
    grid_id: str,
    name: str,
    street: str,
    managed_by: str | None,
    corner: tuple[int, int, int, int],
) -> Grid:
    west, south, width, height = corner
    vertices = (
        (west, south),
        (west + width, south),
        (west + width, south + height),
        (west, south + height),
    )
    polygon = tuple((lon / 1000, lat / 1000) for lon, lat in vertices)
    return Grid(
        grid_id=grid_id,
        name=name,
        county=street[:6],
        community_id=street,
        community_name=_name_by_id()[street],
        polygon=polygon,
        area_m2=round(geometry.polygon_area_m2(polygon), 1),
        managed_by=managed_by,
        synthetic=True,
    )


@cache
def _name_by_id() -> Mapping[str, str]:
    return {division.division_id: division.name for division in divisions()}


def _scattered(rng: random.Random, index: GridIndex, count: int) -> list[Position]:
    zone = next(zone for zone in _source()["functional_zones"] if zone["id"] == ZONE)
    centre = Position(lon=zone["center"][0], lat=zone["center"][1])
    chosen: list[Position] = []
    while len(chosen) < count:
        candidate = _somewhere_around(rng, centre)
        is_apart = all(
            geometry.distance_m(candidate, other) >= _STATIONS_APART_M for other in chosen
        )
        if is_apart and index.route(candidate):
            chosen.append(candidate)
    return chosen


def _somewhere_around(rng: random.Random, centre: Position) -> Position:
    # The root spreads the points evenly over the disc.
    radius_m = _STATIONS_WITHIN_M * math.sqrt(rng.random())
    bearing = 2 * math.pi * rng.random()
    point = geometry.offset(
        centre, east_m=radius_m * math.sin(bearing), north_m=radius_m * math.cos(bearing)
    )
    return Position(lon=round(point.lon, 6), lat=round(point.lat, 6))


def _opening_patterns() -> list[tuple[_Week, str]]:
    office = (("08:30", "12:00"), ("14:30", "18:00"))
    riders = (("14:00", "16:30"), ("21:00", "01:00"))
    weekdays: _Week = {day: () if day in _WEEKEND else office for day in _DAYS}
    weekends: _Week = {day: (("09:00", "17:00"),) if day in _WEEKEND else () for day in _DAYS}
    return [
        *[(_every_day(("08:00", "18:00")), "staffed")] * 23,
        *[(weekdays, "staffed")] * 14,
        *[(_every_day(("09:00", "21:00")), "staffed")] * 11,
        *[(_every_day(("00:00", "24:00")), "code_lock")] * 6,
        (_every_day(*riders), "staffed"),
        (_every_day(("18:00", "06:00")), "code_lock"),
        (weekends, "staffed"),
    ]


def _every_day(*spans: _Span) -> _Week:
    return dict.fromkeys(_DAYS, spans)


def _shuffled(rng: random.Random, items: list[Any]) -> list[Any]:
    # Only random() is promised to give the same numbers in every version of Python.
    keys = [rng.random() for _ in items]
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]


def _facilities(rng: random.Random, kind: str) -> list[str]:
    return sorted((*_BASIC_FACILITIES, *_more_facilities(rng, kind)))


def _more_facilities(rng: random.Random, kind: str) -> Iterator[str]:
    return (name for name in _MORE_FACILITIES if kind == "WARM_NEW" or rng.random() < 0.4)
