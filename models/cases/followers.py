"""Whom a case concerns among the riders: who reported it, and who reported what was merged into it.

The index of joiners lags behind. Where nobody may be left out, ``Unavailable`` is raised while it
shows fewer than the case counts, so that the event stays in the outbox.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from models.base.errors import Unavailable
from models.base.store import get, get_many, query
from models.base.tables import Table
from models.cases.parallel import together
from models.cases.tables import CaseRow, ReportRow
from models.people import links


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One case's share in a whole: its reports, first to last."""

    case: CaseRow
    reports: Sequence[ReportRow]


def reports_of(case: CaseRow) -> list[ReportRow]:
    """Every report of a case itself, first to last. Raises ``Unavailable``."""
    keys = _keys_of_reports(case)
    if len(keys) < case.reporter_count:
        raise Unavailable("case.index_behind")
    return _first_to_last(keys)


def known_reports_of(case: CaseRow) -> list[ReportRow]:
    """The same; one who has just joined may be missing for a moment."""
    return _first_to_last(_keys_of_reports(case))


def parent_of(case: CaseRow) -> CaseRow | None:
    """The case that goes on for this one; None when it was not merged."""
    return get(CaseRow, case.merged_into) if case.merged_into is not None else None


def followed(case: CaseRow) -> CaseRow:
    """The case that tells how far a report is: its own, or the one that goes on for it."""
    return parent_of(case) or case


def followed_all(cases: Sequence[Table | None]) -> list[CaseRow | None]:
    """The same for many, in their order; one batch read if any of them was merged."""
    known = [case if isinstance(case, CaseRow) else None for case in cases]
    merged = {case.merged_into for case in known if case is not None and case.merged_into}
    rows = get_many([(CaseRow, (case_id,)) for case_id in sorted(merged)]) if merged else []
    parents = {row.case_id: row for row in rows if isinstance(row, CaseRow)}
    return [case and parents.get(case.merged_into or "", case) for case in known]


def merged_cases(parent: CaseRow) -> list[CaseRow]:
    """The cases that were merged into one, in the order of merging; one batch read if any."""
    merged = parent.merged or ()
    rows = get_many([(CaseRow, (case_id,)) for case_id in merged]) if merged else []
    return [row for row in rows if isinstance(row, CaseRow)]


def whole_of(parent: CaseRow) -> list[Share]:
    """A case and all that was merged into it, itself first. Raises ``Unavailable``."""
    cases = [parent, *merged_cases(parent)]
    reports = together([partial(reports_of, case) for case in cases])
    return [Share(case=case, reports=found) for case, found in zip(cases, reports, strict=True)]


def followers_of(parent: CaseRow) -> list[ReportRow]:
    """Every report whose sender follows a case, its own first. Raises ``Unavailable``."""
    return [report for share in whole_of(parent) for report in share.reports]


def has_reported(member_id: str, case: CaseRow) -> bool:
    """Whether somebody reported a case or one merged into it, first or joining."""
    return any_reported({member_id}, case)


def is_close_to_reporter(member_id: str, case: CaseRow) -> bool:
    """Whether somebody is linked to one who reported a case; one read, unless he has links."""
    return any_reported(links.linked_to(member_id), case)


def any_reported(member_ids: Collection[str], case: CaseRow) -> bool:
    """Whether one of some members reported a case or one merged into it.

    One query for each case of the whole that several reported, however many are asked about.
    """
    if not member_ids:
        return False
    return _reported(member_ids, case) or any(
        _reported(member_ids, merged) for merged in merged_cases(case)
    )


def _reported(member_ids: Collection[str], case: CaseRow) -> bool:
    if case.member_id in member_ids:
        return True
    if case.reporter_count == 1:
        return False
    joined: list[ReportRow] = query(ReportRow.by_case, case.case_id)
    return any(row.member_id in member_ids for row in joined)


def _keys_of_reports(case: CaseRow) -> list[tuple[str, str]]:
    keys = [(case.member_id, case.report_id)]
    if case.reporter_count > 1:
        joined: list[ReportRow] = query(ReportRow.by_case, case.case_id)
        keys += [(row.member_id, row.report_id) for row in joined]
    return keys


def _first_to_last(keys: Sequence[tuple[str, str]]) -> list[ReportRow]:
    rows = get_many([(ReportRow, key) for key in keys])
    reports = [row for row in rows if isinstance(row, ReportRow)]
    return sorted(reports, key=lambda report: report.ordinal)
