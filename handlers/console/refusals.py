"""How a console function says what is wrong with what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.errors import DomainError, FieldError, Invalid
from models.points.proposal_rules import read_person


def told(error: DomainError) -> dict[str, Any]:
    """A use case's refusal: its code, its details, and every bad field."""
    fields = error.fields if isinstance(error, Invalid) else ()
    return {
        "code": error.code,
        "details": dict(error.details),
        "fields": [{"field": bad.field, "code": bad.code} for bad in fields],
    }


def fields(code_by_field: Mapping[str, str]) -> dict[str, Any]:
    """What is wrong with the command itself, all at once."""
    return told(
        Invalid(fields=[FieldError(field=name, code=code) for name, code in code_by_field.items()])
    )


def bad_texts(event: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Which of the texts that a command needs are not there, or are none. ``actor`` names a post
    and is kept: a phone or identity number is refused."""
    bad = {}
    for name in names:
        if not event.get(name):
            bad[name] = "field.missing"
        elif not isinstance(event[name], str):
            bad[name] = "field.wrong_type"
        elif name == "actor" and _post(event[name]) is None:
            bad[name] = "field.invalid"
    return bad


def post_of(event: Mapping[str, Any]) -> str:
    """The name of the post that a command bears, once ``bad_texts`` has nothing against it."""
    return _post(event["actor"]) or ""


def _post(actor: str) -> str | None:
    try:
        return read_person(actor).given
    except Invalid:
        return None
