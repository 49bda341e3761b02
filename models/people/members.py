"""Members: reading one, his consents and occupation, and the phone that brings the roles."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from pynamodb.expressions.update import Action

from models.base import store
from models.base.clock import Clock, utc_text
from models.base.errors import Conflict, FieldError, Invalid, NotFound
from models.base.ids import derived_id
from models.base.store import Transaction, retrying
from models.people import links
from models.people.accounts import Account, Phone, commit_or_stale, load_account, load_phone
from models.people.entities import Actor, Member, Occupation, Profile, Purpose, Role
from models.people.gateways import PhoneCodeInvalid, PhoneGateway
from models.people.leaving import Telling
from models.people.pseudonyms import Pseudonyms
from models.people.rules import county_of, roles_at
from models.people.tables import (
    MemberRow,
    SessionRow,
    session_consents,
    session_roles,
    to_member,
)

log = logging.getLogger(__name__)


def get(member_id: str) -> Member | None:
    """Read a member strongly; None when there is none. One read."""
    row = store.get(MemberRow, member_id)
    return to_member(row) if row else None


class Members:
    """Changes what a member says of himself; safe to share between threads."""

    def __init__(
        self,
        *,
        pseudonyms: Pseudonyms,
        clock: Clock,
        phones: PhoneGateway,
        tell: Telling | None = None,
    ) -> None:
        self._names = pseudonyms
        self._clock = clock
        self._phones = phones
        self._tell = tell

    def profile(self, actor: Actor) -> Profile:
        """The actor's own data, with his roles. Raises ``NotFound`` once he is erased."""
        return self._profile(_found(store.get(MemberRow, actor.member_id)), actor.roles)

    def change_profile(
        self,
        actor: Actor,
        *,
        consents: Mapping[str, str | None],
        occupation: Occupation | None = None,
    ) -> Profile:
        """Record consents (purpose → version; None withdraws) and the occupation (None: as is).

        What is not named stays. Another occupation than the confirmed one ends the confirmation.
        Every open session knows at once. Safe to repeat: a consent keeps its first time.
        """
        unknown = sorted(set(consents) - set(Purpose))
        if unknown:
            raise Invalid(
                fields=[
                    FieldError(field=f"consents.{purpose}", code="field.not_allowed")
                    for purpose in unknown
                ]
            )
        row = retrying(lambda: self._change(actor, consents, occupation))
        return self._profile(row, actor.roles)

    def bind_phone(self, actor: Actor, code: str, client_request_id: str) -> Profile:
        """Bind the phone behind WeChat's ``code``, and take the roster's roles for it.

        The present session gets the roles, the others end. Safe to repeat with the same id.
        Raises ``Invalid`` ``phone.code_invalid``, ``Conflict`` ``phone.bound_elsewhere`` or
        ``request.reused``, and ``Unavailable``.
        """
        request = _PhoneRequest(
            request_id=derived_id("req", "phone", actor.member_id, client_request_id),
            content=self._names.request_key(code, client_request_id),
        )
        member = _found(store.get(MemberRow, actor.member_id))
        if request.is_done(member):
            return self._bound(member)
        try:
            phone = self._phones.phone_number(code, member.openid)
        except PhoneCodeInvalid as error:
            # Sent twice at once, the twin has redeemed the code.
            member = _found(store.get(MemberRow, actor.member_id))
            if request.is_done(member):
                return self._bound(member)
            bad = FieldError(field="code", code="phone.code_invalid")
            raise Invalid("phone.code_invalid", fields=[bad]) from error
        phone_key = self._names.phone(phone)
        return retrying(lambda: self._bind(actor, phone_key, request))

    def release_phone(self, member_id: str) -> None:
        """Take a member's phone and its roles from him (the number went to someone else).

        Ends his sessions. Safe to repeat. Raises ``NotFound``.
        """
        retrying(lambda: self._release(member_id))

    def _profile(self, row: MemberRow, roles: tuple[Role, ...]) -> Profile:
        member = to_member(row)
        return Profile(member=member, roles=roles, standing=member.standing_at(self._clock.now()))

    def _bound(self, row: MemberRow) -> Profile:
        entries = load_phone(row.phone_key).entries() if row.phone_key else []
        return self._profile(row, roles_at(entries, self._clock.now()))

    def _change(
        self, actor: Actor, wanted: Mapping[str, str | None], occupation: Occupation | None
    ) -> MemberRow:
        account = _found(load_account(actor.member_id))
        member = account.member
        consents = _consents(member.consents, wanted, self._clock.now())
        is_other = occupation is not None and occupation.value != member.occupation
        if consents == member.consents and not is_other:
            return member
        on_member: list[Action] = [MemberRow.consents.set(consents)]
        on_session: list[Action] = [SessionRow.consents.set(session_consents(consents))]
        if occupation is not None and is_other:
            on_member += [
                MemberRow.occupation.set(occupation.value),
                MemberRow.confirmed_until.remove(),
            ]
            on_session.append(SessionRow.confirmed_until.remove())
        tx = Transaction()
        account.change(tx, *on_member)
        account.refresh_sessions(tx, *on_session)
        commit_or_stale(tx)
        return _found(store.get(MemberRow, actor.member_id))

    def _bind(self, actor: Actor, phone_key: str, request: _PhoneRequest) -> Profile:
        account = _found(load_account(actor.member_id))
        if request.is_done(account.member):
            return self._bound(account.member)
        phone = load_phone(phone_key)
        if phone.member_id not in (None, actor.member_id):
            raise Conflict("phone.bound_elsewhere")
        now = self._clock.now()
        county = account.member.county or county_of(phone.entries())
        # Before the binding: after it, a repeated request would end without it.
        links.record_phone(phone_key, actor.member_id, now)
        tx = Transaction()
        phone.bind(tx, actor.member_id)
        self._release_other(tx, account, phone)
        account.change(
            tx,
            MemberRow.phone_key.set(phone_key),
            MemberRow.phone_bound_at.set(now),
            MemberRow.phone_request_id.set(request.request_id),
            MemberRow.phone_request.set(request.content),
            *([MemberRow.county.set(county)] if county else []),
        )
        account.end_sessions(tx, now, keep=actor.session_id)
        account.refresh_sessions(
            tx,
            SessionRow.roles.set(session_roles(phone.entries())),
            SessionRow.has_phone.set(True),
            *([SessionRow.county.set(county)] if county else []),
            only=actor.session_id,
        )
        commit_or_stale(tx)
        log.info("phone.bound", extra={"member_id": actor.member_id})
        return self._bound(_found(store.get(MemberRow, actor.member_id)))

    def _release(self, member_id: str) -> None:
        account = _found(load_account(member_id))
        if account.member.phone_key is None:
            return
        tx = Transaction()
        load_phone(account.member.phone_key).release(tx, self._clock.now(), self._tell)
        account.change(tx, MemberRow.phone_key.remove(), MemberRow.phone_bound_at.remove())
        account.end_sessions(tx, self._clock.now())
        commit_or_stale(tx)

    def _release_other(self, tx: Transaction, account: Account, phone: Phone) -> None:
        """Add to ``tx`` that the phone bound before, if it is another, is nobody's."""
        before = account.member.phone_key
        if before is not None and before != phone.phone_key:
            load_phone(before).release(tx, self._clock.now(), self._tell)


class _PhoneRequest:
    """Which request bound a phone; the member's row remembers the last one."""

    def __init__(self, *, request_id: str, content: str) -> None:
        self.request_id = request_id
        self.content = content

    def is_done(self, member: MemberRow) -> bool:
        """Whether it bound already. Raises ``Conflict`` if it did with another code."""
        if member.phone_request_id != self.request_id:
            return False
        if member.phone_request != self.content:
            raise Conflict("request.reused")
        return True


def _consents(
    kept: Mapping[str, Mapping[str, str]], wanted: Mapping[str, str | None], now: datetime
) -> dict[str, Any]:
    """The consents after a change; a withdrawn one stays, with both times, as a record."""
    after: dict[str, Any] = dict(kept)
    for purpose, version in wanted.items():
        given = kept.get(purpose)
        holds = given is not None and "withdrawn_at" not in given
        if version is None and given is not None and holds:
            after[purpose] = {**given, "withdrawn_at": utc_text(now)}
        elif version is not None and not (
            given is not None and holds and given["version"] == version
        ):
            after[purpose] = {"version": version, "at": utc_text(now)}
    return after


_Thing = TypeVar("_Thing")


def _found(thing: _Thing | None) -> _Thing:
    if thing is None:
        raise NotFound("member.not_found")
    return thing
