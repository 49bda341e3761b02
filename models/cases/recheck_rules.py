"""Which fixes a second rider is asked to look at, where, and what may be said of one.

What a look is worth, and how many a day are paid, is the rule ``recheck.passed`` of
``models/points``. *Source:* 500 m is a rider's detour of a minute or two; 100 m is the width of a
junction.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import floor

from models.base.errors import FieldError
from models.base.geometry import Position, distance_m, offset
from models.cases import rules

SAMPLED_PERCENT = 20
OPEN_FOR = timedelta(hours=72)
"""As long as the reporters may say whether it is fixed."""
NEAR_M = 500.0
AT_M = 100.0
ACCURACY_COUNTED_M = 50.0
PHOTOS_MAX = 3
RULE = "recheck.passed"

_AREA_DEGREES = 0.02
"""About two kilometres, more than such a circle is wide: it touches four areas at most."""


def is_sampled(
    key: bytes, case_id: str, round_number: int, *, without_photo: bool, reopened: int
) -> bool:
    """Whether a fix is looked at again: one in five, and all that was doubted or not shown.

    The choice hangs on the case, its round and a key: repeated it is the same, and who handles the
    case cannot foresee it.
    """
    if without_photo or reopened:
        return True
    drawn = hmac.digest(key, f"{case_id}#{round_number}".encode(), "sha256")
    return int.from_bytes(drawn[:4]) % 100 < SAMPLED_PERCENT


def area_of(position: Position) -> str:
    """The square of a fiftieth of a degree that a position lies in.

    >>> area_of(Position(lon=114.0853, lat=32.1462))
    '5704_1607'
    """
    return f"{floor(position.lon / _AREA_DEGREES)}_{floor(position.lat / _AREA_DEGREES)}"


def areas_near(position: Position) -> list[str]:
    """Every area that a circle of 500 m touches: one, two or four."""
    corners = [
        area_of(offset(position, east_m=east * NEAR_M, north_m=north * NEAR_M))
        for east in (-1, 1)
        for north in (-1, 1)
    ]
    return sorted(set(corners))


def answer_errors(
    *,
    case: Position,
    resolved_at: datetime,
    here: Position,
    accuracy_m: float,
    captured_at: datetime,
    photos: Sequence[str],
    now: datetime,
) -> list[FieldError]:
    """List everything wrong with an answer: where it was taken, when, and its photos."""
    errors = []
    if distance_m(case, here) > AT_M + min(accuracy_m, ACCURACY_COUNTED_M):
        errors.append(FieldError(field="lon", code="recheck.too_far", limit=int(AT_M)))
    if captured_at > now + rules.CLOCK_SKEW:
        errors.append(FieldError(field="captured_at", code="report.from_the_future"))
    elif captured_at < resolved_at - rules.CLOCK_SKEW:
        errors.append(FieldError(field="captured_at", code="recheck.before_the_fix"))
    if not 1 <= len(photos) <= PHOTOS_MAX:
        code = "field.too_long" if photos else "field.too_short"
        errors.append(FieldError(field="photos", code=code, limit=PHOTOS_MAX))
    errors += [
        FieldError(field=f"photos.{index}", code="photo.twice")
        for index, photo in enumerate(photos)
        if photo in photos[:index]
    ]
    return errors
