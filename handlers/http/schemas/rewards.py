"""Rewards and redemptions, as the contract shows them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from handlers.http.schemas.base import Answer, Body, Command, Instant, Paged, Query
from models.people.entities import Occupation, Standing
from models.rewards.entities import (
    CodeSource,
    DeclineReason,
    Missing,
    QueueReason,
    RewardState,
    State,
)


class Rewards(Paged):
    """Where in the catalogue to go on."""


class Redemptions(Paged):
    """Where in the list to go on."""


class NewRedemption(Command):
    """What to reserve."""

    reward_id: Annotated[str, Field(min_length=1, max_length=64)]


class Cancellation(Command):
    """Nothing is needed but the request's id."""


class Undoing(Command):
    """Nothing is needed but the request's id."""


class Revealing(Command):
    """Nothing is needed but the request's id."""


class Shown(Body):
    """What the rider shows, the QR payload or the code. Looking changes nothing."""

    code: Annotated[str, Field(min_length=1, max_length=200)]
    client_request_id: UUID | None = None


class Handover(Command):
    """What the rider shows: the QR payload or the ten-character code."""

    code: Annotated[str, Field(min_length=1, max_length=200)]


class Day(Query):
    """A day in China; none means today."""

    day: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class EntitlementClass(Answer):
    """A kind of entitlement."""

    id: str
    name: str


class MissingStep(Answer):
    """What is still to be done before the reward can be had."""

    code: Missing
    text: str


class Merchant(Answer):
    """Who hands the reward over."""

    id: str
    name: str
    address: str
    lon: float
    lat: float


class Eligibility(Answer):
    """For whom a reward is; no occupation named: for every one."""

    standing: Standing
    occupations: list[Occupation]
    member_days: int


class Limit(Answer):
    """At most so many of it within any so many days."""

    count: int
    days: int


class Reward(Answer):
    """A reward as the member sees it; ``missing`` is empty when he can have it now.

    ``stock_left`` is his county's, this month. ``needs_approval``: who asks waits for his turn.
    ``price_locked_until``: no dearer before then. ``again_at``: when his limit has room again.
    """

    id: str
    county: str
    entitlement: EntitlementClass
    name: str
    terms: str
    price_points: int
    valid_days: int
    stock_left: int
    eligible: bool
    missing: list[MissingStep]
    missing_points: int
    status: RewardState
    needs_approval: bool
    eligibility: Eligibility
    limit: Limit | None
    again_at: Instant | None
    price_locked_until: Instant | None
    synthetic: bool


class RewardList(Answer):
    """By class, cheapest first."""

    items: list[Reward]
    next_cursor: str | None


class RewardDetail(Answer):
    """One reward, and where it is handed over."""

    reward: Reward
    merchants: list[Merchant]
    stations: list[str]


class RewardName(Answer):
    """Which reward."""

    id: str
    name: str


class Place(Answer):
    """Where one stands in a queue, and why there; 1 is served next."""

    place: int
    reason: QueueReason
    text: str


class Declined(Answer):
    """Why nothing came of waiting."""

    reason: DeclineReason
    text: str


class Voucher(Answer):
    """A redemption as its owner sees it; code and QR only while it can be handed over.

    With ``code_source`` pool there is no QR, and the code only once it was revealed, in no list.
    ``queue`` is told where one redemption is looked at while it waits; ``expires_at`` of such a
    one is when it stops waiting.
    """

    id: str
    state: State
    state_text: str
    reward: RewardName
    points: int
    code: str | None
    code_source: CodeSource
    qr: str | None
    qr_expires_at: Instant | None
    reserved_at: Instant
    expires_at: Instant
    fulfilled_at: Instant | None
    ended_at: Instant | None
    queue: Place | None
    declined: Declined | None


class VoucherAnswer(Answer):
    """One redemption."""

    redemption: Voucher


class VoucherList(Answer):
    """Newest first."""

    items: list[Voucher]
    next_cursor: str | None


class Counter(Answer):
    """A redemption as who hands it over sees it; nothing in it tells who the rider is."""

    id: str
    state: State
    state_text: str
    reward: RewardName
    points: int
    expires_at: Instant
    at: Instant | None
    undo_until: Instant | None


class CounterAnswer(Answer):
    """One redemption, at the counter."""

    redemption: Counter


class DayLine(Answer):
    """What one place handed over of one reward."""

    place: str
    reward: RewardName
    count: int
    points: int


class DayTotals(Answer):
    """What the actor's places handed over on a day in China; undone ones do not count."""

    day: str
    count: int
    points: int
    lines: list[DayLine]
