"""What is sent and answered about uploads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.http.schemas.base import Answer, Command, Instant, Query
from models.cases import rules
from models.cases.entities import Purpose, UploadState


class WantedUpload(Query):
    """One photo that is about to be sent."""

    purpose: Purpose
    content_type: Annotated[str, Field(max_length=100)]
    size_bytes: Annotated[int, Field(ge=1, le=rules.PHOTO_MAX_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class NewUploads(Command):
    """One to nine photos."""

    items: Annotated[
        list[WantedUpload], Field(min_length=rules.PHOTOS_MIN, max_length=rules.PHOTOS_MAX)
    ]


class UploadForm(Answer):
    """A multipart POST, as ``wx.uploadFile`` sends it; the file goes last, as ``file_field``."""

    upload_id: str
    url: str
    fields: dict[str, str]
    file_field: str
    success_status: int
    expires_at: Instant


class UploadForms(Answer):
    """A form for each photo, in the order asked."""

    items: list[UploadForm]


class Upload(Answer):
    """What became of a photo."""

    upload_id: str
    state: UploadState
    state_text: str
    reason: str | None
    reason_text: str | None
