"""Read a multipart form from a stream, field by field, with the file as the last part.

Nothing but the fields before the file is ever held in memory, and of those only a little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import BinaryIO

from infra.local.photos.faults import Fault

_MAX_FIELDS_BYTES = 20_000  # S3's own limit for everything that is not the file
_CHUNK_BYTES = 1 << 16
_NAME = re.compile(rb'content-disposition:\s*form-data;.*?\bname="([^"\r\n]*)"', re.IGNORECASE)


class Body:
    """A request's body of known length; ``read`` never goes beyond it."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self.remaining = length

    def read(self) -> bytes:
        """Return the next bytes, empty at the end; ``IncompleteBody`` if the sender left."""
        if not self.remaining:
            return b""
        chunk = self._file.read(min(_CHUNK_BYTES, self.remaining))
        if not chunk:
            raise Fault("IncompleteBody", "The connection ended before the body did")
        self.remaining -= len(chunk)
        return chunk

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left."""
        while chunk := self.read():
            yield chunk


class Form:
    """A multipart body: call ``fields`` once, then ``file`` once."""

    def __init__(self, body: Body, content_type: str) -> None:
        header = Message()
        header["content-type"] = content_type
        boundary = header.get_param("boundary")
        if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
            raise Fault("MalformedPOSTRequest", "The body is not multipart/form-data")
        self._body = body
        self._delimiter = b"\r\n--" + boundary.encode()
        # The first delimiter has no line break before it; with one added all are alike.
        self._buffer = b"\r\n"
        self._fields_bytes = 0

    def fields(self) -> dict[str, str]:
        """Read up to the file's first byte; field names in lower case."""
        if self._take_until(self._delimiter):
            raise Fault("MalformedPOSTRequest", "Something stands before the first part")
        values: dict[str, str] = {}
        while True:
            name = self._part_name()
            if name == "file":
                return values
            if name in values:
                raise Fault("InvalidArgument", "A form field is given twice")
            values[name] = self._text(self._take_until(self._delimiter))

    def file(self) -> Iterator[bytes]:
        """Yield the file's bytes; what follows them in the form is ignored, as S3 does."""
        keep = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            ready, self._buffer = self._buffer[:-keep], self._buffer[-keep:]
            if ready:
                yield ready
            self._grow()
        if end:
            yield self._buffer[:end]
        for _ in self._body.chunks():
            pass

    def _part_name(self) -> str:
        if self._take_until(b"\r\n"):
            raise Fault("MalformedPOSTRequest", "The form has no file")
        # The blank line's own first break ends the last header.
        found = _NAME.search(self._take_until(b"\r\n\r\n"))
        if not found:
            raise Fault("MalformedPOSTRequest", "A part has no name")
        return self._text(found[1]).lower()

    def _take_until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            if self._fields_bytes + len(self._buffer) > _MAX_FIELDS_BYTES + _CHUNK_BYTES:
                raise Fault("MalformedPOSTRequest", "The fields before the file are too long")
            self._grow()
        self._fields_bytes += end + len(mark)
        if self._fields_bytes > _MAX_FIELDS_BYTES:
            raise Fault("MalformedPOSTRequest", "The fields before the file are too long")
        taken, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return taken

    def _grow(self) -> None:
        chunk = self._body.read()
        if not chunk:
            raise Fault("MalformedPOSTRequest", "The form is not complete")
        self._buffer += chunk

    @staticmethod
    def _text(value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError as exc:
            raise Fault("MalformedPOSTRequest", "A form field is not UTF-8") from exc
