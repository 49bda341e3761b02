"""WeChat is away, slow or refuses, and some of our own rows are broken: who needs it is told."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers.events import escalation
from infra.local.client import send
from models.alerts.entities import CallbackPush
from models.base.store import query
from models.cases.tables import CaseEventRow, CaseRow
from tests.support.world import Person, World, done

COLLAPSE = "E0505"  # severity A
FIRE_LANE = "E0496"
SERVICE = "/cgi-bin/message/template/send"
SUBSCRIPTION = "/cgi-bin/message/subscribe/send"
TEXT_CHECK = "/wxa/msg_sec_check"
TOKEN = "/cgi-bin/stable_token"
A_MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _all_is_well_again(world: World) -> Iterator[None]:
    """What a test planned and did not use up is no other test's trouble."""
    world.enter()
    yield
    for path in (SERVICE, SUBSCRIPTION, TEXT_CHECK, TOKEN):
        world.simulator.store.put("fault", path, [])


def _follows(world: World, person: Person) -> str:
    """He follows the service account, and we know it; answers his openid there."""
    followed = str(world.simulator.control("follow", unionid=person.unionid)["service_openid"])
    world.services.followers.changed(followed, at=world.clock.now())
    return followed


def _accepts(world: World, person: Person, template_id: str) -> None:
    """He accepts one subscription message, and WeChat tells us so."""
    world.simulator.control("popup", openid=person.openid, templates={template_id: "accept"})
    said = {"TemplateId": template_id, "SubscribeStatusString": "accept"}
    event = {
        "Event": "subscribe_msg_popup_event",
        "FromUserName": person.openid,
        "CreateTime": int(world.clock.now().timestamp()),
        "List": [said],
    }
    push = CallbackPush(account="mini", dedupe_key=str(uuid.uuid4()), event=event)
    world.services.callbacks.take_in(push)
    world.work()


def _files(world: World, **changes: Any) -> str:
    rider = world.rider()
    photo = rider.upload("DSCN0021.jpg", waits=True)
    receipt = done(rider.app.post("/v1/reports", world.report_body([photo], **changes))).body
    return str(receipt["case"]["id"])


def _time_passes(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.work()
        world.clock.advance(A_MINUTE)


def _sent(world: World, openid: str, case_id: str) -> list[dict[str, Any]]:
    """What WeChat delivered to somebody about a case, by either account."""
    items = send("GET", f"{world.simulator.base_url}/_control/sent").body["items"]
    return [item for item in items if item["touser"] == openid and case_id in str(item)]


def _inbox(person: Person, case_id: str) -> list[dict[str, Any]]:
    items = done(person.app.get("/v1/inbox", limit=100)).body["items"]
    return [item for item in items if item["case_id"] == case_id]


@pytest.mark.parametrize(
    "fault", [{"errcode": -1}, {"errcode": 45009}, {"http": 502}, {"reset": True, "after": True}]
)
def test_a_grave_alert_outlives_an_outage_and_is_told_once(
    world: World, fault: dict[str, Any]
) -> None:
    openid = _follows(world, world.officer)
    for path in (SERVICE, SUBSCRIPTION, TEXT_CHECK):
        world.simulator.control("fail", path=path, times=6, **fault)

    case_id = _files(world, category=COLLAPSE, text="塌了一个大洞")
    world.work()
    during = _inbox(world.officer, case_id)
    _time_passes(world, 20)

    assert [message["kind"] for message in during] == ["case.submitted"]
    new = [item for item in _sent(world, openid, case_id) if "svc-officer-alert" in str(item)]
    assert len(new) == 1


def test_a_text_is_judged_after_half_an_hours_outage(world: World) -> None:
    rider = world.rider()
    photo = rider.upload("DSCN0021.jpg", waits=True)
    world.simulator.control("fail", path=TEXT_CHECK, times=11, http=503)
    body = world.report_body([photo], text="电瓶车堵住了人行道")
    report_id = done(rider.app.post("/v1/reports", body)).body["report"]["id"]
    _time_passes(world, 3)
    during = rider.app.get(f"/v1/reports/{report_id}").body["text_verdict"]

    _time_passes(world, 40)

    assert during == "waiting"
    assert rider.app.get(f"/v1/reports/{report_id}").body["text_verdict"] == "pass"


def test_who_unfollows_is_told_by_subscription_then_only_in_the_inbox(world: World) -> None:
    officer = world.officer
    followed = _follows(world, officer)
    template_id = world.services.settings.template_sub_officer_alert
    _accepts(world, officer, template_id)
    world.simulator.control("unfollow", service_openid=followed)

    first, second = _files(world, category=FIRE_LANE), _files(world, category=FIRE_LANE)
    _time_passes(world, 2)

    assert len(_sent(world, officer.openid, first)) == 1
    assert _sent(world, officer.openid, second) == []
    assert len(_inbox(officer, second)) == 1
    assert _sent(world, followed, first) == []


def test_a_message_that_we_made_wrongly_rings_a_bell(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _follows(world, world.officer)
    world.simulator.control("fail", path=SERVICE, errcode=47003)

    with caplog.at_level(logging.ERROR):
        case_id = _files(world, category=FIRE_LANE)
        _time_passes(world, 2)

    assert "alert.wrongly_made" in [record.message for record in caplog.records]
    assert len(_inbox(world.officer, case_id)) == 1


def test_an_officer_who_does_not_follow_rings_no_bell(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    followed = _follows(world, world.officer)
    world.simulator.control("unfollow", service_openid=followed)

    with caplog.at_level(logging.ERROR):
        _files(world, category=FIRE_LANE)
        _time_passes(world, 2)

    # Cases of other tests may climb meanwhile; what is asked here is the way to the phone.
    ways = ("models.alerts", "models.gateways")
    rung = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [one.message for one in rung if one.name.startswith(ways)] == []


def test_steps_that_a_late_schedule_takes_at_once_stand_in_their_order(world: World) -> None:
    case_id = _files(world, category=FIRE_LANE)
    world.clock.advance(timedelta(hours=5))

    escalation.on_schedule()

    shown = done(world.officer.app.get(f"/v1/cases/{case_id}")).body["history"]
    steps = [event["action"] for event in shown if event["action"].startswith("step:")]
    rungs = (
        "unclaimed",
        "unclaimed_community",
        "unclaimed_duty",
        "remind",
        "lead",
        "community",
        "district",
    )
    assert steps == [f"step:{rung}" for rung in rungs]


def test_a_case_that_cannot_be_read_keeps_no_other_from_its_steps(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    broken = _files(world, category=FIRE_LANE)
    world.clock.advance(A_MINUTE)
    behind = _files(world, category=FIRE_LANE)
    CaseRow(broken).update(actions=[CaseRow.category.set("long-gone"), CaseRow.clock.remove()])
    world.clock.advance(timedelta(hours=5))

    with caplog.at_level(logging.ERROR):
        escalation.on_schedule()

    steps = {event.action for event in query(CaseEventRow, behind)}
    assert {"unclaimed", "remind", "lead", "community", "district"} <= steps
    assert "case.step_broken" in [record.message for record in caplog.records]
    CaseRow(broken).update(actions=[CaseRow.category.set(FIRE_LANE)])
