"""Work on one photo's bytes: is it whole, what does it say, what may be shown, what is it like.

Nothing here reads or writes anything else. Heavy packages are imported inside the functions that
need them, because most Lambda starts never see a photo.

Pillow shows a JPEG whose compressed data is damaged as if nothing were wrong, so JPEGs are first
read by simplejpeg, for which every warning of libjpeg-turbo is an error.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.base.errors import Invalid
from models.cases.exif import PhotoExif, read_exif
from models.cases.jpegs import is_whole

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded at all: above any phone's usual photo, 150 MB as RGB."""

MIN_SIDE_PX = 200
"""Below this on the shorter side a place cannot be recognised."""

FULL_SIDE_PX = 2048
MAX_THUMB_BYTES = 40 * 1024

SAME_SCENE_DHASH_LIMIT = 18
"""Up to this distance two pictures count as the same picture again.

Measured on ``tests/photos/pairs.json``: one picture recompressed, resized, brightened, cropped by
up to 3 % or turned by 1° stays within 16; a scene of which 16 % or more has changed, taken again
by hand, starts at 22; unrelated photos start at 52. It cannot tell a repaired scene from an
unrepaired one, nor catch a picture that was painted over: that is for people to see.
"""

_FULL_QUALITY = 85
_THUMB_STEPS = ((480, 80), (480, 65), (480, 50), (400, 45), (320, 40), (240, 30))
_PLAIN_MODES = {"1", "L", "RGB", "CMYK", "YCbCr"}
_SEE_THROUGH_MODES = {"LA", "La", "P", "PA", "RGBA", "RGBa"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}


class PhotoRefused(Invalid):
    """These bytes cannot become a photo; ``code`` says why and never changes for the same bytes."""

    code = "photo.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPhoto:
    """What may be shown, and what is known privately.

    Both JPEGs are upright, sRGB and free of metadata. ``width`` and ``height`` are those of
    ``full_jpeg`` in pixels. ``dhash`` has 128 bits. ``exif`` is None if the camera left nothing,
    which is no signal.
    """

    full_jpeg: bytes
    thumb_jpeg: bytes
    width: int
    height: int
    dhash: int
    exif: PhotoExif | None


def inspect_and_render(content: bytes, *, declared_content_type: str) -> RenderedPhoto:
    """Check an uploaded photo and make what is published of it.

    Takes JPEG, PNG and WebP. Raises ``PhotoRefused`` with ``photo.not_an_image``,
    ``photo.unsupported_format`` (HEIC, GIF, anything animated), ``photo.wrong_type``,
    ``photo.too_large_pixels``, ``photo.too_small`` or ``photo.damaged``. Pure and repeatable.
    """
    content_type = _sniff(content)
    if content_type != declared_content_type:
        raise PhotoRefused("photo.wrong_type", found=content_type)
    with _strict_about_size(), _open(content, content_type) as picture:
        _check_header(picture)
        _check_whole(content, content_type, picture.mode)
        exif = read_exif(picture)
        scene = _scene(picture, exif.orientation if exif else 1)
    return RenderedPhoto(
        full_jpeg=_jpeg(scene, _FULL_QUALITY),
        thumb_jpeg=_thumbnail(scene),
        width=scene.width,
        height=scene.height,
        dhash=dhash(scene),
        exif=exif,
    )


def dhash(picture: Image) -> int:
    """Describe how brightness changes from cell to cell: 128 bits, alike for alike pictures.

    64 bits compare neighbours along the rows of a 9 by 8 picture, 64 along the columns of one of
    8 by 9. Rows alone, the usual 64, do not part the two kinds of pairs in
    ``tests/photos/pairs.json``; both together do.
    """
    from PIL import Image

    grey = picture.convert("L")
    rows = grey.resize((9, 8), Image.Resampling.BOX).tobytes()
    columns = grey.resize((8, 9), Image.Resampling.BOX).tobytes()
    rises = [rows[at + 1] > rows[at] for at in range(71) if at % 9 != 8]
    rises += [columns[at + 8] > columns[at] for at in range(64)]
    return sum(rise << at for at, rise in enumerate(rises))


def hamming(one: int, other: int) -> int:
    """Count the bits in which two hashes differ.

    >>> hamming(0b1011, 0b0010)
    2
    """
    return (one ^ other).bit_count()


def _sniff(content: bytes) -> str:
    """Name the format by its first bytes, whatever it was said to be."""
    if content[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        raise PhotoRefused("photo.unsupported_format")
    if content[:6] in {b"GIF87a", b"GIF89a"}:
        raise PhotoRefused("photo.unsupported_format")
    raise PhotoRefused("photo.not_an_image")


@contextmanager
def _strict_about_size() -> Iterator[None]:
    """Make Pillow's bomb warning an error; its remarks on a camera's oddities help nobody."""
    from PIL.Image import DecompressionBombWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", DecompressionBombWarning)
        yield


def _open(content: bytes, content_type: str) -> Image:
    """Read the header only."""
    from PIL import Image

    try:
        return Image.open(io.BytesIO(content), formats=[content_type.removeprefix("image/")])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise PhotoRefused("photo.too_large_pixels", limit=MAX_PIXELS) from exc
    except _UNREADABLE as exc:
        raise PhotoRefused("photo.damaged") from exc


def _check_header(picture: Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise PhotoRefused("photo.too_large_pixels", limit=MAX_PIXELS)
    if min(picture.size) < MIN_SIDE_PX:
        raise PhotoRefused("photo.too_small", limit=MIN_SIDE_PX)
    # Phones append second pictures (depth, preview) to a JPEG; its first frame is the photo.
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise PhotoRefused("photo.unsupported_format")
    if picture.mode not in _PLAIN_MODES | _SEE_THROUGH_MODES:
        raise PhotoRefused("photo.unsupported_format")


def _check_whole(content: bytes, content_type: str, mode: str) -> None:
    """Refuse damaged data; WebP has no checks of its own, so only its decoder can tell."""
    if content_type == "image/jpeg":
        if not is_whole(content, is_cmyk=mode == "CMYK"):
            raise PhotoRefused("photo.damaged")
    elif content_type == "image/png":
        with _open(content, content_type) as picture:
            try:
                picture.verify()
            except _UNREADABLE as exc:
                raise PhotoRefused("photo.damaged") from exc


def _scene(picture: Image, orientation: int) -> Image:
    """Decode to at most ``FULL_SIDE_PX``: upright, sRGB, opaque, with nothing attached."""
    from PIL import Image

    profile = picture.info.get("icc_profile")
    picture.draft("RGB", (FULL_SIDE_PX, FULL_SIDE_PX))
    try:
        picture.load()
    except _UNREADABLE as exc:
        raise PhotoRefused("photo.damaged") from exc
    scene = _opaque(picture)
    scene.thumbnail((FULL_SIDE_PX, FULL_SIDE_PX), Image.Resampling.BICUBIC, reducing_gap=2.0)
    scene = _srgb(scene, profile)
    turn = _TURN_BY_ORIENTATION.get(orientation)
    if turn is not None:
        scene = scene.transpose(Image.Transpose(turn))
    scene.info.clear()
    return scene


_TURN_BY_ORIENTATION = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""EXIF orientation → Pillow's ``Transpose`` value. *Source:* EXIF 2.32 §4.6.4, tag 0x0112."""


def _opaque(picture: Image) -> Image:
    from PIL import Image

    if picture.mode not in _SEE_THROUGH_MODES:
        return picture if picture.mode in {"RGB", "CMYK"} else picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer.getchannel("A"))
    return white


def _srgb(picture: Image, profile: bytes | None) -> Image:
    """Bring colours to sRGB; a profile that cannot be used is as good as none."""
    from PIL import ImageCms

    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            return picture.convert("RGB")
        else:
            return converted or picture.convert("RGB")
    return picture.convert("RGB")


def _thumbnail(scene: Image) -> bytes:
    """Take the best of the steps that stays within ``MAX_THUMB_BYTES``."""
    jpeg = b""
    for side_px, quality in _THUMB_STEPS:
        small = scene.copy()
        small.thumbnail((side_px, side_px))
        jpeg = _jpeg(small, quality)
        if len(jpeg) <= MAX_THUMB_BYTES:
            break
    return jpeg


def _jpeg(picture: Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


_UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
)
"""What Pillow's decoders raise on broken data: it has no error of its own for that."""
