"""Requests that no client of ours would send: refused as they should be, never a bug's 500."""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

import pytest

from tests.support.world import Person, World

ODD_IDS = ("x" * 3000, "\0", "..", "a/b", "a#b", "🛵" * 300, "\u202e", "mbr_" + "0" * 26, " ")


@pytest.fixture(scope="module")
def people(world: World) -> dict[str, Person]:
    return {
        "rider": world.rider(),
        "officer": world.officer,
        "keeper": world.keeper,
        "merchant": world.merchant,
    }


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("rider", "GET", "/v1/uploads/{}"),
        ("rider", "GET", "/v1/reports/{}"),
        ("rider", "POST", "/v1/reports/{}/withdraw"),
        ("rider", "POST", "/v1/inbox/{}/read"),
        ("rider", "GET", "/v1/rewards/{}"),
        ("rider", "GET", "/v1/redemptions/{}"),
        ("rider", "GET", "/v1/redemptions/by-key/{}"),
        ("rider", "POST", "/v1/redemptions/{}/cancel"),
        ("rider", "POST", "/v1/stations/{}/door-reports"),
        ("officer", "GET", "/v1/cases/{}"),
        ("officer", "POST", "/v1/cases/{}/claim"),
        ("officer", "POST", "/v1/verifications/{}/confirm"),
        ("keeper", "GET", "/v1/stations/{}/code"),
        ("merchant", "POST", "/v1/redemptions/{}/undo"),
    ],
)
def test_an_id_that_is_none_is_unknown(
    people: dict[str, Person], role: str, method: str, path: str, odd: str
) -> None:
    body = {"client_request_id": str(uuid.uuid4()), "version": 1}
    raw = json.dumps(body).encode() if method == "POST" else None

    reply = people[role].app.send(method, path.format(quote(odd, safe="")), raw=raw)

    assert reply.status in (404, 422), reply.body
    assert reply.body["request_id"]


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize("path", ["preview", "fulfil"])
def test_a_code_that_is_none_is_unknown(people: dict[str, Person], path: str, odd: str) -> None:
    reply = people["merchant"].app.post(f"/v1/redemptions/{path}", {"code": odd})

    assert reply.status in (404, 422), reply.body
