"""Messages made of held alerts: what is being sent to an official stands on his desk.

A message is *begun* by one transaction that writes it on the desk and takes its place in the day's
budget, and *done* when its alerts are let go and it is off the desk. Everything in between may be
repeated by anybody: after a kill the next run finds the message on the desk, with the same id and
the same alerts, and goes on. Two messages can be under way for one member, one of each kind, so
that an urgent one never waits for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from models.alerts import budget, messages
from models.alerts.entities import Notice, Text
from models.alerts.held import notice_of
from models.alerts.tables import DESK, HELD, SCHEMA, DeskRow, HeldRow
from models.base.clock import business_day, parse_utc, utc_text
from models.base.ids import derived_id
from models.base.store import Refused, Stale, Transaction, get, query, retrying, update_if

Kind = Literal["urgent", "budgeted"]
KINDS: tuple[Kind, ...] = ("urgent", "budgeted")

TOPIC = "alert.digest"
PAGE = "pages/inbox/index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message on a member's desk. ``day`` is the one whose budget it has a place in.

    ``alone`` is an alert that was held alone: it is told as it is. ``not_before`` is the pause
    after a failure.
    """

    notice_id: str
    held: tuple[str, ...]
    at: datetime
    day: str
    alone: bool
    attempts: int = 0
    not_before: datetime | None = None

    def stored(self) -> Mapping[str, Any]:
        return {
            "notice_id": self.notice_id,
            "held": list(self.held),
            "at": utc_text(self.at),
            "day": self.day,
            "alone": self.alone,
            "attempts": self.attempts,
            "not_before": utc_text(self.not_before) if self.not_before else None,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Sending:
        waits = stored["not_before"]
        return cls(
            notice_id=stored["notice_id"],
            held=tuple(stored["held"]),
            at=parse_utc(stored["at"]),
            day=stored["day"],
            alone=stored["alone"],
            attempts=stored["attempts"],
            not_before=parse_utc(waits) if waits else None,
        )


class Desk:
    """One member's desk as it was read, and the alerts held for him."""

    def __init__(self, member_id: str) -> None:
        self.member_id = member_id
        self._row = get(DeskRow, member_id, DESK) or DeskRow(member_id, DESK, version=0)
        under_way = {kind: getattr(self._row, kind) for kind in KINDS}
        self.sending: dict[Kind, Sending] = {
            kind: Sending.of(stored) for kind, stored in under_way.items() if stored
        }
        # Read after the desk: a desk that has not moved since vouches for what is read here.
        self.held: list[HeldRow] = query(HeldRow, member_id, HeldRow.held_id.startswith(HELD))

    def waiting(self) -> list[HeldRow]:
        """The held alerts that no message has taken up."""
        taken = {held for sending in self.sending.values() for held in sending.held}
        return [row for row in self.held if row.held_id not in taken]

    def taken_by(self, sending: Sending) -> list[HeldRow]:
        """The alerts of a message that are still held."""
        return [row for row in self.held if row.held_id in sending.held]

    def begin(self, kind: Kind, now: datetime) -> None:
        """Make one message of all that waits. Raises ``Stale`` when the desk has moved."""
        rows = self.waiting()
        sending = Sending(
            notice_id=_message_id(rows, now),
            held=tuple(row.held_id for row in rows),
            at=now,
            day=business_day(now),
            alone=len(rows) == 1,
        )
        self._write(kind, sending, rows[0].county, now, counts=kind == "budgeted")

    def go_on(self, kind: Kind, now: datetime) -> bool:
        """Take a message to today, with a place in today's budget; False if the desk has moved."""
        today = replace(self.sending[kind], day=business_day(now))
        try:
            self._write(kind, today, self._row.county, now, counts=True)
        except Stale:
            return False
        return True

    def postpone(self, kind: Kind, until: datetime) -> None:
        """Leave a message until then; nothing happens if the desk has moved."""
        sending = self.sending[kind]
        later = replace(sending, attempts=sending.attempts + 1, not_before=until)
        self._move(kind, later)

    def clear(self, kind: Kind) -> None:
        """Take a message off the desk: it was sent. Safe to repeat."""
        if self._move(kind, None):
            return
        notice_id = self.sending[kind].notice_id
        retrying(lambda: _clear_again(self.member_id, kind, notice_id))

    def _write(
        self, kind: Kind, sending: Sending, county: str, now: datetime, *, counts: bool
    ) -> None:
        tx = Transaction()
        actions = [*self._actions(kind, sending), DeskRow.county.set(county)]
        tx.update("desk", self._row, actions, self._is_unmoved)
        if counts:
            budget.take(tx, self.member_id, county, sending.day, now)
        try:
            tx.commit()
        except Refused as refused:
            raise Stale from refused
        self._row.version += 1
        self.sending[kind] = sending

    def _move(self, kind: Kind, sending: Sending | None) -> bool:
        moved = update_if(self._row, self._actions(kind, sending), self._is_unmoved)
        if moved:
            self._row.version += 1
        return moved

    def _actions(self, kind: Kind, sending: Sending | None) -> list[Any]:
        column = getattr(DeskRow, kind)
        return [
            DeskRow.version.set(self._row.version + 1),
            DeskRow.schema.set(SCHEMA),
            column.remove() if sending is None else column.set(sending.stored()),
        ]

    @property
    def _is_unmoved(self) -> Any:
        if self._row.version == 0:
            return DeskRow.member_id.does_not_exist()
        return DeskRow.version == self._row.version


def _clear_again(member_id: str, kind: Kind, notice_id: str) -> None:
    """The desk has moved: perhaps by ourselves, and the reply was lost."""
    desk = Desk(member_id)
    on_desk = desk.sending.get(kind)
    if on_desk and on_desk.notice_id == notice_id and not desk._move(kind, None):
        raise Stale


def message_of(sending: Sending, rows: Sequence[HeldRow]) -> Notice:
    """What a message says: the alert itself if it was held alone, else a digest of all."""
    if sending.alone:
        return notice_of(rows[0])
    first = min(rows, key=lambda row: (not row.urgent, row.due_at))
    notice = notice_of(first)
    count = len({notice_of(row).case_id for row in rows})
    template, fields = messages.digest(
        count=count, most_urgent=notice.title.zh, due_at=first.due_at
    )
    return Notice(
        notice_id=sending.notice_id,
        member_id=first.member_id,
        county=first.county,
        kind=TOPIC,
        template=template,
        fields=fields,
        title=Text(zh=f"{count} 件待处理", en=f"{count} cases wait for you"),
        body=Text(
            zh=f"最急：{notice.title.zh}。{notice.body.zh}",
            en=f"Most urgent: {notice.title.en}. {notice.body.en}",
        ),
        page=PAGE,
        at=sending.at,
    )


def _message_id(rows: Sequence[HeldRow], now: datetime) -> str:
    if len(rows) == 1:
        return notice_of(rows[0]).notice_id
    return derived_id("ntc", TOPIC, rows[0].member_id, utc_text(now))
