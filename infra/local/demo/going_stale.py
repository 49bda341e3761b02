"""Step 7: nobody acts, and each step of the ladder is taken exactly once."""

from __future__ import annotations

from infra.local.demo.fixing import a_report
from infra.local.demo.opening import SPOT, Cast
from infra.local.demo.stage import Stage

FIRE_LANE = "E0496"
HOUR_S = 3600


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
    told = [
        ("officer", "网格员 80%", 1.65 * HOUR_S),
        ("lead", "网格长 100%", 0.45 * HOUR_S),
        ("community", "社区 150%", 1.0 * HOUR_S),
        ("district", "区县 200%", 1.0 * HOUR_S),
    ]
    for name, who, step_s in told:
        stage.stack.advance(step_s)
        person = getattr(cast, name)
        messages = stage.until(
            f"{who} is told",
            lambda person=person: [
                message
                for message in person.app.get("/v1/inbox").body["items"]
                if message["case_id"] == case_id and message["kind"] == "case.step"
            ],
        )
        stage.tell(f"{who} 收到：{messages[0]['title']}")
    stage.stack.kill_part("pump")
    stage.stack.start_part("pump")
    history = cast.lead.app.get(f"/v1/cases/{case_id}").body["history"]
    steps = [event["action"] for event in history if event["action"].startswith("step:")]
    stage.expect(len(steps) == len(set(steps)) == 5, f"each step once: {steps}")
    stage.tell(f"定时任务反复运行、被杀后重启，每一步只有一次：{'、'.join(steps)}")
