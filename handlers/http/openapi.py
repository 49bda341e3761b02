"""Draws OpenAPI 3.1 from the operations that ``endpoint`` recorded."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from handlers import VERSION
from handlers.http.endpoint import OPERATIONS, Nothing, Operation

_References = dict[type[BaseModel], dict[str, Any]]
_REF = "#/components/schemas/{model}"
_DESCRIPTIONS = {
    401: "No valid session",
    403: "The role lacks the action",
    404: "Unknown, and foreign just the same",
    409: "The state refuses; details say what it is now",
    413: "Too large",
    415: "Not application/json",
    422: "Invalid; every bad field at once",
    429: "A limit is reached; see Retry-After",
    503: "Outcome unknown; repeat with the same id",
}


class BadField(BaseModel):
    """One bad field."""

    model_config = ConfigDict(extra="forbid")

    field: str
    code: str
    message: str


class Error(BaseModel):
    """Every error's body."""

    model_config = ConfigDict(extra="forbid")

    code: str
    message: str
    request_id: str
    fields: list[BadField] = []
    details: dict[str, Any] = {}


@cache
def document() -> dict[str, Any]:
    """The whole contract as a JSON-ready object."""
    references, schemas = _schemas()
    paths: dict[str, Any] = {}
    for operation in sorted(OPERATIONS, key=lambda op: (op.path, op.method)):
        drawn = _operation(operation, references)
        paths.setdefault(operation.path, {})[operation.method.lower()] = drawn
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Neighbourhood partners",
            "version": VERSION,
            "description": "Riders report, officers fix, points buy entitlements.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas() -> tuple[_References, dict[str, Any]]:
    """Every model's schema by its name, and how a model is referred to.

    pydantic names the models: two of one name in two modules get longer names.
    """
    bodies = {op.body for op in OPERATIONS} - {Nothing}
    queries = {op.query for op in OPERATIONS} - {Nothing}  # for the enums that they refer to
    answers = {op.answer for op in OPERATIONS} | {Error}
    wanted: list[Any] = [(model, "validation") for model in sorted(bodies | queries, key=_name)]
    wanted += [(model, "serialization") for model in sorted(answers, key=_name)]
    drawn, schemas = models_json_schema(wanted, ref_template=_REF)
    references: _References = {model: reference for (model, _), reference in drawn.items()}  # type: ignore[misc]
    shown: dict[str, Any] = schemas["$defs"]
    for model in queries - bodies:
        del shown[references[model]["$ref"].rpartition("/")[2]]
    return references, shown


def _name(model: type[BaseModel]) -> tuple[str, str]:
    return model.__name__, model.__module__


def _operation(operation: Operation, references: _References) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[2]],
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation)],
        "responses": _responses(operation, references),
    }
    if not operation.is_open:
        drawn["security"] = [{"session": []}]
    if operation.roles:
        drawn["x-roles"] = sorted(operation.roles)
    if operation.body is not Nothing:
        drawn["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": references[operation.body]}},
        }
    return drawn


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is Nothing:
        return []
    schema = operation.query.model_json_schema(ref_template=_REF)
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _without_null(value),
        }
        for name, value in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A value after the question mark is there or not; it is never null."""
    kinds: list[dict[str, Any]] = schema.get("anyOf", [schema])
    given = [kind for kind in kinds if kind.get("type") != "null"]
    return given[0] if len(given) == 1 else {"anyOf": given}


def _responses(operation: Operation, references: _References) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": references[operation.answer]}}
    if operation.is_page:
        content["text/html"] = {"schema": {"type": "string"}}
    responses: dict[str, Any] = {str(operation.status): {"description": "Done", "content": content}}
    for status in sorted(_possible(operation)):
        responses[str(status)] = {
            "description": _DESCRIPTIONS[status],
            "content": {"application/json": {"schema": references[Error]}},
        }
    return responses


def _possible(operation: Operation) -> set[int]:
    """The statuses an operation may refuse with, beside those it names itself."""
    possible = {422, 503, *operation.errors}
    if not operation.is_open:
        possible.add(401)
    if operation.roles:
        possible.add(403)
    if "{" in operation.path:
        possible.add(404)
    if operation.body is not Nothing:
        possible |= {409, 413, 415}
    return possible
