"""Who a member is to the rewards: what the session knows, and his row where one asks for more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from models.people import members
from models.people.entities import Actor, Standing
from models.rewards.entities import Candidate, Reward


def candidate_of(actor: Actor, rewards: Iterable[Reward], now: datetime) -> Candidate:
    """The member as these rewards ask for him; one read where any asks who he is."""
    standing = actor.standing
    if actor.may_spend(now):
        standing = Standing.CONFIRMED
    elif standing is Standing.CONFIRMED:  # it has lapsed since he signed in
        standing = Standing.PHONE
    if not any(reward.eligibility.needs_member for reward in rewards):
        return Candidate(standing=standing)
    member = members.get(actor.member_id)
    return Candidate(
        standing=standing,
        occupation=member.occupation if member else None,
        member_since=member.created_at if member else None,
    )
