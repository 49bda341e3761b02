"""Taking in a county's roster: an admin's command, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.console import imports, refusals
from handlers.wiring import Services, services
from models.alerts import leavers
from models.people.importing import import_roster, read_csv
from models.places.entities import DivisionKind


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``{"csv", "county", "actor"}``; safe to repeat; one bad line and nothing is written.

    ``actor`` names the post that imports. The CSV holds keyed hashes of phones, never phones.
    Answers what every import answers, or what is wrong with the command: ``{"code", "fields"}``.
    """
    bad = refusals.bad_texts(event, "csv", "county", "actor")
    if bad:
        return refusals.fields(bad)
    wired, county = services(), event["county"]
    report = import_roster(
        read_csv(event["csv"]),
        county=county,
        owns=lambda scope: _is_in_county(wired, county, scope),
        now=wired.clock.now(),
        actor=refusals.post_of(event),
        tell=leavers.row,
    )
    wired.roster.forget()
    return imports.answer(report)


def _is_in_county(wired: Services, county: str, scope: str) -> bool:
    """Whether a grid, community, zone or station is the county's; others have no directory here."""
    kind, _, name = scope.partition(":")
    if kind == "grid":
        return any(grid.grid_id == name for grid in wired.places.grids(county))
    if kind == "community":
        return any(grid.community_id == name for grid in wired.places.grids(county))
    if kind == "zone":
        zone = wired.places.division(name)
        is_zone = zone is not None and zone.kind is DivisionKind.FUNCTIONAL_ZONE
        return zone is not None and is_zone and zone.county == county
    if kind == "station":
        known = wired.stations.stations()
        return any(one.station_id == name and one.county == county for one in known)
    return True
