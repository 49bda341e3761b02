"""What changed for a member: one call instead of asking every list again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from handlers.http import naming
from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.inbox import shown_message
from handlers.http.points import shown_balances, shown_line
from handlers.http.redemptions import shown_voucher
from handlers.http.schemas.changes import Changes, Since
from handlers.http.texts.catalogue import text
from models.sync.entities import Item, Kind

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/changes", query=Since, answer=Changes, errors=(409,))
def list_changes(call: Call[Nothing, Since]) -> Reply:
    """List what changed for the member since a cursor, oldest first."""
    found = call.services.sync.changes(
        call.actor,
        cursor=call.query.cursor,
        start=call.query.start,
        limit=call.query.limit,
        language=call.language,
    )
    return {
        "items": [_shown(item, call) for item in found.items],
        "next_cursor": found.cursor,
        "has_more": found.has_more,
        "points": shown_balances(found.balances) if found.balances else None,
    }


def _shown(item: Item, call: Call[Any, Any]) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "id": item.thing_id,
        "at": item.at,
        "change": item.change,
        "change_text": _text(item, call.language),
        "gone": item.change is None,
        **_thing(item, call),
    }


def _thing(item: Item, call: Call[Any, Any]) -> Mapping[str, Any]:
    """The thing as its list shows it, under the name of its kind."""
    shown: dict[str, Any] = {}
    if item.listed is not None:
        name = naming.report if item.kind is Kind.REPORT else naming.named
        shown[item.kind.value] = name(item.listed, call)
    if item.message is not None:
        shown["message"] = shown_message(item.message, call.language)
    if item.voucher is not None:
        shown["redemption"] = shown_voucher(item.voucher, call.language)
    if item.line is not None:
        shown["entry"] = shown_line(item.line)
    return shown


def _text(item: Item, language: str) -> str | None:
    if item.line is not None:
        return item.line.reason
    if item.change is None:
        return None
    if item.kind in (Kind.INBOX, Kind.REDEMPTION):
        return text(f"changes.{item.kind.value}.{item.change}", language)
    return text(f"case.{item.change}", language)
