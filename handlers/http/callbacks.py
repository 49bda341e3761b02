"""WeChat's message pushes: verified, stored, answered at once; the work is the outbox's.

These are WeChat's routes, not the clients': plain text, no session, no part of the contract.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from chalice.app import Blueprint, Response

from handlers import telemetry
from handlers.http.errors import status_of
from handlers.wiring import services
from models.base.errors import DomainError, Unavailable

log = logging.getLogger(__name__)

CONTENT_TYPES = ["application/json", "text/xml", "application/xml", "text/plain"]
_NO_QUERY: Mapping[str, str] = {}

blueprint = Blueprint(__name__)


@blueprint.route("/wechat/callback", methods=["GET"], name="check_mini_callback")
def check_mini_callback() -> Response:
    """Answer the mini-program's console when it checks our address."""
    return _echo("mini")


@blueprint.route(
    "/wechat/callback", methods=["POST"], name="mini_callback", content_types=CONTENT_TYPES
)
def mini_callback() -> Response:
    """Take in a push of the mini-program."""
    return _take_in("mini")


@blueprint.route("/wechat/service-callback", methods=["GET"], name="check_service_callback")
def check_service_callback() -> Response:
    """Answer the service account's console when it checks our address."""
    return _echo("service")


@blueprint.route(
    "/wechat/service-callback",
    methods=["POST"],
    name="service_callback",
    content_types=CONTENT_TYPES,
)
def service_callback() -> Response:
    """Take in a push of the service account."""
    return _take_in("service")


def _echo(account: str) -> Response:
    query = blueprint.current_request.query_params or _NO_QUERY
    return _answered(lambda: services().callback_decoders[account].echo(query))


def _take_in(account: str) -> Response:
    request = blueprint.current_request
    query = request.query_params or _NO_QUERY

    def store() -> str:
        raw = request.raw_body
        body = raw if isinstance(raw, bytes) else raw.encode()
        push = services().callback_decoders[account].decode(query, body)
        services().callbacks.take_in(push)
        return "success"

    return _answered(store)


def _answered(answer: Callable[[], str]) -> Response:
    """Anything but status 200 makes WeChat send a push again, three times in all."""
    try:
        text = answer()
    except DomainError as error:
        log.warning("callback.refused", extra={"code": error.code})
        telemetry.count("callback", "unavailable" if isinstance(error, Unavailable) else "refused")
        return _plain(error.code, status_of(error))
    telemetry.count("callback", "accepted")
    return _plain(text, 200)


def _plain(text: str, status: int) -> Response:
    return Response(
        body=text, status_code=status, headers={"Content-Type": "text/plain; charset=utf-8"}
    )
