"""Puts the text beside every code that a case shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.http.categories import name_of
from handlers.http.endpoint import Call
from handlers.http.texts.catalogue import text


def named(shown: Mapping[str, Any], call: Call[Any, Any]) -> dict[str, Any]:
    """Name category, status and reason where they stand; the rest stays as it is.

    A category has the name of the list that the case was filed under; which list that was is for
    us to know.
    """
    language, texts = call.language, dict[str, Any]()
    if "category" in shown:
        version = shown.get("category_version")
        category = call.services.categories.of(shown["category"], version)
        texts["category_name"] = name_of(category, language)
    if "status" in shown:
        texts["status_text"] = text(f"case.status.{shown['status']}", language)
    if "reason" in shown:
        texts["reason_text"] = reason_text(shown["reason"], language)
    if "closed_as" in shown:
        closed_as = shown["closed_as"]
        texts["closed_as_text"] = text(f"case.as.{closed_as}", language) if closed_as else None
    return {**{key: shown[key] for key in shown if key != "category_version"}, **texts}


def reason_text(code: str | None, language: str) -> str | None:
    """What a reason says; None when none was given."""
    return text(f"case.reason.{code}", language) if code else None


def event(shown: Mapping[str, Any], call: Call[Any, Any]) -> dict[str, Any]:
    """Name one event of a history."""
    return {**named(shown, call), "action_text": text(f"case.{shown['action']}", call.language)}


def offer(shown: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Name an action that is possible, and the reasons that may be given for it."""
    reasons = [{"code": code, "text": reason_text(code, language)} for code in shown["reasons"]]
    action_text = text(f"case.{shown['action']}", language)
    return {**shown, "action_text": action_text, "reasons": reasons}


def routing(shown: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """Tell why a report went to its grid, in one language."""
    if shown is None:
        return None
    reason = shown["reason_en"] if language == "en" else shown["reason"]
    return {
        "rule": shown["rule"],
        "boundary_m": shown["boundary_m"],
        "reason": reason,
        "officer": shown["officer"],
    }
