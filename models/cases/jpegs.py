"""Whether a JPEG is whole, and worth decoding at all."""

from __future__ import annotations

import re

MAX_SCANS = 64
"""Cameras write 1 scan, encoders of progressive JPEGs about 10. Each costs time for every pixel,
whatever its length: of 50 megapixels 30 ms for 73 bytes, so a small file could hold us for hours.
"""

_START_OF_SCAN, _END = 0xDA, 0xD9
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed byte nor a restart


def is_whole(content: bytes, *, is_cmyk: bool) -> bool:
    """Read a JPEG to the end of its data; False if anything in it is amiss.

    A changed bit that leaves the lengths right stays unseen: JPEG has no checksum of its own.
    """
    # Imported here: numpy, which it brings, is only needed where photos are.
    import simplejpeg  # type: ignore[import-untyped]  # ships no types

    if count_scans(content) > MAX_SCANS:
        return False
    colours = "CMYK" if is_cmyk else "GRAY"
    try:
        # At an eighth of the size the compressed data are still read to their end, which is where
        # damage of any length shows: too little is left, or too much.
        simplejpeg.decode_jpeg(content, colours, min_height=1, min_width=1, strict=True)
    except ValueError:
        return False
    else:
        return True


def count_scans(content: bytes) -> int:
    """Count the scans of the first picture in a file; stops counting beyond ``MAX_SCANS``.

    What a phone appends after the picture (a depth map, a short film) is not looked at.
    """
    scans, at = 0, 2
    while scans <= MAX_SCANS and (found := _NEXT_MARKER.search(content, at)):
        marker, at = content[found.start() + 1], found.end()
        if marker == _END:
            break
        scans += marker == _START_OF_SCAN
        at += int.from_bytes(content[at : at + 2], "big")
    return scans
