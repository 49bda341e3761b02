"""For the official who has a case before him: which others may be the same thing, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.base.clock import utc_text
from models.base.geometry import Position, distance_m
from models.base.store import get_many
from models.cases import changes, rules
from models.cases.categories import Categories
from models.cases.likeness import Candidate, Likeness, Seen, compare
from models.cases.nearby import standing_around
from models.cases.sightings import candidate_of, hashes_of, seen_of, spot_of
from models.cases.tables import CaseRow, UploadRow
from models.people.entities import Actor

MAX_SHOWN = 5
MAX_JUDGED = 12
PHOTOS_JUDGED = 7
"""Photos of one case that are compared: with ours and twelve others' one batch read holds them."""


def similar_to(
    actor: Actor, case: CaseRow, categories: Categories, now: datetime
) -> list[Mapping[str, Any]]:
    """Up to five standing cases in the actor's scopes that may be the same, likeliest first.

    Fixed ones of the last 72 hours are among them. Photos count as far as they have been taken in.
    Nothing for a case that stands no more. Four parallel queries at most, then two batch reads.
    """
    if case.status not in rules.OPEN:
        return []
    family = categories.of(case.category, case.category_version).family
    place = Position(lon=case.lon, lat=case.lat)
    around = standing_around(place, family, county=case.county, now=now)
    nearest = [row.case_id for row in around if row.case_id != case.case_id][:MAX_JUDGED]
    others = _in_scope(actor, nearest)
    judged = _judged(case, others, family) if others else []
    found = [pair for pair in judged if pair[1].is_shown]
    found.sort(key=lambda pair: (-pair[1].score, pair[0].case_id))
    return [_shown(case, other, likeness) for other, likeness in found[:MAX_SHOWN]]


def _in_scope(actor: Actor, case_ids: Sequence[str]) -> list[CaseRow]:
    keys = [(CaseRow, (case_id,)) for case_id in case_ids]
    rows = get_many(keys) if keys else []
    return [row for row in rows if isinstance(row, CaseRow) and changes.parties_in(actor, row)]


def _judged(
    case: CaseRow, others: Sequence[CaseRow], family: str
) -> list[tuple[CaseRow, Likeness]]:
    hashes = _hashes([case, *others])
    seen: Seen = seen_of(case, family, hashes[case.case_id])
    candidates = [_as_it_stood(row, case, family, hashes[row.case_id]) for row in others]
    return list(zip(others, compare(seen, candidates, case.created_at), strict=True))


def _as_it_stood(other: CaseRow, case: CaseRow, family: str, hashes: tuple[int, ...]) -> Candidate:
    """The other when the case was reported: what was fixed since was not fixed then."""
    found = candidate_of(other, family, hashes)
    if found.fixed_at is None or found.fixed_at <= case.created_at:
        return found
    return Candidate(seen=found.seen, created_at=found.created_at)


def _hashes(cases: Sequence[CaseRow]) -> dict[str, tuple[int, ...]]:
    ids = {row.case_id: row.photos[:PHOTOS_JUDGED] for row in cases}
    keys = [(UploadRow, (photo,)) for photos in ids.values() for photo in photos]
    rows = get_many(keys) if keys else []
    upload_by_id = {row.upload_id: row for row in rows if isinstance(row, UploadRow)}
    return {
        case_id: hashes_of(upload_by_id[photo] for photo in photos if photo in upload_by_id)
        for case_id, photos in ids.items()
    }


def _shown(case: CaseRow, other: CaseRow, likeness: Likeness) -> Mapping[str, Any]:
    return {
        "case_id": other.case_id,
        "number": other.number,
        "category": other.category,
        "category_version": other.category_version,
        "status": other.status,
        "version": other.version,
        "created_at": utc_text(other.created_at),
        "distance_m": round(distance_m(spot_of(other).position, spot_of(case).position)),
        "score": round(likeness.score, 3),
        "same": likeness.is_same,
        "parts": [{"part": part.name, "weight": round(part.weight, 2)} for part in likeness.parts],
    }
