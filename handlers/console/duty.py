"""Taking in a county's leaves: an admin's command, run as a function from the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.console import imports, refusals
from handlers.wiring import services
from models.alerts import leavers
from models.people.importing import read_csv
from models.people.leaves import import_leaves


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``{"csv", "county", "actor"}``; safe to repeat; one bad line and nothing is written.

    The file is all of the county's leaves: one that is not in it ends at once. ``actor`` names the
    post that imports. The CSV holds keyed hashes of phones, never phones.
    Answers what every import answers, or what is wrong with the command: ``{"code", "fields"}``.
    """
    bad = refusals.bad_texts(event, "csv", "county", "actor")
    if bad:
        return refusals.fields(bad)
    wired = services()
    report = import_leaves(
        read_csv(event["csv"]),
        county=event["county"],
        now=wired.clock.now(),
        actor=refusals.post_of(event),
        tell=leavers.row,
    )
    wired.roster.forget()
    return imports.answer(report)
