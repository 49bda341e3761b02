"""What changed, as the contract shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.http.schemas.alerts import MessageView
from handlers.http.schemas.base import Answer, Instant, Paged
from handlers.http.schemas.cases import ListedCase
from handlers.http.schemas.points import Balances, Line
from handlers.http.schemas.reports import ListedReport
from handlers.http.schemas.rewards import Voucher
from models.sync.entities import Kind, Start


class Since(Paged):
    """Where to go on. Without ``cursor``: from the oldest change that is kept, or with ``now``
    from here on; a client takes that cursor first, then loads its lists, then follows it."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    start: Start = Start.KEPT


class Change(Answer):
    """One change, and the thing as its list shows it now, under the name of its kind.

    ``gone``: it is not, or no longer, the member's to see. Changes of points and of redemptions
    carry the line of the statement that they made.
    """

    kind: Kind
    id: str
    at: Instant
    change: str | None
    change_text: str | None
    gone: bool
    report: ListedReport | None = None
    case: ListedCase | None = None
    message: MessageView | None = None
    redemption: Voucher | None = None
    entry: Line | None = None


class Changes(Answer):
    """In order. ``next_cursor`` is always there and is kept for the next time, also when nothing
    has changed; ``points`` come when they moved."""

    items: list[Change]
    next_cursor: str
    has_more: bool
    points: Balances | None
