"""The store's refusals, each with S3's own code and status."""

from __future__ import annotations

from xml.sax.saxutils import escape

_STATUS_BY_CODE = {
    "AccessDenied": 403,
    "BadDigest": 400,
    "EntityTooLarge": 400,
    "EntityTooSmall": 400,
    "IncompleteBody": 400,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidPolicyDocument": 400,
    "InvalidRange": 416,
    "MalformedPOSTRequest": 400,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NotImplemented": 501,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
    "XAmzContentSHA256Mismatch": 400,
}


class Fault(Exception):
    """The request is refused; nothing was stored. ``message`` never repeats what was sent."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        self.status = _STATUS_BY_CODE[code]
        super().__init__(code)

    def xml(self) -> bytes:
        """Render the error document that S3 clients parse."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        ).encode()
