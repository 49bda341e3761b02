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
from models.cases import changes, closing, rules
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
    for index, upload in enumerate(uploads):
        _check_usable(f"photos.{index}", upload, report)
        tx.update(
            f"photo.{index}",
            upload,
            [
                UploadRow.case_id.set(case.case_id),
                UploadRow.report_id.set(report.report_id),
                UploadRow.county.set(case.county),
            ],
            # A photo that becomes ready meanwhile would be counted by nobody.
            (UploadRow.state == upload.state) & UploadRow.report_id.does_not_exist(),
        )
    return sum(upload.state == UploadState.READY for upload in uploads)


def _check_usable(field: str, upload: UploadRow, report: ReportRow) -> None:
    code = None
    if upload.member_id != report.member_id:
        code = "photo.unknown"
    elif upload.purpose != Purpose.REPORT:
        code = "photo.wrong_purpose"
    elif upload.report_id is not None:
        code = "photo.in_use"
    elif upload.state == UploadState.REFUSED:
        code = "photo.refused"
    if code is not None:
        raise Invalid(fields=[FieldError(field=field, code=code, limit=upload.reason)])
