"""Step 7: nobody acts, and each step of the ladder is taken exactly once."""

from __future__ import annotations

from typing import Any

from infra.local.demo.fixing import a_report, officer_case
from infra.local.demo.opening import SPOT, Cast
from infra.local.demo.stage import Person, Stage
from models.alerts import quotas
from models.people.followers import service_openid_of

FIRE_LANE = "E0496"
HOUR_S = 3600
TEMPLATE = "sub-escalation"
SUBSCRIPTIONS = 3


def go_stale(stage: Stage, cast: Cast) -> None:
    """A fire lane stays blocked; the clock is moved."""
    stage.step(7, "催办 Going stale")
    photo = cast.rider.upload(stage.photo("DSCN0010.jpg"))
    filed = cast.rider.app.post(
        "/v1/reports", a_report(stage, [photo], category=FIRE_LANE, lat=SPOT.lat + 0.001)
    )
    stage.expect(filed.status == 201, "filed", filed)
    case_id = filed.body["case"]["id"]
    stage.tell("消防通道被堵（B 级，2 小时）", filed)
    ladder = [
        ("unclaimed", "lead", "无人接单，网格长", 0.6 * HOUR_S),
        ("unclaimed_community", "community", "两倍时限仍无人接单，社区", 0.45 * HOUR_S),
        ("remind", "officer", "接单未处置，80%，网格员", 0.6 * HOUR_S),
        ("lead", "lead", "100%，网格长", 0.4 * HOUR_S),
        ("community", "community", "150%，社区", 1.0 * HOUR_S),
        ("district", "district", "200%，区县", 1.0 * HOUR_S),
    ]
    for number, (step, name, who, wait_s) in enumerate(ladder, start=1):
        if step == "remind":
            _claim(stage, cast, case_id)
        if step == "community":
            _unfollow(stage, cast.community)
        person = getattr(cast, name)
        heard = len(_told(person, case_id))
        stage.stack.advance(wait_s)
        taken = stage.until(
            f"{who}: step {step}",
            lambda number=number: found if len(found := _steps(cast, case_id)) >= number else None,
        )
        stage.expect(taken[-1] == step and len(taken) == number, f"step {step}: {taken}")
        titles = stage.until(
            f"{who} is told",
            lambda person=person, heard=heard: (
                found if len(found := _told(person, case_id)) > heard else None
            ),
        )
        stage.tell(f"{who}收到：{titles[0]}")
    message = stage.until(
        "the subscription", lambda: _by_subscription(stage, cast.community, case_id)
    )
    stage.tell(f"社区取关服务号后改走订阅消息：{'，'.join(message[0]['data'].values())}")
    stage.tell_work("escalation", "催办")
    stage.tell_work("outbox", "消息投递")
    stage.stack.kill_part("pump")
    stage.stack.start_part("pump")
    steps = _steps(cast, case_id)
    stage.expect(steps == [step for step, *_ in ladder], f"each step once: {steps}")
    stage.tell(f"定时任务每两秒运行、被杀后重启，每一步只有一次：{'、'.join(steps)}")


def _claim(stage: Stage, cast: Cast, case_id: str) -> None:
    """Somebody takes it on, so that nobody is asked for any more, and then does nothing."""
    claimed = cast.officer.app.post(
        f"/v1/cases/{case_id}/claim",
        {"version": officer_case(stage, cast.officer, case_id)["version"]},
    )
    stage.expect(claimed.status == 200, "claimed", claimed)


def _unfollow(stage: Stage, person: Person) -> None:
    """He leaves the service account; he had accepted subscription messages before."""
    accepted = {"openid": person.openid, "templates": {TEMPLATE: "accept"}}
    for _ in range(SUBSCRIPTIONS):
        stage.stack.control("popup", accepted)
        stage.stack.advance(1)  # events of one person in one second are one to WeChat
    stage.stack.control("unfollow", {"service_openid": stage.service_openid(person)})
    union_key = stage.services.pseudonyms.union_key(person.unionid)
    stage.until(
        "WeChat's pushes are worked on",
        lambda: (
            service_openid_of(union_key) is None
            and quotas.remaining(person.member_id, TEMPLATE) >= SUBSCRIPTIONS
        ),
    )


def _by_subscription(stage: Stage, person: Person, case_id: str) -> list[dict[str, Any]]:
    return [
        message
        for message in stage.sent(person, template_id=TEMPLATE)
        if message["channel"] == "subscribe" and case_id in message["page"]
    ]


def _steps(cast: Cast, case_id: str) -> list[str]:
    history = cast.lead.app.get(f"/v1/cases/{case_id}").body["history"]
    steps = [event["action"] for event in history if event["action"].startswith("step:")]
    return [step.removeprefix("step:") for step in steps]


def _told(person: Person, case_id: str) -> list[str]:
    """The titles about the case in a person's inbox, newest first."""
    messages = person.app.get("/v1/inbox").body["items"]
    return [
        message["title"]
        for message in messages
        if message["case_id"] == case_id and message["kind"] == "case.step"
    ]
