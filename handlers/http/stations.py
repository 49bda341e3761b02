"""Rest stations: finding one, checking in, and telling of its door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.stations import (
    CheckInAnswer,
    Code,
    DoorAnswer,
    NearbyStations,
    NewCheckIn,
    NewDoor,
    NewDoorReport,
    NewMemberCheckIn,
    Stations,
)
from handlers.http.texts.catalogue import text
from models.base.geometry import Position
from models.people.entities import RoleName
from models.stations.entities import (
    CheckIn,
    Door,
    DoorState,
    NearbyStation,
    RotatingCode,
)
from models.stations.rules import hours_text

KEEPER = (RoleName.KEEPER,)

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/stations", query=NearbyStations, answer=Stations)
def list_stations(call: Call[Nothing, NearbyStations]) -> Reply:
    """List the stations nearby, nearest first."""
    query = call.query
    after = call.services.cursors.open("stations", query.cursor)
    found = call.services.stations.near(
        Position(lon=query.lon, lat=query.lat),
        radius_m=query.radius_m,
        open_only=query.open_now,
        facility=query.facility,
    )
    left = [near for near in found if after is None or _rank(near) > tuple(after["rank"])]
    shown = left[: query.limit]
    last = {"rank": _rank(shown[-1])} if len(left) > len(shown) else None
    return {
        "items": [_station(near, call.language) for near in shown],
        "next_cursor": call.services.cursors.seal("stations", last),
    }


@endpoint(blueprint, "GET", "/v1/stations/member-code", answer=Code)
def member_code(call: Call[Nothing, Nothing]) -> Reply:
    """Give the rider the code that a keeper may scan."""
    return _code(call.services.check_ins.member_code(call.actor))


@endpoint(blueprint, "GET", "/v1/stations/{station_id}/code", answer=Code, roles=KEEPER)
def station_code(call: Call[Nothing, Nothing]) -> Reply:
    """Give the keeper the code for his station's screen."""
    return _code(call.services.check_ins.station_code(call.actor, call.params["station_id"]))


@endpoint(
    blueprint,
    "POST",
    "/v1/stations/{station_id}/check-ins",
    body=NewCheckIn,
    answer=CheckInAnswer,
    status=201,
    errors=(403,),
)
def check_in(call: Call[NewCheckIn, Nothing]) -> Reply:
    """Check in at a station by the code on its screen."""
    body = call.body
    visit = call.services.check_ins.check_in(
        call.actor,
        station_id=call.params["station_id"],
        client_request_id=body.request_id,
        position=Position(lon=body.lon, lat=body.lat),
        accuracy_m=body.accuracy_m,
        code=body.code,
    )
    return _check_in(visit, call.language)


@endpoint(
    blueprint,
    "POST",
    "/v1/stations/{station_id}/member-check-ins",
    body=NewMemberCheckIn,
    answer=CheckInAnswer,
    status=201,
    roles=KEEPER,
)
def scan_member(call: Call[NewMemberCheckIn, Nothing]) -> Reply:
    """Check in the rider whose code the keeper has scanned."""
    visit = call.services.check_ins.scan(
        call.actor,
        station_id=call.params["station_id"],
        client_request_id=call.body.request_id,
        member_code=call.body.member_code,
    )
    return _check_in(visit, call.language)


@endpoint(
    blueprint,
    "POST",
    "/v1/stations/{station_id}/door",
    body=NewDoor,
    answer=DoorAnswer,
    roles=KEEPER,
)
def say_door(call: Call[NewDoor, Nothing]) -> Reply:
    """Record whether the keeper has opened or closed the door."""
    state = call.services.doors.say(
        call.actor,
        station_id=call.params["station_id"],
        client_request_id=call.body.request_id,
        is_open=call.body.open,
    )
    return _door(state, call.language)


@endpoint(
    blueprint,
    "POST",
    "/v1/stations/{station_id}/door-reports",
    body=NewDoorReport,
    answer=DoorAnswer,
    status=201,
)
def report_locked_door(call: Call[NewDoorReport, Nothing]) -> Reply:
    """Record that a rider stands before a locked door."""
    state = call.services.doors.report_locked(
        call.actor,
        station_id=call.params["station_id"],
        client_request_id=call.body.request_id,
        position=Position(lon=call.body.lon, lat=call.body.lat),
        accuracy_m=call.body.accuracy_m,
    )
    return _door(state, call.language)


def _rank(near: NearbyStation) -> tuple[int, str]:
    return near.distance_m, near.station.station_id


def _station(near: NearbyStation, language: str) -> dict[str, Any]:
    station, state = near.station, near.openness
    return {
        "id": station.station_id,
        "name": station.name,
        "kind": station.kind.value,
        "kind_text": text(f"station.kind.{station.kind.value}", language),
        "place": station.place,
        "lon": station.position.lon,
        "lat": station.position.lat,
        "distance_m": near.distance_m,
        "open": state.is_open,
        "closes_at": state.closes_at,
        "door": state.door.value if state.door else None,
        "door_text": _door_text(state.door, language),
        "hours": hours_text(station.hours),
        "facilities": _facilities(station.facilities, language),
        "synthetic": station.synthetic,
    }


def _facilities(codes: Sequence[str], language: str) -> list[dict[str, str]]:
    return [{"code": code, "text": text(f"station.facility.{code}", language)} for code in codes]


def _code(code: RotatingCode) -> Reply:
    return {"code": code.payload, "valid_until": code.valid_until}


def _check_in(visit: CheckIn, language: str) -> Reply:
    return {
        "check_in": {"id": visit.check_in_id, "station_id": visit.station_id, "at": visit.at},
        "points": visit.points,
        "reason": visit.reason.value,
        "reason_text": text(f"check_in.reason.{visit.reason.value}", language),
    }


def _door(state: DoorState, language: str) -> Reply:
    return {
        "station_id": state.station_id,
        "door": state.door.value if state.door else None,
        "door_text": _door_text(state.door, language),
        "at": state.at,
    }


def _door_text(door: Door | None, language: str) -> str | None:
    return text(f"station.door.{door.value}", language) if door else None
