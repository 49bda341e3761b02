"""Why a report goes where it goes: the polygon, the rule, the zone, the officer and the neighbour.

One decision serves the report that is filed and the dry run that only asks: both come from the
places and the roster in memory, at an instant, and nothing is written. What is stored of it with
the case names polygons by their version and posts by their names, never a person; the sentence is
made when it is read (``routed``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base.clock import Clock, utc_text
from models.base.geometry import Position
from models.cases import routed
from models.cases.entities import Severity, Step
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What a dry run asks about: a place as a phone would tell it, an instant, a severity."""

    position: Position
    accuracy_m: float
    at: datetime
    severity: Severity | None = None


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
    ) -> Place | None:
        """Where a report of this position belongs at an instant (None: now); None outside all.

        Nobody handles what he reported himself: with ``reporter_id`` he is passed over.
        """
        at = at or self._clock.now()
        routing = self._places.route(position, at)
        grid = self._places.grid(routing.grid_id) if routing else None
        if routing is None or grid is None:
            return None
        on_duty = self._roster.on_duty(grid.grid_id, at)
        others = [entry for entry in on_duty if not _is(entry, reporter_id)]
        officer = others[0] if others else None
        near = [one for one in self._near(position, grid, accuracy_m, at) if _is_told(one, grid)]
        return Place(
            grid=grid,
            routing=routing,
            zone=self._places.zone(grid, at),
            officer=officer,
            why=routed.why(officer, on_duty),
            neighbour=near[0] if near else None,
        )

    def explain(self, spot: Spot) -> Mapping[str, Any] | None:
        """All that would become of a report, JSON-ready; None where no grid is.

        What ``place`` decides, and besides: every grid that holds the position or might, those not
        valid then, everybody on duty in turn, and who would be told how and why. Writes nothing.
        """
        place = self.place(spot.position, accuracy_m=spot.accuracy_m, at=spot.at)
        if place is None:
            return None
        grid, on_duty = place.grid, self._roster.on_duty(place.grid.grid_id, spot.at)
        near = self._near(spot.position, grid, spot.accuracy_m, spot.at)
        return {
            "lon": spot.position.lon,
            "lat": spot.position.lat,
            "accuracy_m": spot.accuracy_m,
            "at": utc_text(spot.at),
            "county": grid.county,
            "community": {"id": grid.community_id, "name": grid.community_name},
            **routed.told(routed.stored(place)),
            "candidates": [
                {**routed.named(one), "area_m2": round(one.area_m2)}
                for one in map(self._places.grid, place.routing.candidates)
                if one is not None
            ],
            "not_used": [
                {**routed.named(one), "why": unused.why}
                for unused in self._places.unused(spot.position, spot.at)
                if (one := self._places.grid(unused.grid_id)) is not None
            ],
            "neighbours": [
                {
                    **routed.named(one.grid),
                    "distance_m": one.found.distance_m,
                    "share": one.found.share,
                    "county": one.grid.county,
                }
                for one in near
            ],
            "on_duty": [_post(entry) for entry in on_duty],
            "told": self._told(place, on_duty, spot),
        }

    def _near(
        self, position: Position, grid: Grid, accuracy_m: float, at: datetime
    ) -> Sequence[Near]:
        found = self._places.neighbours(position, grid.grid_id, accuracy_m=accuracy_m, at=at)
        return [
            Near(grid=there, found=one)
            for one in found
            if (there := self._places.grid(one.grid_id)) is not None
        ]

    def _told(
        self, place: Place, on_duty: Sequence[RosterEntry], spot: Spot
    ) -> list[Mapping[str, Any]]:
        reachable = [entry for entry in on_duty if entry.member_id is not None]
        why = "everybody_for_danger" if spot.severity is Severity.A else "first_reachable"
        alerted = reachable if spot.severity is Severity.A else reachable[:1]
        if not alerted:
            alerted, why = self._up_the_ladder(place, spot.at), "up_the_ladder"
        told: list[Mapping[str, Any]] = [
            {**_post(entry), "how": "alert", "why": why} for entry in alerted
        ]
        if place.neighbour is not None:
            there = self._roster.on_duty(place.neighbour.grid.grid_id, spot.at)
            first = first_reachable(there, {entry.member_id for entry in alerted})
            if first is not None:
                told.append({**_post(first), "how": "inbox", "why": "neighbour"})
        return told

    def _up_the_ladder(self, place: Place, at: datetime) -> list[RosterEntry]:
        zone_id = place.zone.division_id if place.zone else None
        for _, role, scope in ladder(
            grid_id=place.grid.grid_id,
            community_id=place.grid.community_id,
            county=place.grid.county,
            zone_id=zone_id,
        ):
            held = [e for e in self._roster.holders(role, scope, at) if e.member_id is not None]
            if held:
                return held
        return []


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


def _is(entry: RosterEntry, member_id: str | None) -> bool:
    return member_id is not None and entry.member_id == member_id


def _is_told(near: Near, grid: Grid) -> bool:
    return near.grid.county == grid.county


def _post(entry: RosterEntry) -> Mapping[str, Any]:
    """A roster entry as a post: never who holds it, but whether anybody can be reached."""
    return {
        "display": entry.display,
        "role": entry.role.value,
        "scope": entry.scope,
        "stands_in_for": entry.stands_in.display if entry.stands_in else None,
        "reachable": entry.member_id is not None,
    }
