"""Telling a member: the inbox always, then the first channel that takes it.

The inbox row comes first and is the notice's guard: however often ``tell`` runs, it is one message.
A channel that refuses is passed over; one that does not answer is passed over too, and when none
took the message in the end the caller tries again later. A crash between a channel's answer and
our record of it sends again, since an alert must not be lost: the service account drops the copy
by ``client_msg_id``; a subscription message may come twice, if the member accepted two.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.alerts import quotas
from models.alerts.entities import (
    Channel,
    ChannelRefused,
    Notice,
    Recipient,
    Refusal,
    RoleOrder,
    Text,
)
from models.alerts.tables import SCHEMA, InboxRow
from models.base.clock import Clock, utc_text
from models.base.errors import Unavailable
from models.base.store import get, put_if_absent, update_if

log = logging.getLogger(__name__)

INBOX_ONLY = "inbox"
"""``delivered_by`` of a message that no channel would take."""

KEPT_TRIES = 40
"""An outage of days must not fill the row: the last ones tell enough."""


class Messenger:
    """Tells notices. ``recipient`` finds where a member can be reached now; None: nowhere."""

    def __init__(
        self,
        *,
        channels: Mapping[RoleOrder, Sequence[Channel]],
        recipient: Callable[[str], Recipient | None],
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._recipient = recipient
        self._clock = clock

    def tell(self, notice: Notice, *, role_order: RoleOrder) -> None:
        """Tell once. Raises ``Unavailable`` when a channel gave no answer and none took it."""
        row = _inbox_row(notice)
        if not put_if_absent(row):
            row = get(InboxRow, notice.member_id, row.message_id) or row
        if row.delivered_by is not None:
            return
        attempt = _Attempt(notice, list(row.tried or ()), self._clock)
        recipient = self._recipient(notice.member_id)
        for channel in self._channels[role_order] if recipient else ():
            assert recipient is not None
            if attempt.by(channel, recipient):
                return
        attempt.record(None if attempt.is_open else INBOX_ONLY)
        if attempt.is_open:
            raise Unavailable("alert.no_answer")


class _Attempt:
    """One run over the channels, and what came of each."""

    def __init__(self, notice: Notice, tried: list[dict[str, str]], clock: Clock) -> None:
        self._notice = notice
        self._tried = tried
        self._clock = clock
        self.is_open = False

    def by(self, channel: Channel, recipient: Recipient) -> bool:
        """Try one channel; True when it took the message."""
        notice = self._notice
        template_id = channel.template_id(notice.template)
        if template_id is None:
            return self._passed(channel, Refusal.NO_TEMPLATE)
        quota = _Quota(channel, notice, template_id)
        if not quota.take():
            return self._passed(channel, Refusal.NO_QUOTA)
        try:
            wechat_id = channel.send(
                recipient,
                template=notice.template,
                fields=notice.fields,
                page=notice.page,
                dedupe_key=notice.notice_id,
            )
        except ChannelRefused as refused:
            quota.refused(refused.reason)
            return self._passed(channel, refused.reason)
        except Unavailable:
            self.is_open = True
            quota.refused(None)
            return self._passed(channel, "unavailable")
        self._note(channel, "sent")
        self.record(channel.name, wechat_id)
        quota.use()
        return True

    def record(self, delivered_by: str | None, wechat_id: str | None = None) -> None:
        """Write down what was tried, unless the member and his inbox have gone meanwhile."""
        actions: list[Any] = [InboxRow.tried.set(self._tried[-KEPT_TRIES:])]
        if delivered_by is not None:
            actions.append(InboxRow.delivered_by.set(delivered_by))
        if wechat_id is not None:
            actions.append(InboxRow.wechat_id.set(wechat_id))
        row = InboxRow(self._notice.member_id, message_id_of(self._notice))
        update_if(row, actions, InboxRow.message_id.exists())

    def _passed(self, channel: Channel, outcome: str) -> bool:
        self._note(channel, outcome)
        return False

    def _note(self, channel: Channel, outcome: str) -> None:
        at = utc_text(self._clock.now())
        self._tried.append({"channel": channel.name, "outcome": str(outcome), "at": at})
        log.info(
            "alert.tried",
            extra={"notice_id": self._notice.notice_id, "way": channel.name, "outcome": outcome},
        )


class _Quota:
    """What one notice takes from its member's acceptances; nothing where a channel needs none."""

    def __init__(self, channel: Channel, notice: Notice, template_id: str) -> None:
        self._is_needed = channel.uses_quota
        self._of = (notice.member_id, template_id)
        self._notice_id = notice.notice_id

    def take(self) -> bool:
        return not self._is_needed or quotas.take(*self._of, notice_id=self._notice_id)

    def use(self) -> None:
        if self._is_needed:
            quotas.use(*self._of, notice_id=self._notice_id)

    def refused(self, reason: Refusal | None) -> None:
        """Nothing was sent, or (None) nothing is known: then WeChat corrects us if it was."""
        if self._is_needed:
            settle = quotas.correct if reason is Refusal.NO_QUOTA else quotas.give_back
            settle(*self._of, notice_id=self._notice_id)


def message_id_of(notice: Notice) -> str:
    """The inbox's key: by time, then the notice; the same notice is the same message."""
    return f"{utc_text(notice.at)}_{notice.notice_id}"


def _inbox_row(notice: Notice) -> InboxRow:
    return InboxRow(
        member_id=notice.member_id,
        message_id=message_id_of(notice),
        schema=SCHEMA,
        county=notice.county,
        kind=notice.kind,
        title=_both(notice.title),
        body=_both(notice.body),
        page=notice.page,
        case_id=notice.case_id,
        at=notice.at,
    )


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
