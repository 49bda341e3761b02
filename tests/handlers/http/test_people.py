"""Signing in, the profile and verifications over HTTP: what each takes, answers and refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from app import app
from chalice.test import Client

from handlers import wiring
from handlers.http.schemas.people import Consents
from handlers.http.texts.catalogue import texts
from handlers.settings import Settings
from infra.local import engine as engines
from models.base.clock import FixedClock
from models.base.ids import new_id
from models.base.tables import Database
from models.people.entities import Occupation, Purpose, RoleName, Standing
from models.people.verification import Verifications
from tests.support.people import PSEUDONYMS, People, a_county, a_line, a_phone, import_lines


class House(People):
    """The people's routes on an engine, asked as a client asks."""

    def wire(self, url: str) -> House:
        wired = wiring.Services(
            Settings(dynamodb_url=url, refuses_unknown_fields=True, checks_answers=True)
        )
        wired.__dict__ |= {
            "clock": self.clock,
            "sessions": self.sessions,
            "members": self.members,
            "verifications": Verifications(pseudonyms=PSEUDONYMS, clock=self.clock),
        }
        wiring.use_services(wired)
        return self

    def ask(
        self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        if method == "POST" and isinstance(body, dict):
            body = {"client_request_id": str(uuid4())} | body
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        sent = {"Content-Type": "application/json", **headers}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        with Client(app) as client:
            answer = client.http.request(method, path, headers=sent, body=raw)
        return answer.status_code, json.loads(answer.body)


@pytest.fixture
def house(engine: engines.Engine, database: Database, clock: FixedClock) -> Iterator[House]:
    yield House(clock).wire(engine.url)
    wiring.use_services(None)


def test_a_session_opens_serves_and_ends(house: House) -> None:
    code = house.wechat.login_code()

    status, session = house.ask("POST", "/v1/sessions", body={"code": code})
    token = session["token"]

    assert status == 201
    assert session["expires_at"] == "2026-04-17T02:00:00.000Z"
    assert session["member"]["level"] == "guest"
    assert session["member"]["level_text"] == "访客"
    assert house.ask("GET", "/v1/me", token)[1]["id"] == session["member"]["id"]
    assert house.ask("DELETE", "/v1/sessions/current", token) == (200, {"state": "ended"})
    status, refusal = house.ask("GET", "/v1/me", token)
    assert (status, refusal["code"]) == (401, "session.revoked")


def test_the_same_sign_in_again_gets_the_same_answer(house: House) -> None:
    body = {"code": house.wechat.login_code(), "client_request_id": str(uuid4())}

    first = house.ask("POST", "/v1/sessions", body=body)
    again = house.ask("POST", "/v1/sessions", body=body)
    other = house.ask("POST", "/v1/sessions", body=body | {"client_request_id": str(uuid4())})

    assert again == first
    assert (other[0], other[1]["code"]) == (401, "session.code_used")


def test_a_code_nobody_minted_has_its_own_refusal_in_two_languages(house: House) -> None:
    body = {"code": "no-such-code"}

    status, zh = house.ask("POST", "/v1/sessions", body=body)
    _, en = house.ask("POST", "/v1/sessions", body=body, **{"Accept-Language": "en"})

    assert (status, zh["code"]) == (401, "session.code_invalid")
    assert zh["message"].startswith("登录码无效")
    assert en["message"].startswith("The login code is unknown")


def test_consents_and_occupation_are_changed_and_shown(house: House) -> None:
    token = house.sign_in().token

    status, me = house.ask(
        "PUT", "/v1/me", token, {"consents": {"report": "2026-01"}, "occupation": "courier"}
    )

    assert status == 200
    assert me["consents"] == {"report": {"version": "2026-01", "at": "2026-03-18T02:00:00.000Z"}}
    assert (me["occupation"], me["occupation_text"]) == ("courier", "快递员")
    assert house.ask("GET", "/v1/me", token) == (200, me)
    withdrawn = house.ask("PUT", "/v1/me", token, {"consents": {"report": None}})[1]
    assert (withdrawn["consents"], withdrawn["occupation"]) == ({}, "courier")


def test_binding_the_phone_shows_the_roles(house: House) -> None:
    openid, phone, county = new_id("openid"), a_phone(), a_county()
    import_lines([a_line(phone, county=county)], county=county)
    token = house.sign_in(openid).token

    status, me = house.ask(
        "POST", "/v1/me/phone", token, {"code": house.wechat.phone_code(phone, openid)}
    )

    assert (status, me["level"], me["has_phone"], me["county"]) == (200, "phone", True, county)
    assert me["roles"] == [
        {"role": "officer", "role_text": "网格员", "scope": "grid:g1", "county": county}
    ]


def test_a_keeper_confirms_a_riders_occupation(house: House) -> None:
    rider = house.sign_in().token
    county = a_county()
    keeper = house.with_roles(role="keeper", scope="station:s1", county=county).token

    status, asked = house.ask("POST", "/v1/me/verification", rider, {"occupation": "rider"})
    confirmed = house.ask("POST", f"/v1/verifications/{asked['code']}/confirm", keeper, {})

    until = "2026-09-14T02:00:00.000Z"
    assert (status, asked["expires_at"]) == (201, "2026-03-19T02:00:00.000Z")
    assert confirmed == (
        200,
        {"occupation": "rider", "occupation_text": "外卖骑手", "confirmed_until": until},
    )
    me = house.ask("GET", "/v1/me", rider)[1]
    assert (me["level"], me["confirmed_until"], me["county"]) == ("confirmed", until, county)


def test_a_rider_cannot_confirm(house: House) -> None:
    rider = house.sign_in().token

    status, refusal = house.ask("POST", "/v1/verifications/00000000/confirm", rider, {})

    assert (status, refusal["code"]) == (403, "role.lacks_action")


def test_an_unknown_code_is_not_found(house: House) -> None:
    keeper = house.with_roles(role="keeper", scope="station:s1", county=a_county()).token

    for code in ("00000000", "x", "%E7%A0%81"):
        status, refusal = house.ask("POST", f"/v1/verifications/{code}/confirm", keeper, {})
        assert (status, refusal["code"]) == (404, "verification.not_found")


PROTECTED = [
    ("GET", "/v1/me", None),
    ("PUT", "/v1/me", {}),
    ("POST", "/v1/me/phone", {"code": "x"}),
    ("POST", "/v1/me/verification", {"occupation": "rider"}),
    ("POST", "/v1/verifications/00000000/confirm", {}),
    ("DELETE", "/v1/sessions/current", None),
]


@pytest.mark.parametrize(("method", "path", "body"), PROTECTED)
def test_nothing_is_done_without_a_session_that_holds(
    house: House, clock: FixedClock, method: str, path: str, body: Any
) -> None:
    token = house.sign_in().token
    clock.advance(timedelta(days=30))

    codes = [
        house.ask(method, path, given, body)[1]["code"] for given in (None, "", "nonsense", token)
    ]

    assert codes == ["session.missing"] * 3 + ["session.expired"]


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("POST", "/v1/sessions", {}, {"code": "field.missing"}),
        ("POST", "/v1/sessions", {"code": 5}, {"code": "field.wrong_type"}),
        ("POST", "/v1/sessions", {"code": ""}, {"code": "field.invalid"}),
        ("POST", "/v1/sessions", {"code": "x" * 201}, {"code": "field.invalid"}),
        ("POST", "/v1/sessions", {"code": "\ud800"}, {"code": "field.invalid"}),
        (
            "POST",
            "/v1/sessions",
            {"client_request_id": "1"},
            {"client_request_id": "field.wrong_type", "code": "field.missing"},
        ),
        ("POST", "/v1/me/phone", {"code": None}, {"code": "field.wrong_type"}),
        (
            "POST",
            "/v1/me/verification",
            {"occupation": "king"},
            {"occupation": "field.not_allowed"},
        ),
        ("PUT", "/v1/me", {"occupation": 1}, {"occupation": "field.not_allowed"}),
        ("PUT", "/v1/me", {"consents": []}, {"consents": "field.wrong_type"}),
        ("PUT", "/v1/me", {"consents": {"report": "a b"}}, {"consents.report": "field.invalid"}),
        ("PUT", "/v1/me", {"nope": 1}, {"nope": "field.unknown"}),
    ],
)
def test_every_bad_field_is_named(
    house: House, method: str, path: str, body: dict[str, Any], fields: dict[str, str]
) -> None:
    token = house.sign_in().token

    status, refusal = house.ask(method, path, token, body)

    assert status == 422
    assert {bad["field"]: bad["code"] for bad in refusal["fields"]} == fields


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"code": NaN}', b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_object_is_refused(house: House, body: bytes) -> None:
    status, refusal = house.ask("POST", "/v1/sessions", None, body)

    assert status == 422
    assert refusal["code"] in ("request.not_json", "request.invalid")


def test_a_huge_body_is_refused(house: House) -> None:
    status, refusal = house.ask("POST", "/v1/sessions", None, b" " * 70_000)

    assert (status, refusal["code"]) == (413, "request.too_large")


def test_every_purpose_of_consent_can_be_given() -> None:
    assert set(Consents.model_fields) == set(Purpose)


def test_every_role_level_occupation_and_refusal_has_its_text() -> None:
    named = {f"role.{role}" for role in RoleName} | {f"member.level.{one}" for one in Standing}
    named |= {f"occupation.{one}" for one in Occupation}
    source = "".join(path.read_text("utf-8") for path in Path("models/people").glob("*.py"))
    raised = set(
        re.findall(r'"((?:session|member|phone|verification|roster)\.[a-z_]+)"\)?[,\]) ]', source)
    )
    events = {"session.opened", "session.not_prolonged", "phone.bound"}
    events |= {"roster.imported", "roster.left"}

    assert len(raised) > 20
    assert (named | raised) - events - {"roster.refresh_failed"} - set(texts()) == set()


def test_a_row_that_leaves_the_roster_ends_the_session(house: House) -> None:
    phone, county = a_phone(), a_county()
    import_lines([a_line(phone, county=county)], county=county)
    openid = new_id("openid")
    house.bind(house.sign_in(openid).actor, openid, phone)
    token = house.sign_in(openid).token
    assert [role["role"] for role in house.ask("GET", "/v1/me", token)[1]["roles"]] == ["officer"]

    import_lines([], county=county)

    status, refusal = house.ask("GET", "/v1/me", token)
    assert (status, refusal["code"]) == (401, "session.revoked")
    again = house.sign_in(openid).token
    assert house.ask("GET", "/v1/me", again)[1]["roles"] == []
