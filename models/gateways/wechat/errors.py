"""How a call to WeChat may fail, by errcode and never by text.

    Unavailable
    └── WeChatError                  every failure: uncaught, it reads as "WeChat is away"
        ├── Unreachable              no answer, or none that can be read: the outcome is unknown
        └── CallRefused              WeChat answered with an errcode
            ├── TokenRejected        40001 40014 42001
            ├── SystemBusy           -1
            ├── CodeInvalid          40029
            ├── CodeUsed             40163
            ├── UserBlocked          40226
            ├── OpenidUnknown        40003 40257
            ├── TemplateUnknown      40037
            ├── PageUnknown          41030 40165
            ├── ArgumentInvalid      47003 40097 45002
            ├── NotFollowing         43004
            ├── NoQuota              43101
            ├── NotBound             40256
            ├── NotPermitted         43104
            ├── RobotUnknown         93000
            ├── LimitReached         45009 45011
            └── VisitTooOld          61010

The text of an error holds the errcode and WeChat's request id, nothing of the request.
*Source:* errcode tables of the API pages (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from models.base.errors import Unavailable

_RID = re.compile(r"rid: ?([0-9a-zA-Z-]{1,64})")


class WeChatError(Unavailable):
    """WeChat did not do what was asked."""

    code = "wechat.away"


class Unreachable(WeChatError):
    """There was no answer that can be read; ``reason`` is the class of the cause."""

    def __init__(self, reason: str, *, was_sent: bool = True) -> None:
        super().__init__()
        self.reason = reason
        self.was_sent = was_sent

    def __str__(self) -> str:
        return f"WeChat gave no answer ({self.reason})"


class CallRefused(WeChatError):
    """WeChat refused; ``rid`` is what its support asks for, None when it gave none."""

    def __init__(self, errcode: int, rid: str | None = None) -> None:
        super().__init__()
        self.errcode = errcode
        self.rid = rid

    def __str__(self) -> str:
        return f"WeChat refused with {self.errcode} (rid {self.rid})"


class TokenRejected(CallRefused):
    """The access token is unknown, replaced or expired."""


class SystemBusy(CallRefused):
    """WeChat is busy; nothing was done."""


class CodeInvalid(CallRefused):
    """A login or phone code is unknown or expired; for a phone code also: used, or another's."""


class CodeUsed(CallRefused):
    """A login code was redeemed before."""


class UserBlocked(CallRefused):
    """WeChat does not let a user of high risk in."""


class OpenidUnknown(CallRefused):
    """No user of this account has the openid."""


class TemplateUnknown(CallRefused):
    """The account has no such template."""


class PageUnknown(CallRefused):
    """The released mini-program has no such page."""


class ArgumentInvalid(CallRefused):
    """A field of a message breaks its type's limits."""


class NotFollowing(CallRefused):
    """The receiver does not follow the service account."""


class NoQuota(CallRefused):
    """The receiver has accepted no further message of this template."""


class NotBound(CallRefused):
    """The receiver has no employment relation with the mini-program."""


class NotPermitted(CallRefused):
    """The account may not send employment messages; the page names the errcode and no more."""


class RobotUnknown(CallRefused):
    """WeCom has no robot of this key."""


class LimitReached(CallRefused):
    """The account's calls for this minute or day are used up."""


class VisitTooOld(CallRefused):
    """The user was not in the mini-program within two hours; content checks need that."""


_CLASS_BY_ERRCODE: Mapping[int, type[CallRefused]] = {
    -1: SystemBusy,
    40001: TokenRejected,
    40003: OpenidUnknown,
    40014: TokenRejected,
    40029: CodeInvalid,
    40037: TemplateUnknown,
    40097: ArgumentInvalid,
    40163: CodeUsed,
    40165: PageUnknown,
    40226: UserBlocked,
    40256: NotBound,
    40257: OpenidUnknown,
    41030: PageUnknown,
    42001: TokenRejected,
    43004: NotFollowing,
    43101: NoQuota,
    43104: NotPermitted,
    45002: ArgumentInvalid,
    45009: LimitReached,
    45011: LimitReached,
    47003: ArgumentInvalid,
    61010: VisitTooOld,
    93000: RobotUnknown,
}


def refusal_in(answer: Mapping[str, Any]) -> CallRefused | None:
    """The refusal that an answer's JSON tells of; None when it tells of success."""
    try:
        errcode = int(answer.get("errcode") or 0)
    except (TypeError, ValueError):
        return None
    return refusal(errcode, str(answer.get("errmsg", ""))) if errcode else None


def refusal(errcode: int, errmsg: str) -> CallRefused:
    """Make the error of an errcode; of its text only the request id is kept."""
    found = _RID.search(errmsg)
    kind = _CLASS_BY_ERRCODE.get(errcode, CallRefused)
    return kind(errcode, found.group(1) if found else None)
