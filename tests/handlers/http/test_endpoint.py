"""What stands around every view: whatever a view does, the answer has the contract's shape."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from chalice.app import Blueprint, Request, Response
from pydantic import ValidationError

from handlers.http import endpoint as module
from handlers.http.endpoint import Call, Nothing, Operation, endpoint, serve
from handlers.http.errors import STATUS_BY_ERROR
from handlers.http.schemas.base import Answer, Instant
from models.base.errors import (
    Conflict,
    DomainError,
    Exhausted,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorised,
    Unavailable,
)
from tests.support.world import World


class Shown(Answer):
    """An answer with one field."""

    colour: str


class Dated(Answer):
    """An answer with an instant."""

    at: Instant


@pytest.fixture(autouse=True)
def _own_operations(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(module, "OPERATIONS", [])


def an_operation(
    view: Callable[[Call[Any, Any]], Any], answer: type[Answer] = Shown, **changes: Any
) -> Operation:
    given = {"answer": answer, "is_open": True, **changes}
    endpoint(Blueprint(__name__), "GET", "/v1/probe", **given)(view)
    return module.OPERATIONS.pop()


def a_request(**headers: str) -> Request:
    return Request(
        {
            "multiValueQueryStringParameters": None,
            "headers": headers,
            "pathParameters": {},
            "requestContext": {
                "resourcePath": "/v1/probe",
                "httpMethod": "GET",
                "requestId": "req-1",
            },
            "body": None,
            "stageVariables": None,
            "isBase64Encoded": False,
        }
    )


def served(operation: Operation, **headers: str) -> tuple[Response, dict[str, Any]]:
    response = serve(operation, a_request(**headers), {})
    return response, json.loads(response.body)


def raising(error: Exception) -> Operation:
    def probe(call: Call[Nothing, Nothing]) -> dict[str, Any]:
        raise error

    return an_operation(probe)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("request.invalid"), 422),
        (Invalid("request.too_large"), 413),
        (Invalid("request.wrong_media_type"), 415),
        (Unauthorised(), 401),
        (Forbidden(), 403),
        (NotFound(), 404),
        (Conflict(), 409),
        (Exhausted(retry_after_s=7), 429),
        (Unavailable(), 503),
    ],
    ids=lambda value: str(getattr(value, "code", value)),
)
def test_every_kind_of_error_has_its_honest_status(error: DomainError, status: int) -> None:
    response, body = served(raising(error))

    assert response.status_code == status
    assert (body["code"], body["request_id"]) == (error.code, "req-1")


def test_every_kind_of_error_is_in_the_table() -> None:
    assert set(STATUS_BY_ERROR) == set(DomainError.__subclasses__())


@pytest.mark.parametrize("error", [Exhausted(retry_after_s=7), Unavailable(retry_after_s=7)])
def test_who_may_ask_again_is_told_when(error: DomainError) -> None:
    response, _ = served(raising(error))

    assert response.headers["Retry-After"] == "7"


def test_bad_fields_are_named_with_their_texts_and_limits() -> None:
    bad = [FieldError(field="text", code="field.too_long", limit=200)]

    _, body = served(raising(Invalid(fields=bad)), **{"accept-language": "en"})

    assert body["fields"] == [
        {"field": "text", "code": "field.too_long", "message": "Longer than 200"}
    ]


def test_details_are_answered_and_fill_the_text() -> None:
    _, body = served(raising(Conflict("conflict", status="closed")))

    assert body["details"] == {"status": "closed"}


def test_a_bug_answers_500_and_shows_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response, body = served(raising(ZeroDivisionError("secret of the house")))

    assert response.status_code == 500
    assert body["code"] == "internal"
    assert "secret" not in response.body
    assert [record.message for record in caplog.records] == ["request.failed"]
    assert caplog.records[0].exc_info is not None


def test_an_answer_that_is_not_as_the_contract_says_is_a_bug_in_the_test_stage() -> None:
    response, body = served(an_operation(lambda call: {"colour": "red", "more": 1}))

    assert (response.status_code, body["code"]) == (500, "internal")


@pytest.fixture
def unchecked(world: World) -> Iterator[None]:
    checked = world.services.settings
    world.services.settings = replace(checked, checks_answers=False, refuses_unknown_fields=False)
    yield
    world.services.settings = checked


@pytest.mark.usefixtures("unchecked")
def test_in_production_answers_are_not_checked_again() -> None:
    response, body = served(an_operation(lambda call: {"colour": "red", "more": 1}))

    assert (response.status_code, body) == (200, {"colour": "red", "more": 1})


@pytest.mark.usefixtures("unchecked")
def test_in_production_unknown_fields_are_ignored(world: World) -> None:
    answer = world.bystander.app.get("/v1/points", colour="red")

    assert answer.status == 200


def test_instants_are_written_in_utc_with_milliseconds(world: World) -> None:
    now = world.clock.now()

    _, body = served(an_operation(lambda call: {"at": now}, Dated))

    assert body["at"].endswith("Z")
    assert body["at"] == now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_an_instant_that_is_not_rfc_3339_is_no_answer() -> None:
    with pytest.raises(ValidationError):
        Dated(at="yesterday")


def test_an_open_operation_has_no_actor() -> None:
    response, body = served(an_operation(lambda call: {"colour": call.actor.member_id}))

    assert (response.status_code, body["code"]) == (401, "session.missing")


def test_chinese_is_written_as_it_is_read() -> None:
    response, _ = served(an_operation(lambda call: {"colour": "红"}))

    assert "红" in response.body
