"""The cases that one case came from or went into: merged, or split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.base.store import get_many
from models.cases.tables import CaseRow


def related_to(case: CaseRow) -> Mapping[str, Any]:
    """What a case was merged into and split from, one or None; what was merged into it and its
    parts, in the order of their making. One batch read, none when it stands alone."""
    single = {"merged_into": case.merged_into, "split_from": case.parent_id}
    several = {"merged": case.merged or (), "parts": case.parts or ()}
    ids = [each for each in single.values() if each is not None]
    ids += [each for group in several.values() for each in group]
    rows = get_many([(CaseRow, (case_id,)) for case_id in ids]) if ids else []
    shown = {row.case_id: _shown(row) for row in rows if isinstance(row, CaseRow)}
    return {
        **{name: shown.get(case_id or "") for name, case_id in single.items()},
        **{name: [shown[each] for each in group] for name, group in several.items()},
    }


def _shown(case: CaseRow) -> Mapping[str, Any]:
    return {
        "id": case.case_id,
        "number": case.number,
        "category": case.category,
        "category_version": case.category_version,
        "status": case.status,
        "version": case.version,
    }
