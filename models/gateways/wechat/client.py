"""The mini-program's calls to WeChat, thin: one method per API, each answer in our own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

from models.cases.gateways import JudgementRefused
from models.gateways.wechat.errors import (
    CodeInvalid,
    CodeUsed,
    SystemBusy,
    Unreachable,
    UserBlocked,
    VisitTooOld,
)
from models.gateways.wechat.tokens import Account, Tokens
from models.gateways.wechat.transport import Transport
from models.people.entities import WeChatIdentity
from models.people.gateways import (
    LoginBlocked,
    LoginCodeInvalid,
    LoginCodeUsed,
    PhoneCodeInvalid,
)

Suggestion = Literal["pass", "risky", "review"]

EmployeeData: TypeAlias = Callable[[Mapping[str, str]], object]
"""Makes the ``data`` of an employment message."""

CHECK_VERSION = 2
_SCENE_FORUM = 3
_MEDIA_PICTURE = 2

_Answer = TypeVar("_Answer")


class WeChatClient:
    """Speaks for the mini-program. Every method may raise ``WeChatError``, an ``Unavailable``."""

    def __init__(
        self,
        *,
        account: Account,
        tokens: Tokens,
        transport: Transport,
        employee_data: EmployeeData | None = None,
    ) -> None:
        self._account = account
        self._tokens = tokens
        self._transport = transport
        self._employee_data = employee_data or data_in_text

    def code_to_session(self, code: str) -> WeChatIdentity:
        """Redeem a ``wx.login`` code; the session key WeChat sends along is dropped.

        Raises ``LoginCodeUsed``, ``LoginCodeInvalid``, ``LoginBlocked``. When the answer was lost
        the code may be spent: asking again then raises ``LoginCodeUsed``.
        """
        query = {
            "appid": self._account.appid,
            "secret": self._account.secret(),
            "js_code": code,
            "grant_type": "authorization_code",
        }
        try:
            answer = _again_if_untouched(lambda: self._transport.get("/sns/jscode2session", query))
        except CodeUsed as error:
            raise LoginCodeUsed from error
        except CodeInvalid as error:
            raise LoginCodeInvalid from error
        except UserBlocked as error:
            raise LoginBlocked from error
        unionid = answer.get("unionid")
        return WeChatIdentity(
            openid=_text(answer, "openid"), unionid=str(unionid) if unionid else None
        )

    def phone_number(self, code: str, openid: str) -> str:
        """Redeem a phone code that belongs to ``openid``; the number has its country code.

        Raises ``PhoneCodeInvalid``.
        """
        body = {"code": code, "openid": openid}
        try:
            answer = _again_if_untouched(
                lambda: self._post("/wxa/business/getuserphonenumber", body)
            )
        except CodeInvalid as error:
            raise PhoneCodeInvalid from error
        phone = _part(answer, "phone_info")
        number = _text(phone, "purePhoneNumber")
        # Documented as text, shown as a number.
        return number if number.startswith("+") else f"+{_text(phone, 'countryCode')}{number}"

    def send_subscribe(
        self, *, openid: str, template_id: str, fields: Mapping[str, str], page: str
    ) -> str:
        """Send a subscription message and answer its id; uses up one acceptance.

        Raises ``NoQuota``, ``ArgumentInvalid``, ``PageUnknown``, ``TemplateUnknown``,
        ``OpenidUnknown``.
        """
        body = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": _values(fields),
        }
        return _text(self._post("/cgi-bin/message/subscribe/send", body), "msgid")

    def send_employee(
        self, *, openid: str, template_id: str, fields: Mapping[str, str], page: str
    ) -> str:
        """Send an employment-relation message to one who bound himself, and answer its id.

        Raises ``NotBound``, ``NotPermitted``, ``ArgumentInvalid``, ``PageUnknown``,
        ``TemplateUnknown``, ``OpenidUnknown``.
        """
        body = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": self._employee_data(fields),
        }
        path = "/cgi-bin/message/wxopen/employeerelationmsg/send"
        answer = self._post(path, body)
        # The page names no id in the answer.
        return str(answer.get("msgid") or "")

    def check_text(self, openid: str, text: str) -> Suggestion:
        """Have up to 2500 characters judged. Raises ``JudgementRefused`` two hours after
        the member's last visit.

        A judgement that is none of the three known raises ``Unreachable``: never a pass.
        """
        body = {"content": text, "openid": openid, "scene": _SCENE_FORUM, "version": CHECK_VERSION}
        answer = self._judged("/wxa/msg_sec_check", body)
        suggest = _text(_part(answer, "result"), "suggest")
        if suggest == "pass":
            return "pass"
        if suggest == "risky":
            return "risky"
        if suggest == "review":
            return "review"
        raise Unreachable("UnknownSuggestion")

    def check_media(self, url: str, openid: str) -> str:
        """Have the picture at ``url`` judged; answers the trace id that the verdict will carry.

        WeChat fetches the address within 30 minutes, without credentials. Raises
        ``JudgementRefused`` two hours after the member's last visit.
        """
        body = {
            "media_url": url,
            "media_type": _MEDIA_PICTURE,
            "version": CHECK_VERSION,
            "scene": _SCENE_FORUM,
            "openid": openid,
        }
        return _text(self._judged("/wxa/media_check_async", body), "trace_id")

    def unlimited_code(self, *, scene: str, page: str, width_px: int = 430) -> bytes:
        """Draw the mini-program code that opens ``page`` with ``scene`` (≤32 visible characters).

        Raises ``PageUnknown``.
        """
        body = {"scene": scene, "page": page, "check_path": True, "width": width_px}
        return self._tokens.calling(
            lambda token: self._transport.post_for_bytes(
                "/wxa/getwxacodeunlimit", {"access_token": token}, body
            )
        )

    def _judged(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        try:
            return self._post(path, body)
        except VisitTooOld as error:
            raise JudgementRefused from error

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._tokens.calling(
            lambda token: self._transport.post(path, {"access_token": token}, body)
        )


def data_in_text(fields: Mapping[str, str]) -> str:
    """The documented form: JSON within a string, holding another ``data``.

    One developer was answered 40097 to it; another form is another function given to the client.
    *Source:* api_sendemployeerelationmsg (read 2026-11).
    """
    return json.dumps({"data": _values(fields)}, ensure_ascii=False)


def _values(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {key: {"value": value} for key, value in fields.items()}


def _again_if_untouched(call: Callable[[], _Answer]) -> _Answer:
    """Call a second time when the first cannot have used a code up: never after it was sent."""
    try:
        return call()
    except SystemBusy:
        pass
    except Unreachable as error:
        if error.was_sent:
            raise
    return call()


def _text(answer: Mapping[str, Any], name: str) -> str:
    """A value as text; ids come as numbers too large for others to keep. Raises ``Unreachable``."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Unreachable(f"No{name}")
    return str(value)


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    if not isinstance(value, dict):
        raise Unreachable(f"No{name}")
    return value
