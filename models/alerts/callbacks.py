"""WeChat's pushes: taken in once, answered at once, worked on from the outbox.

``take_in`` is all that happens before WeChat gets its ``success``: one transaction of a guard and
an outbox row, so a push that was acknowledged is never lost, and its second copy does nothing.
Official names and shapes vary (a list or one object, numbers or strings, keys with spaces, any
case): reading them is tolerant.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """What other capabilities do about an event; each must be safe to repeat.

    ``verdict`` gets a trace id and WeChat's suggestion (None: WeChat could not look);
    ``follow_changed`` an openid of the service account and when; ``revoked`` a member's id.
    """

    member_id_of: Callable[[str], str]
    verdict: Callable[[str, str | None], None]
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
        push = {str(key).strip(): value for key, value in event.payload["event"].items()}
        kind = str(push.get("Event", "")).lower()
        handler = {
            "subscribe_msg_popup_event": self._answered,
            "subscribe_msg_change_event": self._changed,
            "wxa_media_check": self._checked,
            "subscribe": self._followed,
            "unsubscribe": self._followed,
            "user_authorization_revoke": self._revoked,
            "user_authorization_cancellation": self._revoked,
        }.get(kind)
        if handler is None:
            log.info("callback.ignored", extra={"kind": kind[:40]})
            return
        handler(push, event)

    def _answered(self, push: Mapping[str, Any], event: Event) -> None:
        member_id = self._reactions.member_id_of(str(push["FromUserName"]))
        accepted = [
            str(answer["TemplateId"])
            for answer in _answers(push, "SubscribeMsgPopupEvent")
            if answer.get("SubscribeStatusString") == "accept"
        ]
        for template_id in accepted:
            quotas.add_once(member_id, template_id, event.outbox_id)

    def _changed(self, push: Mapping[str, Any], event: Event) -> None:
        member_id = self._reactions.member_id_of(str(push["FromUserName"]))
        for answer in _answers(push, "SubscribeMsgChangeEvent"):
            if answer.get("SubscribeStatusString") == "reject":
                quotas.clear(member_id, str(answer["TemplateId"]))

    def _checked(self, push: Mapping[str, Any], event: Event) -> None:
        result = push.get("result") or {}
        suggestion = result.get("suggest") if not int(push.get("errcode") or 0) else None
        self._reactions.verdict(str(push["trace_id"]), suggestion)

    def _followed(self, push: Mapping[str, Any], event: Event) -> None:
        at = datetime.fromtimestamp(int(push["CreateTime"]), UTC)
        self._reactions.follow_changed(str(push["FromUserName"]), at)

    def _revoked(self, push: Mapping[str, Any], event: Event) -> None:
        openid = push.get("OpenID") or push.get("FromUserName")
        self._reactions.revoked(self._reactions.member_id_of(str(openid)))


def _answers(push: Mapping[str, Any], xml_name: str) -> Iterator[Mapping[str, Any]]:
    """The answers in a subscription event: JSON's top-level ``List``, or XML's nested one."""
    nested = push.get(xml_name) or push.get("SubscribeMsgPopupEvent") or {}
    listed = push.get("List") or nested.get("List") or []
    yield from [listed] if isinstance(listed, Mapping) else listed
