"""Whoever may not, and whatever is wrong, is refused in one shape; what is foreign is unknown.

Every test runs over the table of all operations, so no new route can be forgotten.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from handlers.http.endpoint import MAX_BODY_BYTES, Nothing, Operation
from handlers.http.openapi import document
from handlers.http.schemas.base import Body
from infra.local.client import Reply
from tests.support.good_calls import OPERATIONS, Request, good_call, operation, send, with_id
from tests.support.world import World, path_with


def needed(model: type[Body]) -> set[str]:
    """The fields that must be there."""
    return {name for name, field in model.model_fields.items() if field.is_required()}


SIGNED_IN = [op for op in OPERATIONS if not op.is_open]
FOR_ROLES = [op for op in OPERATIONS if op.roles]
WITH_BODY = [op for op in OPERATIONS if op.body is not Nothing]
NEEDING_BODY = [op for op in WITH_BODY if needed(op.body)]
WITH_QUERY = [op for op in OPERATIONS if op.query is not Nothing]
NEEDING_QUERY = [op for op in WITH_QUERY if needed(op.query)]
WITH_PARAMS = [op for op in OPERATIONS if "{" in op.path]
SHARED_PLACES = {"reward_id", "station_id"}
"""What these name is there for everybody of the county."""


def by_name(op: Operation) -> str:
    return op.name


@pytest.fixture(scope="module")
def requests(world: World) -> Mapping[str, Request]:
    """A good call of each operation, never sent: every change of it must be refused."""

    class Prepared(dict[str, Request]):
        def __missing__(self, name: str) -> Request:
            self[name] = good_call(name, world)
            return self[name]

    return Prepared()


def assert_refused(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.body.get("code")) == (status, code), reply.body
    assert set(reply.body) - {"fields", "details"} == {"code", "message", "request_id"}
    assert reply.body["message"] not in ("", code)
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


# who --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", SIGNED_IN, ids=by_name)
@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nobody.has-this"},
        {"Authorization": "Basic cmlkZXI6cmlkZXI="},
    ],
    ids=["none", "empty", "unknown", "other-scheme"],
)
def test_without_a_session_nothing_is_done(
    op: Operation, headers: dict[str, str], world: World
) -> None:
    reply = send(world, op, Request(params=nowhere(op), body=body_or_none(op)), headers=headers)

    assert_refused(reply, 401, "session.missing")


@pytest.mark.parametrize("op", SIGNED_IN, ids=by_name)
def test_an_expired_session_is_no_session(op: Operation, world: World, expired: str) -> None:
    reply = send(world, op, Request(params=nowhere(op), body=body_or_none(op)), token=expired)

    assert_refused(reply, 401, "session.expired")


@pytest.mark.parametrize("op", SIGNED_IN, ids=by_name)
def test_a_revoked_session_is_no_session(op: Operation, world: World, revoked: str) -> None:
    reply = send(world, op, Request(params=nowhere(op), body=body_or_none(op)), token=revoked)

    assert_refused(reply, 401, "session.revoked")


@pytest.fixture(scope="module")
def expired(world: World) -> str:
    """The token of somebody who signed in thirty-one days ago and was not seen since."""
    now = world.clock.now()
    world.clock.set(now - timedelta(days=31))
    token = str(world.rider().app.token)
    world.clock.set(now)
    return token


@pytest.fixture(scope="module")
def revoked(world: World) -> str:
    """A token whose member has signed out."""
    rider = world.rider()
    rider.app.delete("/v1/sessions/current")
    return str(rider.app.token)


@pytest.mark.parametrize("op", FOR_ROLES, ids=by_name)
def test_a_rider_lacks_the_roles_that_an_operation_needs(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    reply = send(world, op, requests[op.name], token=world.bystander.app.token)

    assert_refused(reply, 403, "role.lacks_action")


@pytest.mark.parametrize("op", FOR_ROLES, ids=by_name)
def test_an_official_lacks_the_roles_of_others(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    other = world.merchant if "merchant" not in op.roles else world.officer

    reply = send(world, op, requests[op.name], token=other.app.token)

    assert_refused(reply, 403, "role.lacks_action")


# whose ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", WITH_PARAMS, ids=by_name)
def test_what_is_unknown_is_not_found(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    reply = send(world, op, requests[op.name], params=nowhere(op))

    assert reply.status == 404, reply.body
    assert_refused(reply, 404, reply.body["code"])


@pytest.mark.parametrize(
    "op",
    [op for op in OPERATIONS if "{" in op.path or op.name.startswith(("preview", "fulfil"))],
    ids=by_name,
)
def test_what_is_foreign_answers_as_what_is_unknown(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    request = requests[op.name]
    unknown_body = {**(request.body or {}), **({"code": "0000000000"} if not nowhere(op) else {})}

    for stranger in request.strangers:
        token = {} if op.is_open else {"token": stranger.app.token}
        foreign = send(world, op, request, **token)
        unknown = send(
            world,
            op,
            request,
            params=nowhere(op),
            **({"body": unknown_body} if request.body is not None else {}),
            **token,
        )
        if op.roles and foreign.status == 403:
            pytest.fail(f"{stranger.post} does not hold a role of {op.name}: no stranger to it")
        assert foreign.status == unknown.status == 404, (foreign.body, unknown.body)
        assert without_id(foreign) == without_id(unknown)


def test_everything_that_belongs_to_somebody_was_tried_by_a_stranger(
    requests: Mapping[str, Request],
) -> None:
    untried = {
        op.name
        for op in WITH_PARAMS
        if not requests[op.name].strangers and not set(requests[op.name].params) & SHARED_PLACES
    }

    # Whoever is shown a code may confirm it, whoever passes a fix may look at it again, and the
    # root of a day is everybody's.
    assert untried == {"confirm_verification", "answer_recheck", "get_root"}


def test_a_case_of_another_county_is_in_no_list_of_a_foreign_officer(world: World) -> None:
    filed = world.filed()

    own = world.officer.app.get("/v1/cases", limit=100).body["items"]
    foreign = world.foreign_officer.app.get("/v1/cases", limit=100).body["items"]

    assert filed.case_id in {case["id"] for case in own}
    assert filed.case_id not in {case["id"] for case in foreign}


def test_a_rider_of_one_county_sees_no_rewards_of_another_at_a_foreign_counter(
    world: World,
) -> None:
    shown = world.foreign_merchant.app.get("/v1/merchant/day").body

    assert all(line["place"] == world.foreign_merchant.post.scope for line in shown["lines"])


# what -------------------------------------------------------------------------------------------


def required_fields() -> Iterator[Any]:
    for op in WITH_BODY:
        for name in sorted(needed(op.body)):
            yield pytest.param(op, name, id=f"{op.name}-{name}")


@pytest.mark.parametrize(("op", "name"), list(required_fields()))
def test_a_missing_field_is_named(
    op: Operation, name: str, world: World, requests: Mapping[str, Request]
) -> None:
    request = requests[op.name]
    body = {key: value for key, value in with_id(request.body or {}).items() if key != name}

    reply = send(world, op, request, raw=json.dumps(body).encode())

    assert_refused(reply, 422, "request.invalid")
    assert (name, "field.missing") in codes(reply)


@pytest.mark.parametrize("op", NEEDING_BODY, ids=by_name)
def test_all_missing_fields_are_named_at_once(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    reply = send(world, op, requests[op.name], raw=b"{}")

    assert {name for name, code in codes(reply) if code == "field.missing"} == needed(op.body)


def wrong_values() -> Iterator[Any]:
    """Each field of each body with a value of another type, and one beyond each limit."""
    for op in WITH_BODY:
        for name, value in bad_values(properties(op.body.__name__)):
            yield pytest.param(op, name, value, id=f"{op.name}-{name}-{json.dumps(value)[:20]}")


def properties(model: str) -> dict[str, Any]:
    schema: dict[str, Any] = document()["components"]["schemas"][model]
    return dict(schema.get("properties", {}))


def bad_values(fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, schema in fields.items():
        kinds = [resolved(kind) for kind in schema.get("anyOf", [schema])]
        allowed = {kind.get("type", "null") for kind in kinds}
        for kind, value in (
            ("string", "x" * 3000),
            ("integer", 123456789012),
            ("number", -1e300),
            ("boolean", True),
            ("array", [[]]),
            ("object", {"a": [1]}),
        ):
            is_number = kind == "integer" and "number" in allowed
            if kind not in allowed and not is_number:
                yield name, value
        if "string" not in allowed:
            yield name, "1"
        if "null" not in allowed:
            yield name, None
        for kind in kinds:
            yield from ((name, value) for value in beyond(kind))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = document()["components"]["schemas"][schema["$ref"].split("/")[-1]]
        return found
    return schema


def beyond(kind: dict[str, Any]) -> Iterator[Any]:
    """Values just outside what a schema allows."""
    if "enum" in kind or "const" in kind:
        yield "no-such-thing"
    if "maximum" in kind:
        yield kind["maximum"] + 1
    if "minimum" in kind:
        yield kind["minimum"] - 1
    if "maxLength" in kind:
        yield "长" * (kind["maxLength"] + 1)
    if "minLength" in kind or "pattern" in kind:
        yield ""
    if "maxItems" in kind:
        yield ["x"] * (kind["maxItems"] + 1)
    if "minItems" in kind:
        yield []
    if "format" in kind:
        yield "not-a-" + kind["format"]


@pytest.mark.parametrize(("op", "name", "value"), list(wrong_values()))
def test_a_wrong_value_is_refused_and_its_field_named(
    op: Operation, name: str, value: Any, world: World, requests: Mapping[str, Request]
) -> None:
    request = requests[op.name]

    reply = send(world, op, request, body={**with_id(request.body or {}), name: value})

    assert_refused(reply, 422, "request.invalid")
    assert name in {field.split(".")[0] for field, _ in codes(reply)}
    assert all(field["message"] for field in reply.body["fields"])


def wrong_queries() -> Iterator[Any]:
    for op in WITH_QUERY:
        shown = document()["paths"][op.path][op.method.lower()]["parameters"]
        for parameter in shown:
            if parameter["in"] != "query":
                continue
            schema = resolved(parameter["schema"])
            values = list(beyond(schema))
            if schema.get("type") in ("integer", "number", "boolean"):
                values += ["many", ""]
            if parameter["name"] == "cursor":
                values += ["not-a-cursor", "AAAA"]
            for value in values:
                yield pytest.param(
                    op, parameter["name"], value, id=f"{op.name}-{parameter['name']}-{value!s:.20}"
                )


@pytest.mark.parametrize(("op", "name", "value"), list(wrong_queries()))
def test_a_wrong_query_value_is_refused_and_its_field_named(
    op: Operation, name: str, value: Any, world: World, requests: Mapping[str, Request]
) -> None:
    request = requests[op.name]

    reply = send(world, op, request, query={**request.query, name: value})

    assert_refused(reply, 422, "request.invalid")
    assert name in {field for field, _ in codes(reply)}


@pytest.mark.parametrize("op", NEEDING_QUERY, ids=by_name)
def test_missing_query_values_are_all_named(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    reply = send(world, op, requests[op.name], query={})

    assert_refused(reply, 422, "request.invalid")
    assert {name for name, code in codes(reply) if code == "field.missing"} == needed(op.query)


@pytest.mark.parametrize("op", NEEDING_BODY, ids=by_name)
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "request.invalid"),
        (b"not json", "request.not_json"),
        (b"[]", "request.not_json"),
        (b"null", "request.not_json"),
        (b'"text"', "request.not_json"),
        (b"\xff\xfe\x00", "request.not_json"),
        (b'{"lon": NaN}', "request.not_json"),
        (b"[" * 20_000, "request.not_json"),
        (b'{"client_request_id": "\\ud800"}', "request.invalid"),
        (b'{"\\ud800": 1}', "request.invalid"),
    ],
    ids=["empty", "text", "list", "null", "string", "bytes", "nan", "deep", "half", "half-name"],
)
def test_a_body_that_is_no_json_object_is_refused(
    op: Operation, raw: bytes, code: str, world: World, requests: Mapping[str, Request]
) -> None:
    assert_refused(send(world, op, requests[op.name], raw=raw), 422, code)


@pytest.mark.parametrize("op", WITH_BODY, ids=by_name)
def test_a_huge_body_is_too_large(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    raw = json.dumps(with_id({"text": "x" * MAX_BODY_BYTES})).encode()

    assert_refused(send(world, op, requests[op.name], raw=raw), 413, "request.too_large")


@pytest.mark.parametrize("op", WITH_BODY, ids=by_name)
@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_another_media_type_is_refused(
    op: Operation, media_type: str, world: World, requests: Mapping[str, Request]
) -> None:
    headers = {"Content-Type": media_type}

    reply = send(world, op, requests[op.name], headers=headers)

    assert_refused(reply, 415, "request.wrong_media_type")


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_an_unknown_field_is_refused_in_the_test_stage(
    op: Operation, world: World, requests: Mapping[str, Request]
) -> None:
    request = requests[op.name]
    in_body = op.body is not Nothing
    changes = (
        {"body": {**(request.body or {}), "colour": "red"}}
        if in_body
        else {"query": {**request.query, "colour": "red"}}
    )

    reply = send(world, op, request, **changes)

    assert_refused(reply, 422, "request.invalid")
    assert codes(reply) == {("colour", "field.unknown")}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_refusal_speaks_the_clients_language(language: str, world: World) -> None:
    reply = send(
        world, operation("get_me"), Request(), headers={"Accept-Language": language}, token=""
    )

    has_han = any("\u4e00" <= letter <= "\u9fff" for letter in reply.body["message"])
    assert has_han is (language == "zh-CN")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_an_unknown_path_is_no_route(method: str, world: World) -> None:
    assert_refused(world.bystander.app.send(method, "/v1/nowhere"), 404, "route.not_found")


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_other_methods_are_not_allowed(op: Operation, world: World) -> None:
    allowed = {other.method for other in OPERATIONS if other.path == op.path}
    path = op.path
    for name, value in nowhere(op).items():
        path = path.replace(f"{{{name}}}", value)

    for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - allowed:
        reply = world.bystander.app.send(method, path_with(path, {}))
        assert_refused(reply, 405, "request.method_not_allowed")


def nowhere(op: Operation) -> dict[str, str]:
    """Path parameters that name nothing."""
    names = [part[1:-1] for part in op.path.split("/") if part.startswith("{")]
    return {name: "claim" if name == "action" else unknown(name) for name in names}


def unknown(name: str) -> str:
    return str(uuid.UUID(int=0)) if name == "client_request_id" else "none_0000000000"


def body_or_none(op: Operation) -> dict[str, Any] | None:
    return None if op.body is Nothing else {}


def codes(reply: Reply) -> set[tuple[str, str]]:
    return {(field["field"], field["code"]) for field in reply.body.get("fields", [])}


def without_id(reply: Reply) -> dict[str, Any]:
    return {key: value for key, value in reply.body.items() if key != "request_id"}
