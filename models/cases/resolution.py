"""After-photos: they must be the officer's own, ready, and not the picture that was reported."""

from __future__ import annotations

from collections.abc import Sequence

from models.base.errors import Conflict, FieldError, Invalid
from models.base.store import Transaction, get_many
from models.cases import binding
from models.cases.entities import Purpose, UploadState
from models.cases.imaging import SAME_SCENE_DHASH_LIMIT, hamming
from models.cases.tables import CaseRow, UploadRow


def add_photos(tx: Transaction, case: CaseRow, photos: Sequence[str], *, member_id: str) -> None:
    """Bind after-photos to the case in a transaction; one batch read.

    Raises ``Invalid`` (``photo.unknown`` per field, ``resolution.same_photo``,
    ``resolution.too_alike``) and ``Conflict("photo.not_ready")``.
    """
    if not photos:
        return
    keys = [(UploadRow, (upload_id,)) for upload_id in (*photos, *case.photos)]
    rows = [row if isinstance(row, UploadRow) else None for row in get_many(keys)]
    after = _usable(rows[: len(photos)], case, member_id)
    before = [row for row in rows[len(photos) :] if row is not None]
    for index, upload in enumerate(after):
        _check_differs(f"photos.{index}", upload, before)
        tx.update(
            f"photo.{index}",
            upload,
            [UploadRow.case_id.set(case.case_id), UploadRow.county.set(case.county)],
            (UploadRow.state == UploadState.READY.value)
            & (UploadRow.case_id.does_not_exist() | (UploadRow.case_id == case.case_id)),
        )


def _usable(rows: Sequence[UploadRow | None], case: CaseRow, member_id: str) -> list[UploadRow]:
    errors = binding.refusals(
        rows, member_id=member_id, purpose=Purpose.RESOLUTION, case_id=case.case_id
    )
    if errors:
        raise Invalid(errors[0].code if len(errors) == 1 else None, fields=errors)
    usable = [row for row in rows if row is not None]
    if any(row.state != UploadState.READY for row in usable):
        raise Conflict("photo.not_ready")
    return usable


def _check_differs(field: str, after: UploadRow, before: Sequence[UploadRow]) -> None:
    if any(after.sha256 == row.sha256 for row in before):
        code = "resolution.same_photo"
        raise Invalid(code, fields=[FieldError(field=field, code=code)])
    for row in before:
        if row.dhash is None or after.dhash is None:
            continue
        if hamming(int(row.dhash, 16), int(after.dhash, 16)) <= SAME_SCENE_DHASH_LIMIT:
            code = "resolution.too_alike"
            raise Invalid(code, fields=[FieldError(field=field, code=code)])
