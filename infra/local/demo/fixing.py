"""Steps 3–6: the report, the same thing again, handling, closing and points."""

from __future__ import annotations

import io
import threading
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from infra.local.client import Reply, send
from infra.local.demo.opening import SPOT, Cast
from infra.local.demo.stage import Person, Stage

E_BIKES = "E0493a"
DANGER = "E0505"
THUMBNAIL_MAX_BYTES = 40 * 1024
LONG_SIDE_MAX = 2048


def now(stage: Stage) -> datetime:
    """The product's time."""
    offset = float(stage.stack.clock_file.read_text() or 0)
    return datetime.now(UTC) + timedelta(seconds=offset)


def a_report(stage: Stage, photos: list[str], **changes: Any) -> dict[str, Any]:
    """The body of a report at the demonstration's spot."""
    return {
        "client_request_id": str(uuid.uuid4()),
        "category": E_BIKES,
        "lon": SPOT.lon,
        "lat": SPOT.lat,
        "accuracy_m": 12.0,
        "captured_at": (now(stage) - timedelta(minutes=1)).isoformat(),
        "photos": photos,
        **changes,
    }


def report(stage: Stage, cast: Cast) -> str:
    """Step 3: one case, whatever the network does."""
    stage.step(3, "随手拍 Report")
    photo = cast.rider.upload(stage.photo("DSCN0021.jpg"))
    body = a_report(stage, [photo], text="共享电动车堵住了盲道")
    answers: list[Reply] = []
    twins = [
        threading.Thread(target=lambda: answers.append(cast.rider.app.post("/v1/reports", body)))
        for _ in range(2)
    ]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    answers.append(cast.rider.app.post("/v1/reports", body))
    first = answers[-1]
    stage.expect(all(answer.status == 201 for answer in answers), "taken", first)
    stage.expect(all(answer.body == first.body for answer in answers), "one case, one answer")
    case_id = str(first.body["case"]["id"])
    case = first.body["case"]
    stage.tell(f"同一请求同时发两次、再发一次 → 同一案件 {case['number']}")
    stage.tell(f"为什么是这个网格：{case['routing']['reason']}")

    _look_at_photos(stage, cast, case_id)

    single = cast.rider.app.post(
        "/v1/reports",
        a_report(stage, [cast.rider.upload(stage.photo("landscape_6.jpg"))], lon=SPOT.lon + 0.02),
    )
    stage.expect(single.status == 201, "a second report", single)
    stage.tell("单独一次上报", single)

    danger = cast.second.app.post(
        "/v1/reports",
        a_report(
            stage,
            [cast.second.upload(stage.photo("jolla.jpg"))],
            category=DANGER,
            lat=SPOT.lat + 0.004,
        ),
    )
    stage.expect(danger.status == 201 and danger.body["call_first"], "call first", danger)
    stage.tell(f"路面塌陷（A 级）→ 先拨打 {'、'.join(danger.body['call_first'])}", danger)

    wrong = cast.rider.app.post("/v1/reports", {"photos": [], "lon": 200, "text": "长" * 201})
    stage.refused(wrong, 422, "request.invalid")
    names = [field["field"] for field in wrong.body["fields"]]
    stage.tell(f"填错的上报 → 422，一次说全：{'、'.join(names)}", wrong)
    return case_id


def _look_at_photos(stage: Stage, cast: Cast, case_id: str) -> None:
    """What is published is small and tells nothing but the picture."""
    report_id = own_report(stage, cast.rider, case_id)

    def published() -> dict[str, Any] | None:
        photos = cast.rider.app.get(f"/v1/reports/{report_id}").body["photos"]
        return photos[0] if photos and photos[0]["checked"] else None

    photo = stage.until("WeChat's verdict publishes the photo", published)
    full, thumbnail = (send("GET", photo[name]) for name in ("url", "thumbnail_url"))
    for picture in (full, thumbnail):
        stage.expect(picture.status == 200, "the published photo is there", picture)
        image = Image.open(io.BytesIO(picture.body))
        told = {*image.info} - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        told -= {"progressive", "progression"}
        stage.expect(not told and not image.getexif(), f"no metadata is published: {told}")
        stage.expect(max(image.size) <= LONG_SIDE_MAX, f"no larger than agreed: {image.size}")
    original = Image.open(io.BytesIO(stage.photo("DSCN0021.jpg")))
    stage.expect(len(original.getexif()) > 0, "the sender's photo had metadata")
    stage.expect(len(thumbnail.body) <= THUMBNAIL_MAX_BYTES, "a small thumbnail")
    kept = f"{len(full.body) // 1024} KB、缩略图 {len(thumbnail.body) // 1024} KB"
    stage.tell(f"微信审核通过后公开：{kept}，元数据 0 项（原图 EXIF {len(original.getexif())} 项）")


def join_again(stage: Stage, cast: Cast, case_id: str) -> None:
    """Step 4: the second rider joins instead of filing again."""
    stage.step(4, "同一件事 Same thing again")
    near = cast.second.app.get("/v1/reports/nearby", lon=SPOT.lon, lat=SPOT.lat, category=E_BIKES)
    stage.expect(case_id in [item["case_id"] for item in near.body["items"]], "found", near)
    item = next(item for item in near.body["items"] if item["case_id"] == case_id)
    stage.tell(f"附近 {item['distance_m']} 米有一件可能相同的", near)
    joined = cast.second.app.post(
        "/v1/reports",
        a_report(stage, [cast.second.upload(stage.photo("DSCN0010.jpg"))], same_as=case_id),
    )
    stage.expect(joined.status == 201, "joined", joined)
    stage.expect(joined.body["case"]["id"] == case_id, "the same case", joined)
    for rider in (cast.rider, cast.second):
        stage.until(
            f"{rider.name} is told",
            lambda rider=rider: [
                message
                for message in rider.app.get("/v1/inbox").body["items"]
                if message["case_id"] == case_id
            ],
        )
    stage.tell("附议成功：一件案件，两位上报人，两人都收到消息", joined)


def officer_case(stage: Stage, person: Person, case_id: str) -> dict[str, Any]:
    """The case as an officer sees it now."""
    reply = person.app.get(f"/v1/cases/{case_id}")
    stage.expect(reply.status == 200, "the officer sees the case", reply)
    return dict(reply.body)


def handle(stage: Stage, cast: Cast, case_id: str) -> None:
    """Step 5: alert, claim, fix, proof."""
    stage.step(5, "处置 Handling")
    message = stage.until("the officer is alerted", lambda: stage.sent(cast.officer))[0]
    fields = "，".join(message["data"].values())
    stage.tell(f"网格员微信收到（{message['template_id']}）：{fields}")
    inbox = cast.officer.app.get("/v1/inbox")
    stage.expect(inbox.body["items"], "the inbox has it too", inbox)

    case = officer_case(stage, cast.officer, case_id)
    reporters = [reporter["pseudonym"] for reporter in case["reporters"]]
    stage.expect(len(reporters) == 2, "two reporters under pseudonyms")
    actions = "、".join(offer["action"] for offer in case["allowed_actions"])
    stage.tell(f"上报人显示为 {'、'.join(reporters)}；可做：{actions}")
    stranger = cast.stranger.app.get(f"/v1/cases/{case_id}")
    stage.expect(stranger.status == 404, "an officer of another grid sees nothing", stranger)

    replies: dict[str, Reply] = {}
    bodies = {
        "officer": {"client_request_id": str(uuid.uuid4()), "version": case["version"]},
        "lead": {"client_request_id": str(uuid.uuid4()), "version": case["version"]},
    }

    def claim(name: str) -> None:
        person: Person = getattr(cast, name)
        replies[name] = person.app.post(f"/v1/cases/{case_id}/claim", bodies[name])

    rivals = [threading.Thread(target=claim, args=(name,)) for name in bodies]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    winner = next((name for name, reply in replies.items() if reply.status == 200), None)
    stage.expect(winner is not None, "one claim wins", next(iter(replies.values())))
    assert winner is not None
    loser = "lead" if winner == "officer" else "officer"
    stage.refused(replies[loser], 409, "case.claimed_by_other")
    repeated = getattr(cast, winner).app.post(f"/v1/cases/{case_id}/claim", bodies[winner])
    stage.expect(
        repeated.body == replies[winner].body, "the winner's repeat is a success", repeated
    )
    by = replies[loser].body["details"]["by"]
    stage.tell(f"两人同时接单：{winner} 成功；另一人得知是「{by}」；重发仍成功", replies[winner])
    cast.handler = getattr(cast, winner)

    same = cast.handler.upload(stage.photo("DSCN0021.jpg"), "resolution")
    cast.handler.ready(same)
    version = officer_case(stage, cast.handler, case_id)["version"]
    refused = cast.handler.app.post(
        f"/v1/cases/{case_id}/resolve", {"version": version, "photos": [same]}
    )
    stage.refused(refused, 422, "resolution.same_photo")
    stage.tell("拿原来的照片当处置照片 → 422", refused)
    resolve(stage, cast, case_id)


def resolve(stage: Stage, cast: Cast, case_id: str) -> None:
    """The fix is proven with another photo, and the riders are told."""
    after = cast.handler.upload(stage.photo("landscape_6.jpg"), "resolution")
    stage.expect(cast.handler.ready(after)["state"] == "ready", "the after-photo is ready")
    version = officer_case(stage, cast.handler, case_id)["version"]
    done = cast.handler.app.post(
        f"/v1/cases/{case_id}/resolve", {"version": version, "photos": [after]}
    )
    stage.expect(done.status == 200, "resolved", done)
    for rider in (cast.rider, cast.second):
        stage.until(
            f"{rider.name} hears of the fix",
            lambda rider=rider: [
                message
                for message in rider.app.get("/v1/inbox").body["items"]
                if message["case_id"] == case_id and message["kind"] == "case.resolved"
            ],
        )
    stage.tell("处置完成，附处置后照片；两位骑手收到前后对比", done)


def close(stage: Stage, cast: Cast, case_id: str) -> None:
    """Step 6: a first verdict reopens, the second closes; points."""
    stage.step(6, "评价与积分 Closing and points")
    report_id = own_report(stage, cast.rider, case_id)
    pending = cast.rider.app.get("/v1/points").body
    stage.expect(pending["pending"] == 10, "10 points are pending since the claim")
    unhappy = cast.rider.app.post(
        f"/v1/reports/{report_id}/verdict", {"satisfied": False, "comment": "还有两辆没挪走"}
    )
    stage.expect(unhappy.status == 200, "reopened", unhappy)
    stage.tell("不满意 → 重新处置（最多两次）", unhappy)
    resolve(stage, cast, case_id)
    happy = cast.rider.app.post(f"/v1/reports/{report_id}/verdict", {"satisfied": True})
    stage.expect(happy.status == 200, "closed", happy)
    rider = cast.rider.app.get("/v1/points").body
    stage.expect((rider["available"], rider["pending"]) == (10, 0), f"available: {rider}")
    second = stage.until(
        "the joiner's points",
        lambda: (
            found if (found := cast.second.app.get("/v1/points").body)["available"] == 10 else None
        ),
    )
    stage.tell(
        f"满意 → 结案；首报人 {rider['available']} 分，10 分钟内附议者 {second['available']} 分",
        happy,
    )
    follow(stage, cast.rider)


def follow(stage: Stage, rider: Person) -> None:
    """One call shows what several lists would."""
    reply = stage.until(
        "the rider's app hears of the closing",
        lambda: (
            found
            if "confirm" in _changes_of(found := rider.app.get("/v1/changes", limit=100))
            else None
        ),
    )
    kinds = Counter(item["kind"] for item in reply.body["items"])
    stage.expect(not reply.body["has_more"], "all of it at once", reply)
    stage.tell(
        f"一次同步代替五个列表：上报 {kinds['report']} 次变化，消息 {kinds['inbox']}，"
        f"积分 {kinds['points']}",
        reply,
    )


def _changes_of(reply: Reply) -> list[str]:
    return [item["change"] for item in reply.body["items"]]


def own_report(stage: Stage, rider: Person, case_id: str) -> str:
    """The rider's report on a case."""
    mine = rider.app.get("/v1/reports")
    found = [item for item in mine.body["items"] if item["case"]["id"] == case_id]
    stage.expect(found, "the rider finds his report", mine)
    return str(found[0]["id"])
