"""Taking in what receivers say of handed-over cases: an admin's command, from the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from handlers.wiring import services
from models.base.errors import Invalid


def on_invoke(event: Mapping[str, Any]) -> dict[str, Any]:
    """Import ``{"csv", "county"}``: a result for each line; safe to repeat.

    The columns: receiver (12345, city_management, police, platform), external_ref, number, status
    (accepted, resolved, returned), at (RFC 3339 with offset), note. A bad line harms no other.
    """
    try:
        results = services().transfer_files.take_in(event["csv"], event["county"])
    except Invalid as error:
        refused = [{"column": bad.field, "code": bad.code} for bad in error.fields]
        return {"lines": [], "refused": refused}
    return {"lines": [asdict(result) for result in results], "refused": []}
