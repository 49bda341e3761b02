"""Builders of alerts: notices, rows to deliver, pushes, and a channel that records."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from models.alerts import messages
from models.alerts.callbacks import Reactions
from models.alerts.delivery import message_id_of
from models.alerts.entities import (
    AccountName,
    Alert,
    CallbackPush,
    ChannelRefused,
    Notice,
    Quota,
    Recipient,
    Refusal,
    Template,
    Text,
)
from models.alerts.tables import InboxRow, OutboxRow
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import get
from models.people.withdrawals import Withdrawn

NOW = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
COUNTY = "411503"
_seconds = itertools.count(1_773_000_000)


def a_notice(*, member_id: str | None = None, at: datetime = NOW, what: str = "占道停放") -> Notice:
    """A new notice of a case to an officer; nobody else's unless ``member_id`` is given."""
    template, fields = messages.officer_alert(
        what=what, where="羊山新区新七大道", due_at=NOW, number="XY-0042"
    )
    return Notice(
        notice_id=new_id("ntc"),
        member_id=member_id or new_id("mbr"),
        county=COUNTY,
        kind="case.submitted",
        template=template,
        fields=fields,
        title=Text(zh="新事项", en="New case"),
        body=Text(zh="请接单", en="Please claim it"),
        page="pages/case/detail?id=case_1",
        at=at,
        case_id="case_1",
    )


def an_alert(
    notice: Notice | None = None,
    *,
    urgent: bool = False,
    due_in: timedelta = timedelta(hours=30),
    since: datetime | None = None,
    first_told: bool = True,
) -> Alert:
    """An alert of a notice; by default without urgency, and due after every digest of today."""
    notice = notice or a_notice()
    return Alert(
        notice=notice,
        due_at=notice.at + due_in,
        urgent=urgent,
        since=since,
        first_told=first_told,
    )


def openid_of(member_id: str) -> str:
    """The openid that ``a_recipient`` gives a member: nothing that may stand in a log."""
    return f"openid-{member_id}"


def a_recipient(member_id: str) -> Recipient:
    """A member who can be reached by every channel."""
    return Recipient(
        member_id=member_id, openid=openid_of(member_id), service_openid=f"svc-{member_id}"
    )


def inbox_row_of(notice: Notice) -> InboxRow:
    """The message of a notice as it stands in its member's inbox."""
    row = get(InboxRow, notice.member_id, message_id_of(notice))
    assert row is not None
    return row


def outbox_row(outbox_id: str) -> OutboxRow | None:
    """What stands in the outbox under an id."""
    return get(OutboxRow, outbox_id)


@dataclass
class RecordingChannel:
    """Takes messages as WeChat would: keeps them, and drops the copies it can tell.

    ``answers`` are used up one per send: None takes the message, a ``Refusal`` refuses it, and
    ``lost`` takes it without an answer; ``away`` neither takes nor answers.
    """

    name: str = "service"
    quota: Quota = Quota.PER_DAY
    pushes_of: AccountName | None = None
    first_id: str = "msg"
    counts_on: str = field(default_factory=lambda: new_id("cnt"))
    drops_copies: bool = True
    answers: list[Refusal | str | None] = field(default_factory=list)
    sends: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    ids: Mapping[Template, str] = field(
        default_factory=lambda: {template: f"tpl-{template}" for template in Template}
    )

    def template_id(self, template: Template) -> str | None:
        return self.ids.get(template)

    def counter(self, recipient: Recipient) -> str:
        return self.counts_on

    def send(
        self,
        recipient: Recipient,
        *,
        template: Template,
        fields: Mapping[str, str],
        page: str,
        dedupe_key: str,
    ) -> str:
        self.sends.append((dedupe_key, fields))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Refusal):
            raise ChannelRefused(answer)
        if answer != "away" and not (self.drops_copies and dedupe_key in self.delivered):
            self.delivered.append(dedupe_key)
        if answer is not None:
            raise Unavailable("wechat.away")
        return f"{self.first_id}-{len(self.delivered)}"


@dataclass
class RecordingReactions:
    """What callbacks set off; ``is_away`` makes each of them fail."""

    verdicts: list[tuple[str, str | None]] = field(default_factory=list)
    follows: list[tuple[str, datetime]] = field(default_factory=list)
    not_shown: list[tuple[str, str, str]] = field(default_factory=list)
    forgotten: list[tuple[str, str]] = field(default_factory=list)
    knows_messages: bool = True
    is_away: bool = False

    def reactions(self) -> Reactions:
        return Reactions(
            member_id_of=lambda openid: f"mbr-of-{openid}",
            verdict=lambda trace_id, suggest, _: self._note(self.verdicts, (trace_id, suggest)),
            follow_changed=lambda openid, at: self._note(self.follows, (openid, at)),
            not_shown=self._note_not_shown,
            forgetful=[self],
        )

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]:
        self._note(self.forgotten, (member_id, withdrawn.value))
        return ["phone"] if withdrawn is Withdrawn.PHONE else []

    def _note_not_shown(self, account: AccountName, wechat_id: str, outcome: str) -> bool:
        self._note(self.not_shown, (account, wechat_id, outcome))
        return self.knows_messages

    def _note(self, kept: list[Any], fact: Any) -> None:
        if self.is_away:
            raise Unavailable("wechat.away")
        kept.append(fact)


def a_push(
    event: Mapping[str, Any], *, account: Any = "mini", key: str | None = None
) -> CallbackPush:
    """A push as the decoder hands it over; a new one unless ``key`` says which."""
    stamped = {"CreateTime": next(_seconds), "MsgType": "event", **event}
    return CallbackPush(account=account, dedupe_key=key or new_id("push"), event=stamped)
