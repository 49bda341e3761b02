"""Who is served first where a reward is allotted rather than sold. Pure decisions.

Hardship goes first, then who has waited for more days, then who held more points when he asked,
then who asked earlier. Days are counted rather than minutes, so that a fast thumb is no merit;
who is equal in all else is never overtaken by who came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.base.clock import business_day, parse_utc, utc_text
from models.rewards.entities import DeclineReason, QueueReason, Reward, RewardState

WAIT_AT_MOST = timedelta(days=90)
"""Then the points go back: held points must not be forgotten in a queue."""
SETTLED_AFTER = timedelta(minutes=1)
"""Who asked later than this ago is not looked at: an index may still miss who asked before him."""
MOST_POINTS = 99_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One who waits: what decides his place. ``points`` are those he held when he asked."""

    county: str
    is_hardship: bool
    points: int
    asked_at: datetime


def rank(claim: Claim) -> str:
    """The claim's place as a text: within a county, smaller texts are served first."""
    group = 0 if claim.is_hardship else 1
    points = MOST_POINTS - min(max(claim.points, 0), MOST_POINTS)
    day = business_day(claim.asked_at)
    return f"{claim.county}|{group}|{day}|{points:08}|{utc_text(claim.asked_at)}"


def county_of(rank_text: str) -> str:
    """The county whose quota a place waits for.

    >>> county_of("411503|1|2026-11-30|99999989|2026-11-30T01:00:00.000Z")
    '411503'
    """
    return rank_text.partition("|")[0]


def reason_of(rank_text: str) -> QueueReason:
    """What gives a place its rank, as the member is told."""
    group = rank_text.split("|")[1]
    return QueueReason.HARDSHIP if group == "0" else QueueReason.WAITING


def points_of(rank_text: str) -> int:
    """The points that a place counts for."""
    return MOST_POINTS - int(rank_text.split("|")[3])


def asked_at(rank_text: str) -> datetime:
    """Since when a place waits."""
    return parse_utc(rank_text.split("|")[4])


def why_declined(
    reward: Reward | None, county: str, *, ends_at: datetime, now: datetime
) -> DeclineReason | None:
    """Why a claim cannot be met any more; None while it can."""
    if reward is None or reward.state is RewardState.RETIRED:
        return DeclineReason.RETIRED
    following = reward.supply.following.quotas if reward.supply.following else {}
    if not (reward.supply.quotas.get(county, 0) or following.get(county, 0)):
        return DeclineReason.NO_QUOTA
    return DeclineReason.WAITED_TOO_LONG if ends_at <= now else None
