"""Points, as the contract shows them. All amounts are whole points."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.http.schemas.base import Answer, Instant, Paged, Query
from models.points.entities import EntryKind


class Entries(Paged):
    """Where in the statement to go on."""


class Bucket(Answer):
    """Available points that are valid up to and including a day in China."""

    last_day: str
    points: int


class Maturing(Answer):
    """Pending points that become available on a day in China at the latest."""

    day: str
    points: int


class Balances(Answer):
    """What the member has now; ``frozen``: it is being looked into, nothing can be spent."""

    available: int
    pending: int
    held: int
    debt: int
    buckets: list[Bucket]
    maturing: list[Maturing]
    frozen: bool


class Line(Answer):
    """One line of the statement: how it changed each balance, and why.

    ``rule`` is an award's rule and version; ``gross`` what the act is worth, of which ``limit``
    (null: none) may have let only a part, or nothing, be granted. ``appeal_until`` is until when
    the member may say, once, why an entry that took points is wrong.
    """

    seq: int
    at: Instant
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
    appeal_until: Instant | None
    source: dict[str, str]
    hash: str


class Statement(Answer):
    """Newest first."""

    items: list[Line]
    next_cursor: str | None


class Onward(Query):
    """Where in the export to go on."""

    cursor: Annotated[str, Field(max_length=1000)] | None = None


class Sealed(Answer):
    """An entry: the very text that was hashed (JSON), and its hash over the one before it.

    ``hash`` is SHA-256 of ``<hash before>|<body>`` as UTF-8; before the first stand 64 zeros.
    """

    body: str
    hash: str


class WrittenBalances(Answer):
    """Points by kind when the last entry was written."""

    available: int
    pending: int
    held: int
    debt: int


class Holding(Answer):
    """What all entries amount to; points by account (``a:`` month, ``p:`` day and month, ``h``,
    ``d`` below zero)."""

    version: int
    head: str
    accounts: dict[str, int]
    balances: WrittenBalances


class Inclusion(Answer):
    """The proof that the city's root of a day took in the ledger up to entry ``version``."""

    day: str
    version: int
    path: list[str]
    previous: str
    root: str


class Export(Answer):
    """A piece of the ledger, oldest first. The last piece has the wallet, and a root if there is
    one yet."""

    member_id: str
    entries: list[Sealed]
    wallet: Holding | None
    root: Inclusion | None
    next_cursor: str | None


class DayRoot(Answer):
    """The root of a day: SHA-256 of ``root|<day>|<previous>|<tree>``, over every wallet's head."""

    day: str
    root: str
    previous: str
    wallets: int
    entries: int
