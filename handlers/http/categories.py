"""What can be reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.categories import Categories, Wanted
from handlers.http.texts.catalogue import text
from models.base.errors import FieldError, Invalid
from models.base.geometry import Position
from models.cases.entities import Category, Criterion
from models.cases.sheets import GROUPS

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/categories", query=Wanted, answer=Categories, is_open=True)
def list_categories(call: Call[Nothing, Wanted]) -> Reply:
    """List what can be reported with its limits, or what a few letters of it may mean."""
    words = call.query.q
    catalogue = call.services.categories.current(_county(call))
    is_known = words is None and call.query.version == catalogue.version
    found = catalogue.offered() if words is None else catalogue.search(words)
    shown = [] if is_known else found
    return {
        "version": catalogue.version,
        "changed": not is_known,
        "groups": _groups(shown, call.language),
        "items": [_category(category, call.language) for category in shown],
    }


def name_of(category: Category, language: str) -> str:
    """What a category is called."""
    return category.en if language == "en" else category.zh


def criteria_of(case: Reply, call: Call[Any, Any]) -> Reply:
    """When a case's category was one, and when it is dealt with, in the list it was filed under."""
    category = call.services.categories.of(case["category"], case["category_version"])
    return {
        "conditions": _criteria(category.conditions, call.language),
        "closing_conditions": _criteria(category.closings, call.language),
    }


def _county(call: Call[Nothing, Wanted]) -> str | None:
    query, places = call.query, call.services.places
    if (query.lon is None) != (query.lat is None):
        missing = "lon" if query.lon is None else "lat"
        raise Invalid(fields=[FieldError(field=missing, code="field.missing")])
    if query.county is not None or query.lon is None or query.lat is None:
        return query.county
    routing = places.route(Position(lon=query.lon, lat=query.lat))
    grid = places.grid(routing.grid_id) if routing else None
    return grid.county if grid else None


def _groups(shown: Sequence[Category], language: str) -> list[Reply]:
    codes = {group: [one.code for one in shown if one.group == group] for group in GROUPS}
    return [
        {"code": group, "name": text(f"category.group.{group}", language), "categories": held}
        for group, held in codes.items()
        if held
    ]


def _criteria(criteria: Iterable[Criterion], language: str) -> list[Reply]:
    return [{"code": one.code, "text": one.en if language == "en" else one.zh} for one in criteria]


def _category(category: Category, language: str) -> Reply:
    conditions = _criteria(category.conditions, language)
    closings = _criteria(category.closings, language)
    either = "; or " if language == "en" else "；或"
    return {
        "code": category.code,
        "name": name_of(category, language),
        "level": category.severity.value,
        "group": category.group,
        "family": category.family,
        "clock": category.kind,
        "claim_within": int(category.claim_within.total_seconds()),
        "resolve_within": int(category.resolve_within.total_seconds()),
        "condition": either.join(one["text"] for one in conditions),
        "conditions": conditions,
        "closing_condition": either.join(one["text"] for one in closings),
        "closing_conditions": closings,
        "evidence": "after_photo" if category.after_photo else "none",
        "near_and_far": category.near_far,
        "object_id": category.object_id.value if category.object_id else None,
        "call_first": list(category.call_first),
        "featured": category.featured is not None,
        "keywords": list(category.keywords),
    }
