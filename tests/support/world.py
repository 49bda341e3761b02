"""The whole product in one process: the app behind its gateway, the engine, a simulated WeChat and
a photo store, over the seeded city, with somebody signed in for every role.

Only the outermost edge is simulated. Time stands still at 10:00 on a working day in China.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from handlers.settings import Settings
from handlers.wiring import Services, use_services
from infra.local import engine as engines
from infra.local.client import Client, Reply, describe, upload
from infra.local.photos.server import start_photo_store
from infra.local.pump import Pump
from infra.local.seed import plant, roster
from infra.local.server import Gateway
from infra.local.wechat import accounts
from infra.local.wechat.simulator import start_simulator
from models.base.clock import FixedClock, utc_text
from models.base.geometry import Position
from models.base.ids import new_id
from models.base.store import get
from models.base.tables import _shared
from models.points.proposal_rules import Decision
from models.rewards import publishing
from models.rewards.entities import CodeSource, Supply
from models.rewards.pool_imports import CodeFile
from models.rewards.tables import RewardRow
from tests.conftest import NOW
from tests.support import points as points_of
from tests.support.source import ROOT

BUCKET = "partners-photos"
WEST, EAST = Position(lon=114.0412, lat=32.1273), Position(lon=114.0853, lat=32.1462)
"""A spot in each county; the story plays in the east."""

E_BIKES = "E0493a"
ROSTER_REMEMBERED = timedelta(seconds=31)
PHOTOS = ROOT / "tests" / "photos"


class InProcess(Client):
    """A phone whose requests go straight into the gateway."""

    def __init__(self, gateway: Gateway, token: str | None = None) -> None:
        super().__init__("", token)
        self.gateway = gateway

    def send(
        self,
        method: str,
        path: str,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send exactly these bytes, with the token unless ``headers`` bring another."""
        resource, _, query = path.partition("?")
        given = {"Content-Type": "application/json"} if raw is not None else {}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": resource,
            "RAW_URI": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(raw or b"")),
            "wsgi.input": io.BytesIO(raw or b""),
        }
        for name, value in {**given, **(headers or {})}.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        status, answered, body = self.gateway.answer(environ)
        named = {name.lower(): value for name, value in answered}
        is_json = named["content-type"].startswith("application/json")
        return Reply(
            status=status, body=json.loads(body) if is_json else body, headers=named, ms=0.0
        )

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self.send(method, path, raw=raw)


class Person:
    """Somebody with WeChat on a phone; with a ``post``, somebody on the roster."""

    def __init__(self, world: World, post: roster.Post | None = None) -> None:
        self.openid, self.unionid = new_id("o"), new_id("u")
        self.app = InProcess(world.gateway)
        self.member_id = ""
        self.post = post
        self._world = world

    def login_code(self) -> str:
        """What ``wx.login`` would give now."""
        minted = self._world.simulator.control(
            "mint_login_code", openid=self.openid, unionid=self.unionid
        )
        return str(minted["code"])

    def phone_code(self, phone: str) -> str:
        """What the phone button would give now."""
        minted = self._world.simulator.control("mint_phone_code", phone=phone, openid=self.openid)
        return str(minted["code"])

    def sign_in(self) -> Person:
        """Sign in, and again after the phone brought roles: they end every session."""
        self._open_session()
        if self.post is not None:
            self.app.post("/v1/me/phone", {"code": self.phone_code(self.post.phone)})
            self._open_session()
        return self

    def consenting(self) -> Person:
        """Agree to what a rider agrees to."""
        version = self.app.get("/v1/bootstrap").body["consent_version"]
        consents = {"report": version, "points": version, "photos": version}
        done(self.app.put("/v1/me", {"consents": consents}))
        return self

    def upload(self, name: str, purpose: str = "report", *, waits: bool = False) -> str:
        """Send a real photo to the store; ``waits`` lets the product take it in."""
        photo = (PHOTOS / name).read_bytes()
        asked = done(self.app.post("/v1/uploads", {"items": [describe(photo, purpose)]}))
        form = asked.body["items"][0]
        assert upload(form, photo).status == form["success_status"]
        if waits:
            self._world.work()
        return str(form["upload_id"])

    def issued_upload(self) -> str:
        """A photo that was announced and is still on its way."""
        item = {
            "purpose": "report",
            "content_type": "image/jpeg",
            "size_bytes": 1000,
            "sha256": uuid.uuid4().hex * 2,
        }
        asked = done(self.app.post("/v1/uploads", {"items": [item]}))
        return str(asked.body["items"][0]["upload_id"])

    def _open_session(self) -> None:
        self.app.token = None
        opened = done(self.app.post("/v1/sessions", {"code": self.login_code()}))
        self.app.token = opened.body["token"]
        self.member_id = opened.body["member"]["id"]


class World:
    """A seeded city. Make one per worker; ``enter`` before use, others may have been elsewhere."""

    def __init__(self, home: Path, engine: engines.Engine) -> None:
        os.environ.setdefault("AWS_ACCESS_KEY_ID", engines.ACCESS_KEY)
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", engines.SECRET_KEY)
        self._home = home
        self._prefix = f"{uuid.uuid4().hex[:8]}-"
        self._engine = engine
        engines.create_tables(engine.url, self._prefix)
        self.simulator = start_simulator()
        self._store = start_photo_store(
            root=home / "photos",
            bucket=BUCKET,
            access_key=engines.ACCESS_KEY,
            secret_key=engines.SECRET_KEY,
        )
        self.clock = FixedClock(NOW)
        self.services = Services(self._settings())
        self.services.__dict__["clock"] = self.clock
        use_services(self.services)
        from app import app

        self.gateway = Gateway(app)
        self._pump = Pump(home / "photos" / "events")
        self._spots = itertools.count()
        plant.plant(self.services, lambda _: None)
        self._connected = dict(vars(_shared))

    def enter(self) -> World:
        """Point this process at this world again, with the connection it has."""
        vars(_shared).update(self._connected)
        use_services(self.services)
        return self

    def close(self) -> None:
        """Stop what was started."""
        use_services(None)
        self.simulator.stop()
        self._store.stop()

    # people -------------------------------------------------------------------------------------

    def rider(self) -> Person:
        """A new rider who agreed to the terms."""
        return Person(self).sign_in().consenting()

    def official(self, name: str, spot: Position = EAST) -> Person:
        """Who holds a post at a spot: ``officer``, ``lead``, ``community``, ``keeper``…"""
        return self._in_office(self.posts(spot)[name])

    def posts(self, spot: Position = EAST) -> dict[str, roster.Post]:
        """The posts at a spot by name."""
        return dict(roster.demo_posts(spot))

    @cached_property
    def officer(self) -> Person:
        return self.official("officer")

    @cached_property
    def lead(self) -> Person:
        return self.official("lead")

    @cached_property
    def community(self) -> Person:
        return self.official("community")

    @cached_property
    def foreign_community(self) -> Person:
        return self.official("community", WEST)

    @cached_property
    def keeper(self) -> Person:
        return self.official("keeper")

    @cached_property
    def merchant(self) -> Person:
        return self.official("merchant")

    @cached_property
    def foreign_officer(self) -> Person:
        """An officer of the other county."""
        return self.official("officer", WEST)

    @cached_property
    def foreign_keeper(self) -> Person:
        return self.official("keeper", WEST)

    @cached_property
    def foreign_merchant(self) -> Person:
        return self.official("merchant", WEST)

    @cached_property
    def bystander(self) -> Person:
        """A rider to whom nothing here belongs."""
        return self.rider()

    @cached_property
    def neighbouring_officer(self) -> Person:
        """An officer of the same county, on another grid."""
        own = self.posts()["officer"]
        phones = Counter(post.phone for post in roster.posts())
        return self._in_office(
            next(
                post
                for post in roster.posts()
                if (post.role, post.county) == ("officer", own.county)
                and post.scope != own.scope
                and phones[post.phone] == 1
            )
        )

    def _in_office(self, post: roster.Post) -> Person:
        person = Person(self, post).sign_in()
        self.clock.advance(ROSTER_REMEMBERED)
        return person

    # things -------------------------------------------------------------------------------------

    def report_body(self, photos: list[str], **changes: Any) -> dict[str, Any]:
        """A good report, a little further on each time, so that none is like another."""
        step = next(self._spots) % 40 * 0.00005
        return {
            "client_request_id": str(uuid.uuid4()),
            "category": E_BIKES,
            "lon": EAST.lon + step,
            "lat": EAST.lat,
            "accuracy_m": 12.0,
            "captured_at": utc_text(self.clock.now()),
            "photos": photos,
            **changes,
        }

    def filed(self, rider: Person | None = None) -> Filed:
        """A case that a rider reported, with its photo taken in."""
        rider = rider or self.rider()
        photo = rider.upload("DSCN0021.jpg", waits=True)
        receipt = done(rider.app.post("/v1/reports", self.report_body([photo]))).body
        return Filed(self, rider, receipt["report"]["id"], receipt["case"]["id"])

    def redeemer(self, points: int = 100) -> Person:
        """A rider who has points and may spend them."""
        rider = self.rider()
        self.give(rider, points)
        asked = done(rider.app.post("/v1/me/verification", {"occupation": "rider"})).body
        done(self.keeper.app.post(f"/v1/verifications/{asked['code']}/confirm"))
        rider.sign_in()
        return rider

    def give(self, rider: Person, points: int) -> None:
        """Award points that are available at once."""
        points_of.award(rider.member_id, points, now=self.clock.now(), rule="test@1")

    def take(self, rider: Person, points: int) -> None:
        """Take points away, as two people may."""
        county = self.posts()["officer"].county
        line = {
            "kind": "adjustment",
            "member_id": rider.member_id,
            "points": -points,
            "reason": "doubled",
            "reference": new_id("act"),
        }
        made = self.services.proposals.propose(line, county=county, actor="maker")
        for proposal in made.proposals:
            self.services.decisions.decide(
                str(proposal["proposal_id"]), Decision.APPROVE, county=county, actor="checker"
            )

    @property
    def haircut(self) -> str:
        """A reward that the east's first merchant hands over."""
        return f"{self.posts()['officer'].county}-haircut"

    def pooled(self) -> str:
        """Another haircut, whose vouchers carry a code that was imported; each has one code."""
        standing = get(RewardRow, self.haircut)
        assert standing is not None
        reward = replace(
            standing.entity(),
            reward_id=new_id("rwd"),
            codes=CodeSource.POOL,
            supply=Supply(),
            limit=None,
        )
        publishing.publish([reward])
        publishing.stock(reward, 5)
        text = f"code\n{new_id('code')}"
        file = CodeFile(reward_id=reward.reward_id, batch="first", csv=text, actor="desk-1")
        self.services.pool_imports.take_in(file)
        return reward.reward_id

    @property
    def station(self) -> tuple[str, Position]:
        """The keeper's station and where it stands."""
        post = self.posts()["keeper"]
        return post.scope.removeprefix("station:"), Position(lon=post.lon, lat=post.lat)

    def work(self) -> None:
        """Do what queues and streams do: take in photos, deliver the outbox."""
        from handlers.events import outbox

        self._pump.take_in_photos()
        outbox.on_schedule()

    def _settings(self) -> Settings:
        secrets = self._home / "secrets.json"
        secrets.write_text(
            json.dumps(
                {
                    "root_key": "7" * 64,
                    "mini_secret": accounts.MINI.secret,
                    "service_secret": accounts.SERVICE.secret,
                    "mini_push_token": accounts.MINI.token,
                    "mini_push_key": accounts.MINI.aes_key,
                    "service_push_token": accounts.SERVICE.token,
                    "service_push_key": accounts.SERVICE.aes_key,
                }
            )
        )
        return replace(
            Settings(),
            region=engines.REGION,
            table_prefix=self._prefix,
            dynamodb_url=self._engine.url,
            s3_url=self._store.url,
            photo_base_url=f"{self._store.url}/{BUCKET}",
            photo_bucket=BUCKET,
            secrets_from=f"file:{secrets}",
            wechat_url=self.simulator.base_url,
            wecom_url=self.simulator.base_url,
            mini_appid=accounts.MINI.appid,
            service_appid=accounts.SERVICE.appid,
            api_host="http://127.0.0.1",
            refuses_unknown_fields=True,
            checks_answers=True,
        )


class Filed:
    """A case in the story, and what may be done with it."""

    def __init__(self, world: World, rider: Person, report_id: str, case_id: str) -> None:
        self.world, self.rider = world, rider
        self.report_id, self.case_id = report_id, case_id

    @property
    def version(self) -> int:
        """The version that an official would send now."""
        shown = done(self.world.officer.app.get(f"/v1/cases/{self.case_id}")).body
        return int(shown["version"])

    def act(self, person: Person, action: str, **needs: Any) -> Reply:
        """Do something to the case as it stands."""
        body = {"version": self.version, **needs}
        return person.app.post(f"/v1/cases/{self.case_id}/{action}", body)

    def claimed(self) -> Filed:
        """The officer has claimed it."""
        done(self.act(self.world.officer, "claim"))
        return self

    def after_photo(self) -> str:
        """The officer's photo of the fix."""
        return self.world.officer.upload("landscape_6.jpg", "resolution", waits=True)

    def resolved(self) -> Filed:
        """The officer has fixed it, and shown so."""
        done(self.act(self.world.officer, "resolve", photos=[self.after_photo()]))
        return self


def done(reply: Reply) -> Reply:
    """What must have succeeded, or nothing after it means anything."""
    assert reply.status < 300, (reply.status, reply.body)
    return reply


def path_with(path: str, query: Mapping[str, Any]) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(query)}" if query else path
