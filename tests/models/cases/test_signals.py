"""What is noticed of reports and pictures, and what a rider can say to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.base.clock import FixedClock
from models.base.errors import Conflict, DomainError, NotFound
from models.base.ids import new_id
from models.base.store import get, scan
from models.base.tables import Database
from models.cases import binding, judging
from models.cases.entities import Action, Status, UploadState
from models.cases.judging import Judging
from models.cases.signals import Signals
from models.cases.tables import CaseRow, UploadRow
from models.cases.trust import Trust, hints_of
from models.people.entities import Actor, RoleName
from models.points.reading import balances
from tests.support.cases import Town, a_photo, a_rider


@pytest.fixture
def town(database: Database, clock: FixedClock) -> Town:
    return Town(clock)


def handle(town: Town, topic: str, **payload: Any) -> None:
    event = Event(
        outbox_id=new_id("out"),
        topic=topic,
        county=town.county,
        payload=payload,
        at=town.clock.now(),
        attempts=1,
    )
    Signals(clock=town.clock).around({topic: lambda _: None})[topic](event)


def noticed(town: Town, case: CaseRow) -> CaseRow:
    """A case whose report was looked at, as the outbox does."""
    handle(
        town,
        "case.submitted",
        case_id=case.case_id,
        report_id=case.report_id,
        member_id=case.member_id,
    )
    return case


def kinds(rider: Actor, town: Town) -> list[str]:
    return sorted(item["kind"] for item in Trust(clock=town.clock).mine(rider)["items"])


def value(rider: Actor, town: Town) -> int:
    shown: int = Trust(clock=town.clock).mine(rider)["value"]
    return shown


def refusal(call: Any) -> str:
    with pytest.raises(DomainError) as refused:
        call()
    return refused.value.code


def suspected(town: Town) -> tuple[Actor, CaseRow, str]:
    """A rider of whom one thing was noticed: its id comes last."""
    rider = a_rider()
    case = noticed(town, town.filed(rider, speed_mps=8.0))
    return rider, case, Trust(clock=town.clock).mine(rider)["items"][0]["id"]


def test_an_ordinary_report_hints_at_nothing(town: Town) -> None:
    rider = a_rider()

    noticed(town, town.filed(rider))

    assert (kinds(rider, town), value(rider, town)) == ([], 50)


def test_the_same_bytes_in_another_riders_report_are_noticed_of_the_later(town: Town) -> None:
    first, second = a_rider(), a_rider()
    sha = new_id("sha")
    noticed(town, town.filed(first, photos=(a_photo(first, sha256=sha, dhash=5),)))
    town.clock.advance(timedelta(minutes=1))

    later = town.filed(second, photos=(a_photo(second, sha256=sha, dhash=5),))
    for _ in range(2):
        noticed(town, later)

    assert (kinds(first, town), kinds(second, town)) == ([], ["same_photo"])


@pytest.mark.parametrize(("dhash", "expected"), [(0b11, ["near_photo"]), (0b111, [])])
def test_nearly_the_same_picture_of_the_grid_is_noticed(
    town: Town, dhash: int, expected: list[str]
) -> None:
    first, second = a_rider(), a_rider()
    noticed(town, town.filed(first, photos=(a_photo(first, dhash=0),)))
    town.clock.advance(timedelta(minutes=1))

    noticed(town, town.filed(second, photos=(a_photo(second, dhash=dhash),)))

    assert kinds(second, town) == expected


def test_a_photo_that_comes_in_after_its_report_is_looked_at(town: Town) -> None:
    rider = a_rider()
    exif = {"taken_at": "2020-01-01T00:00:00", "lon": 114.0, "lat": 32.0}
    photo = a_photo(rider, state=UploadState.WAITING, dhash=9, exif=exif)
    noticed(town, town.filed(rider, photos=(photo,)))
    before = kinds(rider, town)
    upload = get(UploadRow, photo)
    assert upload is not None
    upload.update(actions=[UploadRow.state.set(UploadState.READY.value)])

    handle(town, binding.TOPIC, case_id=upload.case_id, upload_id=photo)

    assert (before, kinds(rider, town)) == ([], ["photo_place", "photo_time"])


def test_outcomes_move_trust_and_the_last_word_stands(town: Town) -> None:
    rider = a_rider()
    case = town.filed(rider)
    town.act(town.officer, case, Action.REJECT, reason="not_visible")
    handle(town, "case.closed", case_id=case.case_id, status=Status.REJECTED.value)
    refused = (kinds(rider, town), value(rider, town))
    town.clock.advance(timedelta(hours=1))

    handle(town, "case.closed", case_id=case.case_id, status=Status.CLOSED.value)

    assert refused == (["rejected"], 40)
    assert (kinds(rider, town), value(rider, town)) == (["valid"], 60)


def test_a_signal_costs_no_points_and_refuses_nothing(town: Town) -> None:
    first, second = a_rider(), a_rider()
    sha = new_id("sha")
    noticed(town, town.filed(first, photos=(a_photo(first, sha256=sha, dhash=5),)))
    town.clock.advance(timedelta(minutes=1))
    case = town.filed(second, accuracy_m=0.0, photos=(a_photo(second, sha256=sha, dhash=5),))
    noticed(town, case)

    town.act(town.officer, town.case(case.case_id), Action.CLAIM)
    again = town.filed(second, **town.at(east_m=60))

    assert kinds(second, town) == ["no_error", "same_photo"]
    assert balances(second.member_id, town.clock.now()).pending == 10
    assert again.status == Status.ASSIGNED


def test_officials_see_neutral_hints_without_any_number(town: Town) -> None:
    _, case, _ = suspected(town)

    assert hints_of(case) == [
        {"kind": "moving", "appeal_id": None, "appeal": None, "decision": None}
    ]


def test_an_appeal_is_taken_once_and_told_again(town: Town) -> None:
    rider, _, signal_id = suspected(town)
    trust = Trust(clock=town.clock)

    first = trust.appeal(rider, signal_id, "坐在公交车上", "request-1")

    assert trust.appeal(rider, signal_id, "坐在公交车上", "request-1") == first
    assert refusal(lambda: trust.appeal(rider, signal_id, "别的", "request-1")) == "request.reused"
    again = lambda: trust.appeal(rider, signal_id, "再说", "request-2")  # noqa: E731
    assert refusal(again) == "trust.appealed_before"


@pytest.mark.parametrize(
    ("suggest", "shown"), [("pass", "坐在公交车上"), ("risky", None), ("review", None)]
)
def test_a_riders_words_are_shown_once_wechat_lets_them_pass(
    town: Town, suggest: str, shown: str | None
) -> None:
    rider, case, signal_id = suspected(town)
    Trust(clock=town.clock).appeal(rider, signal_id, "坐在公交车上", "request-1")
    before = hints_of(case)[0]
    checker = Mock(check_text=Mock(return_value=suggest))
    asked = next(row for row in scan(OutboxRow) if row.topic == judging.APPEAL)

    judge = Judging(text_checker=checker, openid_of=lambda _: "openid").handlers()
    judge[judging.APPEAL](
        Event(
            outbox_id=asked.outbox_id,
            topic=asked.topic,
            county=asked.county,
            payload={"member_id": rider.member_id, "signal_id": signal_id},
            at=town.clock.now(),
            attempts=1,
        )
    )

    assert (before["appeal"], before["appeal_id"] is not None) == (None, True)
    assert hints_of(case)[0]["appeal"] == shown


def test_nobody_appeals_for_another(town: Town) -> None:
    _, _, signal_id = suspected(town)

    with pytest.raises(NotFound):
        Trust(clock=town.clock).appeal(a_rider(), signal_id, "我", "request-1")


@pytest.mark.parametrize(("decision", "after"), [("dismiss", 50), ("uphold", 49)])
def test_people_decide_and_what_they_dismiss_counts_no_more(
    town: Town, decision: str, after: int
) -> None:
    rider, case, signal_id = suspected(town)
    trust = Trust(clock=town.clock)
    community = town.an_official(
        RoleName.COMMUNITY, "社区", scope=f"community:{town.grid.community_id}"
    )
    appeal = trust.appeal(rider, signal_id, "坐在公交车上", "request-1")

    answer = trust.decide(community, appeal["id"], decision, "decide-1")

    assert trust.decide(community, appeal["id"], decision, "decide-1") == answer
    assert value(rider, town) == after
    (item,) = trust.mine(rider)["items"]
    assert (item["decision"], item["may_appeal"]) == (decision, False)
    assert bool(hints_of(case)) == (decision == "uphold")
    other = lambda: trust.decide(community, appeal["id"], "uphold", "decide-2")  # noqa: E731
    assert refusal(other) == "trust.decided_before"


@pytest.mark.parametrize("who", ["officer", "lead", "rider"])
def test_only_who_is_above_the_grid_decides(town: Town, who: str) -> None:
    rider, _, signal_id = suspected(town)
    trust = Trust(clock=town.clock)
    appeal = trust.appeal(rider, signal_id, "坐在公交车上", "request-1")
    actor = {"officer": town.officer, "lead": town.lead, "rider": rider}[who]

    with pytest.raises(NotFound):
        trust.decide(actor, appeal["id"], "dismiss", "decide-1")


def test_nobody_decides_on_his_own_appeal(town: Town) -> None:
    community = town.an_official(
        RoleName.COMMUNITY, "社区", scope=f"community:{town.grid.community_id}"
    )
    noticed(town, town.filed(community, speed_mps=8.0))
    trust = Trust(clock=town.clock)
    signal_id = trust.mine(community)["items"][0]["id"]
    appeal = trust.appeal(community, signal_id, "我", "request-1")

    with pytest.raises(Conflict) as refused:
        trust.decide(community, appeal["id"], "dismiss", "decide-1")

    assert refused.value.code == "case.own_report"
