"""What an official, a rider or a late schedule can try on a case's clocks, parts and merges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict
from models.base.tables import Database
from models.cases.entities import Action
from models.cases.followers import reports_of
from models.cases.tables import CaseRow
from models.people.entities import Actor
from tests.support.cases import Town, a_rider

FIRE_LANE = "E0496"  # serious: two hours, day and night
WASTE = "E0110"


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    """A grid with an officer and a lead, where nothing has been reported yet."""
    return Town(clock)


def do(town: Town, actor: Actor, case: CaseRow, action: Action, **values: Any) -> CaseRow:
    town.act(actor, town.case(case.case_id), action, **values)
    return town.case(case.case_id)


def test_a_flooded_street_that_a_hundred_riders_report_can_still_be_read(town: Town) -> None:
    case = town.filed()
    for _ in range(101):
        rider = a_rider()
        town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))

    reports = reports_of(town.case(case.case_id))

    assert [report.ordinal for report in reports] == list(range(1, 103))


def test_a_schedule_that_comes_six_hours_late_lets_nobody_wait_longer(town: Town) -> None:
    case = town.claimed(category=FIRE_LANE)
    do(town, town.officer, case, Action.ASK, text="车在哪一侧？")

    town.clock.advance(timedelta(hours=54))
    town.escalation.catch_up(case.case_id, town.clock.now())

    assert town.case(case.case_id).due_at == case.due_at + timedelta(hours=48)


def test_nobody_waits_for_a_reporter_who_cannot_answer_of_a_part(town: Town) -> None:
    case = town.claimed()
    values = {"reason": "several_problems", "categories": (WASTE,)}
    (part_id,) = do(town, town.officer, case, Action.SPLIT, **values).parts or ()
    part = do(town, town.officer, town.case(part_id), Action.CLAIM)

    with pytest.raises(Conflict) as refusal:
        town.act(town.officer, part, Action.ASK, text="在哪一侧？")

    assert refusal.value.code == "case.is_part"
    assert do(town, town.officer, case, Action.ASK, text="在哪一侧？").status == "waiting"
