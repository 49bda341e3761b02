"""The posts that a member holds now, by way of the phone that he bound."""

from __future__ import annotations

from datetime import datetime

from models.base.store import get
from models.people.accounts import load_phone
from models.people.entities import RosterEntry
from models.people.tables import MemberRow


def posts_of(member_id: str, now: datetime) -> list[RosterEntry]:
    """What a member holds at an instant, in the roster's order.

    A read and a query.
    """
    member = get(MemberRow, member_id)
    if member is None or member.phone_key is None:
        return []
    entries = load_phone(member.phone_key).entries()
    return [entry for entry in entries if entry.is_valid(now)]
