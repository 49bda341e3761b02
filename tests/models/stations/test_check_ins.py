"""Checking in, by the code on the screen and by the keeper's scan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.local.meter import Meter
from models.base.clock import FixedClock, business_day
from models.base.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from models.base.geometry import Position, offset
from models.base.tables import connection
from models.people.entities import Actor
from models.points.cap_tables import CapRow
from models.points.ledger import Ledger
from models.points.tables import WalletRow
from models.stations.check_ins import CheckIns
from models.stations.codes import Codes
from models.stations.directory import Directory
from models.stations.entities import CheckIn, PointsReason, Station
from models.stations.tables import ByStation, CheckInRow, ReceiptRow
from tests.support.faults import lost_reply, never_sent
from tests.support.stations import HALL, KEY, a_keeper, a_station, an_actor

pytestmark = pytest.mark.usefixtures("database")


class House:
    """The use cases on an engine, with a station and its keeper."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.codes = Codes(KEY)
        self.directory = Directory(clock)
        self.check_ins = CheckIns(
            clock=clock, directory=self.directory, codes=self.codes, ledger=Ledger()
        )
        self.station = self.opens(a_station())
        self.keeper = a_keeper(self.station)

    def opens(self, station: Station) -> Station:
        self.directory.put_stations([station])
        return station

    def visits(self, rider: Actor, station: Station | None = None, **details: Any) -> CheckIn:
        there = station or self.station
        asked: dict[str, Any] = {
            "station_id": there.station_id,
            "client_request_id": str(uuid4()),
            "position": there.position,
            "accuracy_m": 10.0,
            "code": self.codes.for_station(there.station_id, self.clock.now()).payload,
        }
        return self.check_ins.check_in(rider, **(asked | details))

    def scans(self, rider: Actor, keeper: Actor | None = None, **details: Any) -> CheckIn:
        asked: dict[str, Any] = {
            "station_id": self.station.station_id,
            "client_request_id": str(uuid4()),
            "member_code": self.check_ins.member_code(rider).payload,
        }
        return self.check_ins.scan(keeper or self.keeper, **(asked | details))


@pytest.fixture
def house(clock: FixedClock) -> House:
    return House(clock)


def points_of(rider: Actor) -> int:
    row = WalletRow.get(rider.member_id, consistent_read=True)
    return sum(row.available.values())


def test_a_check_in_gives_one_point(house: House) -> None:
    rider = an_actor()

    visit = house.visits(rider)

    assert (visit.points, visit.reason) == (1, PointsReason.FIRST_OF_THE_DAY)
    assert points_of(rider) == 1


def test_the_second_station_of_a_day_counts_without_a_point(house: House) -> None:
    rider = an_actor()
    house.visits(rider)
    house.clock.advance(timedelta(hours=1))

    second = house.visits(rider, house.opens(a_station()))

    assert (second.points, second.reason) == (0, PointsReason.ONCE_A_DAY)
    assert points_of(rider) == 1


@pytest.mark.parametrize(
    ("had", "reason"),
    [
        ({"acts": {"station.check_in": {"01": 20}}, "points": {}}, PointsReason.MONTHLY_LIMIT),
        ({"acts": {}, "points": {"18": 60}}, PointsReason.OVERALL_LIMIT),
        ({"acts": {}, "points": {"01": 600}}, PointsReason.OVERALL_LIMIT),
    ],
)
def test_a_visit_above_a_limit_counts_without_a_point_and_says_why(
    house: House, had: dict[str, Any], reason: PointsReason
) -> None:
    rider = an_actor()
    CapRow(rider.member_id, "2026-03", version=1, ttl=1, **had).save()

    visit = house.visits(rider)

    assert business_day(house.clock.now()) == "2026-03-18"
    assert (visit.points, visit.reason) == (0, reason)
    assert points_of(rider) == 0


def test_the_next_day_in_china_gives_a_point_again(house: House) -> None:
    rider = an_actor()
    house.visits(rider)
    house.clock.advance(timedelta(hours=13, minutes=59))
    before_midnight = house.visits(rider)
    house.clock.advance(timedelta(hours=4))

    after_midnight = house.visits(rider)

    assert (before_midnight.points, after_midnight.points) == (0, 1)


def test_four_hours_must_lie_between_two_visits_to_a_station(house: House) -> None:
    rider = an_actor()
    first = house.visits(rider)
    house.clock.advance(timedelta(hours=3, minutes=59, seconds=59))

    with pytest.raises(Conflict, match=r"check_in\.too_soon") as refused:
        house.visits(rider)
    assert refused.value.details == {"next_at": "2026-03-18T06:00:00.000Z"}

    house.clock.advance(timedelta(seconds=1))
    assert house.visits(rider).at == first.at + timedelta(hours=4)


def test_a_repeated_request_gets_the_first_answer_also_a_day_later(house: House) -> None:
    rider = an_actor()
    request = {
        "client_request_id": str(uuid4()),
        "code": house.check_ins.station_code(house.keeper, house.station.station_id).payload,
    }
    first = house.visits(rider, **request)
    house.clock.advance(timedelta(days=1))

    assert house.visits(rider, **request) == first
    assert points_of(rider) == 1


def test_a_repeated_request_with_other_content_is_refused(house: House) -> None:
    rider = an_actor()
    request = {"client_request_id": str(uuid4())}
    house.visits(rider, **request)

    with pytest.raises(Conflict, match=r"request\.reused"):
        house.visits(rider, accuracy_m=11.0, **request)


def test_an_old_code_is_refused_and_nothing_is_kept(house: House) -> None:
    rider = an_actor()
    old = house.check_ins.station_code(house.keeper, house.station.station_id).payload
    house.clock.advance(timedelta(seconds=120))

    with pytest.raises(Conflict, match=r"check_in\.code_expired"):
        house.visits(rider, code=old)

    assert list(ReceiptRow.query(rider.member_id, page_size=10)) == []


def test_the_code_of_another_station_is_refused(house: House) -> None:
    other = house.opens(a_station())

    with pytest.raises(Invalid, match=r"check_in\.code_invalid"):
        house.visits(
            an_actor(), code=house.codes.for_station(other.station_id, house.clock.now()).payload
        )


def away(metres: float) -> Position:
    return offset(HALL, east_m=0, north_m=metres)


def test_too_far_is_refused_with_the_distance(house: House) -> None:
    with pytest.raises(Conflict, match=r"check_in\.too_far") as refused:
        house.visits(an_actor(), position=away(91), accuracy_m=10.0)

    assert refused.value.details == {"distance_m": 91, "allowed_m": 90}


def test_an_inaccurate_phone_is_forgiven_fifty_metres(house: House) -> None:
    assert house.visits(an_actor(), position=away(129), accuracy_m=3000.0).points == 1

    with pytest.raises(Conflict, match=r"check_in\.too_far"):
        house.visits(an_actor(), position=away(131), accuracy_m=3000.0)


def test_an_unknown_station_is_not_found(house: House) -> None:
    with pytest.raises(NotFound, match=r"station\.not_found"):
        house.visits(an_actor(), a_station())


def test_a_keeper_may_not_check_himself_in(house: House) -> None:
    with pytest.raises(Forbidden, match=r"check_in\.own_station"):
        house.visits(house.keeper)
    with pytest.raises(Forbidden, match=r"check_in\.own_station"):
        house.scans(house.keeper)


def test_a_keeper_may_rest_at_another_station(house: House) -> None:
    assert house.visits(house.keeper, house.opens(a_station())).points == 1


def stored(visit: CheckIn, rider: Actor) -> CheckInRow:
    return CheckInRow.get(rider.member_id, visit.check_in_id, consistent_read=True)


def test_an_implausible_journey_is_only_flagged(house: House) -> None:
    rider, far = an_actor(), house.opens(a_station(position=away(20_000)))
    first = house.visits(rider)
    house.clock.advance(timedelta(minutes=10))

    second = house.visits(rider, far)

    assert not stored(first, rider).is_implausible
    assert stored(second, rider).is_implausible


def test_a_journey_at_a_rider_s_speed_is_not_flagged(house: House) -> None:
    rider, far = an_actor(), house.opens(a_station(position=away(20_000)))
    house.visits(rider)
    house.clock.advance(timedelta(minutes=40))

    assert not stored(house.visits(rider, far), rider).is_implausible


def test_where_the_phone_was_is_not_kept(house: House) -> None:
    rider = an_actor()
    row = stored(house.visits(rider, position=away(40)), rider)

    assert (row.distance_m, row.accuracy_m, row.how) == (40, 10, "code")
    assert not {"lon", "lat"} & set(row.to_simple_dict())


def test_visits_are_found_by_station_and_receipts_are_not_among_them(house: House) -> None:
    rider = an_actor()
    visit = house.scans(rider)

    found = list(CheckInRow.by_station.query(house.station.station_id, page_size=10))

    assert ByStation.Meta.index_name == "by_station"
    assert [(row.member_id, row.check_in_id) for row in found] == [
        (rider.member_id, visit.check_in_id)
    ]


def test_a_keeper_s_scan_needs_no_position(house: House) -> None:
    rider = an_actor()

    visit = house.scans(rider)

    assert visit.points == 1
    assert stored(visit, rider).how == "keeper"
    assert points_of(rider) == 1


def test_a_scan_keeps_the_same_four_hours(house: House) -> None:
    rider = an_actor()
    house.visits(rider)

    with pytest.raises(Conflict, match=r"check_in\.too_soon"):
        house.scans(rider)


def test_a_repeated_scan_gets_the_first_answer(house: House) -> None:
    rider = an_actor()
    request = {
        "client_request_id": str(uuid4()),
        "member_code": house.check_ins.member_code(rider).payload,
    }
    first = house.scans(rider, **request)
    house.clock.advance(timedelta(hours=5))

    assert house.scans(rider, **request) == first


def test_one_scan_is_of_one_rider(house: House) -> None:
    request_id = str(uuid4())
    house.scans(an_actor(), client_request_id=request_id)

    with pytest.raises(Conflict, match=r"request\.reused"):
        house.scans(an_actor(), client_request_id=request_id)


def test_an_old_member_code_is_refused(house: House) -> None:
    rider = an_actor()
    old = house.check_ins.member_code(rider).payload
    house.clock.advance(timedelta(seconds=120))

    with pytest.raises(Conflict, match=r"check_in\.code_expired"):
        house.scans(rider, member_code=old)


@pytest.mark.parametrize("which", ["another station", "another county", "a rider"])
def test_a_station_is_unknown_to_all_but_its_keeper(house: House, which: str) -> None:
    stranger = {
        "another station": a_keeper(house.opens(a_station())),
        "another county": a_keeper(house.station, county="411502"),
        "a rider": an_actor(),
    }[which]

    with pytest.raises(NotFound, match=r"station\.not_found"):
        house.check_ins.station_code(stranger, house.station.station_id)
    with pytest.raises(NotFound, match=r"station\.not_found"):
        house.scans(an_actor(), stranger)


def test_a_check_in_costs_at_most_sixteen_write_units_and_a_scan_its_receipt(house: House) -> None:
    house.directory.stations()
    meter = Meter().watch(connection())

    house.visits(an_actor())
    by_code = meter.read()
    house.scans(an_actor())
    by_scan = meter.read().since(by_code)

    assert by_code.operations == ("GetItem", "GetItem", "TransactGetItems", "TransactWriteItems")
    assert (by_code.write_units, by_scan.write_units) == (15, 17)


def test_the_same_request_eight_times_at_once_is_one_visit(house: House) -> None:
    rider, request_id = an_actor(), str(uuid4())

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: house.visits(rider, client_request_id=request_id), range(8))
        )

    assert len(set(answers)) == 1
    assert points_of(rider) == 1


def test_of_eight_visits_at_once_to_a_station_one_is_accepted(house: House) -> None:
    rider = an_actor()

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: _outcome(house, rider), range(8)))

    assert sorted(outcomes) == ["accepted"] + ["check_in.too_soon"] * 7


def test_of_eight_stations_at_once_one_gives_the_point(house: House) -> None:
    rider = an_actor()
    stations = [house.opens(a_station(position=away(index))) for index in range(8)]

    with ThreadPoolExecutor(8) as threads:
        visits = list(threads.map(lambda station: house.visits(rider, station), stations))

    assert sum(visit.points for visit in visits) == 1
    assert points_of(rider) == 1


def _outcome(house: House, rider: Actor) -> str:
    try:
        house.visits(rider)
    except DomainError as refused:
        return refused.code
    return "accepted"


@pytest.mark.parametrize("way", ["code", "scan"])
@pytest.mark.parametrize("reasons", ["all", "only the visit's"])
def test_a_lost_reply_is_not_a_refusal(house: House, way: str, reasons: str) -> None:
    rider = an_actor()
    told = contextlib.nullcontext() if reasons == "all" else only_the_visit_told()

    with never_sent(times=2), lost_reply(), told:
        visit = house.visits(rider) if way == "code" else house.scans(rider)

    assert visit.points == 1
    assert points_of(rider) == 1


@pytest.mark.parametrize("operation", ["GetItem", "TransactGetItems", "TransactWriteItems"])
def test_a_request_that_never_arrived_is_sent_again(house: House, operation: str) -> None:
    rider = an_actor()

    with never_sent(operation):
        visit = house.visits(rider)

    assert visit.points == 1
    assert points_of(rider) == 1


@contextlib.contextmanager
def only_the_visit_told() -> Iterator[None]:
    """The engine names one failed condition and not the others, as AWS is free to do."""

    def strip(parsed: Any, **_: Any) -> None:
        for reason in parsed.get("CancellationReasons", ()):
            item = reason.get("Item", {})
            if "last_at" not in item or item["station_id"]["S"] == "#last":
                reason.clear()
                reason["Code"] = "None"

    events = connection().client.meta.events
    events.register("after-call.dynamodb.TransactWriteItems", strip)
    yield
    events.unregister("after-call.dynamodb.TransactWriteItems", strip)
