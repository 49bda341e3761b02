"""Find what may be the same thing: open and recently closed cases around a position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from models.base.clock import Clock, utc_text
from models.base.errors import FieldError, Invalid
from models.base.geometry import Position, cells_within, distance_m
from models.base.store import get_many, query
from models.cases import rules
from models.cases.categories import Categories
from models.cases.entities import Nearby, Status, Verdict
from models.cases.likeness import Likeness, Seen, Spot, compare
from models.cases.parallel import together
from models.cases.photos import PhotoAddresses
from models.cases.sightings import candidate_of, spot_of
from models.cases.tables import CaseRow, UploadRow, open_cell
from models.places.service import Places

MAX_SHOWN = 10
PER_CELL = 50
"""The newest of one family in one square of 200 m."""
MAX_JUDGED = 50
"""The nearest of them: judging costs their square, and so no more than 12 ms."""


class Neighbourhood:
    """Looks around a position. Advisory: the index lags a moment behind."""

    def __init__(
        self, *, clock: Clock, places: Places, categories: Categories, addresses: PhotoAddresses
    ) -> None:
        self._clock = clock
        self._places = places
        self._categories = categories
        self._addresses = addresses

    def find(
        self,
        *,
        lon: float,
        lat: float,
        category: str,
        accuracy_m: float | None = None,
        object_id: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """List what may be the same within 80 m, likeliest first; at most four parallel queries.

        A case that was fixed in the last 72 hours is among them: it may be back. Then two batch
        reads for the thumbnails, of which only published ones are shown. Raises ``Invalid`` for an
        unknown category; outside the service area there is simply nothing.
        """
        position = Position(lon=lon, lat=lat)
        routing = self._places.route(position)
        grid = self._places.grid(routing.grid_id) if routing else None
        wanted = self._categories.current(grid.county if grid else None).find(category)
        if wanted is None:
            raise Invalid(
                "category.unknown", fields=[FieldError(field="category", code="category.unknown")]
            )
        if grid is None:
            return []
        report = Seen(
            spot=Spot(
                position=position,
                accuracy_m=rules.USUAL_ACCURACY_M if accuracy_m is None else accuracy_m,
            ),
            category=wanted.code,
            family=wanted.family,
            object_id=rules.clean_object_id(object_id),
        )
        now = self._clock.now()
        rows = standing_around(report.spot.position, wanted.family, county=grid.county, now=now)
        judged = compare(report, [candidate_of(row, wanted.family) for row in rows], now)
        twins = [
            _twin(row, likeness, position)
            for row, likeness in zip(rows, judged, strict=True)
            if likeness.is_shown
        ]
        twins.sort(key=lambda twin: (-twin.score, twin.distance_m, twin.case_id))
        return self._shown(twins[:MAX_SHOWN], now)

    def _shown(self, twins: Sequence[Nearby], now: datetime) -> list[Mapping[str, Any]]:
        thumbnails = self._thumbnails([twin.case_id for twin in twins])
        return [
            {
                "case_id": twin.case_id,
                "category": twin.category,
                "category_version": twin.category_version,
                "status": twin.status.value,
                "distance_m": twin.distance_m,
                "score": twin.score,
                "same": twin.is_same,
                "age_s": max(0, int((now - twin.created_at).total_seconds())),
                "created_at": utc_text(twin.created_at),
                "thumbnail_url": thumbnails.get(twin.case_id),
            }
            for twin in twins
        ]

    def _thumbnails(self, case_ids: Sequence[str]) -> dict[str, str]:
        if not case_ids:
            return {}
        cases = [
            row
            for row in get_many([(CaseRow, (case_id,)) for case_id in case_ids])
            if isinstance(row, CaseRow) and row.photos
        ]
        if not cases:
            return {}
        uploads = get_many([(UploadRow, (row.photos[0],)) for row in cases])
        return {
            case.case_id: self._addresses.published_thumbnail(upload.public_name)
            for case, upload in zip(cases, uploads, strict=True)
            if isinstance(upload, UploadRow) and upload.verdict == Verdict.PASS
        }


def standing_around(
    position: Position, family: str, *, county: str, now: datetime
) -> list[CaseRow]:
    """The cases of a family within 80 m that may be meant, nearest first, at most 50.

    At most four parallel queries.

    Rows of an index: only what it holds is there.
    """
    cells = [open_cell(cell, family) for cell in cells_within(position, rules.NEARBY_M)]
    found = together([partial(_in_cell, cell) for cell in cells])
    rows = [
        row for rows in found for row in rows if _may_be_same(row, position, county=county, now=now)
    ]
    return sorted(rows, key=lambda row: (_distance_m(row, position), row.case_id))[:MAX_JUDGED]


def _in_cell(cell: str) -> list[CaseRow]:
    rows: list[CaseRow] = query(
        CaseRow.by_open_cell, cell, scan_index_forward=False, limit=PER_CELL, page_size=PER_CELL
    )
    return rows


def _may_be_same(row: CaseRow, position: Position, *, county: str, now: datetime) -> bool:
    return (
        row.county == county
        and rules.may_be_same(Status(row.status), closed_at=row.closed_at, now=now)
        and _distance_m(row, position) <= rules.NEARBY_M
    )


def _distance_m(row: CaseRow, position: Position) -> float:
    """From where the case was reported first, which is what its square goes by."""
    return distance_m(Position(lon=row.lon, lat=row.lat), position)


def _twin(row: CaseRow, likeness: Likeness, position: Position) -> Nearby:
    return Nearby(
        case_id=row.case_id,
        category=row.category,
        category_version=row.category_version,
        status=Status(row.status),
        distance_m=rules.coarse_m(distance_m(spot_of(row).position, position)),
        score=round(likeness.score, 3),
        is_same=likeness.is_same,
        created_at=row.created_at,
    )
