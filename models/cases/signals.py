"""Notice, after the fact, what hints at abuse; and keep what became of reports.

Nothing here runs while a report is taken in: it follows the outbox, after everybody was told. What
is written moves a value that the rider sees and may appeal, and hints that officials see.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from models.alerts.entities import Event
from models.base.clock import Clock, utc_text
from models.base.geometry import Position, cell_of
from models.base.ids import derived_id
from models.base.store import get, get_many, put_if_absent, query, update_if
from models.cases import binding, rules, trust_rules
from models.cases.entities import Purpose, Status, UploadState
from models.cases.exif import exif_gap_m
from models.cases.followers import followers_of
from models.cases.recheck_tables import RecheckRow
from models.cases.tables import SCHEMA, CaseRow, ReportRow, UploadRow
from models.cases.trust_rules import Kind, Sighting
from models.cases.trust_tables import PictureRow, SignalRow

log = logging.getLogger(__name__)

Handle = Callable[[Event], None]
_REPORTS_LOOKED_AT = 20
_PICTURES_LOOKED_AT = 50
_PICTURES_KEPT = timedelta(days=90)


class Signals:
    """Notes signals and outcomes; every note is safe to repeat."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def around(self, handlers: Mapping[str, Handle]) -> Mapping[str, Handle]:
        """The same handlers; what an event hints at is noted after it was handled."""
        notes = {
            "case.submitted": self.filed,
            "case.joined": self.filed,
            "case.closed": self.decided,
            "case.rechecked": self.rechecked,
            binding.TOPIC: self.pictured,
        }
        return {
            topic: partial(_then, handle, notes[topic]) if topic in notes else handle
            for topic, handle in handlers.items()
        }

    def filed(self, event: Event) -> None:
        """Compare a report with its sender's last twenty; and its photos, as far as they are in."""
        report = get(ReportRow, event.payload["member_id"], event.payload["report_id"])
        case = get(CaseRow, event.payload["case_id"])
        if report is None or case is None:
            return
        new, before = _sightings(report, case)
        is_moving = rules.is_moving(report.speed_mps)
        for kind, value in trust_rules.signals_of(new, before, is_moving=is_moving).items():
            self._note(report, case, kind, value)
        photos = report.photos or case.photos
        for upload in get_many([(UploadRow, (photo,)) for photo in photos]):
            if isinstance(upload, UploadRow):
                self._look(upload, report, case)

    def pictured(self, event: Event) -> None:
        """Look at a photo that came in after its report."""
        upload = get(UploadRow, event.payload["upload_id"])
        if upload is None or upload.report_id is None or upload.case_id is None:
            return
        report = get(ReportRow, upload.member_id, upload.report_id)
        case = get(CaseRow, upload.case_id)
        if report is not None and case is not None:
            self._look(upload, report, case)

    def decided(self, event: Event) -> None:
        """Keep what a case's end says of its reports, and what the last twenty say together."""
        kind = _KIND_BY_STATUS.get(event.payload["status"])
        case = get(CaseRow, event.payload["case_id"])
        if kind is None or case is None:
            return
        for report in followers_of(case):
            self._conclude(report, case, kind, event.at)
            marks: list[SignalRow] = query(SignalRow, report.member_id)
            outcomes = sorted((row for row in marks if row.kind in _DECIDED), key=_newest_first)
            last = [(Kind(row.kind), row.officer) for row in outcomes]
            for habit, value in trust_rules.habits(last).items():
                month = utc_text(event.at)[:7]
                self._note(report, case, habit, value, thing=f"{report.member_id}:{month}")

    def rechecked(self, event: Event) -> None:
        """Who looked at a fix has done something useful, if little."""
        row = get(RecheckRow, event.payload["recheck_id"])
        if row is None or row.member_id is None or row.answered_at is None:
            return
        signal_id = derived_id("sig", "recheck", row.recheck_id)
        signal = _row(row.member_id, signal_id, row.county, Kind.RECHECKED, row.answered_at)
        signal.case_id, signal.value = row.case_id, "1"
        put_if_absent(signal)

    def _look(self, upload: UploadRow, report: ReportRow, case: CaseRow) -> None:
        is_ready = upload.state == UploadState.READY and upload.dhash is not None
        if upload.purpose != Purpose.REPORT or not is_ready:
            return
        exif = upload.exif or {}
        gap_m = _gap_m(exif, case)
        signals = trust_rules.photo_signals(exif, captured_at=report.captured_at, gap_m=gap_m)
        found = {**signals, **self._seen_before(upload, report, case)}
        for kind, value in found.items():
            self._note(report, case, kind, value)

    def _seen_before(
        self, upload: UploadRow, report: ReportRow, case: CaseRow
    ) -> Mapping[Kind, str]:
        """Remember a picture, then look for earlier ones: of two at once the later finds one."""
        bytes_mark = f"sha256#{upload.sha256}"
        near_marks = (f"member#{report.member_id}", f"grid#{case.grid_id}")
        own = [self._picture(mark, upload, report) for mark in (bytes_mark, *near_marks)]
        for picture in own:
            put_if_absent(picture)
        before = [other for mark in near_marks for other in _before(mark, own[0])]
        if _before(bytes_mark, own[0]):
            return {Kind.SAME_PHOTO: "1"}
        if any(trust_rules.is_same_picture(other.dhash, own[0].dhash) for other in before):
            return {Kind.NEAR_PHOTO: f"≤{trust_rules.SAME_PICTURE_BITS}/128"}
        return {}

    def _picture(self, mark: str, upload: UploadRow, report: ReportRow) -> PictureRow:
        return PictureRow(
            mark,
            f"{utc_text(report.submitted_at)}#{upload.upload_id}",
            schema=SCHEMA,
            member_id=report.member_id,
            report_id=report.report_id,
            sha256=upload.sha256,
            dhash=upload.dhash,
            ttl=int((report.submitted_at + _PICTURES_KEPT).timestamp()),
        )

    def _note(
        self, report: ReportRow, case: CaseRow, kind: Kind, value: str, *, thing: str | None = None
    ) -> None:
        signal_id = derived_id("sig", kind.value, thing or report.report_id)
        signal = _row(report.member_id, signal_id, case.county, kind, report.submitted_at)
        signal.case_id, signal.report_id, signal.value = case.case_id, report.report_id, value
        if put_if_absent(signal):
            log.info("signal.noted", extra={"case_id": case.case_id, "kind": kind.value})

    def _conclude(self, report: ReportRow, case: CaseRow, kind: Kind, at: datetime) -> None:
        """The last word stands: an appeal, or a reopening, may follow an earlier end."""
        signal_id = derived_id("sig", "outcome", report.report_id)
        row = _row(report.member_id, signal_id, case.county, kind, at)
        row.case_id, row.report_id, row.value = case.case_id, report.report_id, case.status
        if case.claimer_id is not None:
            row.officer = derived_id("ofc", report.member_id, case.claimer_id)
        if not put_if_absent(row):
            attributes = ("kind", "weight", "value", "at", "ttl")
            actions = [getattr(SignalRow, name).set(getattr(row, name)) for name in attributes]
            update_if(row, actions, SignalRow.at < at)


_KIND_BY_STATUS = {Status.CLOSED.value: Kind.VALID, Status.REJECTED.value: Kind.REJECTED}
_DECIDED = tuple(kind.value for kind in _KIND_BY_STATUS.values())


def _then(handle: Handle, note: Handle, event: Event) -> None:
    handle(event)
    note(event)


def _row(member_id: str, signal_id: str, county: str, kind: Kind, at: datetime) -> SignalRow:
    return SignalRow(
        member_id,
        signal_id,
        schema=SCHEMA,
        county=county,
        kind=kind.value,
        weight=trust_rules.WEIGHT[kind],
        half_life_days=trust_rules.HALF_LIFE.days,
        at=at,
        ttl=int((at + trust_rules.KEPT).timestamp()),
    )


def _sightings(report: ReportRow, case: CaseRow) -> tuple[Sighting, Sequence[Sighting]]:
    """The report's own place, and those of its sender's reports before it.

    Who joined stood near the case; his exact place is not kept, and not needed.
    """
    rows: list[ReportRow] = query(
        ReportRow.by_time,
        report.member_id,
        ReportRow.submitted_at <= report.submitted_at,
        limit=_REPORTS_LOOKED_AT + 1,
        page_size=_REPORTS_LOOKED_AT + 1,
        scan_index_forward=False,
    )
    earlier = [row for row in rows if row.report_id != report.report_id]
    cases = get_many([(CaseRow, (row.case_id,)) for row in earlier]) if earlier else []
    before = [
        _sighting(row, found)
        for row, found in zip(earlier, cases, strict=True)
        if isinstance(found, CaseRow) and row.ordinal == 1
    ]
    return _sighting(report, case), before if report.ordinal == 1 else []


def _sighting(report: ReportRow, case: CaseRow) -> Sighting:
    place = Position(lon=case.lon, lat=case.lat)
    return Sighting(
        position=place,
        at=report.captured_at,
        accuracy_m=case.accuracy_m,
        thing=f"{cell_of(place)}#{report.category}#{report.object_id or ''}",
    )


def _before(mark: str, own: PictureRow) -> list[PictureRow]:
    """The newest pictures under a mark that another report brought before this one."""
    rows: list[PictureRow] = query(
        PictureRow,
        mark,
        PictureRow.seen < own.seen,
        limit=_PICTURES_LOOKED_AT,
        page_size=_PICTURES_LOOKED_AT,
        scan_index_forward=False,
    )
    return [row for row in rows if row.report_id != own.report_id]


def _gap_m(exif: Mapping[str, Any], case: CaseRow) -> float | None:
    """How far off the camera was at least, if the phone erred as much as it admitted."""
    away_m = exif_gap_m(exif, Position(lon=case.lon, lat=case.lat))
    return None if away_m is None else max(0.0, away_m - case.accuracy_m)


def _newest_first(row: SignalRow) -> float:
    return -row.at.timestamp()
