"""Puts the text beside every code that a case shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.http.categories import name_of
from handlers.http.endpoint import Call
from handlers.http.texts.catalogue import text
from models.cases import routed


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


def related(shown: Mapping[str, Any], call: Call[Any, Any]) -> dict[str, Any]:
    """Name the cases around one: each key holds one, several or None."""

    def name(cases: Any) -> Any:
        if isinstance(cases, list):
            return [named(case, call) for case in cases]
        return None if cases is None else named(cases, call)

    return {key: name(cases) for key, cases in shown.items()}


def similar(shown: Mapping[str, Any], call: Call[Any, Any]) -> dict[str, Any]:
    """Name a case that may be the same, and every part of why."""
    parts = [
        {**part, "text": text(f"likeness.{part['part']}.{_side(part['weight'])}", call.language)}
        for part in shown["parts"]
    ]
    return {**named(shown, call), "parts": parts}


def _side(weight: float) -> str:
    return "for" if weight > 0 else "against"


def report(shown: Mapping[str, Any], call: Call[Any, Any]) -> dict[str, Any]:
    """Name a report in a list, and its case."""
    return {**named(shown, call), "case": named(shown["case"], call)}


def reason_text(code: str | None, language: str) -> str | None:
    """What a reason says; None when none was given."""
    return text(f"case.reason.{code}", language) if code else None


def said(code: str | None, language: str) -> str | None:
    """What a code says; None when there is none."""
    return text(code, language) if code else None


def points(shown: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """Say why a report brought nothing, if there is a reason."""
    return {**shown, "unpaid": said(shown["unpaid"], language)} if shown is not None else None


def event(shown: Mapping[str, Any], call: Call[Any, Any]) -> dict[str, Any]:
    """Name one event of a history."""
    return {**named(shown, call), "action_text": text(f"case.{shown['action']}", call.language)}


def proposal(shown: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """Name the reason of a proposal; None when nothing waits for a decision."""
    if shown is None:
        return None
    return {**shown, "reason_text": reason_text(shown["reason"], language)}


def offer(shown: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Name an action that is possible, and the reasons that may be given for it."""
    reasons = [{"code": code, "text": reason_text(code, language)} for code in shown["reasons"]]
    action_text = text(f"case.{shown['action']}", language)
    return {**shown, "action_text": action_text, "reasons": reasons}


def routing(shown: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """Tell why a report went to its grid, in one language."""
    return explained(routed.told(shown), language) if shown is not None else None


def explained(told: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Say a routing's reason in one language."""
    reason = told["reason_en" if language == "en" else "reason"]
    rest = {name: value for name, value in told.items() if name != "reason_en"}
    return {**rest, "reason": reason}
