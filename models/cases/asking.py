"""Ask the reporter, and take in his answer; both clocks stand still for him, for 48 hours in all.

What officials write to riders, and riders to officials, is shown after WeChat has let it pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.base.errors import FieldError, Invalid
from models.base.store import Transaction, get_many
from models.calendar.rules import WorkingTime
from models.cases import binding, changes, closing, rules
from models.cases.changes import Doing
from models.cases.entities import Purpose, Status, UploadState
from models.cases.tables import CaseRow, ReportRow, UploadRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a reporter answers: a text, photos (upload ids), or both."""

    text: str | None = None
    photos: tuple[str, ...] = ()

    def content(self, report_id: str) -> Mapping[str, Any]:
        return {"reply": report_id, "text": self.text, "photos": list(self.photos)}


def ask(tx: Transaction, case: CaseRow, doing: Doing, *, working: WorkingTime) -> Mapping[str, Any]:
    """Lay a question to the first reporter into a transaction.

    Raises ``Invalid`` without a text, or with one longer than a reporter's.
    """
    check_text(doing.text)
    left = rules.WAIT_WITHIN - timedelta(seconds=case.waited_s or 0)
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        status=Status.WAITING.value,
        resume_at=doing.now + left,
    )
    closing.tell(tx, "case.asked", case, doing.now, member_id=doing.member_id)
    return answer


def reply(
    tx: Transaction,
    case: CaseRow,
    report: ReportRow,
    doing: Doing,
    photos: Sequence[str],
    *,
    working: WorkingTime,
) -> Mapping[str, Any]:
    """Lay the reporter's answer into a transaction; his photos join the case's.

    Raises ``Invalid`` when it holds neither text nor photo, and for a photo that cannot be used.
    """
    if not photos:
        check_text(doing.text)
    room = rules.CASE_PHOTOS_MAX - len(case.photos)
    ready = _bind(tx, case, report, photos)
    answer = changes.advance(
        tx,
        case,
        doing,
        working=working,
        # Who joins meanwhile makes no new version, but brings photos of his own.
        condition=CaseRow.photo_count == case.photo_count,
        status=Status.CLAIMED.value,
        photos=[*case.photos, *photos[:room]],
        photo_count=case.photo_count + ready,
    )
    closing.tell(tx, "case.replied", case, doing.now, member_id=doing.member_id)
    return answer


def check_text(text: str | None) -> None:
    """Raise ``Invalid`` where there is no text, or too much of it."""
    if not text:
        raise Invalid(fields=[FieldError(field="text", code="field.missing")])
    if len(text) > rules.TEXT_MAX_CHARACTERS:
        limit = rules.TEXT_MAX_CHARACTERS
        raise Invalid(fields=[FieldError(field="text", code="field.too_long", limit=limit)])


def _bind(tx: Transaction, case: CaseRow, report: ReportRow, photos: Sequence[str]) -> int:
    """Bind photos to the report; answers how many of them are ready. One batch read, if any."""
    if not photos:
        return 0
    rows = get_many([(UploadRow, (upload_id,)) for upload_id in dict.fromkeys(photos)])
    uploads = [row for row in rows if isinstance(row, UploadRow)]
    if len(photos) > rules.PHOTOS_MAX or len(uploads) < len(photos):
        raise Invalid(fields=[FieldError(field="photos", code="photo.unknown")])
    errors = binding.refusals(uploads, member_id=report.member_id, purpose=Purpose.REPORT)
    if errors:
        raise Invalid(fields=errors)
    binding.bind(tx, uploads, case, report.report_id)
    return sum(upload.state == UploadState.READY for upload in uploads)
