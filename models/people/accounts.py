"""A member together with all his sessions, changed as one thing.

A session repeats the member's roles, consents and standing, so that authentication is one read.
Hence every change of those goes, in one transaction, to the member and to every session. Opening
a session counts the member's version up, and every change checks it: no session can open beside a
change and keep what was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from models.base.store import Refused, Stale, Transaction, get, query
from models.people import leaving
from models.people.entities import RosterEntry
from models.people.leaving import Telling
from models.people.rules import KEPT_AFTER_END, MAX_SESSIONS
from models.people.tables import (
    PHONE,
    SCHEMA,
    MemberRow,
    RosterRow,
    SessionRow,
    epoch_s,
    known_role,
    session_consents,
    session_roles,
    to_entry,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member's row and every session row that is left, oldest first."""

    member: MemberRow
    sessions: tuple[SessionRow, ...]

    def change(self, tx: Transaction, *actions: Action) -> None:
        """Add the member's change to ``tx``, as write ``member``."""
        change_member(tx, self.member, *actions)

    def end_sessions(self, tx: Transaction, now: datetime, *, keep: str | None = None) -> None:
        """Add the end of every open session to ``tx``, but for the one named ``keep``."""
        for session in self.open_sessions():
            if session.session_id != keep:
                revoke(tx, session, now)

    def refresh_sessions(self, tx: Transaction, *actions: Action, only: str | None = None) -> None:
        """Add the same change of every open session (or ``only`` one) to ``tx``."""
        for session in self.open_sessions():
            if only in (None, session.session_id):
                _update(tx, session, actions)

    def open_sessions(self) -> tuple[SessionRow, ...]:
        """The sessions not revoked, oldest first."""
        return tuple(session for session in self.sessions if session.revoked_at is None)

    def make_room(self, tx: Transaction, now: datetime) -> None:
        """Add to ``tx`` what leaves at most nine sessions open, and few ended rows about."""
        room = MAX_SESSIONS - 1
        still_open = self.open_sessions()
        for session in still_open[: max(0, len(still_open) - room)]:
            revoke(tx, session, now)
        ended = [session for session in self.sessions if session.revoked_at is not None]
        for session in ended[: max(0, len(ended) - room)]:
            tx.delete(_name(session), session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone's partition of the roster: who bound it, and every entry, of any time."""

    phone_key: str
    row: RosterRow | None
    rows: tuple[RosterRow, ...]

    @property
    def member_id(self) -> str | None:
        return self.row.member_id if self.row else None

    def entries(self) -> list[RosterEntry]:
        """The entries that this code understands."""
        return [to_entry(row) for row in self.rows if known_role(row)]

    def change(self, tx: Transaction, *actions: Action, name: str = "phone") -> None:
        """Add a change of the phone to ``tx``: it counts up ``version`` and checks it."""
        row = self.row
        unchanged: Condition = RosterRow.version.does_not_exist()
        if row is not None:
            unchanged = RosterRow.version == row.version
        version = row.version + 1 if row else 1
        counted = [RosterRow.schema.set(SCHEMA), RosterRow.version.set(version), *actions]
        tx.update(name, RosterRow(self.phone_key, PHONE), counted, unchanged)

    def bind(self, tx: Transaction, member_id: str) -> None:
        """Add to ``tx`` that the phone, with its entries, is this member's."""
        self.change(tx, RosterRow.member_id.set(member_id))
        for number, row in enumerate(self.rows):
            bound = [RosterRow.member_id.set(member_id)]
            tx.update(f"phone.entry_{number}", row, bound, RosterRow.role.exists())

    def release(self, tx: Transaction, now: datetime, tell: Telling | None) -> None:
        """Add to ``tx`` that the phone, with its entries, is nobody's; writes ``old_phone…``.

        Posts that its owner holds at ``now`` are lost to him, and ``tell`` makes it known.
        """
        self.change(tx, RosterRow.member_id.remove(), name="old_phone")
        for left in leaving.released(self.rows, now) if tell is not None else ():
            assert tell is not None
            tx.put(f"old_phone.left.{left.county}", tell(left))
        for number, row in enumerate(self.rows):
            freed = [RosterRow.member_id.remove()]
            tx.update(f"old_phone.entry_{number}", row, freed, RosterRow.role.exists())


def load_account(member_id: str) -> Account | None:
    """Read a member, then his sessions, strongly; None when there is no such member."""
    member = get(MemberRow, member_id)
    if member is None:
        return None
    sessions = query(SessionRow, member_id)
    sessions.sort(key=lambda session: (session.created_at, session.session_id))
    return Account(member=member, sessions=tuple(sessions))


def load_phone(phone_key: str) -> Phone:
    """Read a phone's partition of the roster strongly; a phone nobody listed is empty."""
    rows = query(RosterRow, phone_key)
    return Phone(
        phone_key=phone_key,
        row=next((row for row in rows if row.entry == PHONE), None),
        rows=tuple(row for row in rows if row.entry != PHONE),
    )


def change_member(tx: Transaction, member: MemberRow, *actions: Action) -> None:
    """Add a member's change to ``tx``, as write ``member``: counts his version up, checks it."""
    counted = [MemberRow.version.set(member.version + 1), *actions]
    tx.update("member", member, counted, MemberRow.version == member.version)


def open_session(
    tx: Transaction,
    member: MemberRow,
    *,
    session_id: str,
    entries: Sequence[RosterEntry],
    now: datetime,
    expires_at: datetime,
) -> SessionRow:
    """Add a new session to ``tx``, as guard ``session``; the member's change is the caller's."""
    row = SessionRow(
        member.member_id,
        session_id,
        schema=SCHEMA,
        county=member.county,
        roles=session_roles(entries),
        consents=session_consents(member.consents),
        has_phone=member.phone_key is not None,
        confirmed_until=member.confirmed_until,
        created_at=now,
        slid_at=now,
        expires_at=expires_at,
        ttl=epoch_s(expires_at + KEPT_AFTER_END),
    )
    tx.guard("session", row)
    return row


def revoke(tx: Transaction, session: SessionRow, now: datetime) -> None:
    """Add the end of one session to ``tx``; its row stays a while, to say so."""
    _update(tx, session, ended(now))


def ended(now: datetime) -> list[Action]:
    """The change by which a session ends."""
    return [SessionRow.revoked_at.set(now), SessionRow.ttl.set(epoch_s(now + KEPT_AFTER_END))]


def commit_or_stale(tx: Transaction) -> None:
    """Commit. Raises ``Stale`` when anything that was read has changed since."""
    try:
        tx.commit()
    except Refused as refused:
        raise Stale from refused


def _update(tx: Transaction, session: SessionRow, actions: Sequence[Action]) -> None:
    # A row that DynamoDB's time to live took in between must not come back as a ghost.
    tx.update(_name(session), session, actions, SessionRow.created_at.exists())


def _name(session: SessionRow) -> str:
    return f"session.{session.session_id}"
