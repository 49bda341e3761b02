"""What people forget of a member when he takes it back: phone, sessions, consents, follower link.

His pseudonym and openid stay with his row: they are what his reports and points hang on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from models.base.clock import Clock, utc_text
from models.base.store import Transaction, delete, get, query, retrying
from models.people.accounts import commit_or_stale, load_account
from models.people.members import Members
from models.people.tables import FollowerRow, MemberRow
from models.people.withdrawals import Withdrawn


class PeopleForgetting:
    """Forgets phones and accounts."""

    def __init__(self, *, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock

    def forget(self, member_id: str, withdrawn: Withdrawn) -> Sequence[str]:
        """Let go of the phone, with its posts and sessions; or of all that makes an account.

        WeChat tells of people whom we never met, too.
        """
        member = get(MemberRow, member_id)
        if member is None or withdrawn not in (Withdrawn.PHONE, Withdrawn.ACCOUNT):
            return ()
        had_phone = member.phone_key is not None
        self._members.release_phone(member_id)
        if withdrawn is Withdrawn.PHONE:
            return ("phone", "sessions") if had_phone else ()
        _unlink(member)
        retrying(partial(self._forget_account, member_id))
        return ("phone", "sessions", "occupation", "consents", "follower")

    def _forget_account(self, member_id: str) -> None:
        account = load_account(member_id)
        if account is None:
            return
        tx, now, member = Transaction(), self._clock.now(), account.member
        account.change(
            tx,
            MemberRow.union_key.remove(),
            MemberRow.phone_request.remove(),
            MemberRow.phone_request_id.remove(),
            MemberRow.occupation.remove(),
            MemberRow.confirmed_until.remove(),
            MemberRow.consents.set(_withdrawn(member.consents, now)),
        )
        account.end_sessions(tx, now)
        commit_or_stale(tx)


def _unlink(member: MemberRow) -> None:
    """Forget whom he is at the service account; before his union key goes, which finds it."""
    if member.union_key is not None:
        for row in query(FollowerRow.by_union, member.union_key):
            delete(FollowerRow(row.follower_id))


def _withdrawn(kept: dict[str, Any], now: datetime) -> dict[str, Any]:
    at = utc_text(now)
    return {purpose: {"withdrawn_at": at, **given} for purpose, given in kept.items()}
