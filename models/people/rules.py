"""What holds for sessions, codes and roster lines; standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from models.people.entities import Role, RoleName, RosterEntry

SESSION_LASTS = timedelta(days=30)
SLIDES_AFTER = timedelta(days=1)
KEPT_AFTER_END = timedelta(days=7)
"""How long an ended session's row stays, so that its token is told from an unknown one."""
SAME_SIGN_IN_WITHIN = timedelta(minutes=5)
"""A login code lives 5 minutes. *Source:* wx.login, miniprogram-api-typings 5.2.3."""
MAX_SESSIONS = 10
VERIFICATION_LASTS = timedelta(hours=24)
KEPT_AFTER_CODE = timedelta(days=30)
"""How long a code's row stays, so that a late repetition still gets its first answer."""
CONFIRMED_FOR = timedelta(days=180)
MAX_ENTRIES_PER_PHONE = 20
MAX_DISPLAY_LENGTH = 20

SCOPE_KIND_BY_ROLE: Mapping[RoleName, str] = {
    RoleName.OFFICER: "grid",
    RoleName.GRID_LEAD: "grid",
    RoleName.COMMUNITY: "community",
    RoleName.DISTRICT: "county",
    RoleName.DUTY: "county",
    RoleName.KEEPER: "station",
    RoleName.MERCHANT: "merchant",
    RoleName.DEPOT: "depot",
}
ZONE_ROLES = (RoleName.DISTRICT, RoleName.DUTY)
"""Roles over a county that may also be over a functional zone alone: ``zone:<division id>``."""
DUTY_ROLES = (RoleName.OFFICER, RoleName.GRID_LEAD)
"""Who works on cases: when one of them leaves, somebody must take his cases over."""
CONFIRMING_ROLES = (RoleName.KEEPER, RoleName.DEPOT, RoleName.OFFICER)

_COLUMNS = ("phone_key", "role", "scope", "county", "display", "from", "to")
_CHINA = timezone(timedelta(hours=8))
_ALPHABET = "0-9A-HJKMNP-TV-Z"
_TOKEN = re.compile(rf"(mbr_[{_ALPHABET}]{{26}})\.[A-Za-z0-9_-]{{43}}", re.ASCII)
_PHONE_KEY = re.compile(rf"ph_[{_ALPHABET}]{{26}}")
_SCOPE = re.compile(r"([a-z]+):([A-Za-z0-9_-]{1,60})", re.ASCII)
_COUNTY = re.compile(r"[0-9]{6}", re.ASCII)
_CODE = re.compile(rf"[{_ALPHABET}]{{8}}", re.ASCII)
_MISREAD = str.maketrans("OIL", "011", " -")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """A line of a roster's file, judged good."""

    phone_key: str
    entry: RosterEntry

    @property
    def key(self) -> tuple[str, str]:
        """What two lines of one file must not share."""
        return self.phone_key, entry_key(self.entry)


class BadLine(ValueError):
    """A line of a roster's file is wrong; its argument is a stable code."""


def member_of_token(token: str) -> str | None:
    """The member a token claims to be of; None when it has not a token's form."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else None


def is_due_to_slide(*, slid_at: datetime, now: datetime) -> bool:
    """Whether a session in use is to be prolonged: at most once a day, to spare writes."""
    return now - slid_at >= SLIDES_AFTER


def roles_at(entries: Iterable[RosterEntry], now: datetime) -> tuple[Role, ...]:
    """The roles that hold at ``now``, each once, in a fixed order."""
    held = {(e.role.value, e.scope, e.county) for e in entries if e.is_valid(now)}
    return tuple(
        Role(role=RoleName(role), scope=scope, county=county)
        for role, scope, county in sorted(held)
    )


def by_duty(entries: Iterable[RosterEntry], now: datetime) -> tuple[RosterEntry, ...]:
    """Who is on duty in a grid, first choice first: officers, then leads; bound phones first.

    Who is on leave is not there; his deputy stands in his place. Nobody is named twice in a role.
    """
    on_duty = [e for e in entries if e.role in DUTY_ROLES and e.is_valid(now)]
    on_duty.sort(key=lambda e: (DUTY_ROLES.index(e.role), *in_turn(e)))
    first: dict[tuple[str, str], RosterEntry] = {}
    for number, entry in enumerate(on_duty):
        first.setdefault((entry.role, entry.member_id or str(number)), entry)
    return tuple(first.values())


def in_turn(entry: RosterEntry) -> tuple[bool, datetime, str, str]:
    """How those of one role are sorted: bound phones first, then who holds the post longest."""
    since = entry.stands_in.since if entry.stands_in else entry.starts_at
    return entry.member_id is None, since, entry.member_id or "", entry.display


def county_of(entries: Sequence[RosterEntry]) -> str | None:
    """The county of someone's roles; None when there are none or several."""
    counties = {entry.county for entry in entries}
    return counties.pop() if len(counties) == 1 else None


def read_code(text: str) -> str | None:
    """Read a verification code as people type it; None when it cannot be one.

    >>> read_code("7k2m-9o1l"), read_code("7k2m")
    ('7K2M9011', None)
    """
    code = text.upper().translate(_MISREAD)
    return code if _CODE.fullmatch(code) else None


def entry_key(entry: RosterEntry) -> str:
    """What tells the entries of one phone apart; an admin reads it in the table."""
    starts_at = entry.starts_at.astimezone(_CHINA)
    key = f"{entry.county}#{entry.role.value}#{entry.scope}#{starts_at.date().isoformat()}"
    if entry.stands_in is None:
        return key
    return f"{key}T{starts_at:%H:%M:%S}#for#{entry.stands_in.phone_key}"


def read_line(columns: Mapping[str, str | None], county: str) -> RosterLine:
    """Judge a line of ``county``'s roster. Raises ``BadLine`` with a code.

    Columns: phone_key, role, scope, county, display, from, to. ``from`` is included, ``to`` is
    not, an empty ``to`` means no end; both are dates (00:00 in China) or RFC 3339 instants.
    """
    text = {name: (columns.get(name) or "").strip() for name in _COLUMNS}
    if not is_phone_key(text["phone_key"]):
        raise BadLine("roster.bad_phone_key")
    role = _role(text["role"])
    _check_scope(role, text["scope"], text["county"])
    if text["county"] != county or not _COUNTY.fullmatch(county):
        raise BadLine("roster.foreign_county")
    if not 1 <= len(text["display"]) <= MAX_DISPLAY_LENGTH:
        raise BadLine("roster.bad_display")
    starts_at = read_instant(text["from"], "roster.bad_time")
    ends_at = read_instant(text["to"], "roster.bad_time") if text["to"] else None
    if ends_at is not None and ends_at <= starts_at:
        raise BadLine("roster.ends_before_start")
    entry = RosterEntry(
        role=role,
        scope=text["scope"],
        county=county,
        display=text["display"],
        starts_at=starts_at,
        ends_at=ends_at,
    )
    return RosterLine(phone_key=text["phone_key"], entry=entry)


def is_phone_key(text: str) -> bool:
    """Whether a text has the form of a phone's keyed hash."""
    return _PHONE_KEY.fullmatch(text) is not None


def read_instant(text: str, code: str) -> datetime:
    """Read a date (00:00 in China) or an RFC 3339 instant. Raises ``BadLine`` with ``code``."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadLine(code) from error
    is_day = len(text) == 10
    if at.tzinfo is None and not is_day:
        raise BadLine(code)
    return (at.replace(tzinfo=_CHINA) if is_day else at).astimezone(UTC)


def _role(text: str) -> RoleName:
    try:
        return RoleName(text)
    except ValueError as error:
        raise BadLine("roster.unknown_role") from error


def _check_scope(role: RoleName, scope: str, county: str) -> None:
    match = _SCOPE.fullmatch(scope)
    kinds = {SCOPE_KIND_BY_ROLE[role]} | ({"zone"} if role in ZONE_ROLES else set())
    if match is None or match[1] not in kinds:
        raise BadLine("roster.bad_scope")
    if match[1] == "county" and match[2] != county:
        raise BadLine("roster.bad_scope")
