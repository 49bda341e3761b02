"""Reports and cases over HTTP: the contract's shapes, what is foreign, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from app import app
from chalice.test import Client

from handlers import wiring
from handlers.settings import Settings
from infra.local.engine import Engine
from models.base.clock import FixedClock, utc_text
from models.base.errors import Unauthorised
from models.base.paging import Cursors
from models.base.tables import Database
from models.cases.entities import Action, Purpose
from models.cases.listing import Listing
from models.cases.photos import PhotoAddresses
from models.cases.reading import Reading
from models.cases.uploads import Uploads
from models.gateways.photos import S3PhotoStore
from models.people.entities import Actor, RoleName
from tests.support.cases import Town, a_photo, a_rider

KEY = b"k" * 32


class _Sessions:
    """Knows an actor by a token that is his member id: signing in is tested elsewhere."""

    def __init__(self) -> None:
        self.actors: dict[str, Actor] = {}

    def authenticate(self, token: str) -> Actor:
        if token not in self.actors:
            raise Unauthorised("session.expired")
        return self.actors[token]


class House:
    """The routes of a town."""

    def __init__(self, town: Town, dynamodb_url: str) -> None:
        self.town = town
        self.sessions = _Sessions()
        services = wiring.Services(
            Settings(dynamodb_url=dynamodb_url, refuses_unknown_fields=True, checks_answers=True)
        )
        addresses = PhotoAddresses(base_url="https://photos.example")
        parts = {"clock": town.clock, "working": town.working}
        store = S3PhotoStore(
            bucket="photos",
            region="cn-northwest-1",
            endpoint_url="https://s3.example",
            path_style=True,
        )
        services.__dict__ |= {
            "clock": town.clock,
            "sessions": self.sessions,
            "categories": town.categories,
            "intake": town.intake,
            "handling": town.handling,
            "closing": town.closing,
            "answering": town.answering,
            "neighbourhood": town.nearby,
            "listing": Listing(places=town.places, cursors=Cursors(KEY), **parts),
            "reading": Reading(
                categories=town.categories,
                handling=town.handling,
                addresses=addresses,
                pseudonym_key=KEY,
                **parts,
            ),
            "uploads": Uploads(clock=town.clock, signing_clock=town.clock, store=store),
        }
        wiring.use_services(services)

    def get(self, actor: Actor, path: str, **query: Any) -> Any:
        return self._send("GET", actor, f"{path}?{urlencode(query)}" if query else path)

    def post(self, actor: Actor, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._send("POST", actor, path, {"client_request_id": str(uuid4()), **(body or {})})

    def body(self, rider: Actor, **changes: Any) -> dict[str, Any]:
        report = self.town.a_report(rider, **changes)
        return {
            "category": report.category,
            "lon": report.lon,
            "lat": report.lat,
            "accuracy_m": report.accuracy_m,
            "captured_at": utc_text(report.captured_at),
            "photos": list(report.photos),
            "text": report.text,
        }

    def _send(self, method: str, actor: Actor, path: str, body: Any = None) -> Any:
        self.sessions.actors[actor.member_id] = actor
        with Client(app) as client:
            return client.http.request(
                method,
                path,
                headers={
                    "Authorization": f"Bearer {actor.member_id}",
                    "Content-Type": "application/json",
                },
                body=b"" if body is None else json.dumps(body).encode(),
            )


@pytest.fixture
def house(engine: Engine, database: Database, clock: FixedClock, monkeypatch: Any) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield House(Town(clock), engine.url)
    wiring.use_services(None)


def test_a_report_goes_its_way_over_http(house: House) -> None:
    rider, officer = a_rider(), house.town.officer

    filed = house.post(rider, "/v1/reports", house.body(rider))
    case_id, report_id = filed.json_body["case"]["id"], filed.json_body["report"]["id"]
    listed = house.get(officer, "/v1/cases", grid=house.town.grid.grid_id, status="assigned")
    claimed = house.post(officer, f"/v1/cases/{case_id}/claim", {"version": 1})
    after = a_photo(officer, purpose=Purpose.RESOLUTION)
    resolved = house.post(
        officer, f"/v1/cases/{case_id}/resolve", {"version": 2, "photos": [after]}
    )
    shown = house.get(officer, f"/v1/cases/{case_id}")
    closed = house.post(rider, f"/v1/reports/{report_id}/verdict", {"satisfied": True})
    mine = house.get(rider, f"/v1/reports/{report_id}")
    own = house.get(rider, "/v1/reports")

    answers = (filed, listed, claimed, resolved, shown, closed, mine, own)
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200, 200, 200]
    assert filed.json_body["case"]["routing"]["reason"].startswith("位于")
    assert [item["id"] for item in listed.json_body["items"]] == [case_id]
    assert [event["action"] for event in shown.json_body["history"]] == [
        "submit",
        "claim",
        "resolve",
    ]
    assert shown.json_body["reporters"][0]["pseudonym"].startswith("骑手·")
    assert closed.json_body["case"]["status_text"] == "已结案"
    assert mine.json_body["points"] == {
        "points": 10,
        "state": "available",
        "matures_at": mine.json_body["points"]["matures_at"],
        "unpaid": None,
    }
    assert [item["id"] for item in own.json_body["items"]] == [report_id]


def test_a_case_shows_what_may_be_done_and_what_that_needs(house: House) -> None:
    case = house.town.filed()

    offers = house.get(house.town.lead, f"/v1/cases/{case.case_id}").json_body["allowed_actions"]

    actions = [offer["action"] for offer in offers]
    assert actions[:3] == ["claim", "reject", "assign"]
    assert {"transfer", "merge", "split", "note"} <= set(actions)
    assert not {"resolve", "accept", "unmerge", "withdraw"} & set(actions)
    assert offers[1]["needs"] == ["reason"]
    assert {reason["text"] for reason in offers[1]["reasons"]} >= {"不属于问题"}
    assert [officer["display"] for officer in offers[2]["officers"]] == ["网格员一"]


def test_every_bad_field_is_told_at_once(house: House) -> None:
    rider = a_rider()

    answer = house.post(rider, "/v1/reports", {"photos": [], "lon": 200, "text": "长" * 201})

    assert answer.status_code == 422
    assert {field["field"] for field in answer.json_body["fields"]} == {
        "category",
        "lon",
        "lat",
        "accuracy_m",
        "captured_at",
        "photos",
        "text",
    }


def test_what_is_foreign_answers_as_what_is_unknown(house: House) -> None:
    rider, other = a_rider(), a_rider()
    filed = house.post(rider, "/v1/reports", house.body(rider)).json_body
    stranger = Town(house.town.clock).officer
    elsewhere = Town(house.town.clock, county="411502").officer
    case_path = f"/v1/cases/{filed['case']['id']}"
    report_path = f"/v1/reports/{filed['report']['id']}"

    answers = [
        house.get(other, report_path),
        house.post(other, f"{report_path}/verdict", {"satisfied": True}),
        house.post(other, f"{report_path}/withdraw"),
        *(house.get(actor, case_path) for actor in (stranger, elsewhere)),
        *(house.post(a, f"{case_path}/claim", {"version": 1}) for a in (stranger, elsewhere)),
        house.get(house.town.officer, "/v1/cases/case_unknown"),
        house.get(rider, "/v1/uploads/up_unknown"),
        house.get(rider, f"/v1/uploads/{a_photo(other)}"),
        house.post(house.town.officer, f"{case_path}/withdraw", {"version": 1}),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)


def test_a_rider_is_refused_what_only_officials_do(house: House) -> None:
    case = house.town.filed()

    answers = [
        house.get(a_rider(), "/v1/cases"),
        house.get(a_rider(), f"/v1/cases/{case.case_id}"),
        house.post(a_rider(), f"/v1/cases/{case.case_id}/claim", {"version": 1}),
    ]

    assert {answer.status_code for answer in answers} == {403}


def test_a_stale_version_is_told_with_the_case_as_it_is(house: House) -> None:
    case = house.town.claimed()

    answer = house.post(
        house.town.lead, f"/v1/cases/{case.case_id}/return", {"version": 1, "reason": "off_duty"}
    )

    assert answer.status_code == 409
    assert answer.json_body["code"] == "case.version_conflict"
    assert answer.json_body["details"]["case"]["version"] == 2


def test_nobody_asks_for_more_than_a_hundred_uploads_a_day(house: House) -> None:
    rider, item = a_rider(), {"purpose": "report", "content_type": "image/jpeg"}
    body = {"items": [{**item, "size_bytes": 1000, "sha256": "a" * 64}]}

    taken = [house.post(rider, "/v1/uploads", body).status_code for _ in range(100)]
    refused = house.post(rider, "/v1/uploads", body)
    somebody_else = house.post(a_rider(), "/v1/uploads", body)
    house.town.clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
    tomorrow = house.post(rider, "/v1/uploads", body)

    assert set(taken) == {201}
    assert (refused.status_code, refused.json_body["code"]) == (429, "upload.too_many")
    assert (somebody_else.status_code, tomorrow.status_code) == (201, 201)


def test_upload_forms_are_the_same_when_asked_again(house: House) -> None:
    rider = a_rider()
    item = {
        "purpose": "report",
        "content_type": "image/jpeg",
        "size_bytes": 1000,
        "sha256": "a" * 64,
    }
    body = {"client_request_id": str(uuid4()), "items": [item, item]}

    first = house.post(rider, "/v1/uploads", body)
    house.town.clock.advance(timedelta(seconds=30))
    again = house.post(rider, "/v1/uploads", body)
    other = house.post(rider, "/v1/uploads", {**body, "items": [item]})
    state = house.get(rider, f"/v1/uploads/{first.json_body['items'][0]['upload_id']}")

    assert first.status_code == 201
    assert first.json_body == again.json_body
    assert len({form["fields"]["key"] for form in first.json_body["items"]}) == 2
    assert (other.status_code, other.json_body["code"]) == (409, "request.reused")
    assert state.json_body["state"] == "waiting"


def test_a_photo_that_is_too_large_or_of_another_type_is_refused_by_field(house: House) -> None:
    item = {
        "purpose": "report",
        "content_type": "image/heic",
        "size_bytes": 1000,
        "sha256": "a" * 64,
    }
    too_large = {**item, "content_type": "image/jpeg", "size_bytes": 20 * 1024 * 1024}

    wrong_type = house.post(a_rider(), "/v1/uploads", {"items": [item]})
    huge = house.post(a_rider(), "/v1/uploads", {"items": [too_large]})

    assert wrong_type.json_body["fields"][0]["field"] == "items.0.content_type"
    assert huge.json_body["fields"][0]["field"] == "items.0.size_bytes"


def test_an_officer_sees_a_notice_of_an_unchecked_photo_and_no_unchecked_text(
    house: House,
) -> None:
    case = house.town.filed()

    shown = house.get(house.town.officer, f"/v1/cases/{case.case_id}").json_body

    assert shown["photos"][0]["checked"] is False
    assert shown["photos"][0]["url"].startswith("https://photos.example/review/")
    assert shown["reporters"][0]["text"] is None
    assert shown["reporters"][0]["text_hidden"] is True


def test_a_lists_pages_hold_every_case_once(house: House) -> None:
    filed = {house.town.filed().case_id for _ in range(5)}
    claimed = house.town.claimed().case_id

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = house.get(house.town.officer, "/v1/cases", limit=2, **cursor).json_body
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert len(seen) == 6
    assert set(seen) == {*filed, claimed}


def test_a_riders_own_list_pages_newest_first(house: House) -> None:
    rider = a_rider()
    numbers = []
    for _ in range(3):
        numbers.append(house.town.filed(rider).number)
        house.town.clock.advance(timedelta(minutes=3))

    first = house.get(rider, "/v1/reports", limit=2).json_body
    second = house.get(rider, "/v1/reports", limit=2, cursor=first["next_cursor"]).json_body

    listed = [item["case"]["number"] for item in first["items"] + second["items"]]
    assert listed == numbers[::-1]
    assert second["next_cursor"] is None


def test_a_community_reads_and_notes_what_it_does_not_handle(house: House) -> None:
    case = house.town.filed()
    scope = f"community:{case.community_id}"
    community = house.town.an_official(RoleName.COMMUNITY, "社区", scope)

    listed = house.get(community, "/v1/cases").json_body
    note = house.post(community, f"/v1/cases/{case.case_id}/note", {"text": "已电话联系物业"})
    claim = house.post(community, f"/v1/cases/{case.case_id}/claim", {"version": 1})

    assert [item["id"] for item in listed["items"]] == [case.case_id]
    assert note.status_code == 200
    assert (claim.status_code, claim.json_body["code"]) == (403, "role.lacks_action")
    assert house.town.events(case.case_id)[0].action == Action.NOTE
