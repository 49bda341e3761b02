"""Whatever officials, reporter and schedule do to a case, in any order, it stays of one piece."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from models.base.clock import FixedClock
from models.base.errors import Conflict, Forbidden
from models.base.ids import new_id
from models.base.tables import Database
from models.cases import awards, rules, workflow
from models.cases.asking import Reply
from models.cases.entities import Action, Purpose, Receiver, Status
from models.cases.states import remaining_of, timing_of
from models.cases.tables import CaseRow, queue_of
from models.cases.told import first_told
from models.people.entities import Actor, RoleName
from models.points.ledger import transfer
from models.points.reading import balances
from tests.conftest import NOW
from tests.support.cases import Town, a_photo, a_rider

FIRE_LANE, ROAD = "E0496", "E0113"
ALONE = [one for one in Action if one not in (Action.MERGE, Action.UNMERGE, Action.NOTE)]
"""What changes a case by itself; merging has tests of its own."""


class Life:
    """One case, everybody who may act on it, and a count of the seconds that its clock ran."""

    def __init__(self, chance: Random, done: Counter[tuple[Status, Action]]) -> None:
        self.chance = chance
        self.done = done
        self.clock = FixedClock(NOW)
        self.town = Town(self.clock)
        self.rider = a_rider()
        self.id = self.town.filed(self.rider, category=FIRE_LANE).case_id
        scope = f"community:{self.case.community_id}"
        self.supervisor = self.town.an_official(RoleName.COMMUNITY, "社区", scope)
        self.events = 1

    @property
    def case(self) -> CaseRow:
        return self.town.case(self.id)

    @property
    def officials(self) -> list[Actor]:
        return [self.town.officer, self.town.lead, self.supervisor]

    def goes_on(self) -> None:
        """One thing happens; half of the time an official does what he may."""
        other = self.chance.choice(
            [
                self.an_official_is_refused_what_is_not_offered,
                self.the_reporter_says_something,
                self.time_passes,
                self.somebody_is_told,
            ]
        )
        happens = self.chance.choice([self.an_official_does_what_is_offered, other])
        happens()
        self.what_follows_from_the_state_is_true_of_it()
        self.the_deadline_is_the_start_and_the_limit()
        self.a_report_is_paid_once_and_only_when_it_was_accepted()

    def an_official_does_what_is_offered(self) -> None:
        """Of all that the three may do, what was done least in all lives so far."""
        case = self.case
        offered = [(who, row) for who in range(3) for row in self._offered(who, case)]
        if not offered:
            return
        self.chance.shuffle(offered)
        who, row = min(offered, key=lambda one: self.done[one[1].source, one[1].action])
        actor = self.officials[who]
        answer = self.town.act(actor, case, row.action, **self._needs(actor, case, row))
        self.done[row.source, row.action] += 1

        assert answer["version"] == case.version + 1
        assert self.case.status == row.target
        self.events += 1

    def _offered(self, who: int, case: CaseRow) -> list[workflow.Transition]:
        facts = self.town.handling.facts(self.officials[who], case, is_reporter=False)
        rows = workflow.allowed(Status(case.status), [workflow.OFFICIALS[who]], facts)
        return [row for row in rows if row.action in ALONE]

    def an_official_is_refused_what_is_not_offered(self) -> None:
        who, action = self.chance.randrange(3), self.chance.choice(ALONE)
        actor, case = self.officials[who], self.case
        if action in {row.action for row in self._offered(who, case)}:
            return
        if action is Action.CLAIM and case.claimer_id == actor.member_id:
            return  # The winner's second claim is a success.
        with pytest.raises((Conflict, Forbidden)):
            self.town.act(actor, case, action, text="说明", reason="weather")

    def the_reporter_says_something(self) -> None:
        before, report_id, town = self.case, self.case.report_id, self.town
        asked: dict[str, Any] = {"client_request_id": new_id("crid")}
        says = {
            "reply": lambda: town.answering.reply(
                self.rider, report_id, Reply(text="在东侧"), **asked
            ),
            "appeal": lambda: town.answering.appeal(self.rider, report_id, "看得清", **asked),
            "satisfied": lambda: town.closing.verdict(
                self.rider, report_id, satisfied=True, comment=None, **asked
            ),
            "not fixed": lambda: town.closing.verdict(
                self.rider, report_id, satisfied=False, comment=None, **asked
            ),
        }
        try:
            answer = says[self.chance.choice(list(says))]()
        except Conflict:
            assert self.case.version == before.version
        else:
            assert answer["version"] == before.version + 1
            self.events += 1

    def time_passes(self) -> None:
        self.clock.advance(timedelta(minutes=self.chance.choice([1, 30, 100, 600, 3000])))
        if self.chance.random() < 0.5:
            before = self.case.version
            taken = self.town.escalation.catch_up(self.id, self.clock.now())
            ladder = len([step for step in taken if step.value != "forget"])
            ending = self.case.version - before
            assert ladder >= ending
            self.events += ladder

    def somebody_is_told(self) -> None:
        first_told(self.id, self.town.officer.member_id, self.clock.now(), self.town.working)

    def what_follows_from_the_state_is_true_of_it(self) -> None:
        case = self.case
        status = Status(case.status)
        wake = rules.next_wake(timing_of(case), self.town.working)
        assert case.queue == queue_of(case.grid_id, status)
        assert (case.paused_at is not None) == (status in rules.PAUSED)
        assert case.proposal is None or status in (Status.CLAIMED, Status.HANDLING)
        assert case.wake_at == (wake.at if wake else None)
        assert (case.cell is None) == (
            status in (Status.REJECTED, Status.WITHDRAWN, Status.NO_EVIDENCE)
            or "forget" in case.steps
        )
        assert len(set(case.steps)) == len(case.steps)
        assert (case.extensions or 0) <= workflow.MAX_EXTENSIONS
        assert len(self.town.events(self.id)) == self.events

    def the_deadline_is_the_start_and_the_limit(self) -> None:
        case, working = self.case, self.town.working
        due_in, state = remaining_of(case, self.clock.now(), working)
        limit = timedelta(seconds=case.resolve_limit_s + (case.extended_s or 0))
        kind = case.clock
        assert working.deadline(case.started_at, limit, kind).at == case.due_at
        if state == "paused":
            assert due_in == working.remaining(case.paused_at, case.due_at, kind)

    def a_report_is_paid_once_and_only_when_it_was_accepted(self) -> None:
        points = balances(self.rider.member_id, self.clock.now())
        # Ten more where it was urgent when it was accepted.
        paid = {10, 20} if self.case.claimed_at is not None else {0}
        award = transfer(awards.award_id(self.case.report_id))
        assert points.available + points.pending == (award.points if award is not None else 0)
        assert points.available + points.pending in paid

    def _needs(self, actor: Actor, case: CaseRow, row: workflow.Transition) -> dict[str, Any]:
        reasons = workflow.REASONS_BY_ACTION.get(row.action.value, ())
        made: dict[str, Any] = {"reason": self.chance.choice(reasons)} if reasons else {}
        if row.action is Action.RESOLVE:
            made = {"photos": (a_photo(actor, purpose=Purpose.RESOLUTION),)}
        others = {
            "text": lambda: "车在哪一侧？",
            "until": lambda: self.clock.now() + timedelta(days=30),
            "officer": lambda: next(iter(self.town.handling.officers(case))),
            "category": lambda: ROAD if case.category == FIRE_LANE else FIRE_LANE,
            "categories": lambda: ("E0110",),
            "receiver": lambda: Receiver.HOTLINE_12345,
            "external_ref": lambda: new_id("ref")[-12:],
        }
        return made | {name: others[name]() for name in row.needs if name in others}


def test_a_case_stays_of_one_piece_whatever_happens_to_it(database: Database) -> None:
    chance, done = Random(20260318), Counter[tuple[Status, Action]]()

    for _ in range(12):
        life = Life(chance, done)
        for _ in range(25):
            life.goes_on()

    possible = {
        (row.source, row.action)
        for row in workflow.TRANSITIONS
        if row.party in workflow.OFFICIALS and row.action in ALONE
    }
    assert set(done) <= possible
    assert 3 * len(done) > 2 * len(possible), "those lives led through most of the table"
