"""Who takes his location back leaves no track at the stations; his points stay."""

from __future__ import annotations

import pytest

from models.base import store
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.people.withdrawals import Withdrawn
from models.points.tables import WalletRow
from models.stations.forgetting import StationsForgetting
from models.stations.tables import CheckInRow, VisitRow
from tests.models.stations.test_check_ins import House
from tests.support.stations import an_actor

pytestmark = pytest.mark.usefixtures("database")

FORGETTING = StationsForgetting()


@pytest.mark.parametrize("what", [Withdrawn.LOCATION, Withdrawn.ACCOUNT])
def test_his_track_goes_and_the_receipt_stays(what: Withdrawn, clock: FixedClock) -> None:
    rider, other, house = an_actor(), an_actor(), House(clock)
    visit = house.visits(rider)
    house.visits(other)

    erased = FORGETTING.forget(rider.member_id, what)

    row = store.get(CheckInRow, rider.member_id, visit.check_in_id)
    assert row is not None
    assert (row.distance_m, row.accuracy_m, row.station_id) == (None, None, visit.station_id)
    assert store.query(VisitRow, rider.member_id) == []
    assert store.get(WalletRow, rider.member_id) is not None
    assert erased == ("check_in_distances", "visits")
    assert FORGETTING.forget(rider.member_id, what) == ()
    assert store.query(VisitRow, other.member_id) != []


@pytest.mark.parametrize("what", [Withdrawn.PHONE, Withdrawn.PROFILE, Withdrawn.PICTURES])
def test_anything_else_leaves_it(what: Withdrawn, clock: FixedClock) -> None:
    rider = an_actor()
    House(clock).visits(rider)

    assert FORGETTING.forget(rider.member_id, what) == ()
    assert store.query(VisitRow, rider.member_id) != []


def test_a_stranger_has_no_track() -> None:
    assert FORGETTING.forget(new_id("mbr"), Withdrawn.ACCOUNT) == ()
