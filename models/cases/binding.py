"""A photo and the case it belongs to: when one changes, those who follow the other know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from models.alerts import outbox
from models.alerts.tables import OutboxRow
from models.base.store import Refused, Stale, Transaction, get, retrying
from models.cases.tables import UploadRow

TOPIC = "case.photo"


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
    key, payload = (
        f"{upload.upload_id}:{to.value}",
        {
            "case_id": upload.case_id,
            "upload_id": upload.upload_id,
        },
    )
    return outbox.row(TOPIC, key, upload.county or "", payload, now)


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
