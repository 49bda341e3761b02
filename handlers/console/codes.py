"""Taking in codes that somebody else made: an admin's command, run from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.console import imports, refusals
from handlers.wiring import services
from models.base.errors import DomainError
from models.rewards.pool_imports import CodeFile


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``{"reward_id", "batch", "csv", "actor"}``; safe to repeat under the same ``batch``.

    The CSV has a column ``code``. One bad line and nothing is written; all are listed. No answer
    and no log holds a code.
    """
    names = ("reward_id", "batch", "csv", "actor")
    bad = refusals.bad_texts(event, *names)
    if bad:
        return refusals.fields(bad)
    file = CodeFile(**{**{name: event[name] for name in names}, "actor": refusals.post_of(event)})
    try:
        report = services().pool_imports.take_in(file)
    except DomainError as error:
        return refusals.told(error)
    return imports.answer(report)
