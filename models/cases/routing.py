"""Why a report goes where it goes: the polygon, the rule, the zone, the officer and the neighbour.

One decision serves the report that is filed and the dry run that only asks: both come from the
places and the roster in memory, at an instant, and nothing is written. What is stored of it with
the case names polygons by their version and posts by their names, never a person; the sentence is
made when it is read (``routed``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from models.base.clock import Clock
from models.base.geometry import Position
from models.cases import routed
from models.cases.entities import Step
from models.cases.routed import Near, Place
from models.people.entities import RoleName, RosterEntry
from models.people.roster import Roster
from models.places.entities import Grid
from models.places.service import Places

_LADDER = (
    (Step.LEAD, RoleName.GRID_LEAD, "grid"),
    (Step.LEAD, RoleName.GRID_LEAD, "community"),
    (Step.COMMUNITY, RoleName.COMMUNITY, "community"),
    (Step.DISTRICT, RoleName.DISTRICT, "zone"),
    (Step.DISTRICT, RoleName.DISTRICT, "county"),
    (Step.DISTRICT, RoleName.DUTY, "zone"),
    (Step.DISTRICT, RoleName.DUTY, "county"),
)


class Routes:
    """Decides where reports belong, from memory; calls nothing but a refresh of what is known."""

    def __init__(self, *, clock: Clock, places: Places, roster: Roster) -> None:
        self._clock = clock
        self._places = places
        self._roster = roster

    def place(
        self,
        position: Position,
        *,
        accuracy_m: float,
        at: datetime | None = None,
        reporter_id: str | None = None,
        linked: Collection[str] = (),
    ) -> Place | None:
        """Where a report of this position belongs at an instant (None: now); None outside all.

        Nobody handles what he reported himself, or what somebody close to him did: with
        ``reporter_id`` and ``linked`` they are passed over.
        """
        at = at or self._clock.now()
        routing = self._places.route(position, at)
        grid = self._places.grid(routing.grid_id) if routing else None
        if routing is None or grid is None:
            return None
        on_duty = self._roster.on_duty(grid.grid_id, at)
        others = [entry for entry in on_duty if not _is(entry, {reporter_id, *linked})]
        officer = others[0] if others else None
        near = [one for one in self.near(position, grid, accuracy_m, at) if _is_told(one, grid)]
        return Place(
            grid=grid,
            routing=routing,
            zone=self._places.zone(grid, at),
            officer=officer,
            why=routed.why(officer, on_duty, linked),
            neighbour=near[0] if near else None,
        )

    def near(
        self, position: Position, grid: Grid, accuracy_m: float, at: datetime
    ) -> Sequence[Near]:
        """The grids that a position may belong to instead, likeliest first, of any county."""
        found = self._places.neighbours(position, grid.grid_id, accuracy_m=accuracy_m, at=at)
        return [
            Near(grid=there, found=one)
            for one in found
            if (there := self._places.grid(one.grid_id)) is not None
        ]


def ladder(
    *, grid_id: str, community_id: str, county: str, zone_id: str | None
) -> list[tuple[Step, RoleName, str]]:
    """The posts over a grid from the lowest up: the step that reaches it, its role and scope.

    Land that a functional zone runs is the zone's before it is the county's that counts it.
    """
    ids = {"grid": grid_id, "community": community_id, "zone": zone_id, "county": county}
    return [(step, role, f"{kind}:{ids[kind]}") for step, role, kind in _LADDER if ids[kind]]


def first_reachable(
    entries: Iterable[RosterEntry], but: Iterable[str | None]
) -> RosterEntry | None:
    """The first who can be told, unless he is one of those named; None when nobody is left."""
    excluded = set(but) | {None}
    bound = next((entry for entry in entries if entry.member_id is not None), None)
    return bound if bound is not None and bound.member_id not in excluded else None


def _is(entry: RosterEntry, member_ids: Collection[str | None]) -> bool:
    return entry.member_id is not None and entry.member_id in member_ids


def _is_told(near: Near, grid: Grid) -> bool:
    return near.grid.county == grid.county
