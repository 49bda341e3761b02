"""Take photos in as they arrive, and publish them only after WeChat's verdict.

The original stays private. What is shown is rendered anew without metadata: first under a random
address for officials (``review/``), after a ``pass`` under another for everybody (``published/``).
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

from models.alerts import outbox
from models.base.clock import Clock
from models.base.errors import NotFound, Unavailable
from models.base.store import (
    Transaction,
    get,
    put_if_absent,
    query,
    retrying,
    update_if,
)
from models.cases import binding, changes, photos
from models.cases.entities import Purpose, UploadState, Verdict
from models.cases.gateways import JudgementRefused, MediaChecker, OpenidOf
from models.cases.imaging import PhotoRefused, RenderedPhoto, inspect_and_render
from models.cases.photos import PhotoAddresses, PhotoStore
from models.cases.tables import SCHEMA, CaseRow, MediaCheckRow, UploadRow

log = logging.getLogger(__name__)

VERDICT_WITHIN = timedelta(minutes=35)
"""WeChat answers within 30 minutes, it says; after this we ask once more.
*Source:* the documentation of mediaCheckAsync."""
MAX_TRIES = 2
EARLY = timedelta(minutes=10)
"""A verdict may be quicker than our own row of its trace; for so long it is tried again."""
_WAITING = "1"
_RENDERED_MAX_BYTES = 16 * 1024 * 1024
_KEPT_S = 30 * 24 * 3600
_UNSETTLED = (Verdict.WAITING.value, Verdict.NONE.value)
_UNFINISHED = (UploadState.WAITING.value, UploadState.PROCESSING.value)


class Evidence:
    """What happens to a photo between its arrival and its publication."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: PhotoStore,
        addresses: PhotoAddresses,
        checker: MediaChecker,
        openid_of: OpenidOf,
    ) -> None:
        self._clock = clock
        self._store = store
        self._addresses = addresses
        self._checker = checker
        self._openid_of = openid_of

    def photo_arrived(self, key: str) -> None:
        """Check an arrived object and render it; safe to repeat and to run beside itself.

        Raises ``Unavailable`` when the store or the tables are away: the arrival comes again.
        """
        upload_id = photos.upload_id_of(key)
        upload = get(UploadRow, upload_id) if upload_id else None
        if upload is None or upload.state not in _UNFINISHED:
            log.info("photo.ignored", extra={"known": upload is not None})
            if upload is not None and upload.state == UploadState.REFUSED:
                # Its form is good for a while yet: what was refused does not come to stay.
                self._store.delete(key)
            return
        begun = [UploadRow.state.set(UploadState.PROCESSING.value)]
        update_if(upload, begun, UploadRow.state == UploadState.WAITING.value)
        try:
            rendered = self._render(upload, key)
        except PhotoRefused as refusal:
            self._refuse(upload, key, refusal.code)
        except NotFound:
            # The object went between the event and now; its refusal already stands.
            log.warning("photo.gone", extra={"upload_id": upload.upload_id})
        else:
            self._accept(upload, rendered)

    def ask(self, upload_id: str) -> None:
        """Have WeChat look at a ready photo; asked twice at most by the sweep.

        Raises what the checker raises: the outbox asks again. A member who is gone, or for whom
        WeChat will not judge, leaves his photo unchecked, behind its badge.
        """
        upload = get(UploadRow, upload_id)
        if upload is None or upload.verdict != Verdict.WAITING:
            return
        self._ask(upload, tries=1)

    def give_up(self, upload_id: str) -> None:
        """Stop asking: the photo stays behind its badge, unless a verdict comes after all."""
        upload = get(UploadRow, upload_id)
        if upload is not None and upload.verdict == Verdict.WAITING:
            self._settle(upload, Verdict.NONE)

    def verdict(self, trace_id: str, suggest: str | None, *, at: datetime) -> None:
        """Take WeChat's verdict in: ``pass`` publishes, ``risky`` removes, else it stays hidden.

        None: WeChat could not fetch the photo; it stays waiting, and the sweep asks once more.
        ``at`` is when the verdict came: while it is young, an unknown trace raises ``Unavailable``
        (our row may be on its way), later it is ignored with a log line. Safe to repeat.
        """
        check = get(MediaCheckRow, trace_id)
        upload = get(UploadRow, check.upload_id) if check else None
        if check is None or upload is None:
            if self._clock.now() - at < EARLY:
                raise Unavailable("photo.verdict_early")
            log.warning("photo.verdict_unknown")
            return
        if suggest is None:
            log.warning("photo.not_fetched", extra={"upload_id": upload.upload_id})
            return
        verdict = Verdict(suggest) if suggest in {"pass", "risky"} else Verdict.REVIEW
        if upload.verdict in _UNSETTLED:
            self._settle(upload, verdict)
        _stop_waiting(check)
        log.info("photo.judged", extra={"upload_id": upload.upload_id, "verdict": verdict.value})

    def sweep_checks(self, now: datetime, limit: int) -> int:
        """Ask once more where no verdict came in 35 minutes, then give up; answers how many.

        One that cannot be asked now goes to the end of the queue: it blocks nobody.
        """
        overdue: list[MediaCheckRow] = query(
            MediaCheckRow.by_waiting,
            _WAITING,
            MediaCheckRow.asked_at <= now - VERDICT_WITHIN,
            limit=limit,
            page_size=limit,
        )
        for found in overdue:
            check = get(MediaCheckRow, found.trace_id)
            if check is None or check.waiting is None:
                continue
            try:
                self._ask_again(check)
            except Unavailable as error:
                log.warning("photo.check_deferred", extra={"reason": error.code})
                later = [MediaCheckRow.asked_at.set(now)]
                update_if(check, later, MediaCheckRow.waiting.exists())
        return len(overdue)

    def _render(self, upload: UploadRow, key: str) -> RenderedPhoto:
        head = self._store.head(key)
        if head is None:
            raise NotFound("photo.not_found")
        if head.size_bytes != upload.size_bytes:
            raise PhotoRefused("photo.other_bytes")
        content = self._store.read(key, max_bytes=upload.size_bytes)
        if hashlib.sha256(content).hexdigest() != upload.sha256:
            raise PhotoRefused("photo.other_bytes")
        return inspect_and_render(content, declared_content_type=upload.content_type)

    def _accept(self, upload: UploadRow, rendered: RenderedPhoto) -> None:
        for key, content in (
            (photos.full_key(upload.public_name, is_published=False), rendered.full_jpeg),
            (photos.thumbnail_key(upload.public_name, is_published=False), rendered.thumb_jpeg),
        ):
            self._store.put(
                key, content, content_type="image/jpeg", cache_control=photos.REVIEW_CACHE
            )
        retrying(lambda: self._mark_ready(upload.upload_id, rendered))

    def _mark_ready(self, upload_id: str, rendered: RenderedPhoto) -> None:
        """Make the photo ready and, when a case has it already, count it there."""
        upload = get(UploadRow, upload_id)
        if upload is None or upload.state not in _UNFINISHED:
            return
        now = self._clock.now()
        tx = Transaction()
        actions = [
            UploadRow.state.set(UploadState.READY.value),
            UploadRow.width.set(rendered.width),
            UploadRow.height.set(rendered.height),
            UploadRow.dhash.set(f"{rendered.dhash:032x}"),
            UploadRow.verdict.set(Verdict.WAITING.value),
            UploadRow.ready_at.set(now),
        ]
        if rendered.exif is not None:
            actions.append(UploadRow.exif.set(rendered.exif.as_map()))
        unfinished = UploadRow.state.is_in(*_UNFINISHED)
        tx.update("upload", upload, actions, unfinished & binding.is_still_so(upload))
        if upload.case_id is not None and upload.purpose == Purpose.REPORT:
            counted = [CaseRow.photo_count.add(1)]
            tx.update("case", CaseRow(upload.case_id), counted, CaseRow.case_id.exists())
            tx.put("photo", binding.told(upload, UploadState.READY, now))
        payload = {"upload_id": upload_id}
        county = upload.county or ""
        tx.put("outbox", outbox.row("media.check", upload_id, county, payload, now))
        changes.commit(tx)
        log.info("photo.ready", extra={"upload_id": upload_id})

    def _refuse(self, upload: UploadRow, key: str, code: str) -> None:
        actions = [
            UploadRow.state.set(UploadState.REFUSED.value),
            UploadRow.reason.set(code),
        ]
        still = UploadRow.state.is_in(*_UNFINISHED)
        binding.change(upload, UploadState.REFUSED, actions, still, self._clock.now())
        self._store.delete(key)
        log.info("photo.refused", extra={"upload_id": upload.upload_id, "reason": code})

    def _ask(self, upload: UploadRow, *, tries: int) -> None:
        openid = self._openid_of(upload.member_id)
        if openid is None:
            self._settle(upload, Verdict.NONE)
            return
        url = self._addresses.full(upload.public_name, is_published=False)
        try:
            trace_id = self._checker.check_media(url, openid)
        except JudgementRefused:
            self._settle(upload, Verdict.NONE)
            return
        now = self._clock.now()
        check = MediaCheckRow(
            trace_id,
            schema=SCHEMA,
            county=upload.county,
            upload_id=upload.upload_id,
            asked_at=now,
            tries=tries,
            waiting=_WAITING,
            ttl=int(now.timestamp()) + _KEPT_S,
        )
        put_if_absent(check)

    def _ask_again(self, check: MediaCheckRow) -> None:
        upload = get(UploadRow, check.upload_id)
        if upload is not None and upload.verdict == Verdict.WAITING:
            if check.tries < MAX_TRIES:
                self._ask(upload, tries=check.tries + 1)
            else:
                self._settle(upload, Verdict.NONE)
        _stop_waiting(check)

    def _settle(self, upload: UploadRow, verdict: Verdict) -> None:
        """Files first, then the row: who repeats this after a crash finds it unsettled.

        A photo asked about twice may get two verdicts at once: only the row's one stands.
        """
        hidden = _keys(upload.public_name, is_published=False)
        public = _keys(upload.public_name, is_published=True)
        if verdict is Verdict.PASS:
            self._publish(hidden, public)
        if verdict is Verdict.RISKY:
            self._remove(*hidden, *public)
        settled = [UploadRow.verdict.set(verdict.value)]
        still = UploadRow.verdict.is_in(*_UNSETTLED)
        binding.change(upload, verdict, settled, still, self._clock.now())
        if verdict is Verdict.PASS:
            stands = get(UploadRow, upload.upload_id)
            is_removed = stands is not None and (
                stands.verdict == Verdict.RISKY or stands.state == UploadState.REFUSED
            )
            self._remove(*hidden, *(public if is_removed else ()))

    def _publish(self, hidden: tuple[str, ...], public: tuple[str, ...]) -> None:
        contents = [self._store.read(key, max_bytes=_RENDERED_MAX_BYTES) for key in hidden]
        for key, content in zip(public, contents, strict=True):
            self._store.put(
                key, content, content_type="image/jpeg", cache_control=photos.PUBLISHED_CACHE
            )

    def _remove(self, *keys: str) -> None:
        for key in keys:
            self._store.delete(key)


def _keys(name: str, *, is_published: bool) -> tuple[str, ...]:
    return (
        photos.full_key(name, is_published=is_published),
        photos.thumbnail_key(name, is_published=is_published),
    )


def _stop_waiting(check: MediaCheckRow) -> None:
    update_if(check, [MediaCheckRow.waiting.remove()], MediaCheckRow.waiting.exists())
