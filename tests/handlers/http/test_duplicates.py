"""What may be the same thing, as riders and officials see it, over the whole product."""

from __future__ import annotations

import json

import pytest

from tests.support.world import EAST, World, done

PLATE = "8800-1234"


def test_a_number_that_one_rider_read_helps_the_next(world: World) -> None:
    first, second = world.rider(), world.rider()
    away = {"lon": EAST.lon, "lat": EAST.lat + 0.004}  # from what other stories left lying about
    body = world.report_body([first.issued_upload()], object_id=PLATE, **away)
    filed = done(first.app.post("/v1/reports", body)).body
    where = {**away, "lon": EAST.lon + 0.0003, "category": "E0493a", "accuracy_m": 20}

    without = done(second.app.get("/v1/reports/nearby", **where)).body["items"]
    with_it = done(second.app.get("/v1/reports/nearby", **where, object_id="88001234")).body

    case_id = filed["case"]["id"]
    before = next(item for item in without if item["case_id"] == case_id)
    first_of_all = with_it["items"][0]
    assert (first_of_all["case_id"], first_of_all["same"]) == (case_id, True)
    assert first_of_all["score"] > before["score"]


@pytest.mark.parametrize(("language", "text"), [("zh-CN", "位置接近"), ("en", "Close by")])
def test_an_official_sees_why_two_may_be_one(world: World, language: str, text: str) -> None:
    other, filed = world.filed(), world.filed()

    reply = world.officer.app.send(
        "GET", f"/v1/cases/{filed.case_id}", headers={"Accept-Language": language}
    )

    similar = {item["case_id"]: item for item in done(reply).body["similar"]}
    assert filed.case_id not in similar
    assert text in [part["text"] for item in similar.values() for part in item["parts"]]
    assert other.case_id in similar or len(similar) == 5


@pytest.mark.parametrize("number", ["1" * 21, 5])
def test_a_number_that_is_none_is_refused(world: World, number: object) -> None:
    rider = world.rider()
    body = world.report_body([rider.issued_upload()], object_id=number)

    refused = rider.app.send("POST", "/v1/reports", raw=json.dumps(body).encode())

    assert refused.status == 422
    assert "object_id" in [error["field"] for error in refused.body["fields"]]
