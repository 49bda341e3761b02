"""What can be reported."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.cases import Categories
from models.cases.entities import Category

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/categories", answer=Categories, is_open=True)
def list_categories(call: Call[Nothing, Nothing]) -> Reply:
    """List the categories with their limits, danger first."""
    catalogue = call.services.categories.current(None)
    shown = sorted(catalogue.categories, key=lambda category: category.severity)
    return {
        "version": catalogue.version,
        "items": [_category(category, call.language) for category in shown],
    }


def name_of(category: Category, language: str) -> str:
    """What a category is called."""
    return category.en if language == "en" else category.zh


def _category(category: Category, language: str) -> Reply:
    is_english = language == "en"
    return {
        "code": category.code,
        "name": name_of(category, language),
        "level": category.severity.value,
        "family": category.family,
        "clock": category.kind,
        "claim_within": int(category.claim_within.total_seconds()),
        "resolve_within": int(category.resolve_within.total_seconds()),
        "condition": category.condition_en if is_english else category.condition_zh,
        "closing_condition": category.closing_en if is_english else category.closing_zh,
        "evidence": "after_photo",
        "call_first": list(category.call_first),
    }
