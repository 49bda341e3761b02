"""Finding the nearest stations, and changing them."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from infra.local import engine as engines
from infra.local.meter import Meter
from models.base.clock import FixedClock
from models.base.errors import NotFound, Unavailable
from models.base.geometry import Position, offset
from models.base.tables import Database, connection, use_database
from models.stations.directory import Directory
from models.stations.entities import Door, Station
from models.stations.tables import StationRow
from tests.support.faults import never_sent
from tests.support.stations import NIGHT, a_station

pytestmark = pytest.mark.usefixtures("database")

_places = itertools.count()


@pytest.fixture
def here() -> Position:
    """A place of this test's own, far from those of all others."""
    return Position(lon=80 + next(_places), lat=10)


def at(here: Position, metres: float, **details: object) -> Station:
    return a_station(position=offset(here, east_m=metres, north_m=0), **details)  # type: ignore[arg-type]


def test_the_nearest_comes_first_and_the_far_not_at_all(clock: FixedClock, here: Position) -> None:
    far, near, nearest = at(here, 2701), at(here, 2690), at(here, 30)
    directory = Directory(clock)
    directory.put_stations([far, near, nearest])

    found = directory.near(here)

    assert [seen.station.station_id for seen in found] == [nearest.station_id, near.station_id]
    assert [seen.distance_m for seen in found] == [30, 2690]


def test_only_the_open_ones_when_asked(clock: FixedClock, here: Position) -> None:
    by_day, by_night = at(here, 10), at(here, 20, hours=NIGHT)
    directory = Directory(clock)
    directory.put_stations([by_day, by_night])

    found = directory.near(here, open_only=True)

    assert [seen.station.station_id for seen in found] == [by_day.station_id]
    assert found[0].openness.closes_at == clock.now() + timedelta(hours=8)


def test_only_those_with_a_facility_when_asked(clock: FixedClock, here: Position) -> None:
    plain, with_toilet = at(here, 10, facilities=()), at(here, 20, facilities=("toilet",))
    directory = Directory(clock)
    directory.put_stations([plain, with_toilet])

    found = directory.near(here, facility="toilet")

    assert [seen.station.station_id for seen in found] == [with_toilet.station_id]


def test_putting_the_same_again_writes_nothing(clock: FixedClock, here: Position) -> None:
    stations = [at(here, metres) for metres in range(150)]
    directory = Directory(clock)
    assert directory.put_stations(stations) == 150
    meter = Meter().watch(connection())

    again = directory.put_stations(stations)

    assert again == 0
    assert meter.read().write_units == 0


def test_a_new_description_leaves_the_door_as_it_is(clock: FixedClock, here: Position) -> None:
    station = at(here, 0)
    directory = Directory(clock)
    directory.put_stations([station])
    StationRow(station.station_id).update(
        actions=[StationRow.door.set("closed"), StationRow.door_at.set(clock.now())]
    )

    directory.put_stations([at(here, 5, station_id=station.station_id)])

    known = directory.station(station.station_id)
    assert (known.door, known.position) == (Door.CLOSED, offset(here, east_m=5, north_m=0))


def test_a_change_by_another_process_is_seen_within_thirty_seconds(
    clock: FixedClock, here: Position
) -> None:
    directory = Directory(clock)
    directory.stations()
    station = at(here, 0)
    Directory(clock).put_stations([station])

    with pytest.raises(NotFound, match=r"station\.not_found"):
        directory.station(station.station_id)
    clock.advance(timedelta(seconds=31))
    assert directory.station(station.station_id) == station


def test_what_is_fresh_is_answered_without_asking(clock: FixedClock, here: Position) -> None:
    directory = Directory(clock)
    directory.put_stations([at(here, 0)])
    directory.near(here)
    meter = Meter().watch(connection())

    directory.near(here)
    clock.advance(timedelta(seconds=30))
    directory.near(here)

    assert meter.read().calls == 0


def test_an_unchanged_version_costs_one_read(clock: FixedClock, here: Position) -> None:
    directory = Directory(clock)
    directory.near(here)
    clock.advance(timedelta(seconds=31))
    meter = Meter().watch(connection())

    directory.near(here)

    assert meter.read().operations == ("GetItem",)


def test_the_last_known_stations_serve_while_the_table_does_not_answer(
    clock: FixedClock, here: Position, database: Database
) -> None:
    station = at(here, 0)
    directory = Directory(clock)
    directory.put_stations([station])
    directory.stations()
    clock.advance(timedelta(seconds=31))
    nowhere = f"http://127.0.0.1:{engines.free_port()}"
    use_database(
        Database(region=engines.REGION, endpoint_url=nowhere, access_key="x", secret_key="x")
    )

    try:
        assert directory.station(station.station_id) == station
        with pytest.raises(Unavailable):
            Directory(clock).stations()
    finally:
        use_database(database)


def test_a_row_of_a_later_version_is_still_read(clock: FixedClock, here: Position) -> None:
    station = at(here, 0)
    directory = Directory(clock)
    directory.put_stations([station])
    StationRow(station.station_id).update(
        actions=[StationRow.kind.set("floating"), StationRow.door.set("ajar")]
    )
    clock.advance(timedelta(seconds=31))

    known = Directory(clock).station(station.station_id)

    assert (known.kind, known.door) == ("service", None)


def test_a_table_that_does_not_answer_at_the_first_question_is_told(
    clock: FixedClock, here: Position
) -> None:
    with never_sent("Scan", times=10), pytest.raises(Unavailable):
        Directory(clock).stations()


def test_others_go_on_with_what_is_known_while_one_looks_again(
    clock: FixedClock, here: Position
) -> None:
    directory = Directory(clock)
    station = at(here, 0)
    directory.put_stations([station])
    directory.stations()
    clock.advance(timedelta(seconds=31))
    looking, answered = threading.Event(), threading.Event()

    def hold(**_: object) -> None:
        looking.set()
        assert answered.wait(10)

    connection().client.meta.events.register_first("before-send.dynamodb.GetItem", hold)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(directory.station, station.station_id)
        assert looking.wait(10)
        quick = directory.station(station.station_id)
        answered.set()

    assert quick == slow.result(10) == station
