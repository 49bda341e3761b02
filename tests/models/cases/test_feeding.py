"""Whom a change of a case is logged for: everybody it concerns, once, in the history's order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from models.alerts import feed
from models.alerts.entities import Event
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import get
from models.cases import changes
from models.cases.entities import Action
from models.cases.feeding import Feeding
from models.cases.tables import CaseRow
from models.people.covering import OFFICIALS
from models.people.entities import Actor, RoleName
from tests.conftest import NOW
from tests.support.cases import Town, a_rider
from tests.support.faults import lost_reply
from tests.support.feeding import deliver, events_of
from tests.support.meter import metered


@pytest.fixture
def feeding(town: Town) -> Feeding:
    return Feeding(clock=town.clock, roster=town.roster)


def logged(actor: Actor) -> list[tuple[str, str]]:
    """What a person is shown: kind and change, in order."""
    found = feed.since(actor.member_id, 0, limit=100, now=NOW)
    return [(each.kind, each.change) for each in found.items]


def joined(town: Town, case: CaseRow) -> Actor:
    rider = a_rider()
    town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))
    return rider


def minutes(town: Town, count: int = 1) -> None:
    town.clock.advance(timedelta(minutes=count))


def test_a_change_is_logged_for_its_reporter_and_every_official_of_its_scopes(
    town: Town, feeding: Feeding
) -> None:
    supervisor = town.an_official(RoleName.COMMUNITY, "社区", f"community:{town.grid.community_id}")
    district = town.an_official(RoleName.DISTRICT, "区县", f"county:{new_id('411')}")
    rider = a_rider()
    case = town.filed(rider)

    deliver(feeding, case)

    assert logged(rider) == [("report", "submit")]
    for official in (town.officer, town.lead, supervisor):
        assert logged(official) == [("case", "submit")]
    assert logged(district) == []


def test_who_joined_is_told_from_his_joining_on(town: Town, feeding: Feeding) -> None:
    rider = a_rider()
    case = town.claimed(rider)
    minutes(town)
    joiner = joined(town, case)
    minutes(town)
    town.resolve(town.case(case.case_id))

    deliver(feeding, case)

    assert logged(rider) == [
        ("report", "submit"),
        ("report", "claim"),
        ("report", "join"),
        ("report", "resolve"),
    ]
    assert logged(joiner) == [("report", "join"), ("report", "resolve")]


def test_a_note_is_logged_for_officials_alone(town: Town, feeding: Feeding) -> None:
    rider = a_rider()
    case = town.filed(rider)
    minutes(town)
    town.act(town.officer, case, Action.NOTE, text="门口有人")

    deliver(feeding, case)

    assert logged(rider) == [("report", "submit")]
    assert logged(town.lead) == [("case", "submit"), ("case", "note")]


def test_another_word_of_something_logged_is_no_change_of_its_own(
    town: Town, feeding: Feeding
) -> None:
    rider = a_rider()
    case = town.filed(rider)
    [event] = events_of(case)
    feeding.log(event)

    feeding.log(replace(event, topic="case.contested", payload={"case_id": case.case_id}))

    assert logged(rider) == [("report", "submit")]


@pytest.mark.parametrize(("satisfied", "topic"), [(True, "judged"), (False, "contested")])
def test_a_joiners_verdict_is_logged_either_way(
    town: Town, feeding: Feeding, satisfied: bool, topic: str
) -> None:
    rider = a_rider()
    case = town.filed(rider)
    joiner = a_rider()
    receipt = town.intake.submit(joiner, town.a_report(joiner, same_as=case.case_id))
    town.act(town.officer, town.case(case.case_id), Action.CLAIM)
    town.resolve(town.case(case.case_id))
    minutes(town)
    town.closing.verdict(
        joiner,
        receipt["report"]["id"],
        satisfied=satisfied,
        comment=None,
        client_request_id=new_id("crid"),
    )

    deliver(feeding, case)

    assert f"case.{topic}" in {event.topic for event in events_of(case)}
    assert logged(rider)[-1] == ("report", "joiner_verdict")
    assert logged(town.officer)[-1] == ("case", "joiner_verdict")


def test_a_step_of_the_ladder_is_logged(town: Town, feeding: Feeding) -> None:
    rider = a_rider()
    case = town.filed(rider)
    minutes(town, 60 * 24 * 3)
    town.escalation.catch_up(case.case_id, town.clock.now())

    deliver(feeding, case)

    steps = [change for _, change in logged(town.lead) if change.startswith("step:")]
    assert steps
    assert set(steps) <= {change for _, change in logged(rider)}


def test_a_later_event_brings_what_was_not_logged_before_it(town: Town, feeding: Feeding) -> None:
    rider = a_rider()
    case = town.filed(rider)
    minutes(town)
    town.act(town.officer, case, Action.CLAIM)
    minutes(town)
    town.resolve(town.case(case.case_id))
    submitted, claimed, resolved = events_of(case)

    for event in (resolved, submitted, claimed, resolved):
        feeding.log(event)

    in_order = ["submit", "claim", "resolve"]
    assert [change for _, change in logged(rider)] == in_order
    assert [change for _, change in logged(town.officer)] == in_order


def test_handlers_beside_each_other_log_each_change_once_in_order(
    town: Town, feeding: Feeding
) -> None:
    rider = a_rider()
    case = town.filed(rider)
    for action in (Action.CLAIM, Action.RETURN, Action.CLAIM):
        minutes(town)
        reason = "off_duty" if action is Action.RETURN else None
        town.act(town.officer, town.case(case.case_id), action, reason=reason)

    events = events_of(case)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(feeding.log, [*reversed(events), *events]))

    in_order = ["submit", "claim", "return", "claim"]
    assert [change for _, change in logged(rider)] == in_order
    assert [change for _, change in logged(town.lead)] == in_order


def test_a_lost_reply_logs_nothing_twice(town: Town, feeding: Feeding) -> None:
    rider = a_rider()
    case = town.filed(rider)
    [event] = events_of(case)

    with lost_reply():
        feeding.log(event)
    feeding.log(event)

    assert logged(rider) == [("report", "submit")]
    assert logged(town.officer) == [("case", "submit")]


def test_who_took_office_later_is_told_from_then_on(town: Town, feeding: Feeding) -> None:
    case = town.filed()
    minutes(town)
    since = town.clock.now()
    newcomer = town.an_official(RoleName.OFFICER, "网格员二", starts_at=since)
    town.roster.forget()
    minutes(town)
    town.act(town.officer, case, Action.CLAIM)

    deliver(feeding, case)

    assert logged(newcomer) == [("case", "claim")]


def test_who_reported_what_was_merged_follows_the_case_that_goes_on(
    town: Town, feeding: Feeding
) -> None:
    first, second = a_rider(), a_rider()
    parent, merged = town.filed(first), town.filed(second)
    minutes(town)
    values = {"into": parent.case_id, "reason": "same_thing"}
    town.act(town.officer, merged, Action.MERGE, **values)
    minutes(town)
    town.act(town.officer, town.case(parent.case_id), Action.CLAIM)

    for case in (merged, parent):
        deliver(feeding, case)

    assert [change for _, change in logged(first)] == ["submit", "merge", "claim"]
    assert logged(second)[:2] == [("report", "submit"), ("report", "merge")]
    assert logged(second)[-1] == ("report", "claim")
    assert [change for _, change in logged(town.lead)].count("merge") == 2


def test_an_official_who_reported_it_is_told_of_both(town: Town, feeding: Feeding) -> None:
    case = town.filed(town.lead)

    deliver(feeding, case)

    assert sorted(logged(town.lead)) == [("case", "submit"), ("report", "submit")]


def test_a_log_that_fails_keeps_no_alert_back(
    town: Town, feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.filed()
    [event] = events_of(case)
    handled: list[Event] = []
    handler = feeding.around({"case.submitted": handled.append})["case.submitted"]

    def is_away(*_: object, **__: object) -> None:
        raise Unavailable("store.busy")

    with monkeypatch.context() as away:
        away.setattr(feed, "append", is_away)
        with pytest.raises(Unavailable):
            handler(event)
    handler(event)

    assert handled == [event, event]
    assert logged(town.officer) == [("case", "submit")]


def test_other_topics_are_handled_as_they_were(feeding: Feeding) -> None:
    def handle(event: Event) -> None:
        raise AssertionError

    assert feeding.around({"text.check": handle})["text.check"] is handle


def test_while_the_index_of_joiners_lags_the_event_stays(town: Town, feeding: Feeding) -> None:
    case = town.filed()
    joined(town, case)
    behind = get(CaseRow, case.case_id)
    assert behind is not None
    behind.update(actions=[CaseRow.reporter_count.set(3)])

    with pytest.raises(Unavailable, match=r"^case\.index_behind$"):
        deliver(feeding, case)


def test_logging_costs_three_reads_and_two_calls_a_person(town: Town, feeding: Feeding) -> None:
    case = town.filed()
    minutes(town)
    town.act(town.officer, case, Action.CLAIM)
    submitted, claimed = events_of(case)
    feeding.log(submitted)

    with metered() as cost:
        feeding.log(claimed)

    officials = {
        entry.member_id
        for scope in changes.scopes_of(case)
        for role in OFFICIALS
        for entry in town.roster.holders(role, scope)
    }
    people = 1 + len(officials)  # the reporter, the officer, the lead; other tests' districts
    assert people >= 3
    assert len(cost.calls) == 3 + 2 * people
    assert cost.writes == 6 * people
