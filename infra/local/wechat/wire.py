"""What comes in and goes out over HTTP, and how a body is read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.wechat.errors import WeChatError
from infra.local.wechat.world import World

JSON_TYPE = "application/json; encoding=utf-8"
OK: Mapping[str, object] = {"errcode": 0, "errmsg": "ok"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; `query` keeps the first value of each name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object, whatever its Content-Type says; else 47001."""
        try:
            value = json.loads(self.body)
        except ValueError:
            raise WeChatError(47001) from None
        if not isinstance(value, dict):
            raise WeChatError(47001)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; WeChat's own answers always have status 200."""

    body: bytes
    content_type: str = JSON_TYPE
    status: int = 200


Endpoint = Callable[[World, Request], Answer]


def json_answer(
    value: Mapping[str, object], *, content_type: str = JSON_TYPE, status: int = 200
) -> Answer:
    """Return an answer with a JSON body, Chinese unescaped as WeChat sends it."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(body=body, content_type=content_type, status=status)
