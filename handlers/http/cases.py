"""Cases, for the officials who handle them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from chalice.app import Blueprint

from handlers.http import naming
from handlers.http.categories import criteria_of
from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.actions import Batch, Needs, NewAction, NewBatch
from handlers.http.schemas.cases import Case, Cases, Handled, QueueQuery
from handlers.http.texts.catalogue import text
from models.base.errors import FieldError, Invalid, NotFound
from models.cases.bulk import Item, Outcome
from models.cases.commands import Command
from models.cases.entities import Action
from models.cases.handling import OFFERED
from models.cases.listing import Queue
from models.people.covering import OFFICIALS

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "GET",
    "/v1/cases",
    query=QueueQuery,
    answer=Cases,
    roles=OFFICIALS,
    errors=(404,),
)
def list_cases(call: Call[Nothing, QueueQuery]) -> Reply:
    """List the cases in one's scopes, soonest due first."""
    query = call.query
    wanted = Queue(
        status=query.status,
        grid=query.grid,
        severity=query.level,
        due_before=query.due_before,
        cursor=query.cursor,
        limit=query.limit,
    )
    page = call.services.listing.queue(call.actor, wanted)
    items = [naming.named(item, call) for item in page.items]
    counts = [naming.named(asdict(count), call) for count in page.counts]
    return {"items": items, "counts": counts, "next_cursor": page.next_cursor}


@endpoint(blueprint, "GET", "/v1/cases/{case_id}", answer=Case, roles=OFFICIALS)
def show_case(call: Call[Nothing, Nothing]) -> Reply:
    """Show a case with its history and what may be done now."""
    shown = call.services.reading.case(call.actor, call.params["case_id"])
    language = call.language
    return {
        **naming.named(shown, call),
        **criteria_of(shown, call),
        "routing": naming.routing(shown["routing"], language),
        "related": naming.related(shown["related"], call),
        "similar": [naming.similar(item, call) for item in shown["similar"]],
        "signals": [
            {**item, "text": naming.said(f"trust.{item['kind']}", language)}
            for item in shown["signals"]
        ],
        "history": [naming.event(item, call) for item in shown["history"]],
        "proposal": naming.proposal(shown["proposal"], language),
        "allowed_actions": [naming.offer(item, language) for item in shown["allowed_actions"]],
    }


@endpoint(
    blueprint,
    "POST",
    "/v1/cases/{case_id}/{action}",
    body=NewAction,
    answer=Handled,
    roles=OFFICIALS,
    errors=(409,),
)
def act_on_case(call: Call[NewAction, Nothing]) -> Reply:
    """Do to a case what its ``allowed_actions`` offer."""
    if call.params["action"] not in OFFERED:
        raise NotFound("case.action_not_found")
    command = replace(_command(call.body, Action(call.params["action"])), version=call.body.version)
    answer = call.services.handling.act(call.actor, call.params["case_id"], command)
    return {"case": naming.named(answer, call)}


@endpoint(
    blueprint,
    "POST",
    "/v1/cases/actions",
    body=NewBatch,
    answer=Batch,
    roles=OFFICIALS,
)
def act_on_cases(call: Call[NewBatch, Nothing]) -> Reply:
    """Do the same to up to 200 cases, with an outcome for each."""
    if call.body.action not in OFFERED:
        raise Invalid(fields=[FieldError(field="action", code="field.not_allowed")])
    items = [Item(case_id=item.case_id, version=item.version) for item in call.body.items]
    command = _command(call.body, call.body.action)
    outcomes = call.services.bulk.act(call.actor, command, items)
    done = sum(outcome.refusal is None for outcome in outcomes)
    return {
        "items": [_outcome(outcome, call) for outcome in outcomes],
        "done": done,
        "refused": len(outcomes) - done,
    }


def _command(body: Needs, action: Action) -> Command:
    return Command(
        client_request_id=body.request_id,
        action=action,
        reason=body.reason,
        text=body.text,
        officer=body.officer,
        photos=tuple(body.photos),
        into=body.into,
        into_version=body.into_version,
        categories=tuple(body.categories),
        receiver=body.receiver,
        external_ref=body.external_ref,
        category=body.category,
        until=body.until,
    )


def _outcome(outcome: Outcome, call: Call[Any, Any]) -> Reply:
    refusal = outcome.refusal
    return {
        "case_id": outcome.case_id,
        "ok": refusal is None,
        "case": naming.named(outcome.case, call) if outcome.case is not None else None,
        "code": refusal.code if refusal else None,
        "message": text(refusal.code, call.language, refusal.details) if refusal else None,
    }
