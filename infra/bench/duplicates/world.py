"""The things riders report, laid out along the streets of Xinyang's urban tiles.

Crossings stand about every 240 m by 280 m in each of the 80 seeded tiles; a hundred of them are
busy. Everything is synthetic and follows from the seed alone.

*Source* of the spacings, along one side of a street:
- lamps 30 to 40 m on main streets, 25 to 35 m on lesser ones (trade tables after CJJ 45:
  hongfeijituan.com/zjst/5493, sjzjinhua.cn/anzhuang/589);
- inspection covers at most 40 m apart on pipes of 200-400 mm and 50 m in town (CECS 227:2007 as
  told at gzsxx.cn/industry/877), here 30 to 50 m;
- the two stops of a bus line face each other 30 m apart along the street (m.3dmxku.com/daquan,
  after the urban traffic planning code), across a street of 24 m;
- waste points 30 to 100 m where many people walk (walking-and-cycling design standard 4.4.2:
  oya-u.com/gf/article-65664.htm).
- bus stops 500 to 800 m apart (sxytsm.com/news/zxzx/1005): every busy crossing has a pair, and
  one in three of the others; every crossing has bikes before two shops.
Assumed, because nothing was found: flying wires at house entrances 25 to 40 m apart; what lies
closer together than 10 m (bikes; 10 m from a heap's edge, which is 10 m from its middle) or 15 m
(potholes) is one thing, because one visit clears it;
reports concentrate, 70 % of the problems at 100 of 1,280 crossings.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from infra.local.seed import geography
from models.base.geometry import Position, bbox, offset

BUSY_PLACES = 100
CROSSINGS_PER_SIDE = 4
HALF_STREET_M = 110.0
KERB_M = 12.0

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What becomes of one kind of thing. Times in hours.

    ``codes``: its category and the sibling that ``sibling_share`` of the riders choose instead.
    ``extent_m``: how far from its middle riders stand. ``gap_m``: for what appears anywhere,
    the distance below which it would be the same thing; None for what has its fixed places.
    ``echoes``: how many more report it on average. ``returns``: the share that comes back after
    having been fixed.
    """

    name: str
    family: str
    codes: tuple[str, str]
    share: float
    open_h: Span
    echoes: float
    extent_m: Span = (2.0, 8.0)
    sibling_share: float = 0.05
    gap_m: float | None = None
    returns: float = 0.0
    returns_h: Span = (2.0, 48.0)
    id_share: float = 0.0
    ids: int = 1


KINDS = (
    # A heap has the plates of all its bikes; every rider reads one of them.
    Kind(name="heap", family="parking", codes=("E0493a", "E0410"), share=0.24, open_h=(1, 10),
         echoes=0.8, extent_m=(3, 10), sibling_share=0.15, returns=0.5, id_share=0.5, ids=8),
    Kind(name="bike", family="parking", codes=("E0493a", "E0410"), share=0.20, open_h=(1, 10),
         echoes=0.3, sibling_share=0.10, gap_m=10, id_share=0.6),
    Kind(name="waste", family="waste", codes=("E0110", "E0110"), share=0.20, open_h=(2, 24),
         echoes=0.5, extent_m=(3, 10), returns=0.4, returns_h=(6, 60)),
    Kind(name="lamp", family="lighting", codes=("P0137", "P0137"), share=0.12, open_h=(16, 96),
         echoes=0.4, returns=0.08, id_share=0.5),
    Kind(name="cover", family="road", codes=("P0101", "E0113"), share=0.06, open_h=(2, 48),
         echoes=0.6, returns=0.05),
    Kind(name="pothole", family="road", codes=("E0113", "E0505"), share=0.08, open_h=(48, 240),
         echoes=0.5, gap_m=15, returns=0.03),
    Kind(name="wire", family="cable", codes=("E0108b", "E0508"), share=0.06, open_h=(4, 72),
         echoes=0.2, returns=0.15),
    # Flooding covers 100 m² and more: riders stand all around it.
    Kind(name="flood", family="water", codes=("E0506", "E0506"), share=0.04, open_h=(3, 24),
         echoes=1.0, extent_m=(5, 20), returns=0.2),
)  # fmt: skip
KIND_BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing that may be reported; ``ids`` can be read on it."""

    number: int
    kind: Kind
    position: Position
    ids: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Place:
    """A crossing with what stands around it; ``street`` is its part of every pole's number."""

    street: int
    centre: Position
    bearing: float
    is_busy: bool
    fixed: dict[str, list[Thing]] = field(default_factory=dict)

    def at(self, along_m: float, across_m: float) -> Position:
        """A position in metres along and across the main street."""
        sin, cos = math.sin(self.bearing), math.cos(self.bearing)
        east, north = along_m * cos - across_m * sin, along_m * sin + across_m * cos
        return offset(self.centre, east_m=east, north_m=north)


class World:
    """All places of one seed, and what is added to them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._things = 0
        crossings = list(_crossings(rng))
        busy = set(sample(rng, range(len(crossings)), BUSY_PLACES))
        self.places = [
            Place(street=street, centre=centre, bearing=rng.random() * math.pi,
                  is_busy=street in busy)
            for street, centre in enumerate(crossings)
        ]  # fmt: skip
        for place in self.places:
            self._furnish(place)

    def thing(self, kind: Kind, position: Position, ids: tuple[str, ...] | None = None) -> Thing:
        """One more thing; without ``ids`` it gets plates of its own, if its kind has any."""
        self._things += 1
        if ids is None:
            ids = plates(self._rng, kind)
        return Thing(number=self._things, kind=kind, position=position, ids=ids)

    def _furnish(self, place: Place) -> None:
        spots: dict[str, list[Position]] = {
            "heap": [*self._stops(place), *self._shops(place)],
            "cover": [place.at(x, 0) for x in self._steps(30, 50)],
            "waste": [place.at(x, 14) for x in self._steps(30, 100)]
            + [place.at(x, -14) for x in self._steps(30, 100)],
            "wire": [place.at(x, 25) for x in self._steps(25, 40)],
            "flood": [place.at(self._between(-90, 90), 0)],
        }
        for name, positions in spots.items():
            place.fixed[name] = [self.thing(KIND_BY_NAME[name], spot) for spot in positions]
        place.fixed["lamp"] = self._lamps(place)

    def _stops(self, place: Place) -> list[Position]:
        if place.is_busy or self._rng.random() < 1 / 3:
            return [place.at(-15, -KERB_M), place.at(15, KERB_M)]
        return []

    def _shops(self, place: Place) -> list[Position]:
        return [
            place.at(-self._between(60, 100), KERB_M),
            place.at(self._between(60, 100), -KERB_M),
        ]

    def _lamps(self, place: Place) -> list[Thing]:
        """Numbered one after the other along each row, as poles are."""
        rows = [[place.at(x, side) for x in self._steps(30, 40)] for side in (-KERB_M, KERB_M)]
        rows.append([place.at(KERB_M, y) for y in self._steps(25, 35) if abs(y) > 20])
        spots = [spot for row in rows for spot in row]
        return [
            self.thing(KIND_BY_NAME["lamp"], spot, (f"{place.street:04}{number:03}",))
            for number, spot in enumerate(spots, 1)
        ]

    def _steps(self, low: float, high: float) -> Iterator[float]:
        at = -HALF_STREET_M + self._between(0, high)
        while at <= HALF_STREET_M:
            yield at
            at += self._between(low, high)

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * self._rng.random()


def plates(rng: random.Random, kind: Kind) -> tuple[str, ...]:
    """Eight random digits for each bike; other kinds have none of their own."""
    if not kind.id_share:
        return ()
    return tuple(f"{int(rng.random() * 1e8):08}" for _ in range(kind.ids))


def sample(rng: random.Random, items: Sequence[int], count: int) -> list[int]:
    """Choose without repeating; only ``random()`` is the same in every version of Python."""
    keys = {item: rng.random() for item in items}
    return sorted(items, key=keys.__getitem__)[:count]


def _crossings(rng: random.Random) -> Iterator[Position]:
    tiles = (grid for grid in geography.grids() if "-S" not in grid.grid_id)
    for tile in tiles:
        box = bbox(tile.polygon)
        step_lon = (box.east - box.west) / CROSSINGS_PER_SIDE
        step_lat = (box.north - box.south) / CROSSINGS_PER_SIDE
        for column in range(CROSSINGS_PER_SIDE):
            for row in range(CROSSINGS_PER_SIDE):
                yield Position(
                    lon=box.west + (column + 0.4 + 0.2 * rng.random()) * step_lon,
                    lat=box.south + (row + 0.4 + 0.2 * rng.random()) * step_lat,
                )
