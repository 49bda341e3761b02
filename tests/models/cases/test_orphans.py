"""Who leaves takes no case with him."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.base.clock import utc_text
from models.base.errors import Conflict, Unavailable
from models.base.ids import new_id
from models.base.store import query
from models.cases.entities import Action
from models.cases.orphans import SETTLED, Orphans
from models.cases.tables import CaseRow
from models.people.entities import Actor, RoleName
from models.people.tables import RosterRow
from tests.support.cases import Town
from tests.support.faults import lost_reply


@pytest.fixture
def orphans(town: Town) -> Orphans:
    return Orphans(clock=town.clock, roster=town.roster, places=town.places, working=town.working)


def entries(town: Town, who: Actor) -> Iterator[RosterRow]:
    for row in query(RosterRow.by_scope, f"grid:{town.grid.grid_id}"):
        if row.member_id == who.member_id:
            yield row


def leaves(town: Town, who: Actor) -> Event:
    """His entries are gone, and the roster says so."""
    for row in list(entries(town, who)):
        row.delete()
    return told_of(town, who)


def told_of(town: Town, who: Actor) -> Event:
    payload = {
        "county": town.county,
        "member_id": who.member_id,
        "scopes": [f"grid:{town.grid.grid_id}"],
        "at": utc_text(town.clock.now()),
    }
    return Event(
        outbox_id=new_id("out"),
        topic="roster.left",
        county=town.county,
        payload=payload,
        at=town.clock.now(),
        attempts=1,
    )


def test_what_he_claimed_or_was_given_waits_for_who_is_on_duty_now(
    town: Town, orphans: Orphans
) -> None:
    given, claimed, begun = town.filed(), town.claimed(), town.claimed()
    town.act(town.officer, begun, Action.START)
    successor = town.an_official(RoleName.OFFICER, "网格员二")

    orphans.left(leaves(town, town.officer))

    for before in (given, claimed, begun):
        case = town.case(before.case_id)
        assert (case.status, case.assigned_to) == ("assigned", successor.member_id)
        assert (case.claimer_id, case.claimed_by, case.told_at) == (None, None, None)
        assert case.due_at == before.due_at
        last = [event for event in town.events(case.case_id) if event.event_id.startswith("v")][-1]
        assert (last.action, last.party, last.reason) == ("release", "system", "officer_left")


def test_what_others_hold_and_what_is_done_stays(town: Town, orphans: Orphans) -> None:
    second = town.an_official(RoleName.OFFICER, "网格员二")
    resolved, theirs = town.resolved(), town.filed()
    town.act(second, theirs, Action.CLAIM)

    orphans.left(leaves(town, town.officer))

    assert town.case(resolved.case_id).version == resolved.version
    assert town.case(theirs.case_id).claimer_id == second.member_id


def test_who_still_has_a_post_there_keeps_his_cases(town: Town, orphans: Orphans) -> None:
    case = town.claimed()
    event = told_of(town, town.officer)

    with pytest.raises(Unavailable):
        orphans.left(event)
    town.clock.advance(SETTLED)
    orphans.left(event)

    assert town.case(case.case_id).claimer_id == town.officer.member_id


def test_with_nobody_left_the_case_waits_for_anybody(town: Town, orphans: Orphans) -> None:
    case = town.claimed()
    for row in list(entries(town, town.lead)):
        row.delete()

    orphans.left(leaves(town, town.officer))

    released = town.case(case.case_id)
    assert (released.status, released.assigned_to) == ("assigned", None)


def test_released_twice_or_with_a_lost_reply_it_happens_once(town: Town, orphans: Orphans) -> None:
    case = town.claimed()
    event = leaves(town, town.officer)

    with lost_reply() as lost:
        orphans.left(event)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: orphans.left(event), range(3)))

    assert lost
    assert town.case(case.case_id).version == case.version + 1
    told = [row for row in OutboxRow.scan() if row.payload.get("case_id") == case.case_id]
    assert [row.topic for row in told].count("case.released") == 1


def test_his_last_claim_comes_before_the_release_or_not_at_all(
    town: Town, orphans: Orphans
) -> None:
    leaves(town, town.officer)
    for number in range(5):
        officer = town.an_official(RoleName.OFFICER, f"网格员{number}")
        town.roster.forget()
        case = town.filed()
        event = leaves(town, officer)

        def claim(case: CaseRow = case, officer: Actor = officer) -> str:
            try:
                town.act(officer, case, Action.CLAIM)
            except Conflict as refusal:
                return refusal.code
            return "done"

        with ThreadPoolExecutor(2) as pool:
            claimed = pool.submit(claim)
            pool.submit(orphans.left, event).result()

        assert claimed.result() in ("done", "case.version_conflict")
        after = town.case(case.case_id)
        assert (after.status, after.claimer_id) == ("assigned", None)


def test_a_sweep_of_a_grid_finds_what_no_event_told_of(town: Town, orphans: Orphans) -> None:
    case, other = town.claimed(), town.filed()
    town.an_official(RoleName.OFFICER, "网格员二")
    leaves(town, town.officer)

    released = orphans.sweep(town.grid.grid_id)
    again = orphans.sweep(town.grid.grid_id)

    assert (released, again) == (2, 0)
    assert town.case(case.case_id).status == "assigned"
    assert town.case(other.case_id).assigned_to is not None


def test_a_step_that_comes_due_finds_an_orphan_before_it_is_told(
    town: Town, orphans: Orphans
) -> None:
    case = town.claimed()
    leaves(town, town.officer)
    town.clock.advance(timedelta(minutes=1))  # the roster is remembered for half of it
    seen: list[str] = []
    handlers = orphans.around(
        {"case.step": lambda event: seen.append(town.case(case.case_id).status)}
    )
    event = Event(
        outbox_id=new_id("out"),
        topic="case.step",
        county=town.county,
        payload={"case_id": case.case_id},
        at=town.clock.now(),
        attempts=1,
    )

    handlers["case.step"](event)

    assert seen == ["assigned"]
