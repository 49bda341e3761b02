"""A command that somebody gave: how it is carried out, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Ident = tuple[str, ...]
"""What makes two commands one and the same: its action, who asks, and his own id for it."""


@dataclass(slots=True, kw_only=True)
class Proposal:
    """Something two people decide; ``about`` is what makes it post once."""

    kind: str
    member: str
    amount: int
    reason: str
    reference: str
    maker: str
    day: str = ""
    at: int = 0
    state: str = "proposed"
    checker: str = ""

    @property
    def about(self) -> tuple[str, str, str]:
        """A reference posts once for a member and kind."""
        return self.kind, self.member, self.reference


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """One command; a repeated one is the same object. ``content`` is what an id stands for.

    ``possible`` collects, while it runs, each refusal that would be right at some moment of it.
    """

    ident: Ident
    action: str
    run: Callable[[], Any]
    member: str = ""
    content: str = ""
    reward: str = ""
    redemption: str = ""
    scope: str = ""
    shown_at: int | None = None
    """When a QR payload was made; None: something else was shown, or nothing."""
    wish: Proposal | None = None
    touches: frozenset[str] = frozenset()
    must_end: bool = True
    answer: str | None = None
    """What it was told for good, in words; None while nobody knows."""
    runs: int = 0


@dataclass(slots=True, eq=False)
class Running:
    """One delivery of a task, in flight; ``now`` is the last instant that it was told."""

    task: Task
    now: int
    possible: set[str] = field(default_factory=set)
    stale_before: int = 0
    due_before: tuple[str, ...] = ()
    began: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something a rider did at an instant; ``ripe`` is the day until which its points wait."""

    rule: str
    at: int
    ripe: int | None = None
    grid: str | None = None
    quantity: int = 1
    severity: str | None = None
    paid: int = 0
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A reward as it was put on the shelf."""

    price: int
    valid_days: int
    quota: int
    """Vouchers a month, parted among ``shards``."""
    shards: int = 1
    limit: tuple[int, int] | None = None
    """So many in so many days for a member; None: no end."""
    is_allotted: bool = False
    """Who wants it waits in a queue for the month's quota."""
    codes: int | None = None
    """How many imported codes there are for it; None: it has codes of ours."""
    is_closing: bool = False
    """Only a merchant hands it over who closes for good."""

    def caps(self) -> list[int]:
        """How many each shard holds when a month begins."""
        parts = [self.quota // self.shards] * self.shards
        for number in range(self.quota % self.shards):
            parts[number] += 1
        return [part for part in parts if part]


@dataclass(slots=True, kw_only=True)
class Taking:
    """A redemption as the judge keeps it; ``pieces`` are what was held, while it is spent."""

    redemption: str
    member: str
    reward: str
    points: int
    state: str
    reserved: int
    expires: int
    shard: str
    """Of which stock it took, in the month of ``taken``; "" while it took none."""
    taken: int = 0
    fulfilled: int | None = None
    rank: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Its place in a queue: smaller ones are served first."""
    born: int = 0
    """When it was committed, by everybody's clock."""
    proposed_by: str = ""
    """Who asks for a refund."""
    scope: str = ""
    pieces: Any = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of a command for good: done, or a refusal (``!…``) that stands until ``ends``."""

    content: str
    told: str
    transfer: str = ""
    ends: int = 0
