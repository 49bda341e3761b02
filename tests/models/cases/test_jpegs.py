"""A JPEG is decoded only if that takes a bounded time."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from PIL import Image

from models.cases.jpegs import MAX_SCANS, count_scans, is_whole

PHOTOS = Path(__file__).parents[2] / "photos"


def a_progressive_jpeg(size: tuple[int, int] = (400, 300), *, extra_scans: int = 0) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "JPEG", progressive=True)
    content = out.getvalue()
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last_scan * extra_scans + b"\xff\xd9"


@pytest.mark.parametrize("name", ["DSCN0010.jpg", "DSCN0021.jpg", "jolla.jpg", "landscape_6.jpg"])
def test_cameras_write_one_scan(name: str) -> None:
    content = (PHOTOS / name).read_bytes()

    assert count_scans(content) == 1
    assert is_whole(content, is_cmyk=False)


def test_progressive_jpeg_has_about_ten_scans_and_is_whole() -> None:
    content = a_progressive_jpeg()

    assert count_scans(content) == 10
    assert is_whole(content, is_cmyk=False)


def test_film_appended_to_a_picture_is_not_counted() -> None:
    content = (PHOTOS / "jolla.jpg").read_bytes() + b"\xff\xda\x00\x02" * 1000

    assert count_scans(content) == 1
    assert is_whole(content, is_cmyk=False)


def test_thousands_of_empty_scans_are_refused_without_decoding() -> None:
    content = a_progressive_jpeg((4000, 3000), extra_scans=5000)

    started = time.process_time()
    whole = is_whole(content, is_cmyk=False)

    assert not whole
    assert count_scans(content) == MAX_SCANS + 1
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xe0"])
def test_stump_of_a_jpeg_is_not_whole(content: bytes) -> None:
    assert not is_whole(content, is_cmyk=False)
