"""What each command may cost: calls that wait for one another, and write units."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from models.base.paging import Cursors
from models.base.store import Transaction
from models.cases.entities import Action, Status
from models.cases.listing import Listing, Queue
from models.cases.tables import CaseRow
from tests.support.cases import Town, a_photo, a_rider
from tests.support.meter import metered

LONGEST_TEXT = "字" * 200


@pytest.mark.parametrize(("photos", "units"), [(1, 18), (9, 34)])
def test_a_report_costs_two_calls_and_its_write_units(town: Town, photos: int, units: int) -> None:
    rider = a_rider()
    town.filed()  # fills what the process keeps of places and roster
    command = town.a_report(
        rider, photos=tuple(a_photo(rider) for _ in range(photos)), text=LONGEST_TEXT
    )

    with metered() as cost:
        town.intake.submit(rider, command)

    assert cost.calls == ["BatchGetItem", "TransactWriteItems"]
    assert 0 < cost.writes <= units


def test_joining_costs_two_calls(town: Town) -> None:
    rider, case = a_rider(), town.filed()
    command = town.a_report(rider, same_as=case.case_id)

    with metered() as cost:
        town.intake.submit(rider, command)

    assert cost.calls == ["BatchGetItem", "TransactWriteItems"]
    assert 0 < cost.writes <= 18


def test_a_claim_with_the_reporters_points_stays_within_24_units(town: Town) -> None:
    case = town.filed(text=LONGEST_TEXT)

    with metered() as cost:
        town.act(town.officer, case, Action.CLAIM)

    assert 0 < cost.writes <= 24


def test_a_closing_with_the_reporters_points_stays_within_24_units(town: Town) -> None:
    rider = a_rider()
    case = town.resolved(rider)

    with metered() as cost:
        town.closing.verdict(
            rider, case.report_id, satisfied=True, comment=None, client_request_id="close"
        )

    assert 0 < cost.writes <= 24


def test_each_step_of_the_ladder_stays_within_14_units(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider, photos=tuple(a_photo(rider) for _ in range(9)))
    town.clock.advance(timedelta(days=9))

    spent = []
    while True:
        with metered() as cost:
            if town.escalation.take_step(case.case_id, town.clock.now()) is None:
                break
        spent.append(cost.writes)

    assert len(spent) == 7
    assert max(spent) <= 14


def test_looking_around_asks_at_most_four_partitions(town: Town) -> None:
    counts = []
    for east_m in range(0, 220, 20):
        for north_m in range(0, 240, 20):
            position = town.at(east_m=east_m - 110, north_m=north_m - 120)
            with metered() as cost:
                town.nearby.find(**position, category="E0493a")
            counts.append(cost.calls.count("Query"))

    assert max(counts) == 4


def test_a_hundred_cases_of_one_grid_and_state_are_one_query_and_little_work(
    town: Town,
) -> None:
    pattern = town.filed()
    for start in range(0, 100, 50):
        tx = Transaction()
        for number in range(start, start + 50):
            row = CaseRow(f"case_{pattern.case_id[5:]}{number:03d}"[:40])
            row.attribute_values |= {
                name: value for name, value in pattern.attribute_values.items() if name != "case_id"
            }
            row.wake_shard = row.wake_at = row.cell = None
            tx.put(f"case.{number}", row)
        tx.commit()
    listing = Listing(
        clock=town.clock, places=town.places, working=town.working, cursors=Cursors(b"k" * 32)
    )
    wanted = Queue(grid=town.grid.grid_id, status=Status.ASSIGNED, limit=100)
    listing.queue(town.officer, wanted)

    started = time.thread_time()
    with metered() as cost:
        page = listing.queue(town.officer, wanted)
    spent_ms = (time.thread_time() - started) * 1000

    assert cost.calls == ["Query"]
    assert len(page.items) == 100
    assert page.next_cursor is not None
    assert spent_ms < 60, "three times the budget, for a busy machine"
