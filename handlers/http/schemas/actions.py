"""Commands on cases: on one, and on many at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.http.schemas.base import Answer, ClientInstant, Command, Query
from handlers.http.schemas.cases import CaseAnswer, Code, Id
from models.cases import rules
from models.cases.bulk import MAX_ITEMS
from models.cases.commands import PARTS_MAX
from models.cases.entities import Action, Receiver

Version = Annotated[int, Field(ge=1, le=99999)]
ExternalRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_/.-]{0,39}$")]
"""What a receiver calls a case on his side."""


class Needs(Command):
    """What the actions need; which of it, ``allowed_actions`` say of a case."""

    reason: Code | None = None
    text: Annotated[str, Field(max_length=500)] | None = None
    officer: Id | None = None
    photos: Annotated[tuple[Id, ...], Field(max_length=rules.PHOTOS_MAX)] = ()
    into: Id | None = None
    into_version: Version | None = None
    categories: Annotated[tuple[Code, ...], Field(max_length=PARTS_MAX)] = ()
    receiver: Receiver | None = None
    external_ref: ExternalRef | None = None
    category: Code | None = None
    until: ClientInstant | None = None


class NewAction(Needs):
    """A command on a case: ``version`` as seen (not for notes), and what the action needs."""

    version: Version | None = None


class BatchItem(Query):
    """One case of many, and its ``version`` as seen (not for notes)."""

    case_id: Id
    version: Version | None = None


class NewBatch(Needs):
    """One command for up to 200 cases, each once."""

    action: Action
    items: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_ITEMS)]


class BatchOutcome(Answer):
    """What became of one case: the case, or why it was refused."""

    case_id: str
    ok: bool
    case: CaseAnswer | None
    code: str | None
    message: str | None


class Batch(Answer):
    """An outcome for each case, in the order sent. Sent again with the same id, a batch goes on
    where it was cut off (``bulk.not_reached``)."""

    items: list[BatchOutcome]
    done: int
    refused: int
