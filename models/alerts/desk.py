"""How officials are alerted: the inbox at once, the phone when the budget allows.

What is urgent rings at once, day or night. Everything else goes through ``digests``: held for a
moment when the phone may ring now, else until it may. A message that is sent takes along all that
is held for its member, so whoever is disturbed is disturbed once.

After an outage many alerts come late at the same time, urgent ones too. What is late is gathered
for some seconds and told in one message; the caller says which alerts never wait.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from models.alerts import budget, digests, held, outbox, rules
from models.alerts.delivery import Messenger, message_id_of
from models.alerts.digests import KINDS, Desk, Kind
from models.alerts.entities import Alert, Notice
from models.alerts.tables import InboxRow
from models.base.clock import Clock, business_day, utc_text
from models.base.errors import Unavailable
from models.base.store import get, put_if_absent, retrying

log = logging.getLogger(__name__)

TOLD = "alert.told"
"""The topic that tells cases who was first told of them, when, and since when he was to be."""


class AlertDesk:
    """Alerts officials."""

    def __init__(self, *, messenger: Messenger, clock: Clock) -> None:
        self._messenger = messenger
        self._clock = clock

    def tell(self, alert: Alert) -> None:
        """Tell once, now or when it may be told; safe to repeat.

        Raises ``Unavailable`` when an urgent alert must be tried again; what is held is tried
        again by ``release``.
        """
        now = self._clock.now()
        is_late = alert.since is not None and now - alert.since >= rules.LATE
        if alert.urgent and not is_late:
            self._messenger.tell(alert.notice, role_order="officer")
            if alert.first_told:
                self._note_told(alert.notice.notice_id, [alert.notice])
            return
        release_at = now
        if not alert.urgent:
            day = budget.spent(alert.notice.member_id, now)
            release_at = rules.decide(now, day, due_at=alert.due_at)
        if is_late:
            release_at = max(release_at, now + rules.GATHERING)
        held.hold(alert, release_at, now)
        if release_at <= now:
            self.release(alert.notice.member_id)

    def must_wait(self, alert: Alert) -> bool:
        """Whether a member's phone may not ring although the limit ends before the next digest."""
        now = self._clock.now()
        day = budget.spent(alert.notice.member_id, now)
        return alert.due_at < rules.next_digest(now) and not rules.may_ring(now, day)

    def knows(self, alert: Alert) -> bool:
        """Whether an alert is in its member's inbox already. One read."""
        return get(InboxRow, alert.notice.member_id, message_id_of(alert.notice)) is not None

    def may_ring(self, member_id: str) -> bool:
        """Whether a member's phone may ring now for what is not urgent. One read."""
        now = self._clock.now()
        return rules.may_ring(now, budget.spent(member_id, now))

    def release(self, member_id: str) -> int:
        """Send a member what is due of his held alerts; answers how many messages went out.

        Safe to repeat, to kill and to run beside itself. A message that no channel answered stays
        on the desk for a later run. Raises ``Unavailable`` when the store is away.
        """
        now = self._clock.now()
        desk = retrying(lambda: self._with_what_is_due(member_id, now))
        return sum(self._send(desk, kind, now) for kind in KINDS if kind in desk.sending)

    def _with_what_is_due(self, member_id: str, now: datetime) -> Desk:
        """The member's desk, with a new message on it if one is due and may be sent."""
        desk = Desk(member_id)
        due = [row for row in desk.waiting() if row.release_at <= now]
        kind: Kind = "urgent" if any(row.urgent for row in due) else "budgeted"
        if not due or kind in desk.sending:
            return desk
        until = now
        if kind == "budgeted":
            until = rules.decide(now, budget.spent(member_id, now), due_at=now)
        if until <= now:
            desk.begin(kind, now)
        else:
            for row in due:
                held.hold_longer(row, until)
        return desk

    def _send(self, desk: Desk, kind: Kind, now: datetime) -> int:
        sending = desk.sending[kind]
        if sending.not_before is not None and sending.not_before > now:
            return 0
        rows = desk.taken_by(sending)
        if rows:
            if not self._may_go_on(desk, kind, now):
                return 0
            try:
                self._messenger.tell(digests.message_of(sending, rows), role_order="officer")
            except Unavailable as error:
                self._postpone(desk, kind, now, error.code)
                return 0
            told = [row for row in rows if row.first_told]
            self._note_told(sending.notice_id, [held.notice_of(row) for row in told])
            held.finish(rows, alone=sending.alone)
        desk.clear(kind)
        return 1

    def _may_go_on(self, desk: Desk, kind: Kind, now: datetime) -> bool:
        """Whether a message that was begun may be sent now: the hour and the day may have passed.

        One that has no place in today's budget takes it.
        """
        sending = desk.sending[kind]
        if kind == "urgent" or sending.at == now:
            return True
        until = rules.next_waking(now) if rules.is_quiet(now) else now
        if until <= now and sending.day != business_day(now):
            until = rules.decide(now, budget.spent(desk.member_id, now), due_at=now)
            if until <= now:
                return desk.go_on(kind, now)
        if until > now:
            desk.postpone(kind, until)
            return False
        budget.ring_again(desk.member_id, sending.day, now)
        return True

    def _postpone(self, desk: Desk, kind: Kind, now: datetime, reason: str) -> None:
        sending = desk.sending[kind]
        attempts = sending.attempts + 1
        desk.postpone(kind, now + rules.pause_after(attempts, urgent=kind == "urgent"))
        facts = {"notice_id": sending.notice_id, "attempts": attempts, "reason": reason}
        log.warning("alert.postponed", extra=facts)

    def _note_told(self, key: str, told: Sequence[Notice]) -> None:
        """Let cases know, durably; a repetition is the same row, or the same word once more."""
        since = {
            notice.case_id: utc_text(notice.at)
            for notice in sorted(told, key=lambda notice: notice.at)
            if notice.case_id is not None
        }
        if not since:
            return
        now, first = self._clock.now(), told[0]
        payload = {
            "case_ids": sorted(since),
            "since": since,
            "member_id": first.member_id,
            "at": utc_text(now),
        }
        put_if_absent(outbox.row(TOLD, key, first.county, payload, now))
