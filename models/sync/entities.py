"""What an app follows instead of asking every list again: changes, each with the thing as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.alerts.entities import Message
from models.points.entities import Balances, Line
from models.rewards.entities import Voucher


class Kind(StrEnum):
    """Which list a change belongs to."""

    REPORT = "report"
    CASE = "case"
    INBOX = "inbox"
    POINTS = "points"
    REDEMPTION = "redemption"


class Start(StrEnum):
    """Where who brings no cursor begins: with the oldest change that is kept, or at the end."""

    KEPT = "kept"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change, and the thing as its list shows it now.

    ``listed`` is a report or a case; changes of points and redemptions carry the ``line`` of the
    statement that they made. ``change`` None: the thing is not (or no longer) this member's to see.
    """

    kind: Kind
    thing_id: str
    at: datetime
    change: str | None
    listed: Mapping[str, Any] | None = None
    message: Message | None = None
    voucher: Voucher | None = None
    line: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Some changes in order. ``cursor`` is where the next ones follow, also when there are none
    yet; ``balances`` come with any change of points."""

    items: Sequence[Item]
    cursor: str
    has_more: bool
    balances: Balances | None = None
