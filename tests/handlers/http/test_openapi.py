"""The contract is drawn from the code, valid, complete, and the one that is committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers.http.endpoint import Nothing, Operation
from handlers.http.openapi import document
from infra import contract
from tests.support.good_calls import OPERATIONS
from tests.support.world import World


def by_name(op: Operation) -> str:
    return op.name


def drawn(op: Operation) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][op.path][op.method.lower()]
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_contract_is_valid_openapi_3_1() -> None:
    problems = [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()]

    assert problems == []
    assert document()["openapi"].startswith("3.1")


def test_the_committed_contract_is_the_codes() -> None:
    committed = contract.CONTRACT.read_text(encoding="utf-8")

    is_the_same = committed == contract.text()

    assert is_the_same, "the contract has changed: run `python -m infra.contract` and commit it"


def test_the_served_contract_is_the_drawn_one(world: World) -> None:
    served = world.bystander.app.get("/v1/openapi.json")

    assert served.body == json.loads(json.dumps(document()))


def test_every_schema_is_used_and_every_reference_resolves() -> None:
    schemas = {f"#/components/schemas/{name}" for name in document()["components"]["schemas"]}

    assert set(references(document())) == schemas


def test_names_of_schemas_are_short_because_no_two_models_share_one() -> None:
    assert [name for name in document()["components"]["schemas"] if "__" in name] == []


@pytest.mark.parametrize("op", OPERATIONS, ids=by_name)
def test_an_operation_is_described_with_who_may_call_it_and_what_it_takes(op: Operation) -> None:
    shown = drawn(op)

    assert shown["operationId"] == op.name
    assert shown["summary"].endswith(".")
    assert ("security" in shown) is not op.is_open
    assert shown.get("x-roles", []) == sorted(op.roles)
    assert ("requestBody" in shown) is (op.body is not Nothing)
    assert str(op.status) in shown["responses"]


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op.method == "POST"], ids=by_name)
def test_every_post_takes_the_id_that_makes_it_safe_to_repeat(op: Operation) -> None:
    assert "client_request_id" in op.body.model_fields


def test_operations_have_names_of_their_own_and_paths_of_one_style() -> None:
    assert len({op.name for op in OPERATIONS}) == len(OPERATIONS)
    for op in OPERATIONS:
        assert op.path.startswith("/v1/")
        assert op.method in {"GET", "POST", "PUT", "DELETE"}
        fixed = [part for part in op.path.split("/") if not part.startswith("{")]
        assert all(part == part.lower() and "_" not in part for part in fixed)
