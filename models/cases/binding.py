"""A photo and the case it belongs to: who may bind it to one, and who knows when it changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from models.alerts import outbox
from models.alerts.tables import OutboxRow
from models.base.errors import FieldError
from models.base.store import Refused, Stale, Transaction, get, retrying
from models.cases.entities import Purpose, UploadState
from models.cases.tables import CaseRow, UploadRow

TOPIC = "case.photo"


def refusals(
    uploads: Iterable[UploadRow | None], *, member_id: str, purpose: Purpose, case_id: str = ""
) -> list[FieldError]:
    """Why a member cannot use photos, in their order; nothing where he can.

    ``case_id`` is the case that may have them already. Another's photo is as unknown as one that is
    not there.
    """
    found = (
        _refusal(f"photos.{index}", upload, member_id=member_id, purpose=purpose, case_id=case_id)
        for index, upload in enumerate(uploads)
    )
    return [error for error in found if error is not None]


def bind(tx: Transaction, uploads: Iterable[UploadRow], case: CaseRow, report_id: str) -> None:
    """Bind photos in a transaction to what was said with them: a report or an answer."""
    for index, upload in enumerate(uploads):
        actions = [
            UploadRow.case_id.set(case.case_id),
            UploadRow.report_id.set(report_id),
            UploadRow.county.set(case.county),
        ]
        # A photo that becomes ready meanwhile would be counted by nobody.
        is_as_read = (UploadRow.state == upload.state) & UploadRow.report_id.does_not_exist()
        tx.update(f"photo.{index}", upload, actions, is_as_read)


def change(
    upload: UploadRow, to: StrEnum, actions: Sequence[Action], condition: Condition, now: datetime
) -> None:
    """Change a photo, with word of it to who follows its case; nothing if the condition fails."""
    retrying(lambda: _change(upload.upload_id, to, actions, condition, now))


def is_still_so(upload: UploadRow) -> Condition:
    """That a photo belongs to the case it was read with, or still to none."""
    if upload.case_id is None:
        unbound: Condition = UploadRow.case_id.does_not_exist()
        return unbound
    return UploadRow.case_id == upload.case_id


def told(upload: UploadRow, to: StrEnum, now: datetime) -> OutboxRow:
    """The word to those who follow the photo's case: it can be seen, or no longer, or never."""
    key = f"{upload.upload_id}:{to.value}"
    payload = {"case_id": upload.case_id, "upload_id": upload.upload_id}
    return outbox.row(TOPIC, key, upload.county or "", payload, now)


def _refusal(
    field: str, upload: UploadRow | None, *, member_id: str, purpose: Purpose, case_id: str
) -> FieldError | None:
    if upload is None or upload.member_id != member_id:
        return FieldError(field=field, code="photo.unknown")
    if upload.purpose != purpose:
        return FieldError(field=field, code="photo.wrong_purpose")
    if upload.report_id is not None or upload.case_id not in (None, case_id):
        return FieldError(field=field, code="photo.in_use")
    if upload.state == UploadState.REFUSED:
        return FieldError(field=field, code="photo.refused", limit=upload.reason)
    return None


def _change(
    upload_id: str, to: StrEnum, actions: Sequence[Action], condition: Condition, now: datetime
) -> None:
    upload = get(UploadRow, upload_id)
    if upload is None:
        return
    tx = Transaction()
    tx.update("upload", upload, actions, condition & is_still_so(upload))
    if upload.case_id is not None:
        tx.put("photo", told(upload, to, now))
    try:
        tx.commit()
    except Refused as refused:
        standing = refused.row("upload", UploadRow)
        if standing is not None and standing.case_id != upload.case_id:
            raise Stale from refused
