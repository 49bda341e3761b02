"""How an occupation is confirmed: the rider shows a code, someone who knows him enters it."""

from __future__ import annotations

import logging
from datetime import datetime

from models.base.clock import Clock
from models.base.errors import Conflict, Forbidden, NotFound, Unavailable
from models.base.ids import derived_id
from models.base.store import Refused, Stale, Transaction, get, put_if_absent, retrying
from models.people.accounts import Account, load_account
from models.people.entities import Actor, Confirmation, Occupation, VerificationCode
from models.people.pseudonyms import Pseudonyms
from models.people.rules import (
    CONFIRMED_FOR,
    CONFIRMING_ROLES,
    KEPT_AFTER_CODE,
    VERIFICATION_LASTS,
    read_code,
)
from models.people.tables import (
    SCHEMA,
    ConfirmationRow,
    MemberRow,
    SessionRow,
    VerificationRow,
    epoch_s,
)

log = logging.getLogger(__name__)

_CODES_TRIED = 5


class Verifications:
    """Gives and redeems verification codes; safe to share between threads."""

    def __init__(self, *, pseudonyms: Pseudonyms, clock: Clock) -> None:
        self._names = pseudonyms
        self._clock = clock

    def request(
        self, actor: Actor, occupation: Occupation, client_request_id: str
    ) -> VerificationCode:
        """Give a code of 8 characters that holds for 24 hours; only its key is stored.

        Safe to repeat: same code. Raises ``Conflict`` ``request.reused`` for another occupation.
        """
        now = self._clock.now()
        for attempt in range(_CODES_TRIED):
            code = self._names.verification_code(actor.member_id, client_request_id, attempt)
            row = self._waiting(actor, occupation, client_request_id, code, now)
            if put_if_absent(row):
                return _answer(code, row)
            standing = get(VerificationRow, row.code_key)
            if standing is not None and standing.request_id == row.request_id:
                if standing.occupation != occupation.value:
                    raise Conflict("request.reused")
                return _answer(code, standing)
        raise Unavailable("verification.no_code")

    def confirm(self, actor: Actor, code: str, client_request_id: str) -> Confirmation:
        """Confirm the occupation of whom the code was given to, for 180 days.

        All his sessions know at once. Safe to repeat. Raises ``Forbidden`` without a confirming
        role; ``NotFound`` for an unknown code or another county's rider; ``Conflict`` with
        ``verification.own``, ``.expired``, ``.used``, or ``request.reused``.
        """
        counties = sorted({role.county for role in actor.roles if role.role in CONFIRMING_ROLES})
        if not counties:
            raise Forbidden("role.lacks_action")
        typed = read_code(code)
        if typed is None:
            raise NotFound("verification.not_found")
        request_id = derived_id("vrq", actor.member_id, client_request_id)
        code_key = self._names.verification_key(typed)
        return retrying(lambda: self._confirm(actor, counties, code_key, request_id))

    def _waiting(
        self,
        actor: Actor,
        occupation: Occupation,
        client_request_id: str,
        code: str,
        now: datetime,
    ) -> VerificationRow:
        expires_at = now + VERIFICATION_LASTS
        return VerificationRow(
            self._names.verification_key(code),
            schema=SCHEMA,
            county=actor.county,
            member_id=actor.member_id,
            occupation=occupation.value,
            request_id=derived_id("vrq", actor.member_id, client_request_id),
            created_at=now,
            expires_at=expires_at,
            ttl=epoch_s(expires_at + KEPT_AFTER_CODE),
        )

    def _confirm(
        self, actor: Actor, counties: list[str], code_key: str, request_id: str
    ) -> Confirmation:
        now = self._clock.now()
        row = get(VerificationRow, code_key)
        account = load_account(row.member_id) if row else None
        if row is None or account is None or account.member.county not in (None, *counties):
            raise NotFound("verification.not_found")
        if row.used_at is not None:
            return _first_answer(row, request_id)
        if row.member_id == actor.member_id:
            raise Conflict("verification.own")
        if now >= row.expires_at:
            raise Conflict("verification.expired")
        tx = Transaction()
        row.confirmed_until = now + CONFIRMED_FOR
        _use(tx, row, actor, request_id, now)
        _confirm_member(tx, account, row, account.member.county or counties[0])
        try:
            tx.commit()
        except Refused as refused:
            _check_request(refused, code_key)
            raise Stale from refused
        log.info("occupation.confirmed", extra={"member_id": row.member_id})
        return _confirmation(row)


def _use(
    tx: Transaction, row: VerificationRow, actor: Actor, request_id: str, now: datetime
) -> None:
    tx.update(
        "verification",
        row,
        [
            VerificationRow.used_at.set(now),
            VerificationRow.used_by.set(actor.member_id),
            VerificationRow.used_request.set(request_id),
            VerificationRow.confirmed_until.set(row.confirmed_until),
        ],
        VerificationRow.created_at.exists() & VerificationRow.used_at.does_not_exist(),
    )
    tx.guard(
        "request",
        ConfirmationRow(
            request_id, schema=SCHEMA, county=row.county, confirms=row.code_key, ttl=row.ttl
        ),
    )


def _confirm_member(tx: Transaction, account: Account, row: VerificationRow, county: str) -> None:
    account.change(
        tx,
        MemberRow.occupation.set(row.occupation),
        MemberRow.confirmed_until.set(row.confirmed_until),
        MemberRow.county.set(county),
    )
    account.refresh_sessions(
        tx,
        SessionRow.confirmed_until.set(row.confirmed_until),
        SessionRow.county.set(county),
    )


def _check_request(refused: Refused, code_key: str) -> None:
    done = refused.row("request", ConfirmationRow)
    if done is not None and done.confirms != code_key:
        raise Conflict("request.reused") from refused


def _first_answer(row: VerificationRow, request_id: str) -> Confirmation:
    if row.used_request != request_id:
        raise Conflict("verification.used")
    return _confirmation(row)


def _confirmation(row: VerificationRow) -> Confirmation:
    assert row.confirmed_until is not None
    return Confirmation(occupation=Occupation(row.occupation), confirmed_until=row.confirmed_until)


def _answer(code: str, row: VerificationRow) -> VerificationCode:
    return VerificationCode(
        code=code, occupation=Occupation(row.occupation), expires_at=row.expires_at
    )
