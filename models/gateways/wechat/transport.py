"""One HTTP call to WeChat: bounded in time, silent about secrets, typed in its failures.

Query strings carry the secret and the access token. No exception that holds a URL leaves this
module, and urllib3's DEBUG lines lose their query.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from models.gateways.wechat.errors import CallRefused, Unreachable, WeChatError, refusal_in

if TYPE_CHECKING:
    from requests import Response, Session

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 4.0
TIMEOUTS_S = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
_CONNECTIONS = 32


class Transport:
    """Calls paths below ``base_url``, which has no slash at its end. One per process will do."""

    def __init__(self, base_url: str, *, timeouts_s: tuple[float, float] = TIMEOUTS_S) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeouts_s = timeouts_s

    def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET and answer the JSON object. Raises ``WeChatError``."""
        return _json_of(self._call("GET", path, query), path)

    def post(
        self, path: str, query: Mapping[str, str], body: Mapping[str, object]
    ) -> dict[str, Any]:
        """POST JSON and answer the JSON object. Raises ``WeChatError``."""
        return _json_of(self._call("POST", path, query, body), path)

    def post_for_bytes(
        self, path: str, query: Mapping[str, str], body: Mapping[str, object]
    ) -> bytes:
        """POST JSON and answer a picture's bytes. Raises ``WeChatError``."""
        answer = self._call("POST", path, query, body)
        if not answer.headers.get("Content-Type", "").startswith("image/"):
            _json_of(answer, path)
            raise _noted(path, Unreachable("NoPicture"))
        return answer.content

    @cached_property
    def _session(self) -> Session:
        import requests  # 60 ms: only a process that talks to WeChat pays for it
        from requests.adapters import HTTPAdapter

        hide_queries()
        session = requests.Session()
        session.trust_env = False
        adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=0)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, object] | None = None,
    ) -> Response:
        # Some of WeChat's APIs stumble over \uXXXX, so Chinese goes as it is.
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        answer = self._send(method, path, params=dict(query), data=content, headers=headers)
        if isinstance(answer, Unreachable):
            # Raised here and not where it was caught: the cause would bring the URL along.
            raise _noted(path, answer)
        if answer.status_code != 200:
            raise _noted(path, Unreachable(f"Status{answer.status_code}"))
        return answer

    def _send(self, method: str, path: str, **how: Any) -> Response | Unreachable:
        from requests import RequestException

        url = self.base_url + path
        try:
            return self._session.request(
                method, url, timeout=self.timeouts_s, allow_redirects=False, **how
            )
        except RequestException as error:
            return unreachable(error)


def unreachable(error: Exception) -> Unreachable:
    """What a ``requests`` exception means, without what it carries."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    cause = getattr(error.args[0], "reason", None) if error.args else None
    was_sent = not isinstance(cause, ConnectTimeoutError | NewConnectionError)
    return Unreachable(type(error).__name__, was_sent=was_sent)


def hide_queries() -> None:
    """Make urllib3 log paths without their query; doing it again changes nothing."""
    logging.getLogger("urllib3.connectionpool").addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            part.partition("?")[0] if isinstance(part, str) else part for part in record.args
        )
    return True


def _json_of(answer: Response, path: str) -> dict[str, Any]:
    try:
        content = json.loads(answer.content.decode("utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _noted(path, Unreachable("NotJSON"))
    refused = refusal_in(content)
    if refused is not None:
        raise _noted(path, refused)
    return content


def _noted(path: str, error: WeChatError) -> WeChatError:
    note(path, error)
    return error


def note(path: str, error: WeChatError) -> None:
    """Log a failed call: its path, errcode and request id."""
    if isinstance(error, CallRefused):
        facts = {"path": path, "errcode": error.errcode, "rid": error.rid}
        # Known refusals are ordinary; any other is a wrong secret, whitelist or permission.
        level = logging.ERROR if type(error) is CallRefused else logging.INFO
        log.log(level, "wechat.refused", extra=facts)
    elif isinstance(error, Unreachable):
        log.warning("wechat.unreachable", extra={"path": path, "reason": error.reason})
