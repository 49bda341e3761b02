"""Redemptions: the rider reserves and shows, the merchant or keeper looks and hands over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalice.app import Blueprint

from handlers.http.endpoint import Call, Nothing, Reply, endpoint
from handlers.http.schemas.rewards import (
    Cancellation,
    CounterAnswer,
    Day,
    DayTotals,
    Handover,
    NewRedemption,
    Redemptions,
    Revealing,
    Shown,
    Undoing,
    VoucherAnswer,
    VoucherList,
)
from handlers.http.texts.catalogue import text
from models.people.entities import RoleName
from models.rewards.entities import (
    DeclineReason,
    Name,
    Outcome,
    Place,
    Redemption,
    State,
    Voucher,
)

COUNTER = (RoleName.MERCHANT, RoleName.KEEPER)

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "POST",
    "/v1/redemptions",
    body=NewRedemption,
    answer=VoucherAnswer,
    status=201,
    errors=(403, 404, 409),
)
def redeem(call: Call[NewRedemption, Nothing]) -> Reply:
    """Reserve a reward: points are held, and the voucher is there."""
    voucher = call.services.redemptions.redeem(
        call.actor, reward_id=call.body.reward_id, client_request_id=call.body.request_id
    )
    return {"redemption": shown_voucher(voucher, call.language)}


@endpoint(blueprint, "GET", "/v1/redemptions", query=Redemptions, answer=VoucherList)
def list_redemptions(call: Call[Nothing, Redemptions]) -> Reply:
    """List one's own redemptions, newest first."""
    page = call.services.redemptions.page(
        call.actor, limit=call.query.limit, cursor=call.query.cursor
    )
    return {
        "items": [shown_voucher(voucher, call.language) for voucher in page.items],
        "next_cursor": page.next_cursor,
    }


@endpoint(blueprint, "GET", "/v1/redemptions/{redemption_id}", answer=VoucherAnswer, errors=(404,))
def get_redemption(call: Call[Nothing, Nothing]) -> Reply:
    """Show one's own redemption; the QR payload changes every minute."""
    voucher = call.services.redemptions.voucher(call.actor, call.params["redemption_id"])
    return {"redemption": shown_voucher(voucher, call.language)}


@endpoint(
    blueprint,
    "GET",
    "/v1/redemptions/by-key/{client_request_id}",
    answer=VoucherAnswer,
    errors=(403, 404, 409),
)
def get_redemption_by_key(call: Call[Nothing, Nothing]) -> Reply:
    """Tell what became of a request whose answer was lost."""
    key = call.params["client_request_id"].lower()
    return {
        "redemption": shown_voucher(
            call.services.redemptions.voucher_by_key(call.actor, key), call.language
        )
    }


@endpoint(
    blueprint,
    "POST",
    "/v1/redemptions/{redemption_id}/cancel",
    body=Cancellation,
    answer=CounterAnswer,
    errors=(404, 409),
)
def cancel_redemption(call: Call[Cancellation, Nothing]) -> Reply:
    """Give points and stock back while nothing was handed over."""
    outcome = call.services.redemptions.cancel(
        call.actor,
        redemption_id=call.params["redemption_id"],
        client_request_id=call.body.request_id,
    )
    return _outcome(outcome, call.language)


@endpoint(
    blueprint,
    "POST",
    "/v1/redemptions/{redemption_id}/reveal",
    body=Revealing,
    answer=VoucherAnswer,
    errors=(404, 409),
)
def reveal_redemption(call: Call[Revealing, Nothing]) -> Reply:
    """Show a voucher's imported code, which spends the points: who has seen it can use it."""
    voucher = call.services.reveals.reveal(
        call.actor,
        redemption_id=call.params["redemption_id"],
        client_request_id=call.body.request_id,
    )
    return {"redemption": shown_voucher(voucher, call.language)}


@endpoint(
    blueprint,
    "POST",
    "/v1/redemptions/preview",
    body=Shown,
    answer=CounterAnswer,
    roles=COUNTER,
    errors=(404, 409, 429),
)
def preview_redemption(call: Call[Shown, Nothing]) -> Reply:
    """Show what would be handed over; nothing changes."""
    found = call.services.fulfilment.preview(call.actor, call.body.code)
    return {"redemption": _counter(found, found.state, call.language)}


@endpoint(
    blueprint,
    "POST",
    "/v1/redemptions/fulfil",
    body=Handover,
    answer=CounterAnswer,
    roles=COUNTER,
    errors=(404, 409, 429),
)
def fulfil_redemption(call: Call[Handover, Nothing]) -> Reply:
    """Record that the reward was handed over."""
    outcome = call.services.fulfilment.fulfil(
        call.actor, shown=call.body.code, client_request_id=call.body.request_id
    )
    return _outcome(outcome, call.language)


@endpoint(
    blueprint,
    "POST",
    "/v1/redemptions/{redemption_id}/undo",
    body=Undoing,
    answer=CounterAnswer,
    roles=COUNTER,
    errors=(404, 409),
)
def undo_redemption(call: Call[Undoing, Nothing]) -> Reply:
    """Take a handover back within five minutes."""
    outcome = call.services.fulfilment.undo(
        call.actor,
        redemption_id=call.params["redemption_id"],
        client_request_id=call.body.request_id,
    )
    return _outcome(outcome, call.language)


@endpoint(blueprint, "GET", "/v1/merchant/day", query=Day, answer=DayTotals, roles=COUNTER)
def get_day(call: Call[Nothing, Day]) -> Reply:
    """Total what the actor's own places handed over on a day."""
    totals = call.services.fulfilment.day(call.actor, call.query.day)
    return {
        "day": totals.day,
        "count": totals.count,
        "points": totals.points,
        "lines": [
            {
                "place": line.scope,
                "reward": _reward(line.reward_id, line.reward_name, call.language),
                "count": line.count,
                "points": line.points,
            }
            for line in totals.lines
        ],
    }


def shown_voucher(voucher: Voucher, language: str) -> dict[str, Any]:
    """A redemption for its owner."""
    redemption = voucher.redemption
    return {
        "id": redemption.redemption_id,
        "state": redemption.state.value,
        "state_text": _state_text(redemption.state, language),
        "reward": _reward(redemption.reward_id, redemption.reward_name, language),
        "points": redemption.points,
        "code": voucher.code,
        "code_source": redemption.code_source.value,
        "qr": voucher.qr,
        "qr_expires_at": voucher.qr_expires_at,
        "reserved_at": redemption.reserved_at,
        "expires_at": redemption.expires_at,
        "fulfilled_at": redemption.fulfilled_at,
        "ended_at": redemption.ended_at,
        "queue": _place(voucher.place, language),
        "declined": _declined(redemption.decline_reason, language),
    }


def _place(place: Place | None, language: str) -> dict[str, Any] | None:
    if place is None:
        return None
    key = f"redemption.queue.{place.reason.value}"
    return {
        "place": place.position,
        "reason": place.reason.value,
        "text": text(key, language, {"place": place.position}),
    }


def _declined(reason: DeclineReason | None, language: str) -> dict[str, str] | None:
    if reason is None:
        return None
    return {
        "reason": reason.value,
        "text": text(f"redemption.declined.{reason.value}", language),
    }


def _outcome(outcome: Outcome, language: str) -> Reply:
    return {
        "redemption": _counter(
            outcome.redemption,
            outcome.state,
            language,
            at=outcome.at,
            undo_until=outcome.undo_until,
        )
    }


def _counter(
    redemption: Redemption,
    state: State,
    language: str,
    *,
    at: datetime | None = None,
    undo_until: datetime | None = None,
) -> dict[str, Any]:
    return {
        "id": redemption.redemption_id,
        "state": state.value,
        "state_text": _state_text(state, language),
        "reward": _reward(redemption.reward_id, redemption.reward_name, language),
        "points": redemption.points,
        "expires_at": redemption.expires_at,
        "at": at,
        "undo_until": undo_until,
    }


def _reward(reward_id: str, name: Name, language: str) -> dict[str, str]:
    return {"id": reward_id, "name": name.text(language)}


def _state_text(state: State, language: str) -> str:
    return text(f"redemption.state.{state.value}", language)
