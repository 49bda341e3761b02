"""What stands around every view, once: session → actor, body → command, error → status and body.

    @endpoint(blueprint, "POST", "/v1/reports", body=SubmitReport, answer=Receipt, status=201)
    def submit_report(call: Call[SubmitReport, Nothing]) -> Reply: ...

The decorator also records the operation, from which ``openapi.py`` draws the contract.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from chalice.app import Blueprint, Request, Response
from pydantic import BaseModel, ValidationError

from handlers import telemetry
from handlers.http.errors import render, unexpected
from handlers.http.schemas.base import Body, Command
from handlers.http.texts.catalogue import language_of
from handlers.wiring import Services, services
from models.base.clock import utc_text
from models.base.errors import DomainError, FieldError, Forbidden, Invalid, Unauthorised
from models.people.entities import Actor, RoleName

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
Reply = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Html:
    """A page for people, from an operation that was asked for one; it loads nothing but pictures
    and runs nothing."""

    text: str


HTML_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; img-src *; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


class Nothing(Body):
    """Stands for a body or a query that an operation does not take."""


_Body = TypeVar("_Body", bound=Body)
_Query = TypeVar("_Query", bound=Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[_Body, _Query]):
    """All that a view needs. ``actor`` of an open operation raises when it is asked for."""

    services: Services
    body: _Body
    query: _Query
    params: Mapping[str, str]
    language: str
    request_id: str
    caller: Actor | None = None

    @property
    def actor(self) -> Actor:
        if self.caller is None:
            raise Unauthorised("session.missing")
        return self.caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path, as the contract shows it."""

    name: str
    method: str
    path: str
    summary: str
    view: Callable[[Call[Any, Any]], Reply | Html]
    body: type[Body]
    query: type[Body]
    answer: type[BaseModel]
    status: int
    is_open: bool
    roles: tuple[RoleName, ...]
    errors: tuple[int, ...] = field(default=())
    is_page: bool = False


OPERATIONS: list[Operation] = []
View = Callable[[Call[Any, Any]], "Reply | Html"]


def endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    answer: type[BaseModel],
    body: type[Body] = Nothing,
    query: type[Body] = Nothing,
    status: int = 200,
    is_open: bool = False,
    roles: tuple[RoleName, ...] = (),
    errors: tuple[int, ...] = (),
    is_page: bool = False,
) -> Callable[[View], View]:
    """Register a view. ``roles`` empty means any member; ``errors`` adds statuses to the usual;
    ``is_page`` says that it may also answer with a page."""

    def register(view: View) -> View:
        operation = Operation(
            name=view.__name__,
            method=method,
            path=path,
            summary=(view.__doc__ or view.__name__).strip().splitlines()[0],
            view=view,
            body=body,
            query=query,
            answer=answer,
            status=status,
            is_open=is_open,
            roles=roles,
            errors=errors,
            is_page=is_page,
        )
        OPERATIONS.append(operation)

        def handle(**params: str) -> Response:
            return serve(operation, blueprint.current_request, params)

        # Chalice would answer a wrong media type in a shape of its own; ``_read_body`` looks.
        blueprint.route(path, methods=[method], name=view.__name__, content_types=["*/*"])(handle)
        return view

    return register


def serve(operation: Operation, request: Request, params: Mapping[str, str]) -> Response:
    """Answer one request; whatever happens, the answer has the contract's shape."""
    language = language_of(request.headers.get("accept-language"))
    request_id = str(request.context.get("requestId") or "")
    try:
        result = _answer(operation, request, params, language=language, request_id=request_id)
    except DomainError as error:
        telemetry.count(operation.name, error.code)
        return render(error, language=language, request_id=request_id)
    except Exception:
        log.exception("request.failed", extra={"operation": operation.name})
        telemetry.count(operation.name, "internal")
        return unexpected(language=language, request_id=request_id)
    telemetry.count(operation.name, "accepted")
    if isinstance(result, Html):
        headers: dict[str, str | list[str]] = {**HTML_HEADERS}
        return Response(body=result.text, status_code=operation.status, headers=headers)
    return Response(
        body=json.dumps(result, ensure_ascii=False, separators=(",", ":"), default=utc_text),
        status_code=operation.status,
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def _answer(
    operation: Operation,
    request: Request,
    params: Mapping[str, str],
    *,
    language: str,
    request_id: str,
) -> Reply | Html:
    wired = services()
    caller = None if operation.is_open else _caller(operation, request, wired)
    call: Call[Any, Any] = Call(
        services=wired,
        body=_read_body(operation, request, wired),
        query=_read_query(operation, request, wired),
        params={name: unquote(value) for name, value in params.items()},
        language=language,
        request_id=request_id,
        caller=caller,
    )
    result = operation.view(call)
    if wired.settings.checks_answers and not isinstance(result, Html):
        operation.answer.model_validate_json(json.dumps(result, default=utc_text))
    return result


def _caller(operation: Operation, request: Request, wired: Services) -> Actor:
    kind, _, token = (request.headers.get("authorization") or "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthorised("session.missing")
    caller = wired.sessions.authenticate(token.strip())
    if operation.roles and not any(role.role in operation.roles for role in caller.roles):
        raise Forbidden("role.lacks_action")
    return caller


def _read_body(operation: Operation, request: Request, wired: Services) -> Body:
    if operation.body is Nothing:
        return Nothing()
    media_type = request.headers.get("content-type", "application/json").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise Invalid("request.wrong_media_type")
    raw = request.raw_body
    if len(raw) > MAX_BODY_BYTES:
        raise Invalid("request.too_large")
    try:
        content = json.loads(raw or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid("request.not_json") from error
    if not isinstance(content, dict):
        raise Invalid("request.not_json")
    # Strict, as JSON: a number in quotes or a 1 for true is a client's mistake, not a value.
    text, model = _written(content), operation.body
    return _read(model, content, wired, lambda: model.model_validate_json(text, strict=True))


def _written(content: Mapping[str, Any]) -> bytes:
    """Write a body as UTF-8. JSON's escapes can carry half a character, which no text may hold."""
    try:
        return json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        halves = [name for name, value in content.items() if not _is_whole(name, value)]
        names = [name.encode(errors="replace").decode() for name in halves]
        bad = [FieldError(field=name, code="field.invalid") for name in names]
        raise Invalid(fields=bad) from error


def _is_whole(name: str, value: object) -> bool:
    try:
        json.dumps([name, value], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_query(operation: Operation, request: Request, wired: Services) -> Body:
    content = dict(request.query_params or {})
    return _read(operation.query, content, wired, lambda: operation.query.model_validate(content))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read(
    model: type[Body], content: Mapping[str, Any], wired: Services, parse: Callable[[], Body]
) -> Body:
    unknown = sorted(set(content) - set(model.model_fields))
    try:
        parsed = parse()
    except ValidationError as error:
        bad = [_field_error(issue) for issue in error.errors(include_url=False)]
        raise Invalid(fields=bad) from error
    if unknown:
        telemetry.count("unknown_fields", model.__name__)
        if wired.settings.refuses_unknown_fields:
            raise Invalid(fields=[FieldError(field=name, code="field.unknown") for name in unknown])
    return parsed


_CODES = {
    "missing": "field.missing",
    "string_too_long": "field.too_long",
    "too_long": "field.too_long",
    "string_too_short": "field.too_short",
    "too_short": "field.too_short",
    "less_than_equal": "field.too_large",
    "less_than": "field.too_large",
    "greater_than_equal": "field.too_small",
    "greater_than": "field.too_small",
    "literal_error": "field.not_allowed",
    "enum": "field.not_allowed",
}
_LIMITS = ("max_length", "min_length", "le", "lt", "ge", "gt")


def _field_error(issue: Any) -> FieldError:
    kind: str = issue["type"]
    wrong_type = kind.endswith(("_type", "_parsing"))
    code = _CODES.get(kind, "field.wrong_type" if wrong_type else "field.invalid")
    context = issue.get("ctx") or {}
    limit = next((context[name] for name in _LIMITS if name in context), None)
    return FieldError(field=".".join(map(str, issue["loc"])), code=code, limit=limit)


__all__ = [
    "OPERATIONS",
    "Call",
    "Command",
    "Html",
    "Nothing",
    "Operation",
    "Reply",
    "endpoint",
    "serve",
]
