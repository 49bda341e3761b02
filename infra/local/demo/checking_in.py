"""Step 9: a rest station, its rotating code, and what does not count as being there."""

from __future__ import annotations

from typing import Any

from infra.local.demo.opening import Cast
from infra.local.demo.stage import Stage

FIVE_MINUTES_S = 300


def check_in(stage: Stage, cast: Cast) -> None:
    """The keeper's screen shows a code; the rider is there."""
    stage.step(9, "驿站打卡 Check-in")
    station_id = cast.posts["keeper"].scope.removeprefix("station:")
    station = _station(stage, cast, station_id)
    path = f"/v1/stations/{station_id}/check-ins"
    here = {"lon": station["lon"], "lat": station["lat"], "accuracy_m": 15.0}

    old = cast.keeper.app.get(f"/v1/stations/{station_id}/code").body["code"]
    stage.stack.advance(FIVE_MINUTES_S)
    expired = cast.rider.app.post(path, {**here, "code": old})
    stage.refused(expired, 409, "check_in.code_expired")
    stage.tell(f"旧二维码 → 409：{expired.body['message']}", expired)

    code = cast.keeper.app.get(f"/v1/stations/{station_id}/code").body["code"]
    far = cast.rider.app.post(path, {**here, "lat": station["lat"] + 0.01, "code": code})
    stage.refused(far, 409, "check_in.too_far")
    stage.tell(f"离得太远 → 409：{far.body['message']}", far)

    done = cast.rider.app.post(path, {**here, "code": code})
    stage.expect(done.status == 201 and done.body["points"] == 1, "checked in", done)
    stage.tell(f"{station['name']} 打卡成功，+1 分", done)

    soon = cast.rider.app.post(path, {**here, "code": code})
    stage.refused(soon, 409, "check_in.too_soon")
    stage.tell(f"四小时内再打 → 409：{soon.body['message']}", soon)

    member_code = cast.second.app.get("/v1/stations/member-code").body["code"]
    scanned = cast.keeper.app.post(
        f"/v1/stations/{station_id}/member-check-ins", {"member_code": member_code}
    )
    stage.expect(scanned.status == 201, "the keeper's scan works without GPS", scanned)
    stage.tell("没有定位？管理员扫骑手的码也能打卡", scanned)


def _station(stage: Stage, cast: Cast, station_id: str) -> dict[str, Any]:
    near = cast.rider.app.get(
        "/v1/stations", lon=cast.posts["keeper"].lon, lat=cast.posts["keeper"].lat
    )
    stage.expect(near.status == 200, "stations nearby", near)
    found = [item for item in near.body["items"] if item["id"] == station_id]
    stage.expect(found, "the keeper's station is there", near)
    return dict(found[0])
