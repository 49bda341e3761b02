"""The engine without botocore between: a proof of tens of thousands of requests needs its time.

Above it everything is the product's, pynamodb included. The signature is an empty one, for the
engine on loopback looks no further; nothing is sent again, so what is proven is our own loop.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from infra.local import engine as engines
from infra.prove.fake.service import in_turn
from models.base import tables

Look = Callable[[Mapping[str, Any]], None]
PATIENCE_S = 20.0
_SCOPE = f"{engines.ACCESS_KEY}/20260101/{engines.REGION}/dynamodb/aws4_request"
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=0",
}


class Wire:
    """Stands for botocore's client; ``look`` sees each write of an acknowledged transaction."""

    _request_signer = None

    def __init__(self, url: str, look: Look) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._link = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE_S)
        self._look = look

    def _make_api_call(self, operation: str, request: Mapping[str, Any]) -> Any:
        headers = {**_HEADERS, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        self._link.request("POST", "/", json.dumps(request), headers)
        reply = self._link.getresponse()
        body = json.loads(reply.read())
        if reply.status != 200:
            raise _error(operation, body)
        for one in request.get("TransactItems", ()):
            self._look(one)
        return body

    def close(self) -> None:
        """Let the connection go."""
        self._link.close()


def _error(operation: str, body: Mapping[str, Any]) -> ClientError:
    code = str(body.get("__type", "")).rpartition("#")[2]
    response: Any = {"Error": {"Code": code, "Message": body.get("message", "")}, **body}
    return ClientError(response, operation)


@contextmanager
def wired(url: str, look: Look) -> Iterator[None]:
    """Point every table of this process at an engine; afterwards where they were before."""
    before = tables._shared.database
    tables.use_database(
        tables.Database(
            region=engines.REGION,
            endpoint_url=url,
            access_key=engines.ACCESS_KEY,
            secret_key=engines.SECRET_KEY,
        )
    )
    link: Any = tables.connection()
    wire = Wire(url, look)
    link._client = wire
    try:
        with in_turn():
            yield
    finally:
        wire.close()
        if before is not None:
            tables.use_database(before)
