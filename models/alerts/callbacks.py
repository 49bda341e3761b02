"""WeChat's pushes: taken in once, answered at once, worked on from the outbox.

``take_in`` is all that happens before WeChat gets its ``success``: one transaction of a guard and
an outbox row, so a push that was acknowledged is never lost, and its second copy does nothing.
Official names and shapes vary (a list or one object, numbers or strings, events in any case):
reading them is tolerant; the decoder has stripped the keys. What lacks a field it must have is
logged as an error and dropped: waiting would not mend it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from models.alerts import outbox, quotas
from models.alerts.entities import CallbackPush, Event
from models.alerts.tables import SCHEMA, CallbackRow
from models.base.clock import Clock
from models.base.ids import derived_id
from models.base.store import Refused, Transaction

log = logging.getLogger(__name__)

TOPIC = "callback"
REMEMBERED = timedelta(days=7)
CITY = "city"
"""The county of what belongs to no county: WeChat's own events."""

PHONE_REVOKED = "8"
"""``RevokeInfo`` of the phone number; other codes name what we do not keep under an account."""


class _Malformed(Exception):
    """A push lacks a field, or has one that cannot be read; the text is the field's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """What other capabilities do about an event; each must be safe to repeat.

    ``verdict`` gets a trace id, WeChat's suggestion (None: WeChat could not look) and when it
    came; ``follow_changed`` an openid of the service account and when; ``revoked`` a member's id.
    """

    member_id_of: Callable[[str], str]
    verdict: Callable[[str, str | None, datetime], None]
    follow_changed: Callable[[str, datetime], None]
    revoked: Callable[[str], None]


class Callbacks:
    """Takes pushes in, and works on them later."""

    def __init__(self, *, clock: Clock, reactions: Reactions) -> None:
        self._clock = clock
        self._reactions = reactions

    def take_in(self, push: CallbackPush) -> None:
        """Store a push durably; a copy of one already stored does nothing."""
        now = self._clock.now()
        callback_id = derived_id("cb", push.account, push.dedupe_key)
        tx = Transaction()
        tx.guard(
            "callback",
            CallbackRow(
                callback_id=callback_id,
                schema=SCHEMA,
                account=push.account,
                taken_at=now,
                ttl=int((now + REMEMBERED).timestamp()),
            ),
        )
        payload = {"account": push.account, "event": dict(push.event)}
        tx.put("outbox", outbox.row(TOPIC, callback_id, CITY, payload, now))
        try:
            tx.commit()
        except Refused:
            log.info("callback.repeated", extra={"callback_id": callback_id})

    def handle(self, event: Event) -> None:
        """Work on one push from the outbox. May raise ``Unavailable``: it is then tried again."""
        push: Mapping[str, Any] = event.payload["event"]
        kind = str(push.get("Event", "")).lower()
        handler = {
            "subscribe_msg_popup_event": self._answered,
            "subscribe_msg_change_event": self._changed,
            "wxa_media_check": self._checked,
            "subscribe": self._followed,
            "unsubscribe": self._followed,
            "user_authorization_revoke": self._revoked,
            "user_authorization_cancellation": self._cancelled,
            "templatesendjobfinish": self._finished,
        }.get(kind)
        if handler is None:
            log.info("callback.ignored", extra={"kind": kind[:40]})
            return
        try:
            handler(push, event)
        except _Malformed as error:
            log.error("callback.malformed", extra={"kind": kind, "field": str(error)})

    def _answered(self, push: Mapping[str, Any], event: Event) -> None:
        member_id, at = self._member_id(push), _at(push)
        for template_id, answer in _answers(push, "SubscribeMsgPopupEvent"):
            if answer == "accept":
                quotas.add_once(member_id, template_id, event_id=event.outbox_id, at=at)

    def _changed(self, push: Mapping[str, Any], event: Event) -> None:
        member_id, at = self._member_id(push), _at(push)
        for template_id, answer in _answers(push, "SubscribeMsgChangeEvent"):
            if answer == "reject":
                quotas.clear(member_id, template_id, at=at)

    def _checked(self, push: Mapping[str, Any], event: Event) -> None:
        result, suggestion = push.get("result"), None
        if str(push.get("errcode") or 0) == "0" and isinstance(result, Mapping):
            suggestion = _text(result, "suggest")
        self._reactions.verdict(_text(push, "trace_id"), suggestion, event.at)

    def _followed(self, push: Mapping[str, Any], event: Event) -> None:
        self._reactions.follow_changed(_text(push, "FromUserName"), _at(push))

    def _revoked(self, push: Mapping[str, Any], event: Event) -> None:
        codes = str(push.get("RevokeInfo") or "").split(",")
        if PHONE_REVOKED in (code.strip() for code in codes):
            self._cancelled(push, event)

    def _cancelled(self, push: Mapping[str, Any], event: Event) -> None:
        # FromUserName is WeChat's own account here.
        self._reactions.revoked(self._reactions.member_id_of(_text(push, "OpenID")))

    def _finished(self, push: Mapping[str, Any], event: Event) -> None:
        status = str(push.get("Status") or "")
        if status != "success":
            log.warning("alert.not_shown", extra={"status": status[:40]})

    def _member_id(self, push: Mapping[str, Any]) -> str:
        return self._reactions.member_id_of(_text(push, "FromUserName"))


def _answers(push: Mapping[str, Any], xml_name: str) -> Iterator[tuple[str, str]]:
    """Template and answer, from JSON's top-level ``List`` or XML's nested one, of one or more."""
    # One of the official examples names the change event's element after the popup.
    nested = push.get(xml_name) or push.get("SubscribeMsgPopupEvent") or {}
    inner = nested.get("List") if isinstance(nested, Mapping) else nested
    listed = push.get("List") or inner or []
    for answer in listed if isinstance(listed, list) else [listed]:
        if not isinstance(answer, Mapping):
            raise _Malformed("List")
        yield _text(answer, "TemplateId"), _text(answer, "SubscribeStatusString")


def _at(push: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(int(_text(push, "CreateTime")), UTC)
    except (ValueError, OverflowError, OSError):
        raise _Malformed("CreateTime") from None


def _text(push: Mapping[str, Any], field: str) -> str:
    value = push.get(field)
    if value is None or isinstance(value, Mapping | list) or not str(value).strip():
        raise _Malformed(field)
    return str(value)
