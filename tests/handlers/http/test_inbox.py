"""The inbox and subscriptions over HTTP: what each route takes, answers and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from app import app
from chalice.test import Client

from handlers import wiring
from handlers.settings import Settings
from models.alerts import quotas
from models.alerts.delivery import Messenger
from models.alerts.inbox import Inbox
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.base.paging import Cursors
from models.base.tables import Database
from tests.support.alerts import NOW, a_notice
from tests.support.people import an_actor


class House:
    """The routes on an engine, for one member."""

    def __init__(self, clock: FixedClock, dynamodb_url: str) -> None:
        self.clock = clock
        self.actor = an_actor()
        self.services = wiring.Services(
            Settings(dynamodb_url=dynamodb_url, refuses_unknown_fields=True, checks_answers=True)
        )
        self.services.__dict__ |= {
            "clock": clock,
            "sessions": SimpleNamespace(authenticate=lambda _: self.actor),
            "inbox": Inbox(cursors=Cursors(b"c" * 32), clock=clock),
        }

    def tell(self, *, after: timedelta = timedelta()) -> None:
        notice = a_notice(member_id=self.actor.member_id, at=NOW + after)
        messenger = Messenger(
            channels={"officer": [], "rider": []}, recipient=lambda _: None, clock=self.clock
        )
        messenger.tell(notice, role_order="officer")

    def send(self, method: str, path: str, language: str = "zh-CN", **body: Any) -> Any:
        headers = {
            "Authorization": "Bearer token",
            "Content-Type": "application/json",
            "Accept-Language": language,
        }
        if method == "POST":
            body = {"client_request_id": str(uuid4()), **body}
        raw = json.dumps(body).encode() if body else b""
        with Client(app) as client:
            return client.http.request(method, path, headers=headers, body=raw)

    def messages(self, query: str = "", language: str = "zh-CN") -> Any:
        return self.send("GET", f"/v1/inbox{query}", language).json_body


@pytest.fixture
def house(database: Database, clock: FixedClock) -> Iterator[House]:
    house = House(clock, str(database.endpoint_url))
    wiring.use_services(house.services)
    yield house
    wiring.use_services(None)


def test_a_new_member_has_an_empty_inbox(house: House) -> None:
    assert house.messages() == {"items": [], "next_cursor": None}


def test_a_message_is_shown_in_the_language_asked_for(house: House) -> None:
    house.tell()

    [message] = house.messages()["items"]
    [in_english] = house.messages(language="en")["items"]

    assert (message["title"], message["body"]) == ("新事项", "请接单")
    assert (in_english["title"], in_english["body"]) == ("New case", "Please claim it")
    assert message["at"] == "2026-03-18T02:00:00.000Z"
    assert message["read_at"] is None


def test_the_list_goes_on_at_its_cursor(house: House) -> None:
    for number in range(3):
        house.tell(after=timedelta(seconds=number))

    first = house.messages("?limit=2")
    second = house.messages(f"?limit=2&cursor={first['next_cursor']}")

    assert [message["at"][17:19] for message in first["items"] + second["items"]] == [
        "02",
        "01",
        "00",
    ]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("encode", [str, quote], ids=["as-it-is", "escaped"])
def test_a_message_is_marked_by_the_id_it_was_shown_with(house: House, encode: Any) -> None:
    house.tell()
    message_id = house.messages()["items"][0]["id"]

    answers = [house.send("POST", f"/v1/inbox/{encode(message_id)}/read") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json_body == {"id": message_id}
    assert house.messages()["items"][0]["read_at"] == "2026-03-18T02:00:00.000Z"


def test_another_members_message_is_unknown(house: House) -> None:
    house.tell()
    message_id = house.messages()["items"][0]["id"]
    house.actor = an_actor()

    answer = house.send("POST", f"/v1/inbox/{message_id}/read")

    assert (answer.status_code, answer.json_body["code"]) == (404, "message.not_found")


def test_a_hint_of_the_client_counts_nothing(house: House) -> None:
    template = "sub-officer-alert"
    quotas.add_once(house.actor.member_id, template, event_id=new_id("out"), at=NOW)

    answer = house.send("POST", "/v1/subscriptions", template=template, result="accept")

    assert answer.json_body == {"template": template, "remaining": 1}


@pytest.mark.parametrize("result", ["accept", "reject", "ban", "filter"])
def test_only_who_says_he_bound_himself_is_tried_again_at_once(house: House, result: str) -> None:
    member_id, template = house.actor.member_id, "emp-officer-alert"
    quotas.note_unbound(member_id, template, NOW)

    house.send("POST", "/v1/subscriptions", template=template, result=result)

    assert quotas.is_unbound(member_id, template, NOW) == (result != "accept")


def test_an_unknown_result_is_refused(house: House) -> None:
    answer = house.send("POST", "/v1/subscriptions", template="t", result="maybe")

    assert answer.status_code == 422
    assert [field["field"] for field in answer.json_body["fields"]] == ["result"]
