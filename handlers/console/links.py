"""Taking in who is close to whom: an admin's command, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.console import imports, refusals
from handlers.wiring import services
from models.people.importing import read_csv
from models.people.links import import_links


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``{"csv", "actor"}``; safe to repeat; one bad line and nothing is written.

    ``actor`` names the post that imports. The CSV holds keyed hashes of phones, never phones.
    Answers what every import answers, or what is wrong with the command: ``{"code", "fields"}``.
    """
    bad = refusals.bad_texts(event, "csv", "actor")
    if bad:
        return refusals.fields(bad)
    report = import_links(
        read_csv(event["csv"]), now=services().clock.now(), actor=refusals.post_of(event)
    )
    return imports.answer(report)
