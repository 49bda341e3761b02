"""Nothing lost: the parts are killed under load, and everything acknowledged must be there.

Riders upload photos and report, repeating each request with the same id until it is acknowledged.
Meanwhile API, pump, engine and photo store are killed (SIGKILL) in turn and started again. At the
end, with everything running, every acknowledged report is read back, every acknowledged photo is
ready, and the officer of each case was alerted, in his inbox and at WeChat, once.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from infra.local.client import Client, Reply, describe, upload
from infra.local.seed import roster
from infra.local.stack import ROOT, Stack
from models.base.geometry import Position

VICTIMS = ("api", "pump", "engine", "photos")
SPOT = Position(lon=114.0853, lat=32.1462)
PATIENCE_S = 120.0
REPORTS_PER_RIDER = 4  # below the limit of five in ten minutes

_Found = TypeVar("_Found")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was acknowledged, and what of it is missing."""

    kills: int = 0
    reports: int = 0
    photos: int = 0
    alerts: int = 0
    repeated: int = 0
    lost_reports: list[str] = field(default_factory=list)
    lost_photos: list[str] = field(default_factory=list)
    lost_alerts: list[str] = field(default_factory=list)
    doubled_alerts: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is missing and nobody was told twice."""
        lists = (self.lost_reports, self.lost_photos, self.lost_alerts, self.doubled_alerts)
        return not any(lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acknowledged:
    rider: Client
    report_id: str
    case_id: str
    upload_id: str


class Storm:
    """Riders who never give up, and somebody who kills one part after the other."""

    def __init__(self, stack: Stack, *, riders: int, kills: int, seed: int) -> None:
        self._stack = stack
        self._kills = kills
        self._random = random.Random(seed)
        self._photos = [
            (ROOT / "tests" / "photos" / name).read_bytes()
            for name in ("DSCN0010.jpg", "DSCN0021.jpg", "landscape_6.jpg")
        ]
        self._over = threading.Event()
        self._acknowledged: list[_Acknowledged] = []
        self._outcome = Outcome()
        self._riders = [self._sign_in(f"kill-rider-{number}") for number in range(riders)]
        for rider in self._riders:
            self._consent(rider)
        self._officer = self._take_post()

    def rage(self) -> Outcome:
        """Run until all kills are done and every rider has finished, then look for losses."""
        threads = [
            threading.Thread(target=self._work, args=(rider,), daemon=True)
            for rider in self._riders
        ]
        for thread in threads:
            thread.start()
        for victim in itertools.islice(itertools.cycle(VICTIMS), self._kills):
            time.sleep(self._random.uniform(0.1, 0.8))
            self._stack.kill_part(victim)
            time.sleep(self._random.uniform(0.0, 0.3))
            self._stack.start_part(victim)
            self._outcome.kills += 1
        self._over.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        self._look()
        return self._outcome

    def _work(self, rider: Client) -> None:
        for number in range(REPORTS_PER_RIDER):
            if self._over.is_set() and number:
                return
            self._report(rider)
            # Riders are spread over the whole storm, however long it takes.
            self._over.wait(self._random.uniform(0, 6))

    def _report(self, rider: Client) -> None:
        photo = self._random.choice(self._photos) + uuid.uuid4().bytes
        asked = {
            "client_request_id": str(uuid.uuid4()),
            "items": [describe(photo, "report")],
        }
        form = self._insist(lambda: rider.post("/v1/uploads", asked)).body["items"][0]
        self._insist(lambda: upload(form, photo))
        body = {
            "client_request_id": str(uuid.uuid4()),
            "category": "E0493a",
            "lon": SPOT.lon + self._random.uniform(-0.003, 0.003),
            "lat": SPOT.lat + self._random.uniform(-0.003, 0.003),
            "accuracy_m": 10.0,
            "captured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "photos": [form["upload_id"]],
        }
        taken = self._insist(lambda: rider.post("/v1/reports", body)).body
        self._acknowledged.append(
            _Acknowledged(
                rider=rider,
                report_id=taken["report"]["id"],
                case_id=taken["case"]["id"],
                upload_id=form["upload_id"],
            )
        )

    def _insist(self, ask: Callable[[], Reply]) -> Reply:
        """Repeat one request until it is acknowledged: what a phone on a bad network does."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                reply = ask()
            except OSError:
                reply = None
            except Exception as error:  # a torn answer is no answer
                if not isinstance(error, ValueError) and "http.client" not in str(type(error)):
                    raise
                reply = None
            if reply is not None and reply.status in (200, 201, 204):
                return reply
            if reply is not None and reply.status not in (500, 502, 503):
                raise AssertionError(f"{reply.status} {reply.body}")
            self._outcome.repeated += 1
            time.sleep(0.1)
        raise AssertionError("never acknowledged")

    def _look(self) -> None:
        outcome, acknowledged = self._outcome, self._acknowledged
        outcome.reports = outcome.photos = len(acknowledged)
        for one in acknowledged:
            found = one.rider.get(f"/v1/reports/{one.report_id}")
            if found.status != 200 or found.body["case"]["id"] != one.case_id:
                outcome.lost_reports.append(one.report_id)
            if not self._comes(lambda one=one: self._is_ready(one)):
                outcome.lost_photos.append(one.upload_id)
        cases = {one.case_id for one in acknowledged}
        missing: set[str] = set()
        self._comes(lambda: not missing_from(cases, self._told(), missing))
        outcome.lost_alerts = sorted(missing)
        told = [case for case in self._told() if case in cases]
        outcome.alerts = len(told)
        outcome.doubled_alerts = sorted({case for case in told if told.count(case) > 1})

    def _is_ready(self, one: _Acknowledged) -> bool:
        return bool(one.rider.get(f"/v1/uploads/{one.upload_id}").body["state"] == "ready")

    def _told(self) -> list[str]:
        """The cases of which WeChat delivered an officer's alert, from the cards' pages."""
        messages = self._stack.control("sent")["items"]
        alerts = [m for m in messages if m["template_id"] == "svc-officer-alert"]
        return [page_case(message) for message in alerts]

    def _comes(self, probe: Callable[[], _Found]) -> _Found | None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.2)
        return None

    def _sign_in(self, name: str) -> Client:
        identity = {"openid": f"o-{name}", "unionid": f"u-{name}"}
        code = self._stack.control("mint_login_code", identity)["code"]
        client = Client(self._stack.api_url)
        reply = client.post("/v1/sessions", {"code": code})
        if reply.status != 201:
            raise AssertionError(f"{reply.status} {reply.body}")
        client.token = reply.body["token"]
        return client

    def _consent(self, rider: Client) -> None:
        version = rider.get("/v1/bootstrap").body["consent_version"]
        rider.put("/v1/me", {"consents": {"report": version}})

    def _take_post(self) -> Client:
        post = roster.demo_posts(SPOT)["officer"]
        officer = self._sign_in("kill-officer")
        code = self._stack.control(
            "mint_phone_code", {"phone": post.phone, "openid": "o-kill-officer"}
        )
        officer.post("/v1/me/phone", {"code": code["code"]})
        self._stack.control(
            "follow", {"unionid": "u-kill-officer", "service_openid": "s-kill-officer"}
        )
        return officer


def missing_from(cases: set[str], told: Sequence[str], missing: set[str]) -> set[str]:
    """Put into ``missing`` what of ``cases`` nobody was told of, and answer it."""
    missing.clear()
    missing.update(cases - set(told))
    return missing


def page_case(message: dict[str, Any]) -> str:
    """The case that a message's card leads to."""
    page = str(message.get("page") or message.get("miniprogram", {}).get("pagepath", ""))
    return page.rpartition("id=")[2]
