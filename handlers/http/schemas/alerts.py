"""The inbox, and what a member answered when asked for subscriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handlers.http.schemas.base import Answer, Command, Instant, Paged


class InboxQuery(Paged):
    """Newest first."""


class MessageView(Answer):
    """One message; ``kind`` is what happened, ``page`` where the card leads, if anywhere."""

    id: str
    kind: str
    title: str
    body: str
    page: str
    case_id: str | None
    at: Instant
    read_at: Instant | None


class MessagePage(Answer):
    """A page of the inbox."""

    items: list[MessageView]
    next_cursor: str | None


class MarkRead(Command):
    """A message was seen."""


class Marked(Answer):
    """The message that was marked."""

    id: str


class SubscriptionAnswer(Command):
    """What the member tapped: a hint, since only WeChat's own push counts."""

    template: Annotated[str, Field(min_length=1, max_length=64)]
    result: Literal["accept", "reject", "ban", "filter"]


class SubscriptionNoted(Answer):
    """How many messages of the template are left by our count."""

    template: str
    remaining: int
