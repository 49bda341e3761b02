"""Who takes part: members, the roles a roster gives them, and the actor behind a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """How well a member is known; each includes what the one before may do."""

    GUEST = "guest"
    PHONE = "phone"
    CONFIRMED = "confirmed"


class RoleName(StrEnum):
    """The roles that a roster can give."""

    OFFICER = "officer"
    GRID_LEAD = "grid_lead"
    COMMUNITY = "community"
    DISTRICT = "district"
    DUTY = "duty"
    KEEPER = "keeper"
    MERCHANT = "merchant"
    DEPOT = "depot"


class Occupation(StrEnum):
    """What a member says he works as; a keeper, depot or officer confirms it."""

    RIDER = "rider"
    COURIER = "courier"
    DRIVER = "driver"


class Purpose(StrEnum):
    """What a member can consent to, each on its own."""

    REPORT = "report"
    POINTS = "points"
    PHOTOS = "photos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role where it holds: ``scope`` is ``grid:<id>``, ``community:<id>``, ``county:<code>``,
    ``zone:<division id>``, ``station:<id>``, ``merchant:<id>`` or ``depot:<id>``."""

    role: RoleName
    scope: str
    county: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is asking, as one strong read of the session tells it; ``roles`` hold at that moment."""

    member_id: str
    session_id: str
    roles: tuple[Role, ...]
    standing: Standing
    county: str | None
    consents: Mapping[str, str]
    confirmed_until: datetime | None

    def scopes(self, role: RoleName) -> frozenset[str]:
        """Where the actor has ``role``."""
        return frozenset(held.scope for held in self.roles if held.role == role)

    def has(self, role: RoleName, scope: str) -> bool:
        """Whether the actor has ``role`` in exactly this scope."""
        return scope in self.scopes(role)

    def may_spend(self, now: datetime) -> bool:
        """Whether the occupation is confirmed and still holds: spending points needs it."""
        return self.confirmed_until is not None and now < self.confirmed_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Which version of a purpose's text was agreed to, and when."""

    version: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person. ``openid`` is the mini-program's; ``union_key`` joins the service account's."""

    member_id: str
    openid: str
    union_key: str | None
    county: str | None
    occupation: Occupation | None
    consents: Mapping[str, Consent]
    has_phone: bool
    confirmed_until: datetime | None
    created_at: datetime

    def standing_at(self, now: datetime) -> Standing:
        """How well the member is known at ``now``: a confirmation lapses."""
        return standing_of(has_phone=self.has_phone, confirmed_until=self.confirmed_until, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A member as he sees himself, at one moment."""

    member: Member
    roles: tuple[Role, ...]
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationCode:
    """What a rider shows to have his occupation confirmed."""

    code: str
    occupation: Occupation
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What was confirmed, and until when it holds."""

    occupation: Occupation
    confirmed_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A leave as it bears on one entry: from ``starts_at``, before ``ends_at``."""

    starts_at: datetime
    ends_at: datetime
    reason: str

    def covers(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """For whom an entry stands in: the post's name, since when it had been held, and why not now.

    ``phone_key`` is the absent one's: it tells two such entries of one deputy apart.
    """

    phone_key: str
    display: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """One line of the roster: valid from ``starts_at``, before ``ends_at`` (None: no end).

    ``display`` names the post, never a person. ``member_id`` is None until the phone is bound.
    During each of ``away`` it does not hold. ``stands_in`` is set where it was not given by the
    roster's file but follows from somebody's leave.
    """

    role: RoleName
    scope: str
    county: str
    display: str
    starts_at: datetime
    ends_at: datetime | None
    member_id: str | None = None
    away: tuple[Away, ...] = ()
    stands_in: StandIn | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it holds at an instant: begun, not ended, nobody on leave."""
        is_running = self.starts_at <= now and (self.ends_at is None or now < self.ends_at)
        return is_running and not any(leave.covers(now) for leave in self.away)

    def lost_at(self, now: datetime) -> datetime | None:
        """Since when it no longer holds; None while it holds, and before it began."""
        if now < self.starts_at or self.is_valid(now):
            return None
        ends = [leave.starts_at for leave in self.away if leave.covers(now)]
        if self.ends_at is not None and self.ends_at <= now:
            ends.append(self.ends_at)
        return max(min(ends), self.starts_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Somebody no longer holds an officer's or a lead's post. ``entry`` tells which, ``at`` when:
    together they are the same event however often it is noticed."""

    county: str
    member_id: str
    scopes: tuple[str, ...]
    entry: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session just opened, or the same one again. ``token`` is told to its owner only."""

    token: str
    expires_at: datetime
    actor: Actor

    def __repr__(self) -> str:
        return f"SignedIn(member_id={self.actor.member_id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatIdentity:
    """Whom a login code stood for; ``unionid`` None without an Open Platform account."""

    openid: str
    unionid: str | None = None

    def __repr__(self) -> str:
        return "WeChatIdentity()"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerInfo:
    """What the service account knows of a user; nothing but ``subscribed`` once he unfollowed."""

    subscribed: bool
    unionid: str | None = None

    def __repr__(self) -> str:
        return f"FollowerInfo(subscribed={self.subscribed})"


def standing_of(*, has_phone: bool, confirmed_until: datetime | None, now: datetime) -> Standing:
    """Judge how well someone is known at ``now``."""
    if confirmed_until is not None and now < confirmed_until:
        return Standing.CONFIRMED
    return Standing.PHONE if has_phone else Standing.GUEST
