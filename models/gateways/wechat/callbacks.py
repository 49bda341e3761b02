"""Reads WeChat's message pushes: verifies, decrypts, and gives one shape to JSON and XML.

Only safe mode is taken. Nothing of a body is used before its signature is verified except
``Encrypt``, which is what the signature is over.
*Source:* 消息推送 / 消息加解密 guide (read 2026-11); its golden vectors are tests.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from models.alerts.entities import CallbackPush
from models.base.clock import Clock
from models.base.errors import Forbidden, Invalid

FRESH = timedelta(minutes=10)
"""WeChat sends a push three times in all, some with the first one's time; it names no limit."""
MAX_BODY_BYTES = 64 * 1024


class PushForged(Forbidden):
    """The push is not WeChat's, not for this account, or too old."""

    code = "callback.forged"


class PushUnreadable(Invalid):
    """The push is WeChat's, and what it says cannot be read."""

    code = "callback.unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAccount:
    """What the account's console holds: secrets are fetched when they are needed."""

    name: Literal["mini", "service"]
    appid: str
    token: Callable[[], str] = field(repr=False)
    aes_key: Callable[[], str] = field(repr=False)


class CallbackDecoder:
    """Decodes the pushes of one account. Raises ``PushForged`` and ``PushUnreadable`` alone."""

    def __init__(self, *, account: PushAccount, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    def echo(self, query: Mapping[str, str]) -> str:
        """Answer the console's check of our address: the text to send back as it is."""
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        expected = _signature(self._account.token(), timestamp, nonce)
        self._verify(expected, query.get("signature", ""), timestamp)
        return query.get("echostr", "")

    def decode(self, query: Mapping[str, str], body: bytes) -> CallbackPush:
        """Verify and decrypt a push; ``event`` has stripped keys and WeChat's own values."""
        encrypted = _encrypted_in(body)
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        expected = _signature(self._account.token(), timestamp, nonce, encrypted)
        self._verify(expected, query.get("msg_signature", ""), timestamp)
        event = _parsed(self._decrypted(encrypted, expected, timestamp, nonce))
        if event is None:
            raise PushUnreadable
        stripped = _stripped(event)
        return CallbackPush(
            account=self._account.name, dedupe_key=dedupe_key_of(stripped), event=stripped
        )

    def _verify(self, expected: str, given: str, timestamp: str) -> None:
        if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
            raise PushForged
        try:
            at = datetime.fromtimestamp(int(timestamp), UTC)
        except (ValueError, OverflowError, OSError):
            raise PushForged from None
        if abs(self._clock.now() - at) > FRESH:
            raise PushForged("callback.stale")

    def _decrypted(self, encrypted: str, signature: str, timestamp: str, nonce: str) -> bytes:
        from wechatpy.crypto import WeChatCrypto  # 117 ms: only where pushes are received
        from wechatpy.exceptions import WeChatException

        crypto = WeChatCrypto(self._account.token(), self._account.aes_key(), self._account.appid)
        try:
            # Given a dict it takes JSON's Encrypt as well as XML's.
            text: str = crypto.decrypt_message({"Encrypt": encrypted}, signature, timestamp, nonce)
        except (WeChatException, ValueError, IndexError, struct.error):
            # Signed with our token and yet not for our key or appid.
            raise PushForged("callback.not_for_us") from None
        return text.encode()


def dedupe_key_of(event: Mapping[str, Any]) -> str:
    """The same for a push sent again, and for no other.

    WeChat advises FromUserName and CreateTime, but the verdicts on several photos share both.
    """
    kind = str(event.get("Event", "")).lower()
    if kind == "wxa_media_check" and event.get("trace_id"):
        return f"{kind}:{event['trace_id']}"
    message_id = event.get("MsgId") or event.get("MsgID") or _sent_id(event)
    if message_id:
        return f"{kind}:{message_id}"
    text = json.dumps(_as_text(event), sort_keys=True, separators=(",", ":"))
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()}"


def _sent_id(event: Mapping[str, Any]) -> object:
    """The id in a sent event of one message: in JSON, or nested in XML, alone or in a list."""
    nested = event.get("SubscribeMsgSentEvent")
    listed = event.get("List") or (nested.get("List") if isinstance(nested, dict) else None)
    [item] = listed if isinstance(listed, list) and len(listed) == 1 else [listed]
    return item.get("MsgID") if isinstance(item, dict) else None


def _as_text(value: Any) -> Any:
    """Numbers as text: the same push may bring either."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return value if isinstance(value, str | bool) or value is None else str(value)


def _signature(*parts: str) -> str:
    # SHA-1 is WeChat's choice. JSON can bring halves of characters, which have no bytes.
    return hashlib.sha1("".join(sorted(parts)).encode(errors="replace")).hexdigest()


def _encrypted_in(body: bytes) -> str:
    outer = _parsed(body) if len(body) <= MAX_BODY_BYTES else None
    encrypted = (outer or {}).get("Encrypt")
    if not isinstance(encrypted, str):
        raise PushForged("callback.not_encrypted")
    return encrypted


def _parsed(body: bytes) -> dict[str, Any] | None:
    """The object in JSON or in XML's root element; None when it is neither."""
    try:
        content = _json_or_xml(body.decode("utf-8").strip())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _json_or_xml(text: str) -> object:
    if not text.startswith("<"):
        return json.loads(text, parse_constant=_refuse_constant)
    from xml.parsers.expat import ExpatError

    import xmltodict  # type: ignore[import-untyped]  # it has no types; wechatpy brings it

    try:
        # It refuses entities, so a small body cannot grow into a large one.
        return xmltodict.parse(text).get("xml")
    except ExpatError as error:
        raise ValueError("not XML") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _stripped(content: Any) -> Any:
    """Take blanks off the keys: some official examples have them."""
    if isinstance(content, dict):
        return {str(key).strip(): _stripped(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_stripped(value) for value in content]
    return content
