"""What every import of a file answers."""

from __future__ import annotations

from typing import Any

from models.people.importing import ImportReport


def answer(report: ImportReport) -> dict[str, Any]:
    """How many lines did what, and which were refused why; one refusal and nothing was written."""
    return {
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "refused": [{"line": line, "code": code} for line, code in report.refused],
    }
