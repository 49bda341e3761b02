"""Which bytes of an object are asked for, and handing them out piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from infra.local.photos.faults import Fault

_CHUNK_BYTES = 1 << 16
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def span(header: str | None, size_bytes: int) -> tuple[int, int, bool]:
    """First and last byte to send, and whether that was asked for; a crooked range is ignored."""
    found = _RANGE.fullmatch(header or "")
    if not found or found[0] == "bytes=-":
        return 0, size_bytes - 1, False
    first, last = found.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes - 1
    else:
        start, end = int(first), min(int(last or size_bytes), size_bytes - 1)
    if start > end:
        raise Fault("InvalidRange", "The requested range is not satisfiable")
    return start, end, True


def chunks(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Yield the next ``size_bytes`` of an open file."""
    left = size_bytes
    while left > 0 and (chunk := file.read(min(_CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk
