"""A rider's reports."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from handlers.http import naming
from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.base import Paged
from handlers.http.schemas.cases import Handled
from handlers.http.schemas.reports import (
    Nearby,
    NearbyCases,
    NewAppeal,
    NewReply,
    NewReport,
    NewVerdict,
    NewWithdrawal,
    Receipt,
    Report,
    Reports,
)
from models.cases import asking
from models.cases.entities import SubmitReport

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/reports/nearby", query=Nearby, answer=NearbyCases)
def reports_nearby(call: Call[Nothing, Nearby]) -> Reply:
    """List open and recently closed cases that may be the same."""
    found = call.services.neighbourhood.find(**dict(call.query))
    return {"items": [naming.named(item, call) for item in found]}


@endpoint(
    blueprint,
    "POST",
    "/v1/reports",
    body=NewReport,
    answer=Receipt,
    status=201,
    errors=(403, 404, 409, 429),
)
def submit_report(call: Call[NewReport, Nothing]) -> Reply:
    """File a report, or join it to a case that stands."""
    receipt = call.services.intake.submit(call.actor, _command(call.body))
    case = naming.named(receipt["case"], call)
    case["routing"] = naming.routing(case["routing"], call.language)
    return {**receipt, "case": case, "advice": naming.said(receipt.get("advice"), call.language)}


@endpoint(blueprint, "GET", "/v1/reports", query=Paged, answer=Reports)
def list_reports(call: Call[Nothing, Paged]) -> Reply:
    """List one's own reports, newest first."""
    page = call.services.listing.mine(call.actor, cursor=call.query.cursor, limit=call.query.limit)
    items = [naming.report(item, call) for item in page.items]
    return {"items": items, "next_cursor": page.next_cursor}


@endpoint(blueprint, "GET", "/v1/reports/{report_id}", answer=Report)
def show_report(call: Call[Nothing, Nothing]) -> Reply:
    """Show one's own report with its timeline, routing, photos and points."""
    shown = call.services.reading.report(call.actor, call.params["report_id"])
    language = call.language
    return {
        **naming.named(shown, call),
        "case": naming.named(shown["case"], call),
        "parts": [naming.named(part, call) for part in shown["parts"]],
        "points": naming.points(shown["points"], language),
        "routing": naming.routing(shown["routing"], language),
        "history": [naming.event(item, call) for item in shown["history"]],
    }


@endpoint(
    blueprint,
    "POST",
    "/v1/reports/{report_id}/withdraw",
    body=NewWithdrawal,
    answer=Handled,
    errors=(409,),
)
def withdraw_report(call: Call[NewWithdrawal, Nothing]) -> Reply:
    """Take a report back before its case is claimed."""
    answer = call.services.closing.withdraw(
        call.actor, call.params["report_id"], call.body.request_id
    )
    return {"case": naming.named(answer, call)}


@endpoint(
    blueprint,
    "POST",
    "/v1/reports/{report_id}/verdict",
    body=NewVerdict,
    answer=Handled,
    errors=(409,),
)
def give_verdict(call: Call[NewVerdict, Nothing]) -> Reply:
    """Say whether it is fixed."""
    answer = call.services.closing.verdict(
        call.actor,
        call.params["report_id"],
        satisfied=call.body.satisfied,
        comment=call.body.comment,
        client_request_id=call.body.request_id,
    )
    return {"case": naming.named(answer, call)}


@endpoint(
    blueprint,
    "POST",
    "/v1/reports/{report_id}/reply",
    body=NewReply,
    answer=Handled,
    errors=(409,),
)
def reply_to_question(call: Call[NewReply, Nothing]) -> Reply:
    """Answer what the officer asked; the case's clocks go on."""
    answer = call.services.answering.reply(
        call.actor,
        call.params["report_id"],
        asking.Reply(text=call.body.text, photos=tuple(call.body.photos)),
        call.body.request_id,
    )
    return {"case": naming.named(answer, call)}


@endpoint(
    blueprint,
    "POST",
    "/v1/reports/{report_id}/appeal",
    body=NewAppeal,
    answer=Handled,
    errors=(409,),
)
def appeal_refusal(call: Call[NewAppeal, Nothing]) -> Reply:
    """Have somebody else look at a refused case, once, within 7 days."""
    answer = call.services.answering.appeal(
        call.actor, call.params["report_id"], call.body.text, call.body.request_id
    )
    return {"case": naming.named(answer, call)}


def _command(body: NewReport) -> SubmitReport:
    values: dict[str, Any] = {**dict(body), "client_request_id": body.request_id}
    return SubmitReport(**{**values, "photos": tuple(body.photos)})
