"""One command for many cases: an outcome each, and nothing twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.base.clock import FixedClock
from models.base.errors import Invalid
from models.base.ids import new_id
from models.base.store import Transaction
from models.cases.bulk import MAX_ITEMS, WITHIN, Bulk, Item, Outcome
from models.cases.commands import Command
from models.cases.entities import Action
from models.cases.tables import CaseRow
from models.people.entities import Actor
from tests.support.cases import Town
from tests.support.faults import lost_reply


@pytest.fixture
def bulk(town: Town) -> Bulk:
    return Bulk(clock=town.clock, handling=town.handling)


def act(
    town: Town, bulk: Bulk, cases: Sequence[CaseRow], action: Action, **values: Any
) -> list[Outcome]:
    actor: Actor = values.pop("actor", town.lead)
    values.setdefault("client_request_id", new_id("crid"))
    items = [Item(case_id=case.case_id, version=case.version) for case in cases]
    return bulk.act(actor, Command(action=action, **values), items)


def codes(outcomes: Sequence[Outcome]) -> list[str | None]:
    return [outcome.refusal.code if outcome.refusal else None for outcome in outcomes]


def many(town: Town, count: int) -> list[CaseRow]:
    """Copies of one case under ids of their own: what a command asks of a case, they have."""
    pattern = town.filed()
    made = []
    for _ in range(count):
        tx, row = Transaction(), CaseRow(**pattern.attribute_values)
        row.case_id, row.report_id = new_id("case"), new_id("rpt")
        row.member_id = new_id("mbr")
        tx.put("case", row)
        tx.commit()
        made.append(row)
    return made


def test_each_case_has_its_own_outcome_in_the_order_sent(town: Town, bulk: Bulk) -> None:
    good, taken, stale = town.filed(), town.claimed(), town.filed()
    foreign = Town(town.clock, county="411502").filed()
    stale.version += 1

    outcomes = act(town, bulk, [good, taken, stale, foreign], Action.CLAIM)

    assert codes(outcomes) == [
        None,
        "case.claimed_by_other",
        "case.version_conflict",
        "case.not_found",
    ]
    assert outcomes[0].case is not None
    assert outcomes[0].case["status"] == "claimed"
    assert [outcome.case_id for outcome in outcomes] == [
        case.case_id for case in (good, taken, stale, foreign)
    ]


def test_sent_again_it_answers_the_same_and_does_nothing_twice(town: Town, bulk: Bulk) -> None:
    cases = [town.filed() for _ in range(3)]

    first = act(town, bulk, cases, Action.CLAIM, client_request_id="same")
    again = act(town, bulk, cases, Action.CLAIM, client_request_id="same")

    assert [outcome.case for outcome in again] == [outcome.case for outcome in first]
    assert [town.case(case.case_id).version for case in cases] == [2, 2, 2]


def test_with_other_content_a_batchs_id_is_refused_case_by_case(town: Town, bulk: Bulk) -> None:
    case = town.filed()
    act(town, bulk, [case], Action.CLAIM, client_request_id="same")

    outcomes = act(town, bulk, [case], Action.RETURN, reason="off_duty", client_request_id="same")

    assert codes(outcomes) == ["request.reused"]


def test_a_batch_that_was_cut_off_goes_on_where_it_stopped(town: Town, bulk: Bulk) -> None:
    cases = [town.filed() for _ in range(4)]
    first = act(town, bulk, cases[:2], Action.CLAIM, client_request_id="same")

    again = act(town, bulk, cases, Action.CLAIM, client_request_id="same")

    assert [outcome.case for outcome in again[:2]] == [outcome.case for outcome in first]
    assert codes(again) == [None] * 4
    assert [town.case(case.case_id).version for case in cases] == [2] * 4


def test_a_reply_lost_within_a_batch_is_a_success(town: Town, bulk: Bulk) -> None:
    cases = [town.filed() for _ in range(4)]

    with lost_reply() as lost:
        outcomes = act(town, bulk, cases, Action.CLAIM)

    assert lost
    assert codes(outcomes) == [None] * 4
    assert [town.case(case.case_id).version for case in cases] == [2] * 4


def test_what_cannot_be_begun_in_time_is_said_to_be_not_reached(town: Town) -> None:
    class Hurrying(FixedClock):
        """Every look takes a while."""

        def now(self) -> datetime:
            self.advance(WITHIN / 4)
            return super().now()

    bulk = Bulk(clock=Hurrying(town.clock.now()), handling=town.handling)
    cases = [town.filed() for _ in range(12)]

    outcomes = act(town, bulk, cases, Action.CLAIM)

    assert codes(outcomes).count("bulk.not_reached") == 9
    assert codes(outcomes).count(None) == 3


@pytest.mark.parametrize("count", [MAX_ITEMS + 1, 2])
def test_too_many_or_one_twice_is_refused_before_anything_happens(
    town: Town, bulk: Bulk, count: int
) -> None:
    case = town.filed()

    with pytest.raises(Invalid):
        act(town, bulk, [case] * count, Action.CLAIM)

    assert town.case(case.case_id).version == 1


def test_twelve_photos_of_one_heap_are_merged_at_once(town: Town, bulk: Bulk) -> None:
    parent, *others = [town.filed() for _ in range(12)]

    outcomes = act(
        town, bulk, [parent, *others], Action.MERGE, reason="same_thing", into=parent.case_id
    )

    assert codes(outcomes) == ["case.same_case", *[None] * 11]
    assert len(town.case(parent.case_id).merged or ()) == 11


def test_two_hundred_cases_fit_into_one_answer(town: Town, bulk: Bulk) -> None:
    cases = many(town, MAX_ITEMS)
    # Our own part of the time: how long the others wait for a processor is not the product's.
    started = time.process_time()

    outcomes = act(town, bulk, cases, Action.CLAIM)

    took = timedelta(seconds=time.process_time() - started)
    print(f"\n200 claims took {took.total_seconds():.1f} s")
    assert codes(outcomes) == [None] * MAX_ITEMS
    assert took < WITHIN
