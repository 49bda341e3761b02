"""Telling a member: the inbox always, then the first channel that takes it.

The inbox row comes first and is the notice's guard: however often ``tell`` runs, it is one message,
and only one teller at a time sends it. A channel that refuses is passed over; one that does not
answer is passed over too, and when none took the message in the end the caller tries again later.
A crash between a channel's answer and our record of it sends again, since an alert must not be
lost: the service account drops the copy by ``client_msg_id``; a subscription message may come
twice, if the member accepted two.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from pynamodb.expressions.update import Action

from models.alerts import inbox, quotas
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
from models.base.ids import new_id
from models.base.store import get, update_if

log = logging.getLogger(__name__)

INBOX_ONLY = "inbox"
"""``delivered_by`` of a message that no channel would take."""

TELLING = timedelta(seconds=30)
"""How long a teller keeps a message to himself: as long as the outbox's lease of its event."""

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

        That is when a channel gave no answer and none took it, and while another tells it.
        """
        row = self._taken(notice)
        if row is None:
            return
        attempt = _Attempt(notice, row, self._clock)
        recipient = self._recipient(notice.member_id)
        for channel in self._channels[role_order] if recipient else ():
            assert recipient is not None
            if attempt.by(channel, recipient):
                return
        if attempt.is_open:
            attempt.leave()
            raise Unavailable("alert.no_answer")
        attempt.record(INBOX_ONLY)

    def note(self, notice: Notice) -> None:
        """Put it into the inbox and ring no phone. Safe to repeat. Raises ``Unavailable``."""
        row = inbox_row(notice)
        row.delivered_by = INBOX_ONLY
        inbox.put(row, self._clock.now())

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

    def __init__(self, notice: Notice, row: InboxRow, clock: Clock) -> None:
        self._notice = notice
        self._row = row
        self._tried: list[dict[str, str]] = list(row.tried or ())
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
