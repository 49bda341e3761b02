"""What would become of a report from a place, at an instant: asked by admins, written nowhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.base.clock import Clock, utc_text
from models.base.errors import FieldError, Invalid, NotFound
from models.base.geometry import Position
from models.cases import routed
from models.cases.categories import Categories
from models.cases.entities import Severity
from models.cases.routed import Place
from models.cases.routing import Routes, first_reachable, ladder
from models.people.entities import RosterEntry
from models.people.roster import Roster
from models.places.service import Places

YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place as a phone would tell it. ``at`` None is now; ``category`` None is no danger."""

    position: Position
    accuracy_m: float
    at: datetime | None = None
    category: str | None = None


class DryRun:
    """Explains routing, by the very decision that files reports."""

    def __init__(
        self, *, clock: Clock, places: Places, roster: Roster, categories: Categories
    ) -> None:
        self._clock = clock
        self._places = places
        self._roster = roster
        self._categories = categories
        self._routes = Routes(clock=clock, places=places, roster=roster)

    def explain(self, spot: Spot, *, counties: Collection[str] | None = None) -> Mapping[str, Any]:
        """All that would become of a report, JSON-ready, with ``reason`` and ``reason_en``.

        What a case would keep, and besides: every grid that holds the position or might, those not
        valid then, everybody on duty in turn, and who would be told how and why. Raises
        ``NotFound("routing.nowhere")`` where no grid is, or none of ``counties`` (None: of any),
        and ``Invalid`` for an unknown category and an ``at`` outside this century.
        """
        at = spot.at or self._clock.now()
        if at.year not in YEARS:
            raise Invalid(fields=[FieldError(field="at", code="field.invalid")])
        place = self._routes.place(spot.position, accuracy_m=spot.accuracy_m, at=at)
        if place is None or (counties is not None and place.grid.county not in counties):
            raise NotFound("routing.nowhere")
        severity = self._severity(spot, place)
        grid, on_duty = place.grid, self._roster.on_duty(place.grid.grid_id, at)
        near = self._routes.near(spot.position, grid, spot.accuracy_m, at)
        return {
            "lon": spot.position.lon,
            "lat": spot.position.lat,
            "accuracy_m": spot.accuracy_m,
            "at": utc_text(at),
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
                for unused in self._places.unused(spot.position, at)
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
            "told": self._told(place, on_duty, at, severity),
        }

    def _severity(self, spot: Spot, place: Place) -> Severity | None:
        if spot.category is None:
            return None
        category = self._categories.current(place.grid.county).find(spot.category)
        if category is None:
            raise Invalid(fields=[FieldError(field="category", code="category.unknown")])
        return category.severity

    def _told(
        self, place: Place, on_duty: Sequence[RosterEntry], at: datetime, severity: Severity | None
    ) -> list[Mapping[str, Any]]:
        reachable = [entry for entry in on_duty if entry.member_id is not None]
        is_danger = severity is Severity.A
        why = "everybody_for_danger" if is_danger else "first_reachable"
        alerted = reachable if is_danger else reachable[:1]
        if not alerted:
            alerted, why = self._up_the_ladder(place, at), "up_the_ladder"
        told: list[Mapping[str, Any]] = [
            {**_post(entry), "how": "alert", "why": why} for entry in alerted
        ]
        if place.neighbour is not None:
            there = self._roster.on_duty(place.neighbour.grid.grid_id, at)
            first = first_reachable(there, {entry.member_id for entry in alerted})
            if first is not None:
                told.append({**_post(first), "how": "inbox", "why": "neighbour"})
        return told

    def _up_the_ladder(self, place: Place, at: datetime) -> list[RosterEntry]:
        for _, role, scope in ladder(
            grid_id=place.grid.grid_id,
            community_id=place.grid.community_id,
            county=place.grid.county,
            zone_id=place.zone.division_id if place.zone else None,
        ):
            held = [e for e in self._roster.holders(role, scope, at) if e.member_id is not None]
            if held:
                return held
        return []


def _post(entry: RosterEntry) -> Mapping[str, Any]:
    """A roster entry as a post: never who holds it, but whether anybody can be reached."""
    return {
        "display": entry.display,
        "role": entry.role.value,
        "scope": entry.scope,
        "stands_in_for": entry.stands_in.display if entry.stands_in else None,
        "reachable": entry.member_id is not None,
    }
