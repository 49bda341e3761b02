"""Trust, as the contract shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.http.schemas.base import Answer, Command, Instant
from models.cases import rules


class TrustItem(Answer):
    """One thing that moved the value. ``counts_now`` is what is left of its ``weight``."""

    id: str
    kind: str
    text: str
    measured: str
    raises: bool
    weight: float
    counts_now: float
    at: Instant
    report_id: str | None
    may_appeal: bool
    appealed: bool
    decision: Literal["uphold", "dismiss"] | None


class TrustShown(Answer):
    """A rider's trust, 0 to 100, for himself alone; 50 while nothing is known of him."""

    value: int
    meaning: str
    how_to_appeal: str
    items: list[TrustItem]


class NewTrustAppeal(Command):
    """Which signal is wrong, and why."""

    signal_id: Annotated[str, Field(min_length=1, max_length=64)]
    text: Annotated[str, Field(min_length=1, max_length=rules.TEXT_MAX_CHARACTERS)]


class TrustAppeal(Answer):
    """An appeal as it stands."""

    id: str
    signal_id: str
    decision: Literal["uphold", "dismiss"] | None


class NewTrustDecision(Command):
    """That somebody has looked at it."""


class Hint(Answer):
    """Something worth a second look; neither a reproach nor a number."""

    kind: str
    text: str
    appeal_id: str | None
    appeal: str | None
    decision: Literal["uphold", "dismiss"] | None
