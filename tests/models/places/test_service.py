import threading
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from infra.local import engine as engines
from models.base.errors import Unavailable
from models.base.geometry import Position, polygon_area_m2
from models.base.tables import Database, connection, use_database
from models.places.entities import Division, DivisionKind, Grid
from models.places.service import Places
from models.places.tables import DivisionRow, GridRow, PlacesVersionRow, to_grid_row

TTL = timedelta(seconds=30)
INSIDE = Position(lon=114.085, lat=32.125)


@pytest.fixture
def tables(engine, clock) -> Database:
    """Tables of this test alone: places are read whole, so rows of others would show."""
    prefix = f"{uuid.uuid4().hex}-"
    dynamodb = engines.client(engine.url)
    for definition in engines.table_definitions(prefix):
        if definition["TableName"].removeprefix(prefix) in {"grids", "divisions"}:
            dynamodb.create_table(**definition)
    database = Database(
        region=engines.REGION,
        endpoint_url=engine.url,
        prefix=prefix,
        access_key=engines.ACCESS_KEY,
        secret_key=engines.SECRET_KEY,
    )
    use_database(database)
    return database


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """The names of the calls sent to the engine from here on."""
    seen: list[str] = []
    connection().client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: seen.append(model.name)
    )
    return seen


def a_grid(grid_id="G1", *, county="411503", name="东一网格", size=0.01) -> Grid:
    polygon = (
        (114.08, 32.12),
        (114.08 + size, 32.12),
        (114.08 + size, 32.12 + size),
        (114.08, 32.12 + size),
    )
    return Grid(
        grid_id=grid_id,
        name=name,
        county=county,
        community_id=f"{county}001",
        community_name="羊山街道",
        managed_by="FZ-YANGSHAN",
        polygon=polygon,
        area_m2=polygon_area_m2(polygon),
        synthetic=True,
    )


def a_division(division_id="411503001", **changed) -> Division:
    street = Division(
        division_id=division_id,
        name="羊山街道",
        kind=DivisionKind.TOWNSHIP,
        code=division_id,
        county="411503",
        parent="411503",
        managed_by="FZ-YANGSHAN",
        valid_from=date(2024, 11, 28),
    )
    return replace(street, **changed)


def test_grids_and_divisions_come_back_as_they_were_put(tables, clock):
    grids = (a_grid("G1"), replace(a_grid("G2", county="411502"), managed_by=None))
    divisions = (a_division(), a_division("411503002", code=None, valid_to=date(2026, 1, 1)))

    places = Places(clock)
    places.put_grids(grids)
    places.put_divisions(divisions)

    assert places.grids() == grids
    assert places.grids("411502") == grids[1:]
    assert places.grid("G1") == grids[0]
    assert places.grid("#version") is None
    assert places.divisions() == divisions
    assert places.division("411503001") == divisions[0]
    assert places.division("000000000") is None


def test_a_position_is_routed_from_memory(tables, clock, calls):
    places = Places(clock)
    places.put_grids([a_grid()])
    places.route(INSIDE)
    calls.clear()

    routing = places.route(INSIDE)

    assert routing is not None
    assert routing.grid_id == "G1"
    assert calls == []


def test_putting_the_same_again_changes_nothing(tables, clock):
    places = Places(clock)
    assert places.put_grids([a_grid("G1"), a_grid("G2")]) == 2
    version = PlacesVersionRow.get("#version").version

    assert places.put_grids([a_grid("G1"), a_grid("G2")]) == 0

    assert PlacesVersionRow.get("#version").version == version


def test_only_the_changed_grid_is_written(tables, clock):
    places = Places(clock)
    places.put_grids([a_grid("G1"), a_grid("G2")])

    assert places.put_grids([a_grid("G1"), a_grid("G2", name="西一网格")]) == 1

    grid = places.grid("G2")
    assert grid is not None
    assert grid.name == "西一网格"


def test_more_grids_than_a_transaction_takes_are_all_put(tables, clock):
    places = Places(clock)

    assert places.put_grids([a_grid(f"G{number:03}") for number in range(230)]) == 230

    assert len(Places(clock).grids()) == 230
    assert PlacesVersionRow.get("#version").version == 3


def test_another_process_sees_a_change_when_its_memory_is_older_than_thirty_seconds(tables, clock):
    writer, reader = Places(clock, TTL), Places(clock, TTL)
    writer.put_grids([a_grid(name="旧网格")])
    assert reader.grids()[0].name == "旧网格"
    writer.put_grids([a_grid(name="新网格")])

    clock.advance(TTL)
    assert reader.grids()[0].name == "旧网格"
    clock.advance(timedelta(milliseconds=1))

    assert reader.grids()[0].name == "新网格"
    assert writer.grids()[0].name == "新网格"


def test_a_process_sees_its_own_change_at_once(tables, clock):
    places = Places(clock, TTL)
    places.put_grids([a_grid(name="旧网格")])
    assert places.grids()[0].name == "旧网格"

    places.put_grids([a_grid(name="新网格")])

    assert places.grids()[0].name == "新网格"


def test_an_unchanged_city_costs_one_strong_read_per_half_minute(tables, clock, calls):
    places = Places(clock, TTL)
    places.put_grids([a_grid()])
    places.grids()
    calls.clear()

    for _ in range(5):
        clock.advance(TTL + timedelta(seconds=1))
        places.grids()
        places.route(INSIDE)

    assert calls == ["GetItem"] * 5


def test_a_change_without_a_new_version_is_not_looked_for(tables, clock):
    places = Places(clock, TTL)
    places.put_grids([a_grid()])
    places.grids()
    to_grid_row(a_grid("G2")).save()

    clock.advance(2 * TTL)

    assert [grid.grid_id for grid in places.grids()] == ["G1"]


def test_a_clock_moved_back_does_not_stop_the_refreshing(tables, clock):
    writer, reader = Places(clock, TTL), Places(clock, TTL)
    writer.put_grids([a_grid()])
    reader.grids()
    writer.put_grids([a_grid("G2")])

    clock.advance(-timedelta(days=3))

    assert len(reader.grids()) == 2


def test_the_last_known_places_go_on_serving_while_the_tables_do_not_answer(tables, clock, caplog):
    places = Places(clock, TTL)
    places.put_grids([a_grid()])
    places.grids()
    use_database(replace(tables, endpoint_url=f"http://127.0.0.1:{engines.free_port()}"))

    clock.advance(2 * TTL)

    assert [grid.grid_id for grid in places.grids()] == ["G1"]
    assert "snapshot.refresh_failed" in caplog.messages


def test_without_any_known_places_the_outage_is_told(tables, clock):
    use_database(replace(tables, endpoint_url=f"http://127.0.0.1:{engines.free_port()}"))

    with pytest.raises(Unavailable):
        Places(clock).grids()


def test_an_empty_city_has_no_route(tables, clock):
    assert Places(clock).route(INSIDE) is None


def test_threads_asking_at_once_load_the_city_once(tables, clock, calls):
    places = Places(clock, TTL)
    places.put_grids([a_grid()])
    calls.clear()
    gate = threading.Barrier(8)
    answers: list[object] = []

    def ask() -> None:
        gate.wait(10)
        answers.append(places.route(INSIDE))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(answers) == 8
    assert None not in answers
    assert sorted(calls) == ["GetItem", "Scan", "Scan"]


def test_a_slow_refresh_keeps_nobody_waiting(tables, clock):
    places = Places(clock, TTL)
    places.put_grids([a_grid()])
    places.grids()
    clock.advance(2 * TTL)
    asked, may_answer = threading.Event(), threading.Event()
    released: list[bool] = []

    def hold(**_: object) -> None:
        asked.set()
        released.append(may_answer.wait(5))

    connection().client.meta.events.register("before-call.dynamodb.GetItem", hold)
    refreshing = threading.Thread(target=places.grids)
    refreshing.start()
    assert asked.wait(10)

    answer = places.grid("G1")

    may_answer.set()
    refreshing.join(10)
    assert answer is not None
    assert released == [True]


def test_an_outage_while_loading_a_change_leaves_the_old_city_whole(tables, clock):
    writer, reader = Places(clock, TTL), Places(clock, TTL)
    writer.put_grids([a_grid(name="旧网格")])
    reader.grids()
    writer.put_grids([a_grid(name="新网格")])

    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="loopback")

    events = connection().client.meta.events
    events.register("before-call.dynamodb.Scan", fail)
    clock.advance(2 * TTL)
    assert reader.grids()[0].name == "旧网格"
    events.unregister("before-call.dynamodb.Scan", fail)
    clock.advance(2 * TTL)

    assert reader.grids()[0].name == "新网格"


def test_an_outline_is_stored_as_readable_text_with_its_county(tables, clock):
    Places(clock).put_grids([a_grid()])

    row = GridRow.get("G1")

    assert row.polygon.startswith("[[114.08,32.12],[114.09")
    assert (row.county, row.schema, row.synthetic) == ("411503", 1, True)


# what holds when --------------------------------------------------------------------------------

JULY = date(2026, 7, 1)
LAST_OF_JUNE = datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC)
FIRST_OF_JULY = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
"""Midnight in China."""


def names(places, at=None):
    routing = places.route(INSIDE, at)
    return routing and routing.candidates


def test_a_street_that_comes_into_being_in_mid_year_takes_over_at_midnight_in_china(tables, clock):
    old = replace(a_grid("OLD", size=0.02), community_id="411503001")
    new = replace(a_grid("NEW"), community_id="411503010", community_name="政和街道")
    places = Places(clock)
    places.put_grids([old, new])
    places.put_divisions([a_division(), a_division("411503010", name="政和街道", valid_from=JULY)])

    assert names(places, LAST_OF_JUNE) == ("OLD",)
    assert names(places, FIRST_OF_JULY) == ("NEW", "OLD")
    assert [(each.grid_id, each.why) for each in places.unused(INSIDE, LAST_OF_JUNE)] == [
        ("NEW", "community_not_valid")
    ]
    assert places.unused(INSIDE, FIRST_OF_JULY) == ()
    reason = places.route(INSIDE, LAST_OF_JUNE)
    assert reason is not None
    assert "NEW" not in str(reason)


def test_a_street_that_is_gone_is_in_no_new_explanation(tables, clock):
    places = Places(clock)
    places.put_grids(
        [replace(a_grid("GONE"), community_id="411503001"), a_grid("STAYS", size=0.02)]
    )
    places.put_grids([replace(a_grid("STAYS", size=0.02), community_id="411503002")])
    places.put_divisions([a_division(valid_to=JULY), a_division("411503002")])

    assert names(places, LAST_OF_JUNE) == ("GONE", "STAYS")
    assert names(places, FIRST_OF_JULY) == ("STAYS",)


def test_a_grid_counts_from_its_first_day_until_before_its_last(tables, clock):
    places = Places(clock)
    places.put_grids(
        [
            replace(a_grid("BEFORE"), valid_to=JULY),
            replace(a_grid("AFTER"), valid_from=JULY, valid_to=date(2026, 8, 1)),
        ]
    )

    assert names(places, LAST_OF_JUNE) == ("BEFORE",)
    assert names(places, FIRST_OF_JULY) == ("AFTER",)
    assert names(places, FIRST_OF_JULY + timedelta(days=31)) is None
    assert [each.why for each in places.unused(INSIDE, FIRST_OF_JULY)] == ["grid_not_valid"]
    assert places.grids()[0] == replace(a_grid("AFTER"), valid_from=JULY, valid_to=date(2026, 8, 1))


def test_without_an_instant_the_present_is_asked(tables, clock):
    places = Places(clock)
    places.put_grids([replace(a_grid(), valid_from=JULY)])

    assert places.route(INSIDE) is None
    clock.set(FIRST_OF_JULY)
    assert names(places) == ("G1",)


def test_a_grid_that_does_not_stand_is_nobodys_neighbour(tables, clock):
    east = Position(lon=114.0899, lat=32.125)
    places = Places(clock)
    next_polygon = tuple((lon + 0.01, lat) for lon, lat in a_grid().polygon)
    places.put_grids([a_grid(), replace(a_grid("G2"), polygon=next_polygon, valid_from=JULY)])

    assert places.neighbours(east, "G1", accuracy_m=30, at=LAST_OF_JUNE) == ()
    (found,) = places.neighbours(east, "G1", accuracy_m=30, at=FIRST_OF_JULY)
    assert (found.grid_id, found.distance_m) == ("G2", 9)
    assert places.neighbours(east, "G1", accuracy_m=0, at=FIRST_OF_JULY) == ()
    assert places.neighbours(east, "NONE", accuracy_m=30) == ()


def test_a_zone_runs_a_grid_while_it_is_valid(tables, clock):
    places = Places(clock)
    places.put_divisions(
        [a_division("FZ-YANGSHAN", kind=DivisionKind.FUNCTIONAL_ZONE, valid_to=JULY)]
    )

    zone = places.zone(a_grid(), LAST_OF_JUNE)
    assert zone is not None
    assert zone.division_id == "FZ-YANGSHAN"
    assert places.zone(a_grid(), FIRST_OF_JULY) is None
    assert places.zone(replace(a_grid(), managed_by=None)) is None
    assert places.zone(replace(a_grid(), managed_by="FZ-UNKNOWN")) is None


def test_a_grid_counts_its_changes(tables, clock):
    places = Places(clock)
    for name in ("一", "一", "二", "三"):
        places.put_grids([a_grid(name=name), a_grid("G2")])

    assert [grid.version for grid in places.grids()] == [3, 1]


def test_a_grid_from_before_versions_and_dates_is_the_first_version(tables, clock):
    places = Places(clock)
    places.put_grids([a_grid(name="旧")])
    GridRow("G1").update(actions=[GridRow.version.remove()])

    assert Places(clock).grids()[0].version == 1
    assert places.put_grids([a_grid(name="新")]) == 1

    assert places.grids()[0].version == 2


def test_two_who_change_a_grid_at_once_are_one_after_the_other(tables, clock, monkeypatch):
    places, other = Places(clock), Places(clock)
    places.put_grids([a_grid(name="旧")])
    read = [0]
    standing = GridRow.from_raw_data

    def overtaken(*raw):
        row = standing(*raw)
        read[0] += 1
        if read[0] == 1:
            other.put_grids([a_grid(name="先")])
        return row

    monkeypatch.setattr(GridRow, "from_raw_data", overtaken)

    assert places.put_grids([a_grid(name="后")]) == 1

    (grid,) = Places(clock).grids()
    assert (grid.name, grid.version) == ("后", 3)


def test_a_division_moved_by_another_process_is_asked_anew_within_a_minute(tables, clock):
    here, there = Places(clock, TTL), Places(clock, TTL)
    here.put_grids([replace(a_grid(), community_id="411503001")])
    here.put_divisions([a_division()])
    assert names(there) == ("G1",)

    here.put_divisions([a_division(valid_to=date(2026, 1, 1))])
    clock.advance(timedelta(seconds=31))

    assert names(there) is None
    assert DivisionRow.count() == 1
