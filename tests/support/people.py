"""Builders of people: members, sessions, roster lines, and a WeChat that mints codes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from models.base.clock import Clock
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.people.entities import (
    Actor,
    FollowerInfo,
    Role,
    RoleName,
    SignedIn,
    Standing,
    WeChatIdentity,
)
from models.people.gateways import LoginCodeInvalid, LoginCodeUsed, PhoneCodeInvalid
from models.people.importing import ImportReport, import_roster
from models.people.members import Members
from models.people.pseudonyms import Pseudonyms
from models.people.rules import SCOPE_KIND_BY_ROLE
from models.people.sessions import Sessions

COUNTY = "411503"
PSEUDONYMS = Pseudonyms(identity_key=b"i" * 32, phone_key=b"p" * 32, session_key=b"s" * 32)
_numbers = itertools.count(1)


def a_role(role: RoleName, scope_id: str, *, county: str = COUNTY) -> Role:
    """A role in the kind of scope that belongs to it."""
    return Role(role=role, scope=f"{SCOPE_KIND_BY_ROLE[role]}:{scope_id}", county=county)


def an_actor(
    *roles: Role,
    member_id: str | None = None,
    county: str | None = COUNTY,
    consents: Mapping[str, str] | None = None,
    confirmed_until: datetime | None = None,
) -> Actor:
    """An actor as authentication makes him, without rows behind; a rider who consented."""
    return Actor(
        member_id=member_id or new_id("mbr"),
        session_id=new_id("ses"),
        roles=roles,
        standing=Standing.PHONE if roles else Standing.GUEST,
        county=county,
        consents={"report": "1", "points": "1"} if consents is None else consents,
        confirmed_until=confirmed_until,
    )


def a_phone() -> str:
    """A number that nobody has: 000 is no Chinese network's prefix."""
    return f"+861000{next(_numbers):07d}"


def a_request_id() -> str:
    """A client's id for a command."""
    return new_id("request")


def a_line(phone: str, **columns: str) -> dict[str, str]:
    """A line of a roster's file: an officer, from the year's beginning, without end."""
    line = {
        "phone_key": PSEUDONYMS.phone(phone),
        "role": "officer",
        "scope": "grid:g1",
        "county": COUNTY,
        "display": "网格员",
        "from": "2026-01-01",
        "to": "",
    }
    return line | columns


@dataclass
class WeChat:
    """Stands for WeChat's login, phone and service-account calls; each code works once."""

    identities: dict[str, WeChatIdentity] = field(default_factory=dict)
    phones: dict[str, tuple[str, str]] = field(default_factory=dict)
    followers: dict[str, FollowerInfo] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    is_away: bool = False
    refusal: Exception | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def login_code(self, openid: str | None = None, unionid: str | None = None) -> str:
        """Mint a login code for a user; a new one without ``openid``."""
        code = new_id("code")
        self.identities[code] = WeChatIdentity(openid=openid or new_id("openid"), unionid=unionid)
        return code

    def phone_code(self, phone: str, openid: str) -> str:
        """Mint a phone code for a user's number."""
        code = new_id("phone")
        self.phones[code] = (phone, openid)
        return code

    def code_to_session(self, code: str) -> WeChatIdentity:
        self._answer("code_to_session")
        with self.lock:
            if code in self.used:
                raise LoginCodeUsed
            if code not in self.identities:
                raise LoginCodeInvalid
            self.used.add(code)
        return self.identities[code]

    def phone_number(self, code: str, openid: str) -> str:
        self._answer("phone_number")
        with self.lock:
            phone, owner = self.phones.get(code, ("", ""))
            if code in self.used or owner != openid:
                raise PhoneCodeInvalid
            self.used.add(code)
        return phone

    def user_info(self, service_openid: str) -> FollowerInfo:
        self._answer("user_info")
        return self.followers.get(service_openid, FollowerInfo(subscribed=False))

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.is_away:
            raise Unavailable("wechat.away")
        if self.refusal is not None:
            raise self.refusal


@dataclass
class People:
    """The people's use cases on the real tables, with WeChat's part played by ``wechat``."""

    clock: Clock
    wechat: WeChat = field(default_factory=WeChat)

    def __post_init__(self) -> None:
        self.sessions = Sessions(
            pseudonyms=PSEUDONYMS, clock=self.clock, login=self.wechat, pause=lambda _: None
        )
        self.members = Members(pseudonyms=PSEUDONYMS, clock=self.clock, phones=self.wechat)

    def sign_in(self, openid: str | None = None) -> SignedIn:
        """A session of a user; a new member without ``openid``."""
        return self.sessions.sign_in(self.wechat.login_code(openid), a_request_id())

    def bind(self, actor: Actor, openid: str, phone: str) -> None:
        """Bind a phone to the actor, whose openid this is."""
        self.members.bind_phone(actor, self.wechat.phone_code(phone, openid), a_request_id())

    def with_roles(self, **columns: str) -> SignedIn:
        """Someone whom a roster of a county of his own gave a role, signed in."""
        openid, phone = new_id("openid"), a_phone()
        import_lines([a_line(phone, **columns)], county=columns.get("county", COUNTY))
        first = self.sign_in(openid)
        self.bind(first.actor, openid, phone)
        return self.sign_in(openid)


def import_lines(
    lines: list[dict[str, str]], *, county: str = COUNTY, foreign: str = ""
) -> ImportReport:
    """Import a county's whole roster; every scope is the county's but ``foreign``."""
    return import_roster(
        lines,
        county=county,
        owns=lambda scope: scope != foreign,
        now=datetime(2026, 3, 18, 2, 0, tzinfo=UTC),
        actor="test",
    )


def a_county() -> str:
    """A county of its own, so that a test's roster is nobody else's."""
    return f"{900_000 + next(_numbers):06d}"
