"""Sessions: opened by WeChat's login codes, checked by one strong read, ended at once.

A token is the member's id and an HMAC over code, request and member; only its SHA-256 is stored.
So a repeated sign-in whose answer was lost gives the same token, though WeChat's code is spent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from pynamodb.expressions.update import Action

from models.base.clock import Clock
from models.base.errors import Unauthorised, Unavailable
from models.base.store import Refused, Stale, Transaction, get, retrying, update_if
from models.people.accounts import (
    commit_or_stale,
    ended,
    load_account,
    load_phone,
    open_session,
)
from models.people.entities import Actor, RosterEntry, SignedIn, WeChatIdentity, standing_of
from models.people.gateways import LoginBlocked, LoginCodeInvalid, LoginCodeUsed, LoginGateway
from models.people.pseudonyms import Pseudonyms, session_id_of
from models.people.rules import (
    KEPT_AFTER_END,
    SAME_SIGN_IN_WITHIN,
    SESSION_LASTS,
    is_due_to_slide,
    member_of_token,
    roles_at,
)
from models.people.tables import (
    SCHEMA,
    SIGN_IN,
    MemberRow,
    SessionRow,
    SignInRow,
    epoch_s,
    to_entries,
)

log = logging.getLogger(__name__)

LOOKS_AFTER_S = (0.0, 0.1, 0.3)
"""When to look for the answer of the same request, sent twice at once: its twin is writing it."""


class Sessions:
    """Opens, checks and ends sessions; safe to share between threads."""

    def __init__(
        self,
        *,
        pseudonyms: Pseudonyms,
        clock: Clock,
        login: LoginGateway,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._names = pseudonyms
        self._clock = clock
        self._login = login
        self._pause = pause

    def sign_in(self, code: str, client_request_id: str) -> SignedIn:
        """Open a session for whom WeChat's login code stands for; a new member is made.

        Safe to repeat for 5 minutes with the same code and id: same token. Raises ``Unauthorised``
        with ``session.code_used``, ``.code_invalid`` (unknown or expired) or ``.blocked``, and
        ``Unavailable`` when WeChat or the tables are away.
        """
        try:
            identity = self._login.code_to_session(code)
        except LoginCodeUsed as error:
            return self._first_answer(code, client_request_id, cause=error)
        except LoginCodeInvalid as error:
            raise Unauthorised("session.code_invalid") from error
        except LoginBlocked as error:
            raise Unauthorised("session.blocked") from error
        try:
            return retrying(lambda: self._open(identity, code, client_request_id))
        except Refused as refused:
            # The reply to our own write was lost: the row of this code is ours.
            return self._first_answer(code, client_request_id, cause=refused)

    def authenticate(self, token: str) -> Actor:
        """Tell who is asking, by exactly one strong read.

        Raises ``Unauthorised`` with ``session.missing`` (malformed or unknown), ``.revoked`` or
        ``.expired``. A session in use is prolonged to 30 days, by at most one write a day.
        """
        member_id = member_of_token(token)
        row = get(SessionRow, member_id, session_id_of(token)) if member_id else None
        if row is None:
            raise Unauthorised("session.missing")
        now = self._clock.now()
        if row.revoked_at is not None:
            raise Unauthorised("session.revoked")
        if now >= row.expires_at:
            raise Unauthorised("session.expired")
        if is_due_to_slide(slid_at=row.slid_at, now=now):
            _slide(row, now)
        return actor_of(row, now)

    def sign_out(self, actor: Actor) -> None:
        """End the session the actor came with. Safe to repeat."""
        row = SessionRow(actor.member_id, actor.session_id)
        update_if(row, ended(self._clock.now()), _IS_OPEN)

    def end_sessions(self, member_id: str) -> None:
        """End every session of a member, also one opening just now. Safe to repeat."""
        retrying(lambda: self._end_all(member_id))

    def _end_all(self, member_id: str) -> None:
        account = load_account(member_id)
        if account is None or not account.open_sessions():
            return
        tx = Transaction()
        account.change(tx)
        account.end_sessions(tx, self._clock.now())
        commit_or_stale(tx)

    def _open(self, identity: WeChatIdentity, code: str, client_request_id: str) -> SignedIn:
        now = self._clock.now()
        member_id = self._names.member_id(identity.openid)
        token = self._names.token(code, client_request_id, member_id)
        tx = Transaction()
        member, entries = self._member(tx, member_id, identity, now)
        session = open_session(
            tx,
            member,
            session_id=session_id_of(token),
            entries=entries,
            now=now,
            expires_at=now + SESSION_LASTS,
        )
        tx.guard("sign_in", self._sign_in_row(member_id, code, now))
        try:
            tx.commit()
        except Refused as refused:
            if "sign_in" in refused:
                raise
            raise Stale from refused
        log.info("session.opened", extra={"member_id": member_id})
        return _signed_in(token, session, now)

    def _member(
        self, tx: Transaction, member_id: str, identity: WeChatIdentity, now: datetime
    ) -> tuple[MemberRow, list[RosterEntry]]:
        """Add the member's part of a sign-in to ``tx``; answer him and his roster entries."""
        union_key = self._names.union_key(identity.unionid) if identity.unionid else None
        account = load_account(member_id)
        if account is None:
            created = MemberRow(
                member_id,
                schema=SCHEMA,
                version=1,
                openid=identity.openid,
                union_key=union_key,
                consents={},
                created_at=now,
            )
            tx.guard("member", created)
            return created, []
        joined: list[Action] = []
        if union_key and union_key != account.member.union_key:
            joined.append(MemberRow.union_key.set(union_key))
        account.change(tx, *joined)
        account.make_room(tx, now)
        phone_key = account.member.phone_key
        return account.member, load_phone(phone_key).entries() if phone_key else []

    def _sign_in_row(self, member_id: str, code: str, now: datetime) -> SignInRow:
        return SignInRow(
            self._names.login_id(code),
            SIGN_IN,
            schema=SCHEMA,
            owner=member_id,
            signed_in_at=now,
            ttl=epoch_s(now + KEPT_AFTER_END),
        )

    def _first_answer(self, code: str, client_request_id: str, *, cause: Exception) -> SignedIn:
        """Answer a repeated sign-in as the first time, if it is one and its session still open."""
        row = self._sign_in_made(code)
        now = self._clock.now()
        if row is not None and now - row.signed_in_at <= SAME_SIGN_IN_WITHIN:
            # Another request's token is another one, and has no session.
            token = self._names.token(code, client_request_id, row.owner)
            session = get(SessionRow, row.owner, session_id_of(token))
            if session is not None and session.revoked_at is None:
                return _signed_in(token, session, now)
        raise Unauthorised("session.code_used") from cause

    def _sign_in_made(self, code: str) -> SignInRow | None:
        for wait_s in LOOKS_AFTER_S:
            if wait_s:
                self._pause(wait_s)
            row = get(SignInRow, self._names.login_id(code), SIGN_IN)
            if row is not None:
                return row
        return None


def actor_of(row: SessionRow, now: datetime) -> Actor:
    """Read a session as the actor it stands for at ``now``."""
    return Actor(
        member_id=row.member_id,
        session_id=row.session_id,
        roles=roles_at(to_entries(row.roles), now),
        standing=standing_of(has_phone=row.has_phone, confirmed_until=row.confirmed_until, now=now),
        county=row.county,
        consents=row.consents,
        confirmed_until=row.confirmed_until,
    )


_IS_OPEN = SessionRow.created_at.exists() & SessionRow.revoked_at.does_not_exist()


def _slide(row: SessionRow, now: datetime) -> None:
    expires_at = now + SESSION_LASTS
    slid = [
        SessionRow.slid_at.set(now),
        SessionRow.expires_at.set(expires_at),
        SessionRow.ttl.set(epoch_s(expires_at + KEPT_AFTER_END)),
    ]
    try:
        update_if(row, slid, _IS_OPEN)
    except Unavailable:
        # The session is good as it is; the next request prolongs it.
        log.warning("session.not_prolonged", extra={"member_id": row.member_id})


def _signed_in(token: str, session: SessionRow, now: datetime) -> SignedIn:
    return SignedIn(token=token, expires_at=session.expires_at, actor=actor_of(session, now))
