"""Let a member send photos straight to storage, and say what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.base.clock import Clock, business_day, seconds_to_midnight, utc_text
from models.base.errors import Conflict, Exhausted, FieldError, Invalid, NotFound
from models.base.ids import content_hash, derived_id, new_id
from models.base.store import Refused, Transaction, get, get_many, update_if
from models.cases import rules
from models.cases.entities import Purpose, UploadState
from models.cases.photos import PhotoStore, original_key
from models.cases.tables import SCHEMA, LimitRow, UploadRow
from models.people.entities import Actor

FORM_LIVES_S = 15 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One photo that is about to be sent."""

    purpose: Purpose
    content_type: str
    size_bytes: int
    sha256: str


class Uploads:
    """Issues upload forms. ``signing_clock`` is the machine's real time: the store checks by it."""

    def __init__(self, *, clock: Clock, signing_clock: Clock, store: PhotoStore) -> None:
        self._clock = clock
        self._signing_clock = signing_clock
        self._store = store

    def issue(
        self, actor: Actor, wanted: Sequence[Wanted], client_request_id: str
    ) -> list[Mapping[str, Any]]:
        """Allow one to nine uploads; repeated, it answers the same forms.

        Raises ``Invalid`` with every bad field, ``Conflict("request.reused")``, and ``Exhausted``
        after 100 requests in a day of China. One update and one transaction.
        """
        errors = [error for index, one in enumerate(wanted) for error in _errors(index, one)]
        if not rules.PHOTOS_MIN <= len(wanted) <= rules.PHOTOS_MAX:
            errors.append(FieldError(field="items", code="field.too_long", limit=rules.PHOTOS_MAX))
        if errors:
            raise Invalid(fields=errors)
        self._count(actor)
        rows = self._rows(actor, wanted, client_request_id)
        tx = Transaction()
        for index, row in enumerate(rows):
            tx.guard(f"upload.{index}", row)
        try:
            tx.commit()
        except Refused:
            rows = _standing(rows)
        return [self._form(row) for row in rows]

    def state(self, actor: Actor, upload_id: str) -> Mapping[str, Any]:
        """Tell the owner what became of a photo. Raises ``NotFound("upload.not_found")``."""
        row = get(UploadRow, upload_id) if rules.is_id(upload_id) else None
        if row is None or row.member_id != actor.member_id:
            raise NotFound("upload.not_found")
        return {"upload_id": row.upload_id, "state": row.state, "reason": row.reason}

    def _count(self, actor: Actor) -> None:
        """Nobody fills the bucket; a repeated request counts again, which a hundred allow for."""
        now = self._clock.now()
        row = LimitRow(actor.member_id, f"upload#{business_day(now)}")
        actions = [
            LimitRow.version.add(1),
            LimitRow.schema.set(SCHEMA),
            LimitRow.ttl.set(int((now + rules.DAY * 2).timestamp())),
        ]
        fits = LimitRow.version.does_not_exist() | (LimitRow.version < rules.UPLOADS_PER_DAY)
        if not update_if(row, actions, fits):
            raise Exhausted("upload.too_many", retry_after_s=seconds_to_midnight(now))

    def _rows(
        self, actor: Actor, wanted: Sequence[Wanted], client_request_id: str
    ) -> list[UploadRow]:
        said = [[w.purpose.value, w.content_type, w.size_bytes, w.sha256] for w in wanted]
        request_hash = content_hash({"items": said})
        return [
            UploadRow(
                derived_id("up", actor.member_id, client_request_id, str(index)),
                schema=SCHEMA,
                county=actor.county,
                member_id=actor.member_id,
                purpose=one.purpose.value,
                content_type=one.content_type,
                size_bytes=one.size_bytes,
                sha256=one.sha256,
                state=UploadState.WAITING.value,
                public_name=new_id("ph"),
                signed_at=self._signing_clock.now(),
                created_at=self._clock.now(),
                request_hash=request_hash,
            )
            for index, one in enumerate(wanted)
        ]

    def _form(self, row: UploadRow) -> Mapping[str, Any]:
        form = self._store.presign_upload(
            key=original_key(row.upload_id),
            content_type=row.content_type,
            size_bytes=row.size_bytes,
            sha256_hex=row.sha256,
            signed_at=row.signed_at,
            expires_in_s=FORM_LIVES_S,
        )
        return {
            "upload_id": row.upload_id,
            "url": form.url,
            "fields": dict(form.fields),
            "file_field": form.file_field,
            "success_status": form.success_status,
            "expires_at": utc_text(form.expires_at),
        }


def _standing(rows: Sequence[UploadRow]) -> list[UploadRow]:
    """The rows of the first request, if it said the same."""
    found = get_many([(UploadRow, (row.upload_id,)) for row in rows])
    standing = [row for row in found if isinstance(row, UploadRow)]
    same = len(standing) == len(rows) and all(
        old.request_hash == new.request_hash for old, new in zip(standing, rows, strict=True)
    )
    if not same:
        raise Conflict("request.reused")
    return standing


def _errors(index: int, wanted: Wanted) -> list[FieldError]:
    errors = []
    field = f"items.{index}"
    if wanted.content_type not in rules.PHOTO_TYPES:
        errors.append(FieldError(field=f"{field}.content_type", code="field.not_allowed"))
    if not 1 <= wanted.size_bytes <= rules.PHOTO_MAX_BYTES:
        errors.append(
            FieldError(
                field=f"{field}.size_bytes", code="photo.too_large", limit=rules.PHOTO_MAX_BYTES
            )
        )
    if len(wanted.sha256) != 64 or set(wanted.sha256) - set("0123456789abcdef"):
        errors.append(FieldError(field=f"{field}.sha256", code="field.invalid"))
    return errors
