"""Telling a member: the inbox always, then the first channel that takes it.

The inbox row comes first and is the notice's guard: however often ``tell`` runs, it is one message,
and only one teller at a time sends it. A channel that refuses is passed over; one that does not
answer is passed over too, and when none took the message in the end the caller tries again later.
A crash between a channel's answer and our record of it sends again, since an alert must not be
lost: the service account drops the copy by ``client_msg_id``; a subscription message may come
twice, if the member accepted two.

WeChat may say after it took a message that it could not show it. What was sent stands in
``sent-messages`` until then, so that telling goes on with the channels that are left.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from pynamodb.expressions.update import Action

from models.alerts import inbox, ledgers, stored
from models.alerts.entities import (
    AccountName,
    Channel,
    ChannelRefused,
    Notice,
    Recipient,
    Refusal,
    RoleOrder,
    Text,
)
from models.alerts.ledgers import Asking
from models.alerts.tables import SCHEMA, InboxRow, SentRow
from models.base.clock import Clock, utc_text
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.base.store import get, put_if_absent, update_if

log = logging.getLogger(__name__)

INBOX_ONLY = "inbox"
"""``delivered_by`` of a message that no channel would take."""

TELLING = timedelta(seconds=30)
"""How long a teller keeps a message to himself: as long as the outbox's lease of its event."""

SAID_WITHIN = timedelta(days=3)
"""How long WeChat may take to say what became of a message."""

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
        """Tell once. Raises ``Unavailable`` when it must be tried again.

        That is when a channel gave no answer or had no room and none took it, and while another
        tells it.
        """
        row = self._taken(notice)
        if row is None:
            return
        attempt = _Attempt(notice, row, role_order, self._clock)
        recipient = self._recipient(notice.member_id)
        for channel in self._channels[role_order] if recipient else ():
            assert recipient is not None
            if channel.name not in (row.failed_by or ()) and attempt.by(channel, recipient):
                return
        if attempt.again_after is not None:
            attempt.leave()
            wait_s = max(1, math.ceil(attempt.again_after.total_seconds()))
            raise Unavailable("alert.no_answer", retry_after_s=wait_s)
        attempt.record(INBOX_ONLY)

    def not_shown(self, account: AccountName, wechat_id: str, outcome: str) -> bool:
        """Go on with the next channel: WeChat could not show a message that it took.

        Safe to repeat. False when no message of ours is known by this id. Raises ``Unavailable``
        when it must be tried again.
        """
        sent = get(SentRow, _sent_id(account, wechat_id))
        if sent is None:
            return False
        notice = stored.read(sent.member_id, sent.county, sent.notice)
        row = get(InboxRow, notice.member_id, message_id_of(notice))
        if row is None:  # the member and his inbox have gone meanwhile
            return True
        if self._take_back(row, sent.channel, wechat_id, outcome):
            facts = {"notice_id": notice.notice_id, "way": sent.channel, "outcome": outcome}
            log.warning("alert.not_shown", extra=facts)
        self.tell(notice, role_order=cast(RoleOrder, sent.role_order))
        return True

    def note(self, notice: Notice) -> None:
        """Put it into the inbox and ring no phone. Safe to repeat. Raises ``Unavailable``."""
        row = inbox_row(notice)
        row.delivered_by = INBOX_ONLY
        inbox.put(row, self._clock.now())

    def _take_back(self, row: InboxRow, channel: str, wechat_id: str, outcome: str) -> bool:
        """The message counts as untold again, once; never again by this channel."""
        tried = [*(row.tried or ()), _try(channel, outcome, self._clock.now())]
        actions = [
            InboxRow.delivered_by.remove(),
            InboxRow.wechat_id.remove(),
            InboxRow.told_until.remove(),
            InboxRow.tried.set(tried[-KEPT_TRIES:]),
            InboxRow.failed_by.add({channel}),
        ]
        is_this = (InboxRow.delivered_by == channel) & (InboxRow.wechat_id == wechat_id)
        return update_if(row, actions, is_this)

    def _taken(self, notice: Notice) -> InboxRow | None:
        """The message, to be sent by us alone; None when it was told. May raise ``Unavailable``."""
        now, teller = self._clock.now(), new_id("tell")
        until = now + TELLING
        fresh = inbox_row(notice)
        fresh.teller, fresh.told_until = teller, until
        if inbox.put(fresh, now):
            return fresh
        take = [InboxRow.teller.set(teller), InboxRow.told_until.set(until)]
        is_free = InboxRow.told_until.does_not_exist() | (InboxRow.told_until <= now)
        is_untold = InboxRow.message_id.exists() & InboxRow.delivered_by.does_not_exist()
        update_if(fresh, take, is_untold & is_free)
        found = get(InboxRow, notice.member_id, fresh.message_id)
        if found is None or found.delivered_by is not None:
            return None
        if found.teller != teller:
            raise Unavailable("alert.being_told")
        return found


class _Attempt:
    """One run over the channels, and what came of each."""

    def __init__(self, notice: Notice, row: InboxRow, role_order: RoleOrder, clock: Clock) -> None:
        self._notice = notice
        self._row = row
        self._role_order = role_order
        self._tried: list[dict[str, str]] = list(row.tried or ())
        self._clock = clock
        self.again_after: timedelta | None = None
        """How soon another run may have more luck; None: all has been said."""

    def by(self, channel: Channel, recipient: Recipient) -> bool:
        """Try one channel; True when it took the message."""
        notice = self._notice
        template_id = channel.template_id(notice.template)
        if template_id is None:
            return self._passed(channel, Refusal.NO_TEMPLATE)
        asking = Asking(
            channel=channel,
            recipient=recipient,
            template_id=template_id,
            notice_id=notice.notice_id,
            now=self._clock.now(),
        )
        try:
            taken = ledgers.take(asking)
        except ChannelRefused as refused:
            return self._refused(channel, refused)
        try:
            wechat_id = channel.send(
                recipient,
                template=notice.template,
                fields=notice.fields,
                page=notice.page,
                dedupe_key=notice.notice_id,
            )
        except ChannelRefused as refused:
            taken.refused(refused.reason)
            return self._refused(channel, refused)
        except Unavailable as error:
            taken.refused(None)
            self._may_try_after(timedelta(seconds=error.retry_after_s))
            return self._passed(channel, "unavailable")
        self._note(channel, "sent")
        self._remember(channel, wechat_id)
        self.record(channel.name, wechat_id)
        taken.sent()
        return True

    def record(self, delivered_by: str, wechat_id: str | None = None) -> None:
        """Write down how it went, unless the member and his inbox have gone meanwhile."""
        actions = [self._tries(), InboxRow.delivered_by.set(delivered_by)]
        if wechat_id is not None:
            actions.append(InboxRow.wechat_id.set(wechat_id))
        update_if(self._row, actions, InboxRow.message_id.exists())

    def leave(self) -> None:
        """Write down what was tried, and let the next teller begin at once."""
        actions = [self._tries(), InboxRow.told_until.remove()]
        update_if(self._row, actions, InboxRow.teller == self._row.teller)

    def _tries(self) -> Action:
        return InboxRow.tried.set(self._tried[-KEPT_TRIES:])

    def _remember(self, channel: Channel, wechat_id: str) -> None:
        """Keep what was sent for when WeChat says that it could not show it."""
        if channel.pushes_of is None:
            return
        notice = self._notice
        row = SentRow(
            sent_id=_sent_id(channel.pushes_of, wechat_id),
            schema=SCHEMA,
            county=notice.county,
            member_id=notice.member_id,
            channel=channel.name,
            role_order=self._role_order,
            notice=stored.written(notice),
            ttl=int((self._clock.now() + SAID_WITHIN).timestamp()),
        )
        put_if_absent(row)

    def _refused(self, channel: Channel, refused: ChannelRefused) -> bool:
        if refused.reason is Refusal.RATE_LIMITED:
            self._may_try_after(refused.retry_after or timedelta(seconds=1))
        return self._passed(channel, refused.reason)

    def _may_try_after(self, pause: timedelta) -> None:
        self.again_after = pause if self.again_after is None else min(pause, self.again_after)

    def _passed(self, channel: Channel, outcome: str) -> bool:
        self._note(channel, outcome)
        return False

    def _note(self, channel: Channel, outcome: str) -> None:
        self._tried.append(_try(channel.name, outcome, self._clock.now()))
        log.info(
            "alert.tried",
            extra={"notice_id": self._notice.notice_id, "way": channel.name, "outcome": outcome},
        )


def _try(channel: str, outcome: str, at: datetime) -> dict[str, str]:
    return {"channel": channel, "outcome": str(outcome), "at": utc_text(at)}


def _sent_id(account: AccountName, wechat_id: str) -> str:
    return f"{account}#{wechat_id}"


def message_id_of(notice: Notice) -> str:
    """The inbox's key: by time, then the notice; the same notice is the same message."""
    return f"{utc_text(notice.at)}_{notice.notice_id}"


def inbox_row(notice: Notice) -> InboxRow:
    """The message as it stands in its member's inbox before anybody tells it."""
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
