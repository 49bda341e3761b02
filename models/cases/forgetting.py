"""What cases forget of a member: pictures nobody else has seen yet, and where they were taken.

What was published is a case's, as is the case with its place and history; so is what an official
photographed of his work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.base.clock import Clock
from models.base.store import get_many, query, update_if
from models.cases import binding, photos
from models.cases.entities import Purpose, UploadState, Verdict
from models.cases.photos import PhotoStore
from models.cases.tables import UploadRow
from models.people.withdrawals import Withdrawn

WITHDRAWN = "photo.withdrawn"
_AT_ONCE = 100


class CasesForgetting:
    """Forgets a member's pictures."""

    def __init__(self, *, clock: Clock, store: PhotoStore) -> None:
        self._clock = clock
        self._store = store

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]:
        """Erase his unpublished pictures, or what all of them say of places. One query, a read of
        every hundred, and a transaction for each that is left."""
        erased = set()
        if withdrawn in (Withdrawn.PICTURES, Withdrawn.ACCOUNT):
            now = self._clock.now()
            for upload in _uploads_of(member_id):
                if _is_his_alone(upload):
                    self._erase(upload, now)
                    erased.add("pictures")
        if withdrawn in (Withdrawn.LOCATION, Withdrawn.ACCOUNT):
            for upload in _uploads_of(member_id):
                if update_if(upload, [UploadRow.exif.remove()], UploadRow.exif.exists()):
                    erased.add("picture_places")
        return sorted(erased)

    def _erase(self, upload: UploadRow, now: datetime) -> None:
        """The row first, so that nothing is published any more; the files again at each asking."""
        actions = [
            UploadRow.state.set(UploadState.REFUSED.value),
            UploadRow.reason.set(WITHDRAWN),
            UploadRow.verdict.remove(),
            UploadRow.exif.remove(),
            UploadRow.dhash.remove(),
        ]
        unpublished = UploadRow.verdict.does_not_exist() | (UploadRow.verdict != Verdict.PASS.value)
        still = unpublished & (UploadRow.state != UploadState.REFUSED.value)
        binding.change(upload, UploadState.REFUSED, actions, still, now)
        for key in (
            photos.original_key(upload.upload_id),
            photos.full_key(upload.public_name, is_published=False),
            photos.thumbnail_key(upload.public_name, is_published=False),
        ):
            self._store.delete(key)


def _is_his_alone(upload: UploadRow) -> bool:
    is_refused = upload.state == UploadState.REFUSED and upload.reason != WITHDRAWN
    is_work = upload.purpose == Purpose.RESOLUTION
    return upload.verdict != Verdict.PASS and not is_refused and not is_work


def _uploads_of(member_id: str) -> list[UploadRow]:
    ids = [row.upload_id for row in query(UploadRow.by_member, member_id)]
    return [
        row
        for start in range(0, len(ids), _AT_ONCE)
        for row in get_many([(UploadRow, (each,)) for each in ids[start : start + _AT_ONCE]])
        if isinstance(row, UploadRow)
    ]
