"""What a case keeps of its routing, and how it is said: polygons by their version, posts by their
names, never a person. The sentence is made when it is read, so that it costs no room."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.alerts.entities import Text
from models.people.entities import RoleName, RosterEntry
from models.places.entities import Division, Grid, Neighbour, Routing
from models.places.rules import where

FIRST, DEPUTY, LEAD, NOBODY = "first_on_duty", "deputy_for_leave", "lead_for_nobody", "nobody"
NOT_THE_REPORTER, NOT_CLOSE = "not_the_reporter", "not_close_to_the_reporter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A grid next door, and how near it is."""

    grid: Grid
    found: Neighbour


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a report belongs and who is there for it.

    ``why`` are codes that explain the officer. ``neighbour`` is the likeliest other grid of the
    same county: what lies over the county's border is nobody's business here.
    """

    grid: Grid
    routing: Routing
    zone: Division | None
    officer: RosterEntry | None
    why: tuple[str, ...]
    neighbour: Near | None


def why(
    officer: RosterEntry | None, on_duty: Sequence[RosterEntry], linked: Collection[str] = ()
) -> tuple[str, ...]:
    """The codes that explain who has it; the second says that the first in turn reported it, or is
    close to who did."""
    is_passed_over = bool(on_duty) and officer is not on_duty[0]
    if officer is None:
        first = NOBODY
    elif officer.stands_in is not None:
        first = DEPUTY
    else:
        is_lead = officer.role is RoleName.GRID_LEAD
        first = LEAD if is_lead else FIRST
    if not is_passed_over:
        return (first,)
    return first, NOT_CLOSE if on_duty[0].member_id in linked else NOT_THE_REPORTER


def stored(place: Place) -> Mapping[str, Any]:
    """What a case keeps of its routing; what does not apply is left out, to keep the row small."""
    officer, near = place.officer, place.neighbour
    overlapping = len(place.routing.candidates)
    kept = {
        "rule": place.routing.rule,
        "boundary_m": place.routing.boundary_m,
        "overlapping": overlapping if overlapping > 1 else None,
        "grid": named(place.grid),
        "zone": place.zone.name if place.zone else None,
        "officer": officer.display if officer else None,
        "stands_in_for": officer.stands_in.display if officer and officer.stands_in else None,
        "why": list(place.why),
        "neighbour": near.grid.name if near else None,
        "neighbour_m": near.found.distance_m if near else None,
    }
    return {name: value for name, value in kept.items() if value is not None}


def told(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored routing in full, with its ``reason`` in two languages; old ones lack most of it."""
    said = reason(kept)
    return {
        "rule": kept["rule"],
        "boundary_m": kept["boundary_m"],
        "grid": kept.get("grid"),
        "zone": kept.get("zone"),
        "officer": kept.get("officer"),
        "stands_in_for": kept.get("stands_in_for"),
        "why": kept.get("why", []),
        "neighbour": kept.get("neighbour"),
        "neighbour_m": kept.get("neighbour_m"),
        "reason": said.zh,
        "reason_en": said.en,
    }


def for_outsiders(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored routing without who stood back: whose colleague he is knows by it who reported."""
    return {**kept, "why": [code for code in kept.get("why", ()) if code not in _STOOD_BACK]}


def reason(kept: Mapping[str, Any]) -> Text:
    """Say why in a sentence."""
    if "grid" not in kept:
        return Text(zh=kept.get("reason", ""), en=kept.get("reason_en", ""))
    zh, en = where(kept["grid"]["name"], kept["boundary_m"], kept.get("overlapping", 1))
    parts = [Text(zh=zh, en=en)]
    if zone := kept.get("zone"):
        parts.append(Text(zh=f"由{zone}管理", en=f"run by {zone}"))
    parts.append(_who(kept))
    if neighbour := kept.get("neighbour"):
        parts.append(
            Text(zh=f"紧邻“{neighbour}”，一并知会", en=f"{neighbour} next door is informed")
        )
    return Text(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))


def named(grid: Grid) -> Mapping[str, Any]:
    """A grid with the version of its outline."""
    return {"id": grid.grid_id, "name": grid.name, "version": grid.version}


def _who(kept: Mapping[str, Any]) -> Text:
    officer, absent, why = kept.get("officer"), kept.get("stands_in_for"), kept.get("why", ())
    stood_back = next((_STOOD_BACK[code] for code in why if code in _STOOD_BACK), None)
    if officer is None:
        zh, en = stood_back or ("暂无人在岗", "nobody is on duty")
        return Text(
            zh=f"{f'在岗的是{zh}' if stood_back else zh}，逐级上报",
            en=f"{f'only {en} is on duty' if stood_back else en}: up the ladder",
        )
    if DEPUTY in why:
        zh, en = f"{absent}休假，由{officer}代班", f"{officer} stands in for {absent}, on leave"
    elif LEAD in why and not stood_back:
        zh, en = f"没有网格员在岗，由{officer}负责", f"no officer is on duty, so {officer} has it"
    else:
        zh, en = f"由{officer}负责", f"{officer} has it"
    if stood_back:
        zh, en = f"{zh}（{stood_back[0]}回避）", f"{en} (not {stood_back[1]})"
    return Text(zh=zh, en=en)


_STOOD_BACK = {
    NOT_THE_REPORTER: ("上报人本人", "the reporter himself"),
    NOT_CLOSE: ("与上报人有关联者", "one close to the reporter"),
}
"""Who was passed over, in words."""
