"""Doors: the keeper's word, and two riders who find it locked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict, NotFound
from models.base.geometry import offset
from models.people.entities import Actor
from models.stations import rules
from models.stations.directory import Directory
from models.stations.doors import Doors
from models.stations.entities import Door, DoorState, Station
from models.stations.tables import StationRow
from tests.support.faults import lost_reply, never_sent
from tests.support.stations import HALL, NIGHT, a_keeper, a_station, an_actor

pytestmark = pytest.mark.usefixtures("database")


class House:
    """The use cases on an engine, with a station that is open by its hours."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.directory = Directory(clock)
        self.doors = Doors(clock=clock, directory=self.directory)
        self.station = self.opens(a_station())
        self.keeper = a_keeper(self.station)

    def opens(self, station: Station) -> Station:
        self.directory.put_stations([station])
        return station

    def says(self, *, is_open: bool, client_request_id: str | None = None) -> DoorState:
        return self.doors.say(
            self.keeper,
            station_id=self.station.station_id,
            client_request_id=client_request_id or str(uuid4()),
            is_open=is_open,
        )

    def reports(self, rider: Actor, **details: Any) -> DoorState:
        asked: dict[str, Any] = {
            "station_id": self.station.station_id,
            "client_request_id": str(uuid4()),
            "position": HALL,
            "accuracy_m": 10.0,
        }
        return self.doors.report_locked(rider, **(asked | details))

    @property
    def is_open(self) -> bool:
        station = self.directory.station(self.station.station_id)
        return rules.openness(station, self.clock.now()).is_open


@pytest.fixture
def house(clock: FixedClock) -> House:
    return House(clock)


def test_the_keeper_closes_and_opens(house: House) -> None:
    assert house.is_open

    assert house.says(is_open=False).door is Door.CLOSED
    assert not house.is_open

    assert house.says(is_open=True).door is Door.OPEN
    assert house.is_open


def test_another_process_sees_the_door_within_thirty_seconds(house: House) -> None:
    elsewhere = Directory(house.clock)
    elsewhere.stations()
    house.says(is_open=False)
    house.clock.advance(timedelta(seconds=31))

    assert elsewhere.station(house.station.station_id).door is Door.CLOSED


def test_a_repeated_word_does_not_undo_a_later_one(house: House) -> None:
    request_id = str(uuid4())
    first = house.says(is_open=False, client_request_id=request_id)
    house.clock.advance(timedelta(minutes=5))
    house.says(is_open=True)

    assert house.says(is_open=False, client_request_id=request_id) == first
    assert house.is_open


def test_a_repeated_word_with_other_content_is_refused(house: House) -> None:
    request_id = str(uuid4())
    house.says(is_open=False, client_request_id=request_id)

    with pytest.raises(Conflict, match=r"request\.reused"):
        house.says(is_open=True, client_request_id=request_id)


def test_the_door_of_another_s_station_is_unknown(house: House) -> None:
    house.keeper = a_keeper(house.opens(a_station()))

    with pytest.raises(NotFound, match=r"station\.not_found"):
        house.says(is_open=False)


def test_one_report_changes_nothing_and_a_second_closes(house: House) -> None:
    assert house.reports(an_actor()).door is None
    assert house.is_open
    house.clock.advance(timedelta(minutes=30))

    assert house.reports(an_actor()).door is Door.UNVERIFIED_CLOSED
    assert not house.is_open


def test_one_rider_twice_is_not_two(house: House) -> None:
    rider = an_actor()
    house.reports(rider)

    assert house.reports(rider).door is None
    assert house.is_open


def test_reports_more_than_thirty_minutes_apart_do_not_agree(house: House) -> None:
    house.reports(an_actor())
    house.clock.advance(timedelta(minutes=30, seconds=1))

    assert house.reports(an_actor()).door is None


def test_the_keeper_s_word_outweighs_reports_before_it(house: House) -> None:
    house.reports(an_actor())
    house.says(is_open=True)

    assert house.reports(an_actor()).door is Door.OPEN
    assert house.is_open


def test_a_repeated_report_gets_the_first_answer_and_counts_once(house: House) -> None:
    rider, request_id = an_actor(), str(uuid4())
    first = house.reports(rider, client_request_id=request_id)
    house.clock.advance(timedelta(hours=1))

    assert house.reports(rider, client_request_id=request_id) == first
    assert house.reports(an_actor()).door is None


def test_only_who_stands_before_the_door_may_report_it(house: House) -> None:
    with pytest.raises(Conflict, match=r"door_report\.too_far"):
        house.reports(an_actor(), position=offset(HALL, east_m=91, north_m=0))


def test_outside_the_hours_a_locked_door_is_no_news(house: House) -> None:
    by_night = house.opens(a_station(hours=NIGHT))

    with pytest.raises(Conflict, match=r"door_report\.outside_hours"):
        house.reports(an_actor(), station_id=by_night.station_id)


def test_who_reported_is_not_kept_by_name(house: House) -> None:
    rider = an_actor()
    house.reports(rider)

    row = StationRow.get(house.station.station_id, consistent_read=True)

    assert row.locked_by != rider.member_id


def test_of_eight_reports_at_once_none_is_lost(house: House) -> None:
    with ThreadPoolExecutor(8) as threads:
        states = list(threads.map(lambda _: house.reports(an_actor()), range(8)))

    assert sum(state.door is Door.UNVERIFIED_CLOSED for state in states) >= 4
    assert not house.is_open


def test_a_station_that_is_gone_is_not_found(house: House) -> None:
    house.directory.stations()
    StationRow(house.station.station_id).delete()

    with pytest.raises(NotFound, match=r"station\.not_found"):
        house.reports(an_actor())


def test_a_door_whose_reply_was_lost_is_said_once(house: House) -> None:
    with never_sent(times=2), lost_reply():
        state = house.says(is_open=False)

    row = StationRow.get(house.station.station_id, consistent_read=True)
    assert (state.door, row.door_revision) == (Door.CLOSED, 1)


def test_a_report_whose_reply_was_lost_counts_once(house: House) -> None:
    with never_sent(times=2), lost_reply():
        assert house.reports(an_actor()).door is None

    assert house.is_open
