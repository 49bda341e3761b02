"""A good call of every operation: who makes it, and with what.

The table drives the tests of the whole contract, so an operation that is missing here fails them.
Each entry prepares what its call needs, and the call then answers with the operation's status.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import app  # registers every operation

from handlers.http.endpoint import OPERATIONS, Operation
from infra.local.client import Reply
from models.base.clock import utc_text
from models.base.store import get
from models.cases.recheck_tables import RecheckRow
from models.cases.rechecks import recheck_id_of
from models.points.checkpoint_tables import ROOT, RootRow
from tests.support.world import E_BIKES, EAST, Person, World, done, path_with


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; ``person`` None comes without a session. ``stranger`` is of the same role, and
    to him what the path or the body names does not exist."""

    person: Person | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    strangers: tuple[Person, ...] = ()


assert app.app.routes
_PHONES = itertools.count()
Prepare = Callable[[World], Request]
_PREPARE: dict[str, Prepare] = {}


def good_call(name: str, world: World) -> Request:
    """Prepare a good call of an operation."""
    return _PREPARE[name](world)


def prepared_operations() -> set[str]:
    """The names of the operations that have a good call."""
    return set(_PREPARE)


def operation(name: str) -> Operation:
    """An operation by its name."""
    return next(each for each in OPERATIONS if each.name == name)


def send(world: World, op: Operation, request: Request, **changes: Any) -> Reply:
    """Send a request; ``changes`` are ``token``, ``params``, ``query``, ``body``, ``raw`` or
    ``headers``. A body is given a new ``client_request_id`` unless it has one."""
    path = op.path
    for name, value in {**request.params, **changes.get("params", {})}.items():
        path = path.replace(f"{{{name}}}", value)
    path = path_with(path, changes.get("query", request.query))
    body = changes.get("body", request.body)
    raw = changes.get("raw", None if body is None else json.dumps(with_id(body)).encode())
    app = request.person.app if request.person else world.bystander.app
    headers = dict(changes.get("headers", {}))
    if "token" in changes or request.person is None:
        token = changes.get("token")
        headers["Authorization"] = f"Bearer {token}" if token else ""
    return app.send(op.method, path, raw=raw, headers=headers)


def with_id(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with an id of its own."""
    return {"client_request_id": str(uuid.uuid4()), **body}


def _prepares(name: str) -> Callable[[Prepare], Prepare]:
    def keep(prepare: Prepare) -> Prepare:
        _PREPARE[name] = prepare
        return prepare

    return keep


# open -------------------------------------------------------------------------------------------

for _name in ("health", "openapi", "bootstrap", "legal", "list_categories"):
    _PREPARE[_name] = lambda world: Request()


# people -----------------------------------------------------------------------------------------


@_prepares("sign_in")
def _sign_in(world: World) -> Request:
    return Request(body={"code": Person(world).login_code()})


@_prepares("sign_out")
def _sign_out(world: World) -> Request:
    return Request(person=world.rider())


@_prepares("get_me")
def _get_me(world: World) -> Request:
    return Request(person=world.bystander)


@_prepares("change_me")
def _change_me(world: World) -> Request:
    return Request(
        person=world.bystander, body={"consents": {"report": "1"}, "occupation": "courier"}
    )


@_prepares("bind_phone")
def _bind_phone(world: World) -> Request:
    rider = world.rider()
    return Request(person=rider, body={"code": rider.phone_code(f"1009{next(_PHONES):07d}")})


@_prepares("request_verification")
def _request_verification(world: World) -> Request:
    return Request(person=world.bystander, body={"occupation": "rider"})


@_prepares("confirm_verification")
def _confirm_verification(world: World) -> Request:
    asked = done(world.rider().app.post("/v1/me/verification", {"occupation": "rider"})).body
    return Request(person=world.keeper, params={"code": asked["code"]}, body={})


# reports ----------------------------------------------------------------------------------------


@_prepares("issue_uploads")
def _issue_uploads(world: World) -> Request:
    item = {
        "purpose": "report",
        "content_type": "image/jpeg",
        "size_bytes": 200_000,
        "sha256": uuid.uuid4().hex * 2,
    }
    return Request(person=world.rider(), body={"items": [item]})


@_prepares("upload_state")
def _upload_state(world: World) -> Request:
    rider = world.rider()
    return Request(
        person=rider,
        params={"upload_id": rider.issued_upload()},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("reports_nearby")
def _reports_nearby(world: World) -> Request:
    world.filed()
    return Request(
        person=world.bystander,
        query={
            "lon": EAST.lon,
            "lat": EAST.lat,
            "category": E_BIKES,
            "accuracy_m": 12,
            "object_id": "8800-1234",
        },
    )


@_prepares("submit_report")
def _submit_report(world: World) -> Request:
    rider = world.rider()
    body = world.report_body(
        [rider.issued_upload()], text="堵住了盲道", speed_mps=1.5, object_id="8800-1234"
    )
    return Request(person=rider, body=body)


@_prepares("list_reports")
def _list_reports(world: World) -> Request:
    return Request(person=world.filed().rider, query={"limit": 5})


@_prepares("show_report")
def _show_report(world: World) -> Request:
    filed = world.filed()
    return Request(
        person=filed.rider,
        params={"report_id": filed.report_id},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("withdraw_report")
def _withdraw_report(world: World) -> Request:
    filed = world.filed()
    return Request(
        person=filed.rider,
        params={"report_id": filed.report_id},
        body={},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("give_verdict")
def _give_verdict(world: World) -> Request:
    filed = world.filed().claimed().resolved()
    return Request(
        person=filed.rider,
        params={"report_id": filed.report_id},
        body={"satisfied": True, "comment": "谢谢"},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("list_rechecks")
def _list_rechecks(world: World) -> Request:
    return Request(person=world.rider(), query={"lon": EAST.lon, "lat": EAST.lat})


@_prepares("answer_recheck")
def _answer_recheck(world: World) -> Request:
    filed = world.filed().claimed()
    done(filed.act(world.officer, "resolve", reason="gone_on_arrival"))
    world.work()
    rider, recheck = world.rider(), get(RecheckRow, recheck_id_of(filed.case_id, 0))
    assert recheck is not None
    return Request(
        person=rider,
        params={"recheck_id": recheck.recheck_id},
        body={
            "fixed": True,
            "photos": [rider.upload("jolla.jpg", purpose="recheck")],
            "lon": recheck.lon,
            "lat": recheck.lat,
            "accuracy_m": 10,
            "captured_at": utc_text(world.services.clock.now()),
        },
    )


@_prepares("show_trust")
def _show_trust(world: World) -> Request:
    return Request(person=world.rider())


def _suspected(world: World) -> tuple[Person, str]:
    """A rider of whom something was noticed, and what."""
    rider = world.rider()
    photo = rider.upload("DSCN0021.jpg", waits=True)
    done(rider.app.post("/v1/reports", world.report_body([photo], speed_mps=8.0)))
    world.work()
    items = done(rider.app.get("/v1/me/trust")).body["items"]
    return rider, next(item["id"] for item in items if item["kind"] == "moving")


@_prepares("appeal_signal")
def _appeal_signal(world: World) -> Request:
    rider, signal_id = _suspected(world)
    return Request(
        person=rider,
        body={"signal_id": signal_id, "text": "当时坐在公交车上"},
        strangers=(world.bystander,),
    )


def _decide_on_signal(world: World) -> Request:
    rider, signal_id = _suspected(world)
    body = with_id({"signal_id": signal_id, "text": "当时坐在公交车上"})
    appeal = done(rider.app.post("/v1/me/trust/appeal", body)).body
    return Request(
        person=world.community,
        params={"appeal_id": appeal["id"]},
        body={},
        strangers=(world.foreign_community,),
    )


_prepares("uphold_signal")(_decide_on_signal)
_prepares("dismiss_signal")(_decide_on_signal)


@_prepares("reply_to_question")
def _reply_to_question(world: World) -> Request:
    filed = world.filed().claimed()
    done(filed.act(world.officer, "ask", text="车在哪一侧？"))
    return Request(
        person=filed.rider,
        params={"report_id": filed.report_id},
        body={"text": "在东侧"},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("appeal_refusal")
def _appeal_refusal(world: World) -> Request:
    filed = world.filed()
    done(filed.act(world.officer, "reject", reason="not_visible"))
    return Request(
        person=filed.rider,
        params={"report_id": filed.report_id},
        body={"text": "照片里看得清"},
        strangers=(world.bystander, world.foreign_officer),
    )


# cases ------------------------------------------------------------------------------------------


def _other_officers(world: World) -> tuple[Person, ...]:
    return world.neighbouring_officer, world.foreign_officer


@_prepares("list_cases")
def _list_cases(world: World) -> Request:
    world.filed()
    return Request(person=world.officer, query={"limit": 100, "level": "C"})


@_prepares("explain_routing")
def _explain_routing(world: World) -> Request:
    at = {"lon": EAST.lon, "lat": EAST.lat, "accuracy_m": 20}
    return Request(person=world.community, query=at)


@_prepares("show_case")
def _show_case(world: World) -> Request:
    filed = world.filed()
    return Request(
        person=world.officer,
        params={"case_id": filed.case_id},
        strangers=_other_officers(world),
    )


@_prepares("act_on_case")
def _act_on_case(world: World) -> Request:
    filed = world.filed()
    return Request(
        person=world.officer,
        params={"case_id": filed.case_id, "action": "claim"},
        body={"version": filed.version},
        strangers=_other_officers(world),
    )


@_prepares("act_on_cases")
def _act_on_cases(world: World) -> Request:
    filed = world.filed()
    items = [{"case_id": filed.case_id, "version": filed.version}]
    return Request(person=world.officer, body={"action": "claim", "items": items})


@_prepares("hand_over_file")
def _hand_over_file(world: World) -> Request:
    filed = world.filed()
    return Request(
        person=world.officer,
        params={"case_id": filed.case_id},
        strangers=_other_officers(world),
    )


# points and rewards -----------------------------------------------------------------------------


@_prepares("get_points")
def _get_points(world: World) -> Request:
    return Request(person=world.bystander)


@_prepares("list_entries")
def _list_entries(world: World) -> Request:
    rider = world.rider()
    world.give(rider, 3)
    return Request(person=rider, query={"limit": 10})


@_prepares("get_root")
def _get_root(world: World) -> Request:
    row = RootRow("2020-01-31", ROOT, root="f" * 64, previous="0" * 64, tops=[], totals={})
    row.wallets = row.entries = row.drifts = 0
    row.at = world.clock.now()
    row.save()
    return Request(params={"day": "2020-01-31"})


@_prepares("export_points")
def _export_points(world: World) -> Request:
    rider = world.rider()
    world.give(rider, 3)
    return Request(person=rider)


@_prepares("list_appeals")
def _list_appeals(world: World) -> Request:
    rider = world.rider()
    world.take(rider, 3)
    done(rider.app.post("/v1/points/entries/1/appeal", with_id({"text": "当时我就在现场"})))
    return Request(person=rider, query={"limit": 5})


@_prepares("appeal_entry")
def _appeal_entry(world: World) -> Request:
    rider = world.rider()
    world.take(rider, 3)
    return Request(
        person=rider,
        params={"seq": "1"},
        body={"text": "当时我就在现场"},
        strangers=(world.bystander,),
    )


@_prepares("list_rewards")
def _list_rewards(world: World) -> Request:
    return Request(person=world.bystander, query={"limit": 2})


@_prepares("get_reward")
def _get_reward(world: World) -> Request:
    return Request(person=world.bystander, params={"reward_id": world.haircut})


@_prepares("redeem")
def _redeem(world: World) -> Request:
    return Request(person=world.redeemer(), body={"reward_id": world.haircut})


def _voucher(world: World) -> tuple[Person, dict[str, Any]]:
    rider = world.redeemer()
    reply = done(rider.app.post("/v1/redemptions", {"reward_id": world.haircut}))
    return rider, reply.body["redemption"]


@_prepares("list_redemptions")
def _list_redemptions(world: World) -> Request:
    return Request(person=_voucher(world)[0])


@_prepares("get_redemption")
def _get_redemption(world: World) -> Request:
    rider, voucher = _voucher(world)
    return Request(
        person=rider,
        params={"redemption_id": voucher["id"]},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("get_redemption_by_key")
def _get_redemption_by_key(world: World) -> Request:
    rider, key = world.redeemer(), str(uuid.uuid4())
    body = {"reward_id": world.haircut, "client_request_id": key}
    done(rider.app.post("/v1/redemptions", body))
    return Request(person=rider, params={"client_request_id": key}, strangers=(world.bystander,))


@_prepares("cancel_redemption")
def _cancel_redemption(world: World) -> Request:
    rider, voucher = _voucher(world)
    return Request(
        person=rider,
        params={"redemption_id": voucher["id"]},
        body={},
        strangers=(world.bystander, world.merchant),
    )


@_prepares("reveal_redemption")
def _reveal_redemption(world: World) -> Request:
    rider = world.redeemer()
    voucher = done(rider.app.post("/v1/redemptions", {"reward_id": world.pooled()}))
    return Request(
        person=rider,
        params={"redemption_id": voucher.body["redemption"]["id"]},
        body={},
        strangers=(world.bystander, world.foreign_officer),
    )


@_prepares("preview_redemption")
def _preview_redemption(world: World) -> Request:
    _, voucher = _voucher(world)
    return Request(
        person=world.merchant,
        body={"code": voucher["code"]},
        strangers=(world.foreign_merchant, world.keeper),
    )


@_prepares("fulfil_redemption")
def _fulfil_redemption(world: World) -> Request:
    _, voucher = _voucher(world)
    return Request(
        person=world.merchant,
        body={"code": voucher["qr"]},
        strangers=(world.foreign_merchant, world.keeper),
    )


@_prepares("undo_redemption")
def _undo_redemption(world: World) -> Request:
    _, voucher = _voucher(world)
    done(world.merchant.app.post("/v1/redemptions/fulfil", {"code": voucher["code"]}))
    return Request(
        person=world.merchant,
        params={"redemption_id": voucher["id"]},
        body={},
        strangers=(world.foreign_merchant, world.keeper),
    )


@_prepares("get_day")
def _get_day(world: World) -> Request:
    return Request(person=world.merchant, query={"day": "2026-03-18"})


# stations ---------------------------------------------------------------------------------------


@_prepares("list_stations")
def _list_stations(world: World) -> Request:
    _, place = world.station
    return Request(
        person=world.bystander,
        query={"lon": place.lon, "lat": place.lat, "radius_m": 2000, "open_now": "true"},
    )


@_prepares("member_code")
def _member_code(world: World) -> Request:
    return Request(person=world.bystander)


@_prepares("station_code")
def _station_code(world: World) -> Request:
    return Request(
        person=world.keeper,
        params={"station_id": world.station[0]},
        strangers=(world.foreign_keeper,),
    )


@_prepares("check_in")
def _check_in(world: World) -> Request:
    station_id, place = world.station
    code = done(world.keeper.app.get(f"/v1/stations/{station_id}/code")).body["code"]
    return Request(
        person=world.rider(),
        params={"station_id": station_id},
        body={"lon": place.lon, "lat": place.lat, "accuracy_m": 20.0, "code": code},
    )


@_prepares("scan_member")
def _scan_member(world: World) -> Request:
    code = done(world.rider().app.get("/v1/stations/member-code")).body["code"]
    return Request(
        person=world.keeper,
        params={"station_id": world.station[0]},
        body={"member_code": code},
        strangers=(world.foreign_keeper,),
    )


@_prepares("say_door")
def _say_door(world: World) -> Request:
    return Request(
        person=world.keeper,
        params={"station_id": world.station[0]},
        body={"open": True},
        strangers=(world.foreign_keeper,),
    )


@_prepares("report_locked_door")
def _report_locked_door(world: World) -> Request:
    station_id, place = world.station
    return Request(
        person=world.rider(),
        params={"station_id": station_id},
        body={"lon": place.lon, "lat": place.lat, "accuracy_m": 20.0},
    )


# messages ---------------------------------------------------------------------------------------


@_prepares("list_inbox")
def _list_inbox(world: World) -> Request:
    return Request(person=world.bystander, query={"limit": 3})


@_prepares("mark_read")
def _mark_read(world: World) -> Request:
    filed = world.filed().claimed()
    world.work()
    message = done(filed.rider.app.get("/v1/inbox")).body["items"][0]
    return Request(
        person=filed.rider,
        params={"message_id": message["id"]},
        body={},
        strangers=(world.bystander, world.officer),
    )


@_prepares("list_changes")
def _list_changes(world: World) -> Request:
    filed = world.filed().claimed()
    world.work()
    return Request(person=filed.rider, query={"limit": 20})


@_prepares("note_subscription")
def _note_subscription(world: World) -> Request:
    template = world.services.settings.template_sub_rider_progress
    return Request(person=world.bystander, body={"template": template, "result": "accept"})
