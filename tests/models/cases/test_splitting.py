"""One photo with several problems becomes several cases, and is still one report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.alerts.tables import OutboxRow
from models.base.clock import CHINA
from models.base.errors import Conflict, DomainError, Invalid
from models.calendar.entities import ClockKind
from models.cases import awards, crediting
from models.cases.entities import Action
from models.cases.tables import CaseRow
from models.points.ledger import transfer
from models.points.reading import balances
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply

WASTE, CABLE, LAMP = "E0110", "E0508", "P0137"


def split(town: Town, case: CaseRow, *codes: str, **values: Any) -> list[CaseRow]:
    values = {"reason": "several_problems", "categories": codes, **values}
    town.act(town.officer, case, Action.SPLIT, **values)
    return [town.case(part) for part in town.case(case.case_id).parts or ()]


def test_each_part_is_a_case_of_its_own_at_the_same_spot(town: Town) -> None:
    case = town.claimed()

    waste, cable = split(town, case, WASTE, CABLE)

    whole = town.case(case.case_id)
    assert (whole.status, whole.category) == ("claimed", case.category)
    assert [waste.category, cable.category] == [WASTE, CABLE]
    assert [waste.severity, cable.severity] == ["C", "A"]
    for part in (waste, cable):
        assert part.status == "assigned"
        assert part.parent_id == case.case_id
        assert (part.grid_id, part.lon, part.lat) == (case.grid_id, case.lon, case.lat)
        assert (part.photos, part.report_id) == (case.photos, case.report_id)
        assert part.wake_at is not None
    assert len({case.number, waste.number, cable.number}) == 3


def test_the_publics_clock_of_a_part_began_with_the_report_and_the_officers_with_the_split(
    town: Town,
) -> None:
    case = town.claimed()
    town.clock.advance(timedelta(minutes=40))

    waste, cable = split(town, case, WASTE, CABLE)

    for part, kind, hours in ((waste, "working", 4), (cable, "continuous", 2)):
        clock: ClockKind = "working" if kind == "working" else "continuous"
        due = town.working.deadline(case.created_at, timedelta(hours=hours), clock)
        assert part.due_at == due.at
        assert part.claim_due_at > town.clock.now()
    assert cable.clock_from == town.clock.now()
    assert waste.clock_from is None


def test_a_part_whose_limit_reaches_a_year_without_a_table_raises_the_alarm(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    town.clock.set(datetime(2026, 12, 31, 16, tzinfo=CHINA))
    case = town.claimed()
    caplog.clear()

    split(town, case, WASTE)

    assert "calendar.year_missing" in [record.msg for record in caplog.records]


def test_a_part_pays_nothing_and_the_report_is_still_paid_once(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)
    (part,) = split(town, case, WASTE)

    town.act(town.officer, part, Action.CLAIM)
    town.resolve(town.case(part.case_id))
    town.clock.advance(timedelta(hours=73))
    town.escalation.catch_up(part.case_id, town.clock.now())
    after_part = transfer(awards.award_id(case.report_id))
    town.act(town.officer, town.case(case.case_id), Action.CLAIM)

    assert town.case(part.case_id).status == "closed"
    assert after_part is None
    assert balances(rider.member_id, town.clock.now()).pending == 10


def test_who_joins_a_part_is_paid_as_any_joiner(town: Town) -> None:
    case, joiner = town.claimed(), a_rider()
    (part,) = split(town, case, WASTE)
    town.act(town.officer, part, Action.CLAIM)
    report = town.a_report(joiner, category=WASTE, same_as=part.case_id)
    town.intake.submit(joiner, report)

    crediting.award_others(town.ledger, town.case(part.case_id), town.clock.now())

    assert balances(joiner.member_id, town.clock.now()).pending == 10


def test_a_case_is_split_once_and_a_part_never(town: Town) -> None:
    case = town.claimed()
    (part,) = split(town, case, WASTE)

    for each in (town.case(case.case_id), part):
        with pytest.raises(Conflict) as refusal:
            split(town, each, LAMP)
        assert refusal.value.code == "case.split_before"


@pytest.mark.parametrize(
    ("codes", "bad"),
    [
        (("E9999",), ["categories.0"]),
        (("E0493a",), ["categories.0"]),
        ((WASTE, WASTE), ["categories.1"]),
        ((WASTE, "E9999", "E0493a"), ["categories.1", "categories.2"]),
        ((), ["categories"]),
        ((WASTE, CABLE, LAMP, "E0113", "E0505", "E0506"), ["categories"]),
    ],
)
def test_each_problem_has_a_known_category_of_its_own(
    town: Town, codes: tuple[str, ...], bad: list[str]
) -> None:
    case = town.claimed()

    with pytest.raises(Invalid) as refusal:
        split(town, case, *codes)

    assert [field.field for field in refusal.value.fields] == bad
    assert town.case(case.case_id).parts is None


def test_without_a_photo_there_is_nothing_to_split(town: Town) -> None:
    case = town.claimed()
    CaseRow(case.case_id).update(actions=[CaseRow.photo_count.set(0)])

    with pytest.raises(DomainError) as refusal:
        split(town, case, WASTE)

    assert refusal.value.code == "case.without_photo"


def test_a_lost_reply_or_a_second_tap_makes_no_more_parts(town: Town) -> None:
    case = town.claimed()

    with lost_reply() as lost:
        first = split(town, case, WASTE, LAMP, client_request_id="same")
    with ThreadPoolExecutor(2) as pool:
        again = list(
            pool.map(lambda _: split(town, case, WASTE, LAMP, client_request_id="same"), range(2))
        )

    assert lost
    ids = [[part.case_id for part in parts] for parts in (first, *again)]
    assert ids == [ids[0]] * 3
    assert town.case(case.case_id).version == case.version + 1


def test_each_part_is_told_of_in_the_transaction_that_made_it(town: Town) -> None:
    case = town.claimed()

    parts = split(town, case, WASTE, LAMP)

    waiting = {row.payload["case_id"] for row in OutboxRow.scan() if row.topic == "case.parted"}
    assert {part.case_id for part in parts} <= waiting
    for part in parts:
        (event,) = town.events(part.case_id)
        assert (event.event_id, event.action, event.text) == ("v00001", "split", case.number)
