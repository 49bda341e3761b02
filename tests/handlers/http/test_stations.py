"""Stations over HTTP: what each route takes, answers and refuses."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from app import app
from chalice.test import Client

from handlers import wiring
from handlers.settings import Settings
from models.base.clock import FixedClock
from models.base.geometry import Position, offset
from models.base.paging import Cursors
from models.base.tables import Database
from models.people.entities import Actor
from models.points.ledger import Ledger
from models.stations.check_ins import CheckIns
from models.stations.codes import Codes
from models.stations.directory import Directory
from models.stations.doors import Doors
from models.stations.entities import Station
from tests.support.stations import KEY, a_keeper, a_station, an_actor

_places = itertools.count()


class _Sessions:
    """Knows an actor by a token that is his member id: signing in is tested elsewhere."""

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}

    def authenticate(self, token: str) -> Actor:
        return self.actors[token]


class House:
    """The routes on an engine, with a station and its keeper."""

    def __init__(self, clock: FixedClock, dynamodb_url: str) -> None:
        self.services = wiring.Services(
            Settings(dynamodb_url=dynamodb_url, refuses_unknown_fields=True, checks_answers=True)
        )
        self.services.__dict__ |= self._parts(clock)
        self.clock = clock
        self.here = Position(lon=60.0 + next(_places) / 10, lat=-30.0)
        self.station = self.opens(a_station(position=self.here))
        self.keeper = a_keeper(self.station)
        self.path = f"/v1/stations/{self.station.station_id}"

    def _parts(self, clock: FixedClock) -> dict[str, Any]:
        self.sessions, self.directory = _Sessions(), Directory(clock)
        return {
            "clock": clock,
            "sessions": self.sessions,
            "cursors": Cursors(KEY),
            "stations": self.directory,
            "doors": Doors(clock=clock, directory=self.directory),
            "check_ins": CheckIns(
                clock=clock, directory=self.directory, codes=Codes(KEY), ledger=Ledger()
            ),
        }

    def opens(self, station: Station) -> Station:
        self.directory.put_stations([station])
        return station

    def get(self, actor: Actor, path: str, **query: Any) -> Any:
        return self._send("GET", actor, f"{path}?{urlencode(query)}" if query else path)

    def post(self, actor: Actor, path: str, **body: Any) -> Any:
        return self._send("POST", actor, path, {"client_request_id": str(uuid4()), **body})

    def _send(self, method: str, actor: Actor, path: str, body: Any = None) -> Any:
        self.sessions.actors[actor.member_id] = actor
        headers = {
            "Authorization": f"Bearer {actor.member_id}",
            "Content-Type": "application/json",
        }
        with Client(app) as client:
            return client.http.request(
                method,
                path,
                headers=headers,
                body=b"" if body is None else json.dumps(body).encode(),
            )

    def visits(self, rider: Actor, **details: Any) -> Any:
        asked = {"lon": self.here.lon, "lat": self.here.lat, "accuracy_m": 5}
        return self.post(rider, f"{self.path}/check-ins", **(asked | details))

    @property
    def code(self) -> str:
        code: str = self.get(self.keeper, f"{self.path}/code").json_body["code"]
        return code


@pytest.fixture
def house(database: Database, clock: FixedClock) -> Iterator[House]:
    house = House(clock, str(database.endpoint_url))
    wiring.use_services(house.services)
    yield house
    wiring.use_services(None)


def test_a_rider_checks_in_and_is_told_why_he_got_a_point(house: House) -> None:
    answer = house.visits(an_actor(), code=house.code)

    assert answer.status_code == 201
    assert answer.json_body["points"] == 1
    assert answer.json_body["reason_text"] == "今日首次打卡"
    assert answer.json_body["check_in"]["at"] == "2026-03-18T02:00:00.000Z"


def test_a_refusal_tells_how_far_and_how_long(house: House) -> None:
    rider = an_actor()
    far = offset(house.here, east_m=0, north_m=200)
    too_far = house.visits(rider, code=house.code, lat=far.lat)
    house.visits(rider, code=house.code)
    too_soon = house.visits(rider, code=house.code)

    assert (too_far.status_code, too_far.json_body["code"]) == (409, "check_in.too_far")
    assert too_far.json_body["message"] == "离驿站还有 200 米，85 米以内才能打卡"
    assert (too_soon.status_code, too_soon.json_body["code"]) == (409, "check_in.too_soon")
    assert too_soon.json_body["details"] == {"next_at": "2026-03-18T06:00:00.000Z"}


def test_every_bad_field_is_named_at_once(house: House) -> None:
    answer = house.visits(an_actor(), lon=181, lat="north", accuracy_m=-1)

    assert answer.status_code == 422
    assert {(bad["field"], bad["code"]) for bad in answer.json_body["fields"]} == {
        ("lon", "field.too_large"),
        ("lat", "field.wrong_type"),
        ("accuracy_m", "field.too_small"),
        ("code", "field.missing"),
    }


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("code", None),
        ("member-check-ins", {"member_code": "M1.x.1.x"}),
        ("door", {"open": False}),
    ],
)
def test_only_keepers_keep_and_only_their_own_station(
    house: House, route: str, body: dict[str, Any] | None
) -> None:
    path = f"{house.path}/{route}"
    another_keeper = a_keeper(a_station())

    def ask(actor: Actor) -> Any:
        return house.get(actor, path) if body is None else house.post(actor, path, **body)

    assert ask(an_actor()).status_code == 403
    foreign = ask(another_keeper)
    assert (foreign.status_code, foreign.json_body["code"]) == (404, "station.not_found")


def test_a_keeper_scans_a_rider_and_learns_nothing_of_him(house: House) -> None:
    rider = an_actor()
    shown = house.get(rider, "/v1/stations/member-code").json_body

    answer = house.post(house.keeper, f"{house.path}/member-check-ins", member_code=shown["code"])

    assert answer.status_code == 201
    assert shown["valid_until"] == "2026-03-18T02:01:00.000Z"
    assert rider.member_id not in json.dumps(answer.json_body) + shown["code"]


def test_the_list_goes_on_where_it_stopped(house: House) -> None:
    for metres in (10, 10, 20, 30):
        house.opens(a_station(position=offset(house.here, east_m=metres, north_m=0)))
    query: dict[str, Any] = {"lon": house.here.lon, "lat": house.here.lat, "limit": 2}
    seen: list[dict[str, Any]] = []
    cursor: str | None = None

    for _ in range(3):
        page = house.get(
            an_actor(), "/v1/stations", **query, **({"cursor": cursor} if cursor else {})
        ).json_body
        seen += page["items"]
        cursor = page["next_cursor"]

    assert [item["distance_m"] for item in seen] == [0, 10, 10, 20, 30]
    assert len({item["id"] for item in seen}) == 5
    assert cursor is None


def test_a_station_is_shown_with_its_state_as_code_and_text(house: House) -> None:
    house.post(house.keeper, f"{house.path}/door", open=False)

    page = house.get(an_actor(), "/v1/stations", lon=house.here.lon, lat=house.here.lat)

    shown = page.json_body["items"][0]
    assert (shown["open"], shown["closes_at"]) == (False, None)
    assert (shown["door"], shown["door_text"]) == ("closed", "已关门")
    assert shown["facilities"][0] == {"code": "microwave", "text": "微波炉"}
    assert shown["hours"]["mon"] == ["08:00-18:00"]


def test_open_now_leaves_out_the_closed(house: House) -> None:
    house.post(house.keeper, f"{house.path}/door", open=False)
    query = {"lon": house.here.lon, "lat": house.here.lat, "open_now": "true"}

    assert house.get(an_actor(), "/v1/stations", **query).json_body["items"] == []


def test_two_riders_before_a_locked_door_close_it(house: House) -> None:
    here = {"lon": house.here.lon, "lat": house.here.lat, "accuracy_m": 5}

    first = house.post(an_actor(), f"{house.path}/door-reports", **here)
    second = house.post(an_actor(), f"{house.path}/door-reports", **here)

    assert (first.status_code, first.json_body["door"]) == (201, None)
    assert (second.status_code, second.json_body["door"]) == (201, "unverified_closed")


def test_a_radius_beyond_five_kilometres_is_refused(house: House) -> None:
    answer = house.get(
        an_actor(), "/v1/stations", lon=house.here.lon, lat=house.here.lat, radius_m=5001
    )

    assert answer.status_code == 422
    assert [bad["field"] for bad in answer.json_body["fields"]] == ["radius_m"]
