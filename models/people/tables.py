"""Rows of `members`, `sessions`, `roster`, `followers` and `verifications`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from models.base.clock import parse_utc, utc_text
from models.base.errors import Unavailable
from models.base.store import query
from models.base.tables import Instant, Table, Whole
from models.people.covering import Leave
from models.people.entities import (
    Away,
    Consent,
    Member,
    Occupation,
    RoleName,
    RosterEntry,
    StandIn,
)

SCHEMA = 1
PHONE = "#phone"
"""The entry that stands for the phone itself: who bound it, and how often its roles changed."""
SIGN_IN = "#sign-in"


class MemberRow(Table):
    """One person. ``version`` counts every change, also each session opened: a transaction that
    changes a member with all his sessions checks it, so that none opens unseen beside it."""

    class Meta:
        table_name = "members"

    member_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    version = Whole()
    county = UnicodeAttribute(null=True)
    openid = UnicodeAttribute()
    union_key = UnicodeAttribute(null=True)
    phone_key = UnicodeAttribute(null=True)
    phone_bound_at = Instant(null=True)
    phone_request = UnicodeAttribute(null=True)
    phone_request_id = UnicodeAttribute(null=True)
    occupation = UnicodeAttribute(null=True)
    consents = JSONAttribute()
    confirmed_until = Instant(null=True)
    created_at = Instant()


class SessionRow(Table):
    """A session; what authentication needs is all here. ``session_id`` is the token's SHA-256."""

    class Meta:
        table_name = "sessions"

    member_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute(null=True)
    roles = JSONAttribute()
    consents = JSONAttribute()
    has_phone = BooleanAttribute()
    confirmed_until = Instant(null=True)
    created_at = Instant()
    slid_at = Instant()
    expires_at = Instant()
    revoked_at = Instant(null=True)
    ttl = Whole()


class SignInRow(Table):
    """A login code that was redeemed; stands in `sessions` under an id no member has."""

    class Meta:
        table_name = "sessions"

    login_id = UnicodeAttribute(hash_key=True, attr_name="member_id")
    session_id = UnicodeAttribute(range_key=True)
    schema = Whole()
    owner = UnicodeAttribute()
    signed_in_at = Instant()
    ttl = Whole()


class ByScope(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # pynamodb's
    """Who holds a role where."""

    class Meta:
        index_name = "by_scope"
        projection = AllProjection()

    scope = UnicodeAttribute(hash_key=True)
    role = UnicodeAttribute(range_key=True)


class RosterRow(Table):
    """A roster entry of a phone; or, as entry ``#phone``, the phone with ``version``.

    ``away`` and ``stands_in`` follow from the county's leaves; a row with ``stands_in`` is not in
    the roster's file. ``left_at`` is the last end of the entry that was made known.
    """

    class Meta:
        table_name = "roster"

    phone_key = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    schema = Whole()
    county = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    scope = UnicodeAttribute(null=True)
    display = UnicodeAttribute(null=True)
    starts_at = Instant(null=True)
    ends_at = Instant(null=True)
    member_id = UnicodeAttribute(null=True)
    away = JSONAttribute(null=True)
    stands_in = JSONAttribute(null=True)
    left_at = Instant(null=True)
    version = Whole(null=True)
    imported_at = Instant(null=True)
    imported_by = UnicodeAttribute(null=True)
    synthetic = BooleanAttribute(null=True)

    by_scope = ByScope()


class LeaveRow(Table):
    """A leave of somebody on the roster, and who stands in; ``scope`` None is every post of his.

    The key begins with the absent one's ``phone_key``. What follows from it stands in `roster`.
    """

    class Meta:
        table_name = "leaves"

    county = UnicodeAttribute(hash_key=True)
    leave = UnicodeAttribute(range_key=True)
    schema = Whole()
    phone_key = UnicodeAttribute()
    scope = UnicodeAttribute(null=True)
    starts_at = Instant()
    ends_at = Instant()
    deputy_key = UnicodeAttribute()
    reason = UnicodeAttribute()
    imported_at = Instant()
    imported_by = UnicodeAttribute()


class ByUnion(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # pynamodb's
    """The follower behind a mini-program's user."""

    class Meta:
        index_name = "by_union"
        projection = AllProjection()

    union_key = UnicodeAttribute(hash_key=True)


class FollowerRow(Table):
    """A user of the service account; ``event_at`` is the last event's time, by which late and
    doubled ones are known."""

    class Meta:
        table_name = "followers"

    follower_id = UnicodeAttribute(hash_key=True)
    schema = Whole()
    service_openid = UnicodeAttribute()
    union_key = UnicodeAttribute(null=True)
    following = BooleanAttribute()
    event_at = Instant()

    by_union = ByUnion()


class VerificationRow(Table):
    """A code by which an occupation is confirmed; ``used_at`` None while it waits."""

    class Meta:
        table_name = "verifications"

    code_key = UnicodeAttribute(hash_key=True)
    schema = Whole()
    county = UnicodeAttribute(null=True)
    member_id = UnicodeAttribute()
    occupation = UnicodeAttribute()
    request_id = UnicodeAttribute()
    created_at = Instant()
    expires_at = Instant()
    used_at = Instant(null=True)
    used_by = UnicodeAttribute(null=True)
    used_request = UnicodeAttribute(null=True)
    confirmed_until = Instant(null=True)
    ttl = Whole()


class ConfirmationRow(Table):
    """A request that redeemed a code; stands in `verifications` under an id no code has."""

    class Meta:
        table_name = "verifications"

    request_id = UnicodeAttribute(hash_key=True, attr_name="code_key")
    schema = Whole()
    county = UnicodeAttribute(null=True)
    confirms = UnicodeAttribute()
    ttl = Whole()


def to_member(row: MemberRow) -> Member:
    """Read a row as its member."""
    return Member(
        member_id=row.member_id,
        openid=row.openid,
        union_key=row.union_key,
        county=row.county,
        occupation=Occupation(row.occupation) if row.occupation else None,
        consents=to_consents(row.consents),
        has_phone=row.phone_key is not None,
        confirmed_until=row.confirmed_until,
        created_at=row.created_at,
    )


def to_consents(kept: Mapping[str, Mapping[str, str]]) -> dict[str, Consent]:
    """Read the consents that hold; withdrawn ones stay in the row only as a record."""
    return {
        purpose: Consent(version=consent["version"], at=parse_utc(consent["at"]))
        for purpose, consent in kept.items()
        if "withdrawn_at" not in consent
    }


def session_consents(kept: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What a session repeats of the consents: purpose → version."""
    return {purpose: consent.version for purpose, consent in to_consents(kept).items()}


def session_roles(entries: Iterable[RosterEntry]) -> list[dict[str, Any]]:
    """What a session repeats of the roster, with times: a role begins, rests during a leave and
    ends by itself."""
    return [
        {
            "role": entry.role.value,
            "scope": entry.scope,
            "county": entry.county,
            "display": entry.display,
            "from": utc_text(entry.starts_at),
            "to": utc_text(entry.ends_at) if entry.ends_at else None,
            **({"away": written_away(entry.away)} if entry.away else {}),
        }
        for entry in entries
    ]


def to_entries(roles: Iterable[Mapping[str, Any]]) -> list[RosterEntry]:
    """Read a session's roles; one this code does not know (a newer code's) is left out."""
    known = set(RoleName)
    return [
        RosterEntry(
            role=RoleName(role["role"]),
            scope=role["scope"],
            county=role["county"],
            display=role["display"],
            starts_at=parse_utc(role["from"]),
            ends_at=parse_utc(role["to"]) if role["to"] else None,
            away=_read_away(role.get("away")),
        )
        for role in roles
        if role["role"] in known
    ]


def to_entry(row: RosterRow) -> RosterEntry:
    """Read a roster row (not the phone's own) as its entry."""
    return RosterEntry(
        role=RoleName(row.role),
        scope=row.scope,
        county=row.county or "",
        display=row.display,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        member_id=row.member_id,
        away=_read_away(row.away),
        stands_in=_read_stand_in(row.stands_in),
    )


def written_away(away: Iterable[Away]) -> list[dict[str, str]]:
    """Write leaves as JSON-ready values."""
    return [
        {"from": utc_text(one.starts_at), "to": utc_text(one.ends_at), "reason": one.reason}
        for one in away
    ]


def written_stand_in(stand_in: StandIn) -> dict[str, str]:
    """Write for whom an entry stands in as a JSON-ready value."""
    return {
        "phone_key": stand_in.phone_key,
        "display": stand_in.display,
        "since": utc_text(stand_in.since),
        "reason": stand_in.reason,
    }


def _read_away(kept: Iterable[Mapping[str, str]] | None) -> tuple[Away, ...]:
    return tuple(
        Away(starts_at=parse_utc(one["from"]), ends_at=parse_utc(one["to"]), reason=one["reason"])
        for one in kept or ()
    )


def _read_stand_in(kept: Mapping[str, str] | None) -> StandIn | None:
    if kept is None:
        return None
    return StandIn(
        phone_key=kept["phone_key"],
        display=kept["display"],
        since=parse_utc(kept["since"]),
        reason=kept["reason"],
    )


def known_role(row: RosterRow) -> bool:
    """Whether this code knows the row's role; a newer code may have written others."""
    return row.role in set(RoleName)


def scan_roster(county: str | None = None) -> list[RosterRow]:
    """Every entry of a county (None: of all), reading the whole table strongly.

    Raises ``Unavailable``.
    """
    wanted = RosterRow.county == county if county else RosterRow.county.exists()
    try:
        return list(RosterRow.scan(wanted, page_size=500, consistent_read=True))
    except (PynamoDBException, BotoCoreError) as error:
        raise Unavailable("store.busy") from error


def leaves_of(county: str) -> list[Leave]:
    """Every leave of a county, read strongly. Raises ``Unavailable``."""
    return [to_leave(row) for row in query(LeaveRow, county)]


def to_leave(row: LeaveRow) -> Leave:
    """Read a row as its leave."""
    return Leave(
        phone_key=row.phone_key,
        scope=row.scope,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        deputy_key=row.deputy_key,
        reason=row.reason,
    )


def epoch_s(at: datetime) -> int:
    """An instant as DynamoDB's time to live wants it: whole seconds since 1970."""
    return int(at.timestamp())
