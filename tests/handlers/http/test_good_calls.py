"""Every operation does what it is for, for the role it is for."""

from __future__ import annotations

import pytest
from app import app

from handlers.http.endpoint import Nothing, Operation
from tests.support.good_calls import OPERATIONS, good_call, prepared_operations, send
from tests.support.world import World

BODIES = [op for op in OPERATIONS if op.body is not Nothing and op.method == "POST"]


def by_name(op: Operation) -> str:
    return op.name


def test_every_operation_has_a_good_call() -> None:
    assert prepared_operations() == {op.name for op in OPERATIONS}


def test_every_route_of_the_app_is_an_operation_but_wechats_own() -> None:
    routes = {(method, path) for path, methods in app.routes.items() for method in methods}
    operations = {(op.method, op.path) for op in OPERATIONS}

    assert {path for _, path in routes - operations} == {
        "/wechat/callback",
        "/wechat/service-callback",
    }
    assert operations <= routes


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_an_operation_succeeds_for_its_role(op: Operation, world: World) -> None:
    reply = send(world, op, good_call(op.name, world))

    assert reply.status == op.status, reply.body
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("op", BODIES, ids=by_name)
def test_the_same_request_again_gets_the_same_answer(op: Operation, world: World) -> None:
    request = good_call(op.name, world)
    body = {**(request.body or {}), "client_request_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}
    first = send(world, op, request, body=body)

    again = send(world, op, request, body=body)

    assert (again.status, again.body) == (first.status, first.body)
    assert first.status == op.status
