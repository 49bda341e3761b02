"""WeChat's refusals: HTTP 200 with an errcode, and an errmsg that ends in a request id.

*Source:* errcode table in the API pages and the developer community (read 2026-11).
"""

import secrets

_ERRMSG_BY_CODE = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest, could get access_token"
    " by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40029: "invalid code",
    40037: "invalid template_id",
    40066: "invalid url",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40163: "code been used",
    40165: "invalid weapp pagepath",
    40169: "invalid length for scene, or the data is not json string",
    40256: "user not bind employee relation",
    40257: "invalid touser",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43104: "not permitted",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45109: "This API has been unsupported",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    61010: "user visit record timed out",
    85400: "long-term scheme or url link is not allowed",
    87014: "risky content",
    93000: "invalid webhook url, please check again",
}


class WeChatError(Exception):
    """A call refused as WeChat refuses it; `detail` is appended to the code's usual errmsg."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        super().__init__(errcode)
        self.errcode = errcode
        self.detail = detail

    def body(self) -> dict[str, object]:
        """Return the JSON body, with a fresh `rid`."""
        text = " ".join(filter(None, (_ERRMSG_BY_CODE.get(self.errcode, "error"), self.detail)))
        return {"errcode": self.errcode, "errmsg": f"{text} rid: {_rid()}"}


class BadControl(Exception):
    """A control request that makes no sense; answered as HTTP 400 with its reason."""


def _rid() -> str:
    return "-".join(secrets.token_hex(4) for _ in range(3))
