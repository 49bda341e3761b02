"""What a case knows of its thing from all who saw it, as ``likeness`` wants to have it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pynamodb.expressions.update import Action

from models.base.geometry import Position
from models.cases import rules
from models.cases.entities import Status, SubmitReport
from models.cases.likeness import Candidate, Seen, Spot, together
from models.cases.tables import CaseRow, UploadRow

_FIXED = frozenset({Status.RESOLVED, Status.CLOSED})


def spot_of(row: CaseRow) -> Spot:
    """Where the thing is by all sightings; its first report's place while there is one."""
    known = row.spot or {"lon": row.lon, "lat": row.lat, "accuracy_m": row.accuracy_m}
    position = Position(lon=known["lon"], lat=known["lat"])
    # Cases in the index from before it held the accuracy are as good as a phone in a street.
    return Spot(position=position, accuracy_m=known["accuracy_m"] or rules.USUAL_ACCURACY_M)


def fixed_at(row: CaseRow) -> datetime | None:
    """Since when the thing is said to be fixed; None while it is not."""
    return (row.resolved_at or row.closed_at) if row.status in _FIXED else None


def candidate_of(row: CaseRow, family: str, hashes: tuple[int, ...] = ()) -> Candidate:
    """A stored case, as one that may be meant."""
    return Candidate(
        seen=seen_of(row, family, hashes), created_at=row.created_at, fixed_at=fixed_at(row)
    )


def seen_of(row: CaseRow, family: str, hashes: tuple[int, ...] = ()) -> Seen:
    """What is known of a stored case's thing."""
    return Seen(
        spot=spot_of(row),
        category=row.category,
        family=family,
        object_id=row.object_id,
        hashes=hashes,
    )


def hashes_of(uploads: Iterable[UploadRow]) -> tuple[int, ...]:
    """The hashes of photos that have one."""
    return tuple(int(upload.dhash, 16) for upload in uploads if upload.dhash is not None)


def seen_once_more(row: CaseRow, report: SubmitReport) -> list[Action]:
    """What one more sighting adds to a case: a better place, and an id if none was read yet."""
    sighting = Spot(position=report.position, accuracy_m=report.accuracy_m)
    spot = together(spot_of(row), sighting)
    actions: list[Action] = [
        CaseRow.spot.set(
            {
                "lon": round(spot.position.lon, 7),
                "lat": round(spot.position.lat, 7),
                "accuracy_m": round(spot.accuracy_m, 1),
            }
        )
    ]
    object_id = rules.clean_object_id(report.object_id)
    if row.object_id is None and object_id is not None:
        actions.append(CaseRow.object_id.set(object_id))
    return actions
