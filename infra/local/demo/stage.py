"""What the demonstration stands on: people with phones, moving time, and telling what happened."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any, TypeVar

from handlers import wiring
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local.client import Client, Reply, describe, upload
from infra.local.stack import ROOT, Stack
from models.base.clock import CHINA
from models.base.geometry import Position

PHOTOS = ROOT / "tests" / "photos"
PATIENCE_S = 30.0

_Found = TypeVar("_Found")


class NotAsToldError(Exception):
    """A step went otherwise than the story says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a job of the pump did since it was last asked for, and what that cost."""

    done: int
    cost: dict[str, float]
    ms: float


class Person:
    """Somebody with WeChat on a phone."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.name = name
        self.openid = f"o-demo-{name}-{uuid.uuid4().hex[:12]}"
        self.unionid = f"u-demo-{name}-{uuid.uuid4().hex[:12]}"
        self.app = Client(stage.stack.api_url)
        self.member_id = ""
        self._stage = stage

    def sign_in(self) -> Reply:
        """``wx.login`` and a session."""
        code = self._stage.stack.control(
            "mint_login_code", {"openid": self.openid, "unionid": self.unionid}
        )["code"]
        reply = self.app.post("/v1/sessions", {"code": code})
        self._stage.expect(reply.status == 201, f"{self.name} signs in", reply)
        self.app.token = reply.body["token"]
        self.member_id = reply.body["member"]["id"]
        return reply

    def bind_phone(self, phone: str) -> Reply:
        """Let the service know the phone number, which grants what the roster says."""
        code = self._stage.stack.control("mint_phone_code", {"phone": phone, "openid": self.openid})
        reply = self.app.post("/v1/me/phone", {"code": code["code"]})
        self._stage.expect(reply.status == 200, f"{self.name} binds the phone", reply)
        self.app.token = reply.body.get("token") or self.app.token
        return reply

    def upload(self, photo: bytes, purpose: str = "report") -> str:
        """Send one photo straight to the store; answers its upload id."""
        asked = self.app.post("/v1/uploads", {"items": [describe(photo, purpose)]})
        self._stage.expect(asked.status == 201, f"{self.name} may upload", asked)
        form = asked.body["items"][0]
        stored = upload(form, photo)
        self._stage.expect(stored.status == form["success_status"], "the store takes it", stored)
        return str(form["upload_id"])

    def ready(self, upload_id: str) -> dict[str, Any]:
        """Wait until a photo was taken in; answers its last state."""

        def settled() -> dict[str, Any] | None:
            state = self.app.get(f"/v1/uploads/{upload_id}").body
            return state if state["state"] in ("ready", "refused") else None

        return self._stage.until("the photo is taken in", settled)


class Stage:
    """Tells the story step by step; ``expect`` stops it at the first thing not as told."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.services = Services(Settings.read(stack.environment()))
        wiring.use_services(self.services)
        self._seen_by_job: dict[str, int] = {}

    def begin_at(self, at: time_of_day) -> None:
        """Move time on to the next such time of day in China."""
        now = datetime.now(CHINA)
        begin = datetime.combine(now.date(), at, tzinfo=CHINA)
        begin += timedelta(days=1) if begin < now else timedelta(0)
        self.stack.advance((begin - now).total_seconds())

    def step(self, number: int, title: str) -> None:
        """Begin a step."""
        print(f"\n\033[1m{number}. {title}\033[0m", flush=True)

    def tell(self, text: str, *costly: Reply | Work) -> None:
        """Print what was decided, and what it cost."""
        cost = ""
        if costly:
            calls = sum(one.cost.get("calls", 0) for one in costly)
            units = sum(one.cost.get("write_units", 0) for one in costly)
            ms = sum(one.ms for one in costly)
            cost = f"  [{calls:g} calls · {units:g} WU · {ms:.0f} ms]"
        print(f"   {text}{cost}", flush=True)

    def expect(self, truth: object, what: str, reply: Reply | None = None) -> None:
        """Go on only if ``truth`` holds."""
        if not truth:
            seen = f"; the answer was {reply.status} {reply.body}" if reply else ""
            raise NotAsToldError(f"not as told: {what}{seen}")

    def refused(self, reply: Reply, status: int, code: str) -> None:
        """Expect a refusal, by status and code."""
        self.expect((reply.status, reply.code) == (status, code), f"{status} {code}", reply)

    def until(self, what: str, probe: Callable[[], _Found | None]) -> _Found:
        """Ask again until ``probe`` finds something; fails after 30 s."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.05)
        raise NotAsToldError(f"not as told within {PATIENCE_S:g} s: {what}")

    def work(self, job: str) -> Work:
        """What a job of the pump did since this was last asked; waits until it did something."""
        runs = self.until(f"the pump's {job}", lambda: list(self._new_runs(job)))
        self._seen_by_job[job] = self._seen_by_job.get(job, 0) + len(runs)
        return Work(
            done=sum(run["done"] for run in runs),
            cost={name: sum(run[name] for run in runs) for name in ("calls", "write_units")},
            ms=sum(run["ms"] for run in runs),
        )

    def tell_work(self, job: str, name: str) -> None:
        """Print what happened behind the requests."""
        work = self.work(job)
        self.tell(f"后台 {name}：{work.done} 件", work)

    def _new_runs(self, job: str) -> Iterator[dict[str, Any]]:
        text = (self.stack.home / "logs" / "pump.log").read_text(encoding="utf-8")
        runs = [json.loads(line) for line in text.splitlines() if '"pump.job_done"' in line]
        yield from [run for run in runs if run["job"] == job][self._seen_by_job.get(job, 0) :]

    def sent(self, person: Person, **having: str) -> list[dict[str, Any]]:
        """What the simulator delivered to a person, by either account."""
        ids = {person.openid, self.service_openid(person)}
        messages = self.stack.control("sent")["items"]
        return [
            message
            for message in messages
            if message["touser"] in ids
            and all(message.get(key) == value for key, value in having.items())
        ]

    def service_openid(self, person: Person) -> str:
        """The person's openid at the service account."""
        return f"s{person.openid}"

    def grid_at(self, spot: Position) -> str:
        """The grid of a spot, as the service routes it."""
        routing = self.services.places.route(spot)
        self.expect(routing, "the spot is in a grid")
        assert routing is not None
        return routing.grid_id

    def photo(self, name: str) -> bytes:
        """A real photo."""
        return (PHOTOS / name).read_bytes()
