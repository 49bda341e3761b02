"""What goes with a case that is handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalice.app import Blueprint

from handlers.http import naming
from handlers.http.endpoint import Call, Html, Nothing, Reply, endpoint
from handlers.http.pages import hand_over
from handlers.http.schemas.transfers import FileQuery, HandOverFile
from handlers.http.texts.catalogue import text
from models.people.covering import OFFICIALS

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "GET",
    "/v1/cases/{case_id}/hand-over",
    query=FileQuery,
    answer=HandOverFile,
    roles=OFFICIALS,
    is_page=True,
)
def hand_over_file(call: Call[Nothing, FileQuery]) -> Reply | Html:
    """Make the file that goes with a case, as JSON or as a page to print."""
    file = call.services.hand_over.file(call.actor, call.params["case_id"])
    is_page = call.query.format == "html"
    return Html(hand_over.page(_named(file, call, "zh"))) if is_page else _named(file, call)


def _named(
    file: Mapping[str, Any], call: Call[Any, Any], language: str | None = None
) -> dict[str, Any]:
    """Put texts beside codes; on paper in Chinese, whatever the phone speaks."""
    call = call if language is None else replace(call, language=language)
    receiver = file["receiver"]
    return {
        **naming.named(file, call),
        "receiver_text": text(f"case.receiver.{receiver}", call.language) if receiver else None,
        "routing": naming.routing(file["routing"], call.language),
        "history": [naming.event(event, call) for event in file["history"]],
    }
