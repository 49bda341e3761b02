"""The moment from which an official knows of a case."""

from __future__ import annotations

from datetime import datetime

from models.base.store import update_if
from models.calendar.rules import WorkingTime
from models.cases.tables import CaseRow


def first_told(case_id: str, member_id: str, at: datetime, working: WorkingTime) -> None:
    """Note when an official was first told of a case; a later word changes nothing."""
    is_untold = CaseRow.case_id.exists() & CaseRow.told_at.does_not_exist()
    update_if(CaseRow(case_id), [CaseRow.told_at.set(at)], is_untold)
