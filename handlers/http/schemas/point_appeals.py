"""Appeals against entries of the ledger, as the contract shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.http.schemas.base import Answer, Command, Instant, Paged
from models.points.appeal_states import AppealState
from models.points.appeals import TEXT_MAX_CHARACTERS


class NewEntryAppeal(Command):
    """Why the entry is wrong."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_MAX_CHARACTERS)]


class EntryAppeal(Answer):
    """An appeal as it stands; ``seq`` is the number of the entry."""

    seq: int
    state: AppealState
    text: str
    at: Instant
    decided_at: Instant | None


class EntryAppeals(Paged):
    """Where in the list to go on."""


class EntryAppealList(Answer):
    """Of the newest entry first."""

    items: list[EntryAppeal]
    next_cursor: str | None
