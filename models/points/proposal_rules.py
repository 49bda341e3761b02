"""What may be proposed about points, and how a line of a proposal is read. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from models.base.errors import FieldError, Invalid
from models.base.ids import content_hash, derived_id


class Kind(StrEnum):
    """What two people decide about points."""

    ADJUSTMENT = "adjustment"
    WRITE_OFF = "write_off"
    CLAW_BACK = "claw_back"
    HARDSHIP = "hardship"
    SERVICE_HOURS = "service_hours"
    ACTIVITY = "activity"
    CORRECTION = "correction"


class State(StrEnum):
    """How far a proposal has come; all but the first are final."""

    PROPOSED = "proposed"
    POSTED = "posted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    """What is decided: the first two by another person than the maker, the last by himself."""

    APPROVE = "approve"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


LEADS_TO: Mapping[Decision, State] = {
    Decision.APPROVE: State.POSTED,
    Decision.DECLINE: State.DECLINED,
    Decision.WITHDRAW: State.WITHDRAWN,
}

ACTS: Mapping[Kind, str] = {
    Kind.HARDSHIP: "hardship.grant",
    Kind.SERVICE_HOURS: "service.hour",
    Kind.ACTIVITY: "activity.attended",
    Kind.CORRECTION: "correction.accepted",
}
"""The rule of points that says what an act is worth; its caps hold."""

APPEAL_UPHELD = "appeal_upheld"
"""The reason of an adjustment that follows from an appeal; nobody proposes it by hand."""

OLD = "old"
"""The reason of a write-off that takes no debt younger than twelve months."""

REASONS: Mapping[Kind, Mapping[str, tuple[str, str]]] = {
    Kind.ADJUSTMENT: {
        "missing": ("补记漏发的积分", "points that were missing"),
        "doubled": ("更正重复发放的积分", "points that were given twice"),
        "defect": ("更正系统差错", "a defect of the system"),
        APPEAL_UPHELD: ("申诉成立", "an appeal was upheld"),
    },
    Kind.WRITE_OFF: {
        OLD: ("欠分满 12 个月", "the debt is twelve months old"),
        "error": ("欠分有误", "the debt was a mistake"),
        "relief": ("生活困难", "hardship"),
    },
    Kind.CLAW_BACK: {
        "staged": ("所报问题系人为制造", "the problem was made to be reported"),
        "old_photo": ("照片不是当时当地所拍", "the photo is not of that time and place"),
        "not_there": ("本人不在现场", "the member was not there"),
        "shared_account": ("账号由他人使用", "somebody else used the account"),
        "given_by_mistake": ("误发", "given by mistake"),
    },
    # Why somebody is in need is nobody's business here: it would stand in the ledger for ever.
    Kind.HARDSHIP: {
        "applied": ("本人申请", "the member asked for it"),
        "recommended": ("站点或网格推荐", "a station or a grid proposed it"),
    },
    Kind.SERVICE_HOURS: {
        "service": ("志愿服务", "voluntary service"),
        "patrol": ("巡查", "a patrol"),
        "teaching": ("宣讲", "teaching"),
    },
    Kind.ACTIVITY: {
        "training": ("培训", "a training"),
        "meeting": ("议事会", "a meeting"),
        "event": ("集体活动", "an event"),
    },
    Kind.CORRECTION: {
        "map": ("地图纠错", "the map"),
        "station": ("驿站信息纠错", "a station"),
        "listing": ("其他信息纠错", "other public information"),
    },
}
"""Why, by kind: code → (Chinese, English). The codes stand in the ledger and never change."""

MAX_ADJUSTMENT = 1_000
"""Points that one adjustment moves at most; who needs more decides more than once. *Source:* the
project's own limit, half as much again as a month's cap of 600."""
MAX_HOURS = 24
ACT_WITHIN = timedelta(days=60)
"""How long an act can still be recorded: attendance lists are handed in by the month, and caps of
an act's own day must still be known. *Source:* the project's own rule."""

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:#-]{2,63}")
_PERSONAL = re.compile(
    r"(?<!\d)(?:86[-_ ]?)?1\d{2}[-_ ]?\d{4}[-_ ]?\d{4}(?!\d)|(?<!\d)\d{17}[0-9Xx](?!\d)"
)
"""A phone number, also with the country's and in groups, or a citizen's: neither may stand in a
ledger that is never edited."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WHOLE = re.compile(r"-?[0-9]{1,6}")
_ACTOR = re.compile(r"[\w.@:/+=,-]{1,256}")
"""The name of a post, a member's id, a phone's key, or a role's ARN."""
SIGNS: Mapping[str, int] = {"missing": 1, "doubled": -1}
"""Reasons of an adjustment that go one way only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One thing to decide. ``amount`` is points, or for an act how many (hours, else 1); 0 in a
    claw-back is all that its award left. ``day`` (China) and ``grid_id`` are an act's.

    ``reference`` names what it is for: an activity, a case, for a claw-back the award's transfer.
    The same reference posts once for a member and kind; ``attempt`` asks again for what was
    declined.
    """

    kind: Kind
    member_id: str
    county: str
    amount: int
    reason: str
    reference: str
    day: str | None = None
    grid_id: str | None = None
    attempt: int = 1

    def content(self) -> Mapping[str, Any]:
        """All that is decided, as JSON-ready values."""
        return {
            "kind": self.kind.value,
            "member_id": self.member_id,
            "county": self.county,
            "amount": self.amount,
            "reason": self.reason,
            "reference": self.reference,
            "day": self.day,
            "grid_id": self.grid_id,
            "attempt": self.attempt,
        }

    @property
    def proposal_id(self) -> str:
        """Follows from the content: what is approved under an id is what was proposed under it."""
        return derived_id("prp", content_hash(self.content()))

    @property
    def occasion(self) -> str:
        """What the reference names, however it is typed: ``ACT-1`` and ``act-1`` pay once."""
        return self.reference.casefold()

    @property
    def transfer_id(self) -> str:
        """The transfer that it posts, once; a claw-back's is the ledger's (``claw_back_id``)."""
        rule = ACTS.get(self.kind, self.kind.value)
        return derived_id("trf", "decided", rule, self.member_id, self.occasion)


def is_id(text: str) -> bool:
    """Whether a text can be one of our ids at all; what cannot is never asked of a table."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who proposes or decides. ``name`` is written one way whoever types it, so that nobody is two
    people by a capital letter; ``given`` may be a member's id or a phone's key, and is kept."""

    name: str
    given: str


def read_person(actor: object) -> Person:
    """Read whose name a command bears. Raises ``Invalid`` (field ``actor``).

    >>> read_person(" District-1 ").name
    'district-1'
    """
    given = unicodedata.normalize("NFKC", actor).strip() if isinstance(actor, str) else ""
    if not _ACTOR.fullmatch(given) or _PERSONAL.search(given):
        raise Invalid(fields=[FieldError(field="actor", code="field.invalid")])
    return Person(name=given.casefold(), given=given)


def read_draft(columns: Mapping[str, object], *, county: str, member_id: str, today: str) -> Draft:
    """Read what is proposed, from JSON or from a line of a file.

    Columns: ``kind``, ``reason``, ``reference``, ``points`` or ``quantity``, ``day``, ``grid``,
    ``attempt``. ``today`` (``YYYY-MM-DD``, China) is an act's day where none is given. Raises
    ``Invalid`` with every bad column.
    """
    bad: dict[str, FieldError] = {}
    kind = _kind(columns, bad)
    draft = Draft(
        kind=kind,
        member_id=member_id,
        county=county,
        amount=_amount(kind, columns, bad),
        reason=_reason(kind, columns, bad),
        reference=_reference(columns, bad),
        day=_day(columns, today, bad) if kind in ACTS else None,
        grid_id=_grid(columns, bad) if kind in ACTS else None,
        attempt=_whole("attempt", columns, bad, 1, 99, default=1),
    )
    if bad:
        raise Invalid(fields=list(bad.values()))
    return draft


def _kind(columns: Mapping[str, object], bad: dict[str, FieldError]) -> Kind:
    given = _text(columns.get("kind"))
    if given in set(Kind):
        return Kind(given)
    _refuse(bad, "kind", "field.not_allowed" if given else "field.missing")
    return Kind.ADJUSTMENT


def _reason(kind: Kind, columns: Mapping[str, object], bad: dict[str, FieldError]) -> str:
    given = _text(columns.get("reason"))
    if "kind" not in bad and (given not in REASONS[kind] or given == APPEAL_UPHELD):
        _refuse(bad, "reason", "field.not_allowed" if given else "field.missing")
    return given


def _amount(kind: Kind, columns: Mapping[str, object], bad: dict[str, FieldError]) -> int:
    if "kind" in bad:
        return 0
    if kind is Kind.SERVICE_HOURS:
        return _whole("quantity", columns, bad, 1, MAX_HOURS)
    if kind in ACTS:
        return _whole("quantity", columns, bad, 1, 1, default=1)
    if kind is Kind.CLAW_BACK:
        return _whole("points", columns, bad, 0, MAX_ADJUSTMENT, default=0)
    if kind is Kind.WRITE_OFF:
        return _whole("points", columns, bad, 1, MAX_ADJUSTMENT)
    points = _whole("points", columns, bad, -MAX_ADJUSTMENT, MAX_ADJUSTMENT)
    sign = SIGNS.get(_text(columns.get("reason")), points)
    if points * sign <= 0 and "points" not in bad:
        _refuse(bad, "points", "field.not_allowed")
    return points


def _reference(columns: Mapping[str, object], bad: dict[str, FieldError]) -> str:
    given = _text(columns.get("reference"))
    if _PERSONAL.search(given):
        _refuse(bad, "reference", "proposal.personal_reference")
    elif not _REFERENCE.fullmatch(given):
        _refuse(bad, "reference", "field.invalid" if given else "field.missing")
    return given


def _day(columns: Mapping[str, object], today: str, bad: dict[str, FieldError]) -> str:
    given = _text(columns.get("day")) or today
    try:
        day = date.fromisoformat(given) if len(given) == len(today) else None
    except ValueError:
        day = None
    if day is None:
        _refuse(bad, "day", "field.invalid")
        return given
    if not timedelta() <= date.fromisoformat(today) - day <= ACT_WITHIN:
        _refuse(bad, "day", "field.not_allowed")
    return day.isoformat()


def _grid(columns: Mapping[str, object], bad: dict[str, FieldError]) -> str | None:
    given = _text(columns.get("grid"))
    if given and not _ID.fullmatch(given):
        _refuse(bad, "grid", "field.invalid")
    return given or None


def _whole(
    name: str,
    columns: Mapping[str, object],
    bad: dict[str, FieldError],
    least: int,
    most: int,
    *,
    default: int | None = None,
) -> int:
    """A whole number, from JSON or as text; a fraction, a truth value or other digits are none."""
    given = columns.get(name)
    number = given if type(given) is int else None
    if isinstance(given, str) and _WHOLE.fullmatch(given.strip()):
        number = int(given)
    if given in (None, "") and default is not None:
        return default
    if number is None:
        _refuse(bad, name, "field.missing" if given in (None, "") else "field.wrong_type")
    elif number < least:
        bad[name] = FieldError(field=name, code="field.too_small", limit=least)
    elif number > most:
        bad[name] = FieldError(field=name, code="field.too_large", limit=most)
    return number or 0


def _text(given: object) -> str:
    return given.strip() if isinstance(given, str) else ""


def _refuse(bad: dict[str, FieldError], field: str, code: str) -> None:
    bad[field] = FieldError(field=field, code=code)
