"""WeChat's pushes: taken in once, answered at once, worked on from the outbox.

``take_in`` is all that happens before WeChat gets its ``success``: one transaction of a guard and
an outbox row, so a push that was acknowledged is never lost, and its second copy does nothing.
Official names and shapes vary (a list or one object, numbers or strings, events in any case):
reading them is tolerant; the decoder has stripped the keys. What lacks a field it must have is
logged as an error and dropped: waiting would not mend it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from models.alerts import outbox, quotas
from models.alerts.entities import AccountName, CallbackPush, Event
from models.alerts.tables import SCHEMA, CallbackRow
from models.base.clock import Clock
from models.base.errors import Unavailable
from models.base.ids import derived_id
from models.base.store import Refused, Transaction
from models.people.withdrawals import Forgetful, Withdrawn

log = logging.getLogger(__name__)

TOPIC = "callback"
REMEMBERED = timedelta(days=7)
CITY = "city"
"""The county of what belongs to no county: WeChat's own events."""

EARLY = timedelta(minutes=2)
"""So long what became of a message may be said before our own record of it stands."""

WITHDRAWN_BY_CODE: Mapping[str, Withdrawn] = {
    "6": Withdrawn.PROFILE,
    "8": Withdrawn.PHONE,
    "13": Withdrawn.LOCATION,
    "14": Withdrawn.PICTURES,
    "18": Withdrawn.LOCATION,
    "19": Withdrawn.PROFILE,
    "20": Withdrawn.PROFILE,
}
"""``RevokeInfo``; its other codes (plate, address, invoice, Bluetooth, microphone, camera, steps,
files, mail) name what is never asked for here. *Source:* 用户信息变更 events (read 2026-11)."""


class _Malformed(Exception):
    """A push lacks a field, or has one that cannot be read; the text is the field's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """What other capabilities do about an event; each must be safe to repeat.

    ``verdict`` gets a trace id, WeChat's suggestion (None: WeChat could not look) and when it
    came; ``follow_changed`` an openid of the service account and when; ``not_shown`` the account, a
    message's id and the outcome, and answers whether the message is known. ``forgetful`` are all
    capabilities that keep something of a member's.
    """

    member_id_of: Callable[[str], str]
    verdict: Callable[[str, str | None, datetime], None]
    follow_changed: Callable[[str, datetime], None]
    not_shown: Callable[[AccountName, str, str], bool]
    forgetful: Sequence[Forgetful]


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
        is_event = str(push.get("MsgType", "event")).lower() == "event"
        handler = {
            "subscribe_msg_popup_event": self._answered,
            "subscribe_msg_change_event": self._changed,
            "wxa_media_check": self._checked,
            "subscribe": self._followed,
            "unsubscribe": self._followed,
            "user_authorization_revoke": self._revoked,
            "user_authorization_cancellation": self._cancelled,
            "user_info_modified": self._modified,
            "templatesendjobfinish": self._finished,
            "subscribe_msg_sent_event": self._sent,
        }.get(kind if is_event else "")
        if handler is None:
            log.info("callback.ignored", extra={"kind": kind[:40]})
            return
        try:
            handler(push, event)
        except _Malformed as error:
            log.error("callback.malformed", extra={"kind": kind, "field": str(error)})

    def _answered(self, push: Mapping[str, Any], event: Event) -> None:
        member_id, at = self._member_id(push), _at(push)
        for item in _listed(push, "SubscribeMsgPopupEvent"):
            template_id = _text(item, "TemplateId")
            if _text(item, "SubscribeStatusString") == "accept":
                quotas.add_once(member_id, template_id, event_id=event.outbox_id, at=at)

    def _changed(self, push: Mapping[str, Any], event: Event) -> None:
        member_id, at = self._member_id(push), _at(push)
        # One of the official examples names this event's element after the popup.
        for item in _listed(push, "SubscribeMsgChangeEvent", "SubscribeMsgPopupEvent"):
            template_id = _text(item, "TemplateId")
            if _text(item, "SubscribeStatusString") == "reject":
                quotas.clear(member_id, template_id, at=at)

    def _checked(self, push: Mapping[str, Any], event: Event) -> None:
        result, suggestion = push.get("result"), None
        if str(push.get("errcode") or 0) == "0" and isinstance(result, Mapping):
            suggestion = _text(result, "suggest")
        self._reactions.verdict(_text(push, "trace_id"), suggestion, event.at)

    def _followed(self, push: Mapping[str, Any], event: Event) -> None:
        self._reactions.follow_changed(_text(push, "FromUserName"), _at(push))

    def _revoked(self, push: Mapping[str, Any], event: Event) -> None:
        codes = (code.strip() for code in str(push.get("RevokeInfo") or "").split(","))
        known = {WITHDRAWN_BY_CODE[code] for code in codes if code in WITHDRAWN_BY_CODE}
        self._forget(push, event, sorted(known))

    def _modified(self, push: Mapping[str, Any], event: Event) -> None:
        """WeChat cleaned or changed somebody's nickname or avatar."""
        self._forget(push, event, [Withdrawn.PROFILE])

    def _cancelled(self, push: Mapping[str, Any], event: Event) -> None:
        self._forget(push, event, list(Withdrawn))

    def _forget(
        self, push: Mapping[str, Any], event: Event, withdrawn: Iterable[Withdrawn]
    ) -> None:
        # FromUserName is WeChat's own account here.
        member_id = self._reactions.member_id_of(_text(push, "OpenID"))
        for what in withdrawn:
            for capability in self._reactions.forgetful:
                erased = capability.forget(member_id, what)
                if erased:
                    facts = {"withdrawn": what.value, "erased": sorted(erased)}
                    log.info("member.forgotten", extra={**facts, "push": event.outbox_id})

    def _finished(self, push: Mapping[str, Any], event: Event) -> None:
        status = _text(push, "Status").lower()
        if status != "success":
            outcome = "blocked" if "block" in status else "not_shown"
            self._not_shown("service", _text(push, "MsgID"), outcome, event)

    def _sent(self, push: Mapping[str, Any], event: Event) -> None:
        for item in _listed(push, "SubscribeMsgSentEvent"):
            if _text(item, "ErrorCode") != "0":
                self._not_shown("mini", _text(item, "MsgID"), "not_shown", event)

    def _not_shown(self, account: AccountName, message_id: str, outcome: str, event: Event) -> None:
        if self._reactions.not_shown(account, message_id, outcome):
            return
        if self._clock.now() - event.at < EARLY:
            raise Unavailable("alert.outcome_early")
        log.warning("alert.outcome_unknown", extra={"account": account, "outcome": outcome})

    def _member_id(self, push: Mapping[str, Any]) -> str:
        return self._reactions.member_id_of(_text(push, "FromUserName"))


def _listed(push: Mapping[str, Any], *xml_names: str) -> Iterator[Mapping[str, Any]]:
    """What JSON's top-level ``List`` or XML's nested one names, of one or more."""
    nested: Any = next((push[name] for name in xml_names if push.get(name)), {})
    inner = nested.get("List") if isinstance(nested, Mapping) else nested
    listed = push.get("List") or inner or []
    for item in listed if isinstance(listed, list) else [listed]:
        if not isinstance(item, Mapping):
            raise _Malformed("List")
        yield item


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
