"""Who governs where: divisions as the state counts them, zones as they are run, and grids."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, TypeAlias

Outline: TypeAlias = tuple[tuple[float, float], ...]
RoutingRule: TypeAlias = Literal["only_grid", "smallest_area"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The smallest governed area: an outline in GCJ-02 `(lon, lat)` and whom it belongs to.

    ``managed_by`` names the functional zone running it; None is the county itself.
    Raises ValueError for an outline without an area.
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

    def __post_init__(self) -> None:
        if len(set(self.polygon)) < 3 or self.area_m2 <= 0:
            raise ValueError(f"grid {self.grid_id} has no area")


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
