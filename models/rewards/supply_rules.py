"""How much of a reward there is, for whom and when. Pure decisions.

A county's quota of a month is parted among shards, rows of their own, so that a rush does not
queue at one row. A row is made by its first redemption: nothing has to run at a month's start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from models.base.clock import business_day
from models.rewards.entities import Supply

LEAD = timedelta(hours=1)
"""A new quota counts from the next month that begins no sooner than this after it was written:
whoever read the old one has long finished by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One row of stock: its name, and how many vouchers it holds at the month's start."""

    name: str
    cap: int


def month_of(at: datetime) -> str:
    """The month in China as ``YYYY-MM``.

    >>> from datetime import UTC
    >>> month_of(datetime(2026, 11, 30, 16, 0, tzinfo=UTC))
    '2026-12'
    """
    return business_day(at)[:7]


def month_after(month: str, count: int = 1) -> str:
    """The month ``count`` months later.

    >>> month_after("2026-11", 2)
    '2027-01'
    """
    year, number = int(month[:4]), int(month[5:]) - 1 + count
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def changes_from(now: datetime) -> str:
    """The first month that a supply written now can count for."""
    return month_after(month_of(now + LEAD))


def in_month(supply: Supply, month: str) -> Supply:
    """The supply that holds in a month."""
    following, begins = supply.following, supply.following_from
    return following if following and begins and begins <= month else supply


def quota(supply: Supply, county: str, month: str) -> int:
    """How many vouchers a county has in a month."""
    if supply.funded_until is not None and supply.funded_until < month:
        return 0
    return in_month(supply, month).quotas.get(county, 0)


def shards(supply: Supply, county: str, month: str) -> tuple[Shard, ...]:
    """The rows among which the quota is parted; each holds at least one.

    >>> [shard.cap for shard in shards(Supply(quotas={"c": 5}, shards=3), "c", "2026-11")]
    [2, 2, 1]
    """
    amount, count = quota(supply, county, month), in_month(supply, month).shards
    parts = (amount // count + (number < amount % count) for number in range(count))
    return tuple(
        Shard(name=f"{month}#{county}#{number}", cap=part)
        for number, part in enumerate(parts)
        if part
    )


def in_turn(found: Sequence[Shard], key: str) -> tuple[Shard, ...]:
    """The shards in the order in which ``key`` tries them: each key begins at its own."""
    if not found:
        return ()
    first = int.from_bytes(sha256(key.encode()).digest()[:4]) % len(found)
    return (*found[first:], *found[:first])


def counties(supply: Supply, month: str) -> Mapping[str, int]:
    """The quota of each county that has one in a month."""
    return {
        county: amount
        for county in in_month(supply, month).quotas
        if (amount := quota(supply, county, month))
    }


def county_for(supply: Supply, *, own: str | None, home: str) -> str | None:
    """Whose quota a member takes from: his county's; without one the reward's own.

    None when the reward is not for his county, now or from a later month on.
    """
    wanted = home if own is None else own
    following = supply.following.quotas if supply.following else {}
    return wanted if wanted in supply.quotas or wanted in following else None
