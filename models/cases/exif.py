"""What a camera wrote into a photo: private evidence, never published, never proof."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.base.geometry import Position, WGS84Position, distance_m, wgs84_to_gcj02

if TYPE_CHECKING:
    from PIL.Image import Image

_MAX_NAME = 24
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_TAKEN_AT, _TAKEN_OFFSET = 0x9003, 0x9011
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
_BROKEN = (
    AttributeError,
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Pillow raises on EXIF that does not hold together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoExif:
    """Whatever the camera said; each part is None if it was absent or unreadable.

    ``taken_at`` is the camera's own local time, ISO 8601, with an offset only if the camera wrote
    one. ``lon`` and ``lat`` are degrees in WGS-84, not GCJ-02.
    """

    taken_at: str | None = None
    lon: float | None = None
    lat: float | None = None
    make: str | None = None
    model: str | None = None
    orientation: int = 1

    def as_map(self) -> dict[str, str | float | int]:
        """Give what is known for storage; under 200 bytes as JSON."""
        named = {
            "taken_at": self.taken_at,
            "lon": self.lon,
            "lat": self.lat,
            "make": self.make,
            "model": self.model,
            "orientation": self.orientation,
        }
        return {name: value for name, value in named.items() if value is not None}


def read_exif(picture: Image) -> PhotoExif | None:
    """Read a picture's EXIF without decoding it; None if there is none to be read."""
    try:
        tags = picture.getexif()
        details, position = tags.get_ifd(_EXIF_IFD), tags.get_ifd(_GPS_IFD)
    except _BROKEN:
        return None
    if not tags:
        return None
    lon = _degrees(position, _LON, _LON_REF, negative="W", limit=180)
    lat = _degrees(position, _LAT, _LAT_REF, negative="S", limit=90)
    known = lon is not None and lat is not None
    orientation = tags.get(_ORIENTATION)
    return PhotoExif(
        taken_at=_instant(details),
        lon=lon if known else None,
        lat=lat if known else None,
        make=_name(tags.get(_MAKE)),
        model=_name(tags.get(_MODEL)),
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
    )


def exif_gap_m(exif: Mapping[str, Any], place: Position) -> float | None:
    """How far from a place the camera says it was; None where it does not say.

    Evidence only: cameras keep an old position, or that of a picture of a picture.
    """
    if exif.get("lon") is None or exif.get("lat") is None:
        return None
    camera = wgs84_to_gcj02(WGS84Position(lon=exif["lon"], lat=exif["lat"]))
    return distance_m(camera, place)


def _instant(details: Mapping[int, Any]) -> str | None:
    text = str(details.get(_TAKEN_AT, "")).strip("\0 ")
    offset = str(details.get(_TAKEN_OFFSET, "")).strip("\0 ")
    try:
        at = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the camera's local time
    except ValueError:
        return None
    try:
        return datetime.fromisoformat(at.isoformat() + offset).isoformat()
    except ValueError:
        return at.isoformat()


def _degrees(
    position: Mapping[int, Any], tag: int, ref_tag: int, *, negative: str, limit: int
) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in position[tag])
    except _BROKEN:
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or value > limit or value < 0:
        return None
    if str(position.get(ref_tag, "")).strip("\0 ").upper() == negative:
        value = -value
    return round(value, 5)


def _name(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    shown = "".join(mark for mark in value if mark.isprintable()).strip()
    return shown.encode()[:_MAX_NAME].decode(errors="ignore") or None
