"""Who governs where: divisions as the state counts them, zones as they are run, and grids."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, TypeAlias

Outline: TypeAlias = tuple[tuple[float, float], ...]
RoutingRule: TypeAlias = Literal["only_grid", "smallest_area"]
WhyUnused: TypeAlias = Literal["grid_not_valid", "community_not_valid"]


def holds_on(day: date, valid_from: date | None, valid_to: date | None) -> bool:
    """Whether a day lies within `[valid_from, valid_to)`; None is open on either side."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day < valid_to)


class DivisionKind(StrEnum):
    """A functional zone (功能区) governs land that statistics count under a county."""

    COUNTY = "county"
    TOWNSHIP = "township"
    FUNCTIONAL_ZONE = "functional_zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A county, township or functional zone. Names repeat (老城街道 exists twice): use the id.

    ``code`` is the national one, None where there is none; ``county`` is the code statistics use;
    ``parent`` is the division it is counted under and ``managed_by`` the one that runs it.
    ``valid_to`` is the first day it is gone; None is open on either side.
    """

    division_id: str
    name: str
    kind: DivisionKind
    code: str | None
    county: str
    parent: str
    managed_by: str
    valid_from: date | None = None
    valid_to: date | None = None
    synthetic: bool = False

    def is_valid(self, day: date) -> bool:
        """Whether it exists on a day in China."""
        return holds_on(day, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The smallest governed area: an outline in GCJ-02 `(lon, lat)` and whom it belongs to.

    ``managed_by`` names the functional zone running it; None is the county itself. Valid from
    ``valid_from`` and before ``valid_to``, days in China; None is open on either side. ``version``
    counts its changes and is given when it is stored, so that two grids alike but for it are equal.
    Raises ValueError for an outline without an area and for an end not after the beginning.
    """

    grid_id: str
    name: str
    county: str
    community_id: str
    community_name: str
    polygon: Outline
    area_m2: float
    managed_by: str | None = None
    synthetic: bool = False
    valid_from: date | None = None
    valid_to: date | None = None
    version: int = field(default=1, compare=False)

    def __post_init__(self) -> None:
        if len(set(self.polygon)) < 3 or self.area_m2 <= 0:
            raise ValueError(f"grid {self.grid_id} has no area")
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError(f"grid {self.grid_id} ends before it begins")

    def is_valid(self, day: date) -> bool:
        """Whether it stands on a day in China."""
        return holds_on(day, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Which grid a position belongs to, and why.

    ``candidates`` are all grids holding the position, the chosen one first. ``boundary_m`` is the
    distance to the chosen grid's edge: within the phone's accuracy the neighbour may be right.
    """

    grid_id: str
    rule: RoutingRule
    boundary_m: int
    candidates: tuple[str, ...]
    reason: str
    reason_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A grid to which the position would belong had the phone erred by what it admits.

    ``share`` is how much of the surroundings is routed there, of 1; ``distance_m`` how far its
    edge is (0 where it holds the position too).
    """

    grid_id: str
    distance_m: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """A grid that holds the position and is not asked at this instant, and why."""

    grid_id: str
    why: WhyUnused
