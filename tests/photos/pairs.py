"""Make the pairs of ``pairs.json``: a photo's scene, and the same after the named steps.

``same``: one picture again. ``fixed``: part of the scene is replaced and the picture is taken
again by hand. ``unsure``: what the hash cannot judge, kept to be known: a changed scene from
exactly the same spot, and an unchanged scene taken again by hand.
``python -m tests.photos.pairs`` measures every pair again and rewrites the file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance

from models.cases.imaging import dhash, hamming, inspect_and_render

PHOTOS = Path(__file__).parent
NAMES = ("DSCN0010.jpg", "DSCN0021.jpg", "jolla.jpg", "landscape_6.jpg")
FILE = PHOTOS / "pairs.json"


@cache
def scene(name: str) -> Image.Image:
    """The photo as it would be published, at most 1024 px: the hash sees no more of it."""
    rendered = inspect_and_render((PHOTOS / name).read_bytes(), declared_content_type="image/jpeg")
    picture = Image.open(io.BytesIO(rendered.full_jpeg))
    picture.thumbnail((1024, 1024))
    return picture


def changed(picture: Image.Image, steps: list[list[Any]]) -> Image.Image:
    """Apply the steps in order."""
    for name, *values in steps:
        picture = _STEPS[name](picture, *values)
    return picture


def distances() -> Iterator[tuple[str, str, int, int]]:
    """Yield (kind, what, distance on record, distance now) of every pair."""
    for pair in json.loads(FILE.read_text()):
        for name, recorded in pair["distances"].items():
            other = scene(pair["other"]) if "other" in pair else changed(scene(name), pair["steps"])
            measured = hamming(dhash(scene(name)), dhash(other))
            what = f"{name} {pair.get('other', pair.get('steps'))}"
            yield pair["kind"], what, recorded, measured


def _jpeg(picture: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(out)


def _scale(picture: Image.Image, factor: float) -> Image.Image:
    return picture.resize((int(picture.width * factor), int(picture.height * factor)))


def _box(picture: Image.Image, *shares: float) -> tuple[int, int, int, int]:
    left, top, right, bottom = shares
    width, height = picture.size
    return int(width * left), int(height * top), int(width * right), int(height * bottom)


def _clone(picture: Image.Image, *shares: float) -> Image.Image:
    """Cover a box with what lies to the left of it."""
    box = left, top, right, bottom = _box(picture, *shares)
    source = picture.crop((max(0, left - picture.width // 5), top, left, bottom))
    painted = picture.copy()
    painted.paste(source.resize((right - left, bottom - top)), box)
    return painted


def _cover(picture: Image.Image, *shares: float) -> Image.Image:
    """Cover a box with its own mean colour."""
    box = _box(picture, *shares)
    mean = picture.crop(box).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    painted = picture.copy()
    painted.paste(mean, box)
    return painted


_STEPS: dict[str, Any] = {
    "jpeg": _jpeg,
    "scale": _scale,
    "brightness": lambda picture, factor: ImageEnhance.Brightness(picture).enhance(factor),
    "contrast": lambda picture, factor: ImageEnhance.Contrast(picture).enhance(factor),
    "crop": lambda picture, *shares: picture.crop(_box(picture, *shares)),
    "rotate": lambda picture, degrees: picture.rotate(degrees, Image.Resampling.BICUBIC),
    "clone": _clone,
    "cover": _cover,
}

_ONE_PICTURE = [
    [["jpeg", 40]],
    [["scale", 0.5]],
    [["brightness", 0.8]],
    [["brightness", 1.2]],
    [["contrast", 1.2]],
    [["crop", 0.02, 0.02, 0.98, 0.98]],
    [["crop", 0.03, 0.03, 1, 1]],
    [["rotate", 1], ["crop", 0.02, 0.02, 0.98, 0.98]],
    [["rotate", -1], ["crop", 0.02, 0.02, 0.98, 0.98]],
]
_REPLACED = [
    [step, *box]
    for box in ((0.3, 0.3, 0.7, 0.7), (0.25, 0.4, 0.75, 0.9), (0.1, 0.5, 0.6, 0.95))
    for step in ("clone", "cover")
]
_BY_HAND = [
    [["rotate", 2], ["crop", 0.07, 0.06, 0.97, 0.97], ["brightness", 1.1]],
    [["rotate", -2], ["crop", 0.06, 0.08, 0.97, 0.97], ["brightness", 0.9]],
    [["rotate", 1.5], ["crop", 0.08, 0.03, 0.97, 0.97]],
]


def _measure() -> Iterator[dict[str, Any]]:
    kinds = {
        "same": _ONE_PICTURE,
        "fixed": [[replaced, *again] for replaced in _REPLACED for again in _BY_HAND],
        "unsure": [*([replaced] for replaced in _REPLACED), *_BY_HAND],
    }
    for kind, changes in kinds.items():
        for steps in changes:
            found = {
                name: hamming(dhash(scene(name)), dhash(changed(scene(name), steps)))
                for name in NAMES
            }
            yield {"kind": kind, "steps": steps, "distances": found}
    for at, other in enumerate(NAMES):
        found = {name: hamming(dhash(scene(name)), dhash(scene(other))) for name in NAMES[:at]}
        if found:
            yield {"kind": "other", "other": other, "distances": found}


if __name__ == "__main__":
    FILE.write_text("[\n" + ",\n".join(json.dumps(pair) for pair in _measure()) + "\n]\n")
