"""Rewards: what points buy, who hands it over, and a member's redemption of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.people.entities import Occupation, Standing


class State(StrEnum):
    """Where a redemption stands; ``queued`` ones wait for a share of the month's quota."""

    QUEUED = "queued"
    DECLINED = "declined"
    RESERVED = "reserved"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class Action(StrEnum):
    """What can be done to a redemption."""

    ALLOT = "allot"
    DECLINE = "decline"
    FULFIL = "fulfil"
    UNDO = "undo"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REFUND = "refund"
    CLOSE = "close"


class RefundReason(StrEnum):
    """How a merchant failed a rider who had already handed his voucher in."""

    NOT_DELIVERED = "not_delivered"
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    CLOSED = "closed"


class RewardState(StrEnum):
    """Where a reward stands in its life."""

    DRAFT = "draft"
    FUNDED = "funded"
    PUBLISHED = "published"
    SOLD_OUT = "sold_out"
    PAUSED = "paused"
    RETIRED = "retired"


ON_OFFER = frozenset({RewardState.PUBLISHED, RewardState.SOLD_OUT, RewardState.PAUSED})
"""Members know it, and may be saving for it."""


class QueueReason(StrEnum):
    """What gives a place in a queue its rank."""

    HARDSHIP = "hardship"
    WAITING = "waiting"


class DeclineReason(StrEnum):
    """Why somebody who waited got his points back instead."""

    RETIRED = "retired"
    NO_QUOTA = "no_quota"
    WAITED_TOO_LONG = "waited_too_long"
    NOT_GRANTED = "not_granted"


class CodeSource(StrEnum):
    """Whose code a voucher carries: one of ours, or one out of an imported pool."""

    OWN = "own"
    POOL = "pool"


class Missing(StrEnum):
    """What stands between a member and a reward."""

    PHONE = "phone"
    OCCUPATION = "occupation"
    KIND = "kind"
    MEMBER_DAYS = "member_days"
    LIMIT = "limit"
    POINTS = "points"
    PAUSED = "paused"
    STOCK = "stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name in Chinese and English."""

    zh: str
    en: str

    def text(self, language: str) -> str:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementClass:
    """A kind of entitlement; a row, so that a city can have others. ``position`` orders them."""

    class_id: str
    name: Name
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """Who may take a reward: at least this ``standing``, one of these ``occupations`` (none named:
    any), a member for ``member_days`` days."""

    standing: Standing = Standing.CONFIRMED
    occupations: frozenset[Occupation] = frozenset()
    member_days: int = 0

    @property
    def needs_member(self) -> bool:
        """Whether the member's own row must be read: the session does not tell."""
        return bool(self.occupations or self.member_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What eligibility asks of a member. None: not known (to whom no reward asks for it)."""

    standing: Standing
    occupation: Occupation | None = None
    member_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A member takes at most ``count`` of a reward within any ``days`` days."""

    count: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """How many vouchers a month each county has, kept in ``shards`` rows.

    A change waits in ``following`` until the month ``following_from`` (``YYYY-MM``, China).
    After the month ``funded_until`` there is nothing; None: no end.
    """

    quotas: Mapping[str, int] = field(default_factory=dict)
    shards: int = 1
    following: Supply | None = None
    following_from: str | None = None
    funded_until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """Something that ``price`` points buy, to be taken within ``valid_days``.

    ``fulfillers`` are the scopes that may hand it over: ``merchant:<id>`` or ``station:<id>``.
    ``county`` keeps the row; who may have it is said by the counties of ``supply``. Until
    ``price_locked_until`` the price can only fall. ``committed`` is what its fund has promised.
    """

    reward_id: str
    class_id: str
    county: str
    name: Name
    terms: Name
    price: int
    valid_days: int
    fulfillers: Sequence[str]
    synthetic: bool = False
    state: RewardState = RewardState.PUBLISHED
    fund_id: str | None = None
    supply: Supply = field(default_factory=Supply)
    eligibility: Eligibility = field(default_factory=Eligibility)
    limit: Limit | None = None
    needs_approval: bool = False
    codes: CodeSource = CodeSource.OWN
    published_at: datetime | None = None
    price_locked_until: datetime | None = None
    committed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """Who pays: ``points_cap`` points can be promised from it, ``committed`` of them are."""

    fund_id: str
    county: str
    name: Name
    points_cap: int
    committed: int = 0
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A reward as a member sees it: what is left for his county this month, and what he misses.

    ``missing_days``: until he has been a member for long enough. ``again_at``: when his limit
    leaves room for another; None when it does now.
    """

    reward: Reward
    entitlement: EntitlementClass
    stock_left: int
    missing: tuple[Missing, ...]
    missing_points: int
    missing_days: int = 0
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who hands rewards over."""

    merchant_id: str
    county: str
    name: str
    address: str
    lon: float
    lat: float
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One taking of a reward. ``fulfilled_by`` is the scope that handed it over.

    ``version`` counts its changes: every race for it is decided by a condition on that number.
    """

    redemption_id: str
    member_id: str
    county: str
    reward_id: str
    reward_name: Name
    points: int
    fulfillers: Sequence[str]
    state: State
    version: int
    reserved_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    fulfilled_at: datetime | None = None
    fulfilled_by: str | None = None
    code_source: CodeSource = CodeSource.OWN
    decline_reason: DeclineReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody stands in a queue: ``position`` 1 is served next; and why there."""

    position: int
    reason: QueueReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A redemption as its owner sees it; code and QR only while it can be fulfilled.

    An imported code is there only once it was revealed, and never in a list.

    ``qr`` is good until ``qr_expires_at`` (and a minute longer, for slow hands).
    """

    redemption: Redemption
    code: str | None
    qr: str | None
    qr_expires_at: datetime | None
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command on a redemption was told; told again when it is repeated.

    ``undo_until`` says how long a fulfilment can be undone; None for every other command.
    """

    redemption: Redemption
    state: State
    at: datetime
    undo_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """What one fulfiller handed over of one reward on one day."""

    scope: str
    reward_id: str
    reward_name: Name
    count: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """A fulfiller's day in China (``YYYY-MM-DD``); what was taken back does not count."""

    day: str
    count: int
    points: int
    lines: tuple[DayLine, ...]
