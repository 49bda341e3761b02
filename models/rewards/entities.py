"""Rewards: what points buy, who hands it over, and a member's redemption of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a redemption stands."""

    RESERVED = "reserved"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Action(StrEnum):
    """What can be done to a redemption."""

    FULFIL = "fulfil"
    UNDO = "undo"
    CANCEL = "cancel"
    EXPIRE = "expire"


class Missing(StrEnum):
    """What stands between a member and a reward."""

    OCCUPATION = "occupation"
    POINTS = "points"
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
class Reward:
    """Something that ``price`` points buy, to be taken within ``valid_days``.

    ``fulfillers`` are the scopes that may hand it over: ``merchant:<id>`` or ``station:<id>``.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A reward as a member sees it: what is left, and what he still misses."""

    reward: Reward
    entitlement: EntitlementClass
    stock_left: int
    missing: tuple[Missing, ...]
    missing_points: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A redemption as its owner sees it; code and QR only while it can be fulfilled.

    ``qr`` is good until ``qr_expires_at`` (and a minute longer, for slow hands).
    """

    redemption: Redemption
    code: str | None
    qr: str | None
    qr_expires_at: datetime | None


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
    """A fulfiller's day in China (``YYYY-MM-DD``); what was undone does not count."""

    day: str
    count: int
    points: int
    lines: tuple[DayLine, ...]
