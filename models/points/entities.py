"""What the ledger speaks of: accounts, entries, balances. All amounts are whole points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Accounts: TypeAlias = Mapping[str, int]
"""Balance by account; an account without points is absent.

    a:<month>         available, until the end of that month in China
    p:<day>:<month>   pending until that day, then available until the end of that month
    h                 held for open redemptions
    d                 debt, carried as a negative number

The counter-accounts ``iss:<rule>``, ``exp``, ``red:<reward>``, ``adj:<reason>`` and ``wo:<reason>``
occur in legs only: nobody stores their balance, it is the fold of everybody's entries.
"""

Legs: TypeAlias = Mapping[str, int]
"""Change by account; the changes of one entry sum to zero."""


class EntryKind(StrEnum):
    """What an entry is for; what matured or expired since the last one is folded into it."""

    AWARD = "award"
    MATURITY = "maturity"
    HOLD = "hold"
    SETTLE = "settle"
    REINSTATE = "reinstate"
    RELEASE = "release"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"
    WRITE_OFF = "write_off"
    CLAW_BACK = "claw_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something a member did that a rule pays.

    ``at`` is when he did it, not when it is posted: the rule's version, the caps and the budget are
    that day's. ``quantity`` counts units (hours, visits); ``severity`` is the case's, if any;
    ``paid`` the points that were due for the same thing before, of which only the rest is due now;
    ``counted`` says that the caps on acts of this rule have seen it then, so that it is no new act.
    """

    rule: str
    at: datetime
    grid_id: str | None = None
    quantity: int = 1
    severity: str | None = None
    paid: int = 0
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule, never edited.

    ``points`` are for each unit, ``urgent_bonus`` once for a case of severity A or B. The caps are
    the most units of a member in a day, a week (from Monday) and a month in China, None: any; rules
    of one ``cap_group`` share them. ``counts`` says whether the overall caps see it.
    ``budget_per_grid_day`` are the points that a ``campaign`` gives in one grid on one day. It
    holds from ``effective_from`` (None: ever since) until before ``effective_to`` (None: for good).

    The rule ``totals`` pays nothing: its caps are the overall ones of a member, in points.
    """

    rule: str
    version: int
    points: int
    urgent_bonus: int = 0
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None
    counts: bool = True
    cap_group: str = ""
    budget_per_grid_day: int | None = None
    campaign: str | None = None
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    name_zh: str = ""
    name_en: str = ""
    published_by: str = ""
    published_at: datetime | None = None

    @property
    def id(self) -> str:
        """How entries name it: ``report.first@1``."""
        return f"{self.rule}@{self.version}"

    @property
    def group(self) -> str:
        """Whose units its caps count."""
        return self.cap_group or self.rule

    def holds(self, at: datetime) -> bool:
        """Whether this version is in force at an instant, if no newer one is."""
        begun = self.effective_from is None or self.effective_from <= at
        return begun and (self.effective_to is None or at < self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a member's ledger, never changed. ``seq`` counts from 1 without a gap."""

    member_id: str
    seq: int
    transfer_id: str
    kind: EntryKind
    rule: str
    county: str
    legs: Legs
    source: Mapping[str, Any]
    posted_at: datetime
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Available points that stay valid up to and including the day ``last_day``."""

    last_day: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Maturing:
    """Pending points that become available on ``day`` (China) at the latest."""

    day: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What a member has at an instant; ``buckets`` shortest first, ``maturing`` earliest first.

    ``is_frozen``: his ledger is in doubt, and nothing can be spent until two people say so.
    """

    available: int
    pending: int
    held: int
    debt: int
    buckets: tuple[Bucket, ...]
    maturing: tuple[Maturing, ...]
    is_frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the statement: the changes it made to each balance, and why.

    ``expired`` counts points that had run out before it and were cleared with it. ``rule`` names
    an award's rule and version; ``gross`` is what it was worth before ``limit`` was met (both
    None where nothing was). ``appeal_until`` stands where it took points. ``source`` says what
    for, by ids.
    """

    seq: int
    posted_at: datetime
    kind: EntryKind
    reason: str
    available: int
    pending: int
    held: int
    debt: int
    expired: int
    rule: str
    gross: int | None
    limit: str | None
    appeal_until: datetime | None
    source: Mapping[str, Any]
    hash: str
