"""The in-app inbox."""

from __future__ import annotations

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.alerts import InboxQuery, Marked, MarkRead, MessagePage
from models.alerts.entities import Message, Text

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/inbox", query=InboxQuery, answer=MessagePage)
def list_inbox(call: Call[Nothing, InboxQuery]) -> Reply:
    """List what the member was told, newest first."""
    page = call.services.inbox.page(
        call.actor.member_id, cursor=call.query.cursor, limit=call.query.limit
    )
    return {
        "items": [shown_message(message, call.language) for message in page.items],
        "next_cursor": page.next_cursor,
    }


@endpoint(blueprint, "POST", "/v1/inbox/{message_id}/read", body=MarkRead, answer=Marked)
def mark_read(call: Call[MarkRead, Nothing]) -> Reply:
    """Note that a message was read."""
    call.services.inbox.mark_read(call.actor.member_id, call.params["message_id"])
    return {"id": call.params["message_id"]}


def shown_message(message: Message, language: str) -> Reply:
    """A message in the language asked for."""
    return {
        "id": message.message_id,
        "kind": message.kind,
        "title": _in(language, message.title),
        "body": _in(language, message.body),
        "page": message.page,
        "case_id": message.case_id,
        "at": message.at,
        "read_at": message.read_at,
    }


def _in(language: str, text: Text) -> str:
    return text.en if language == "en" else text.zh
