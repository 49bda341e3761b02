"""Step 8: what else may become of a report: merged, given more time, looked at again, held back."""

from __future__ import annotations

from math import isclose
from typing import Any

from infra.local.client import Reply
from infra.local.demo.fixing import a_report, now, officer_case
from infra.local.demo.opening import SPOT, Cast
from infra.local.demo.stage import Person, Stage

AWAY = 0.0006
"""Degrees of latitude from the demonstration's spot: another thing than what stood there."""
HOUR_S = 3600


def turn_out(stage: Stage, cast: Cast) -> None:
    """Two cases become one, its officer gets more time, and a passer-by looks at the fix."""
    stage.step(8, "并案、延期、复拍、汇总 Merging, more time, a second look, a digest")
    category = _waste(stage, cast.rider)
    first, second = _file(stage, cast.rider, category), _file(stage, cast.second, category)
    _merge(stage, cast, first, second)
    _extend(stage, cast, first)
    _look_again(stage, cast, first)
    _sum_up(stage, cast)


def _waste(stage: Stage, rider: Person) -> str:
    """The category of waste in the open, found as a rider would: by typing."""
    found = rider.app.get("/v1/categories", q="bllj")
    stage.expect(found.body["items"], "pinyin initials find waste", found)
    item = found.body["items"][0]
    stage.tell(f"输入拼音首字母 bllj → {item['name']}（{item['code']}）", found)
    return str(item["code"])


def _file(stage: Stage, rider: Person, category: str) -> str:
    photo = rider.upload(stage.photo("jolla.jpg" if rider.name == "rider" else "DSCN0021.jpg"))
    rider.ready(photo)
    filed = rider.app.post(
        "/v1/reports", a_report(stage, [photo], category=category, lat=SPOT.lat + AWAY)
    )
    stage.expect(filed.status == 201, "filed", filed)
    return str(filed.body["case"]["id"])


def _act(stage: Stage, person: Person, case_id: str, action: str, **needs: Any) -> Reply:
    version = officer_case(stage, person, case_id)["version"]
    done = person.app.post(f"/v1/cases/{case_id}/{action}", {"version": version, **needs})
    stage.expect(done.status == 200, action, done)
    return done


def _merge(stage: Stage, cast: Cast, first: str, second: str) -> None:
    similar = officer_case(stage, cast.lead, second)["similar"]
    twin = next((item for item in similar if item["case_id"] == first), None)
    stage.expect(twin, f"the twin is shown: {similar}")
    assert twin is not None
    merged = _act(stage, cast.lead, second, "merge", into=first, reason="same_thing")
    why = "、".join(part["text"] for part in twin["parts"] if part["weight"] > 0)
    stage.tell(f"相似度 {twin['score']:.2f}（{why}）→ 一键并案，两位骑手都跟着这一件", merged)


def _extend(stage: Stage, cast: Cast, case_id: str) -> None:
    _act(stage, cast.officer, case_id, "claim")
    before = officer_case(stage, cast.officer, case_id)
    _act(stage, cast.officer, case_id, "extend", reason="needs_parts")
    own = cast.officer.app.post(
        f"/v1/cases/{case_id}/approve",
        {"version": officer_case(stage, cast.officer, case_id)["version"]},
    )
    stage.refused(own, 403, "role.lacks_action")
    approved = _act(stage, cast.lead, case_id, "approve")
    after = officer_case(stage, cast.officer, case_id)
    stage.expect(after["due_at"] > before["due_at"], "the deadline moved", approved)
    hours = (after["remaining_seconds"] - before["remaining_seconds"]) / HOUR_S
    stage.tell(f"网格员申请延期，网格长批准（本人不能批）：多 {hours:.0f} 个工作小时", approved)


def _look_again(stage: Stage, cast: Cast, case_id: str) -> None:
    _act(stage, cast.officer, case_id, "resolve", reason="gone_on_arrival")
    rider = cast.passer_by
    rider.sign_in()
    task = stage.until(
        "a passer-by is asked",
        lambda: next(
            (
                item
                for item in rider.app.get("/v1/rechecks", lon=SPOT.lon, lat=SPOT.lat).body["items"]
                if isclose(item["lat"], SPOT.lat + AWAY)
            ),
            None,
        ),
    )
    answer = rider.app.post(
        f"/v1/rechecks/{task['id']}",
        {
            "fixed": True,
            "photos": [rider.upload(stage.photo("landscape_6.jpg"), "recheck")],
            "lon": task["lon"],
            "lat": task["lat"],
            "accuracy_m": 10,
            "captured_at": now(stage).isoformat(),
        },
    )
    stage.expect(answer.status == 201, "answered", answer)
    points = stage.until(
        "three points for the look",
        lambda: rider.app.get("/v1/points").body["available"] or None,
    )
    stage.expect(points == 3, f"three points: {points}")
    stage.tell(f"没有处置后照片 → 路过的骑手复拍：已解决，+{points} 分", answer)


def _sum_up(stage: Stage, cast: Cast) -> None:
    """What did not ring the officer's phone at once comes as one message."""
    digest = stage.until("a digest", lambda: _digests(stage, cast) or _later(stage))
    stage.tell(f"攒下的提醒合成一条：{'，'.join(digest[-1]['data'].values())}")


def _later(stage: Stage) -> None:
    stage.stack.advance(HOUR_S / 4)


def _digests(stage: Stage, cast: Cast) -> list[dict[str, Any]]:
    return [
        message
        for official in (cast.officer, cast.lead, cast.community)
        for message in stage.sent(official)
        if "digest" in message["template_id"]
    ]
