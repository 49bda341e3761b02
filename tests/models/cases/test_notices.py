"""Who is told, whose points move, and what WeChat is asked, whatever fails in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from models.alerts import outbox
from models.alerts.delivery import Messenger
from models.alerts.desk import AlertDesk
from models.alerts.entities import Event
from models.alerts.tables import InboxRow, OutboxRow
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import get, query
from models.cases import awards
from models.cases.entities import Action, Verdict
from models.cases.judging import CHECK_ATTEMPTS
from models.cases.notices import Notices
from models.cases.tables import CaseRow, ReportRow
from models.people.entities import Actor, RoleName
from models.points.ledger import transfer
from models.points.reading import balances
from tests.support.alerts import RecordingChannel, a_recipient
from tests.support.cases import Town, a_rider
from tests.support.points import FIRST_POINTS


@dataclass
class World:
    """A town whose outbox is delivered by hand, over a channel that records."""

    town: Town
    says: str = "pass"
    is_away: bool = False
    asked: list[str] = field(default_factory=list)
    channel: RecordingChannel = field(default_factory=RecordingChannel)

    def __post_init__(self) -> None:
        messenger = Messenger(
            channels={"officer": [self.channel], "rider": [self.channel]},
            recipient=a_recipient,
            clock=self.town.clock,
        )
        self.notices = Notices(
            clock=self.town.clock,
            roster=self.town.roster,
            ledger=self.town.ledger,
            messenger=messenger,
            alert_desk=AlertDesk(messenger=messenger, clock=self.town.clock),
            working=self.town.working,
            categories=self.town.categories,
            evidence=self,  # type: ignore[arg-type]  # photos have tests of their own
            text_checker=self,
            openid_of=lambda member_id: f"openid-{member_id}",
        )

    def check_text(self, openid: str, text: str, /) -> str:
        self.asked.append(text)
        if self.is_away:
            raise Unavailable("wechat.away")
        return self.says

    def waiting(self, case: CaseRow) -> list[OutboxRow]:
        rows = [row for row in OutboxRow.scan() if row.payload.get("case_id") == case.case_id]
        return sorted(rows, key=lambda row: row.created_at)

    def deliver(self, case: CaseRow, *, keep: bool = False) -> list[str]:
        """Deliver what waits for a case until nothing does; answers the topics."""
        told = []
        while rows := self.waiting(case):
            for row in rows:
                event = outbox.lease(row.outbox_id, self.town.clock.now())
                assert event is not None
                self.notices.handlers()[event.topic](event)
                told.append(event.topic)
                if keep:
                    return told
                outbox.done(event)
        return told


@pytest.fixture
def world(town: Town) -> World:
    return World(town)


def inbox(actor: Actor | str) -> list[InboxRow]:
    member_id = actor if isinstance(actor, str) else actor.member_id
    rows: list[InboxRow] = query(InboxRow, member_id)
    return rows


def kinds(actor: Actor | str) -> list[str]:
    return [row.kind for row in inbox(actor)]


def joined(town: Town, case: CaseRow) -> tuple[Actor, str]:
    rider = a_rider()
    receipt = town.intake.submit(rider, town.a_report(rider, same_as=case.case_id))
    return rider, receipt["report"]["id"]


def an_event(row: OutboxRow, *, attempts: int = 1) -> Event:
    return Event(
        outbox_id=row.outbox_id,
        topic=row.topic,
        county=row.county,
        payload=row.payload,
        at=row.created_at,
        attempts=attempts,
    )


def test_the_officer_is_told_where_what_and_until_when(world: World) -> None:
    case = world.town.filed()

    topics = world.deliver(case)

    fields = world.channel.sends[0][1]
    assert topics == ["case.submitted", "text.check"]
    assert kinds(world.town.officer) == ["case.submitted"]
    assert kinds(world.town.lead) == []
    assert fields["thing1"].startswith("C 共享单车")
    assert fields["character_string4"] == case.number


def a_neighbour(world: World, *, is_reporter: bool = False) -> tuple[Actor, CaseRow]:
    """The officer of the grid next door, and a case at its edge."""
    scope = f"grid:{new_id('grid')}"
    neighbour = world.town.an_official(RoleName.OFFICER, "邻格网格员", scope)
    case = world.town.filed(neighbour if is_reporter else None)
    case.update(actions=[CaseRow.neighbour_grid_id.set(scope.removeprefix("grid:"))])
    return neighbour, case


def test_the_officer_next_door_finds_a_note_and_his_phone_does_not_ring(world: World) -> None:
    neighbour, case = a_neighbour(world)

    world.deliver(case, keep=True)
    row = next(row for row in world.waiting(case) if row.topic == "case.submitted")
    world.notices.submitted(an_event(row, attempts=2))

    (note,) = inbox(neighbour)
    assert (note.kind, note.delivered_by) == ("case.neighbour", "inbox")
    assert "已派给邻格" in note.body["zh"]
    assert kinds(world.town.officer) == ["case.submitted"]
    assert len(world.channel.sends) == 1


def test_who_reported_it_himself_gets_no_note_of_it_as_the_neighbour(world: World) -> None:
    neighbour, case = a_neighbour(world, is_reporter=True)

    world.deliver(case)

    assert "case.neighbour" not in kinds(neighbour)


def test_danger_is_told_to_everybody_on_duty(world: World) -> None:
    case = world.town.filed(category="E0505")

    world.deliver(case)

    assert kinds(world.town.officer) == kinds(world.town.lead) == ["case.submitted"]


def test_delivering_again_tells_nobody_twice(world: World) -> None:
    case = world.town.filed()
    world.deliver(case, keep=True)
    row = next(row for row in world.waiting(case) if row.topic == "case.submitted")

    world.notices.submitted(an_event(row, attempts=2))

    assert len(inbox(world.town.officer)) == 1
    assert len(world.channel.delivered) == 1


def test_wechat_being_away_delays_no_alert_and_loses_no_text(world: World) -> None:
    world.is_away = True
    rider = a_rider()
    case = world.town.filed(rider, category="E0505")

    with pytest.raises(Unavailable):
        world.deliver(case)

    report = get(ReportRow, rider.member_id, case.report_id)
    assert kinds(world.town.officer) == ["case.submitted"]
    assert report is not None
    assert report.text_verdict == Verdict.WAITING
    assert [row.topic for row in world.waiting(case)] == ["text.check"]


@pytest.mark.parametrize(
    ("says", "verdict"), [("pass", "pass"), ("risky", "risky"), ("review", "review")]
)
def test_wechats_word_on_a_text_is_kept(world: World, says: str, verdict: str) -> None:
    world.says = says
    rider = a_rider()
    case = world.town.filed(rider)

    world.deliver(case)

    report = get(ReportRow, rider.member_id, case.report_id)
    assert report is not None
    assert report.text_verdict == verdict


def test_a_text_that_wechat_will_not_judge_stays_hidden_in_the_end(world: World) -> None:
    world.is_away = True
    rider = a_rider()
    case = world.town.filed(rider)
    with pytest.raises(Unavailable):
        world.deliver(case)
    row = world.waiting(case)[0]

    world.notices.handlers()["text.check"](an_event(row, attempts=CHECK_ATTEMPTS))

    report = get(ReportRow, rider.member_id, case.report_id)
    assert report is not None
    assert report.text_verdict == Verdict.NONE


def test_both_riders_are_told_of_the_one_case(world: World) -> None:
    first = a_rider()
    case = world.town.filed(first)
    second, _ = joined(world.town, case)

    world.deliver(case)

    assert [row.title["zh"] for row in inbox(first)] == ["共享单车（电瓶车）乱停放：有人附议"]
    assert [row.title["zh"] for row in inbox(second)] == ["共享单车（电瓶车）乱停放：已经并入"]


def test_joiners_are_paid_by_their_order_whether_they_came_before_the_claim_or_after(
    world: World,
) -> None:
    town, first = world.town, a_rider()
    case = town.filed(first)
    early = [joined(town, case) for _ in range(4)]
    town.act(town.officer, case, Action.CLAIM)
    town.clock.advance(timedelta(minutes=11))
    late = [joined(town, case) for _ in range(4)]

    world.deliver(case)

    now = town.clock.now()
    pending = [balances(who.member_id, now).pending for who, _ in [(first, ""), *early, *late]]
    assert pending == [10, 10, 10, 10, 10, 2, 2, 2, 0]
    nothing = transfer(awards.award_id(late[3][1]))
    assert nothing is not None
    assert nothing.points == 0


@pytest.mark.parametrize("seed", range(4))
def test_whoever_comes_within_ten_minutes_is_paid_alike_in_whatever_order(
    world: World, seed: int
) -> None:
    town, riders = world.town, [a_rider() for _ in range(6)]
    Random(seed).shuffle(riders)
    case = town.filed(riders[0])
    for rider in riders[1:]:
        town.clock.advance(timedelta(minutes=2))
        town.filed(rider, same_as=case.case_id)
    town.act(town.officer, case, Action.CLAIM)

    world.deliver(case)

    now = town.clock.now()
    assert {balances(rider.member_id, now).pending for rider in riders} == {FIRST_POINTS}


def test_delivering_twice_pays_once(world: World) -> None:
    town = world.town
    case = town.filed()
    joiner, _ = joined(town, case)
    town.act(town.officer, case, Action.CLAIM)
    rows = world.waiting(case)
    world.deliver(case)

    for row in rows:
        world.notices.handlers()[row.topic](an_event(row, attempts=2))

    assert balances(joiner.member_id, town.clock.now()).pending == 10


def test_a_lagging_index_leaves_the_row_until_every_reporter_is_seen(world: World) -> None:
    town = world.town
    case = town.filed()
    joined(town, case)
    town.act(town.officer, case, Action.CLAIM)
    row = next(row for row in world.waiting(case) if row.topic == "case.claimed")
    town.case(case.case_id).update(actions=[CaseRow.reporter_count.set(3)])

    with pytest.raises(Unavailable) as refusal:
        world.notices.claimed(an_event(row))

    assert refusal.value.code == "case.index_behind"


def test_closing_tells_all_and_matures_the_joiners_points(world: World) -> None:
    town, first = world.town, a_rider()
    case = town.filed(first)
    second, _ = joined(town, case)
    town.act(town.officer, case, Action.CLAIM)
    town.resolve(town.case(case.case_id))
    town.closing.verdict(first, case.report_id, satisfied=True, comment=None, client_request_id="1")

    world.deliver(case)

    assert {"case.claimed", "case.resolved", "case.closed"} <= set(kinds(first))
    assert {"case.claimed", "case.resolved", "case.closed"} <= set(kinds(second))
    for rider in (first, second):
        assert balances(rider.member_id, town.clock.now()).available == 10


def test_a_refused_case_is_told_and_pays_nobody(world: World) -> None:
    town, first = world.town, a_rider()
    case = town.filed(first)
    second, _ = joined(town, case)
    town.act(town.officer, case, Action.REJECT, reason="not_a_problem")

    world.deliver(case)

    assert "case.closed" in kinds(first)
    assert balances(second.member_id, town.clock.now()).pending == 0


def ladder(world: World, **posts: RoleName) -> dict[str, Actor]:
    """Let a serious case of the town grow stale up to twice its limit."""
    town = world.town
    scopes = {
        RoleName.COMMUNITY: f"community:{town.grid.community_id}",
        RoleName.DISTRICT: f"county:{town.county}",
    }
    actors = {name: town.an_official(role, name, scopes[role]) for name, role in posts.items()}
    town.roster.forget()
    case = town.claimed(category="E0496")
    for minutes in (96, 24, 60, 60):
        town.clock.advance(timedelta(minutes=minutes))
        town.escalation.catch_up(case.case_id, town.clock.now())
    world.deliver(case)
    return actors


def test_each_step_of_the_ladder_is_told_to_its_post(world: World) -> None:
    actors = ladder(world, community=RoleName.COMMUNITY, district=RoleName.DISTRICT)

    titles = {
        name: [row.title["zh"][-4:] for row in inbox(actor) if row.kind == "case.step"]
        for name, actor in {
            **actors,
            "officer": world.town.officer,
            "lead": world.town.lead,
        }.items()
    }
    assert titles["officer"] == ["即将超时"]
    assert titles["lead"] == ["已经超时"]
    assert titles["community"] == ["严重超时"]
    assert "超时一倍" in titles["district"]


def test_a_vacant_post_is_passed_over_to_the_next_one_up(world: World) -> None:
    actors = ladder(world, district=RoleName.DISTRICT)

    steps = [row for row in inbox(actors["district"]) if row.kind == "case.step"]
    assert len(steps) >= 2, "the community's step too"


def test_a_dispute_and_a_joiners_objection_reach_the_lead(world: World) -> None:
    town, first = world.town, a_rider()
    case = town.filed(first)
    second, report_id = joined(town, case)
    town.act(town.officer, case, Action.CLAIM)
    said: Mapping[str, Any] = {"satisfied": False, "comment": None}
    for number in range(3):
        town.resolve(town.case(case.case_id))
        if number == 0:
            town.closing.verdict(second, report_id, client_request_id="j", **said)
        town.closing.verdict(first, case.report_id, client_request_id=str(number), **said)

    world.deliver(case)

    assert sorted(set(kinds(town.lead))) == ["case.contested", "case.disputed"]
    assert "case.reopened" in kinds(town.officer)


def test_assigning_and_returning_are_told_to_who_must_act(world: World) -> None:
    town = world.town
    second = town.an_official(RoleName.OFFICER, "网格员二")
    town.roster.forget()
    case = town.filed()
    reference = next(
        ref
        for ref, entry in town.handling.officers(case).items()
        if entry.member_id == second.member_id
    )
    town.act(town.lead, case, Action.ASSIGN, officer=reference)
    town.act(second, town.case(case.case_id), Action.CLAIM)
    town.act(second, town.case(case.case_id), Action.RETURN, reason="off_duty")

    world.deliver(case)

    assert "case.assigned" in kinds(second)
    assert "case.returned" in kinds(town.lead)


def test_the_reporter_is_asked_for_no_verdict_on_a_part_which_takes_none(
    town: Town, world: World
) -> None:
    rider = a_rider()
    case = town.claimed(rider)
    town.act(
        town.officer, case, Action.SPLIT, reason="several_problems", categories=("E0110", "E0508")
    )
    first, *_ = town.case(case.case_id).parts or ()
    town.act(town.officer, town.case(first), Action.CLAIM)
    town.resolve(town.case(first))
    town.resolve(town.case(case.case_id))

    world.deliver(town.case(first))
    world.deliver(town.case(case.case_id))

    said = [row.body["zh"] for row in inbox(rider) if row.kind == "case.resolved"]
    assert len(said) == 2
    assert sum("评价是否解决" in text for text in said) == 1
