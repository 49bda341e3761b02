"""A small made-up city whose officials are alerted for some days, by the product's own use cases.

Nobody here exists. Reports come by day and night and in bursts; officials claim what their phones
show them, sooner or later or never. The schedules run when something is due, mostly within a
minute; some runs come twice, some die, and for hours none comes at all.
"""

from __future__ import annotations

import heapq
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

from handlers import wiring
from handlers.events import digests, escalation, outbox
from handlers.secrets import Keys
from handlers.settings import Settings
from handlers.wiring import Services
from infra.local import engine as engines
from infra.prove.fake.faults import Died, Fault, Plan
from infra.prove.fake.requests import Database
from infra.prove.fake.service import Fake
from infra.prove.officers.wechat import (
    BAD_FIELD,
    LIMIT_REACHED,
    LOST,
    TEMPLATES,
    TIME_OUT,
    Noting,
    Ring,
    Weather,
    WeChat,
)
from models.alerts import quotas
from models.alerts.delivery import Messenger
from models.alerts.entities import Recipient
from models.alerts.tables import DESK, HELD
from models.base.clock import CHINA, FixedClock, parse_utc
from models.base.errors import DomainError
from models.base.store import get
from models.cases.commands import Command
from models.cases.entities import Action, Purpose, SubmitReport, UploadState
from models.cases.tables import CaseRow, UploadRow
from models.gateways.wechat.channels import ServiceMessages, SubscriptionMessages
from models.people.entities import Actor, Role, RoleName, Standing
from models.people.tables import RosterRow
from models.places.entities import Grid

COUNTY = "411503"
LONG_AGO = datetime(2020, 1, 1, tzinfo=CHINA)
GRIDS, DAYS, SETTLING = 10, 5, timedelta(days=2)
BY_SEVERITY = {"A": "E0505", "B": "E0496", "C": "E0493a"}
BURST = 7
"""So many reports within an hour and a half, where others are spread over the day."""
_SIDE = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """Somebody with a post; ``diligence`` is how likely he claims what his phone shows him."""

    actor: Actor
    role: RoleName
    diligence: float


@dataclass
class Happened:
    """What a run left to be judged."""

    seed: int
    is_calm: bool
    rings: list[Ring] = field(default_factory=list)
    deaths: list[datetime] = field(default_factory=list)
    ticks: list[datetime] = field(default_factory=list)
    officials: dict[str, RoleName] = field(default_factory=dict)
    ended_at: datetime = LONG_AGO
    met: Counter[str] = field(default_factory=Counter)


class City:
    """One run. ``calm`` runs have no faults, so more can be asked of them."""

    def __init__(self, seed: int, services: Services, fake: Fake) -> None:
        self.chance = random.Random(seed)
        self.fake = fake
        self.services = services
        fake.plan, fake.database = None, Database(_tables())
        begins = datetime(2026, 1, 1, tzinfo=CHINA) + timedelta(days=self.chance.randrange(340))
        self.begins, self.closes = begins, begins + timedelta(days=DAYS)
        self.clock = FixedClock(begins)
        self.happened = Happened(seed=seed, is_calm=self.chance.random() < 0.15)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        self._number = 0
        self._wire()
        self._outages = self._some_outages(1, timedelta(hours=7))
        self.officials = list(self._settle_officials())
        fake.database.tables["roster"].settle()
        self._plan = None if self.happened.is_calm else self._some_plan()

    # building -----------------------------------------------------------------------------------

    def _wire(self) -> None:
        settings = self.services.settings
        self.services.__dict__.clear()
        self.services.settings = settings
        rates: dict[int | str, float] = {
            TIME_OUT: 0.03, LOST: 0.02, LIMIT_REACHED: 0.02, BAD_FIELD: 0.01
        }  # fmt: skip
        calm = Weather()
        storm = Weather(rates=rates, away=self._some_outages(2, timedelta(hours=5)))
        self.wechat = WeChat(
            clock=self.clock,
            weather=calm if self.happened.is_calm else storm,
            chance=self.chance,
            made_of=self._made_of,
            rang=self._rang,
        )
        service: Any = ServiceMessages(account=self.wechat, template_ids=TEMPLATES)  # type: ignore[arg-type]
        once: Any = SubscriptionMessages(client=self.wechat, template_ids=TEMPLATES)  # type: ignore[arg-type]
        channels: Any = {
            "officer": [Noting(service, self.wechat), Noting(once, self.wechat)],
            "rider": [],
        }
        made = self.services.__dict__
        made["clock"], made["keys"] = self.clock, Keys(bytes(32))
        made["evidence"] = made["wechat"] = None
        made["callbacks"] = SimpleNamespace(handle=None)  # nobody pushes anything here
        # What the log of changes does is proven elsewhere, and would take half of the time.
        made["case_feeding"] = SimpleNamespace(around=lambda handlers: handlers)
        made["messenger"] = Messenger(channels=channels, recipient=_recipient, clock=self.clock)
        _ = self.services.outbox_handlers  # what cannot be wired fails here, not at every delivery

    def _settle_officials(self) -> Iterator[Official]:
        grids = [_grid(number) for number in range(GRIDS)]
        self.grids = grids
        self.services.places.put_grids(grids)
        for grid in grids:
            for name, role in (
                ("网格员一", RoleName.OFFICER),
                ("网格员二", RoleName.OFFICER),
                ("网格长", RoleName.GRID_LEAD),
            ):
                yield self._official(role, name, f"grid:{grid.grid_id}")
        for community in sorted({grid.community_id for grid in grids}):
            yield self._official(RoleName.COMMUNITY, "社区", f"community:{community}")
        yield self._official(RoleName.DISTRICT, "区县", f"county:{COUNTY}")

    def _official(self, role: RoleName, display: str, scope: str) -> Official:
        self._number += 1
        member_id = f"mbr_{self._number:026d}"
        actor = _actor(member_id, (Role(role=role, scope=scope, county=COUNTY),))
        RosterRow(
            f"ph_{self._number:026d}",
            f"{role.value}#{scope}#{self._number}",
            schema=1,
            county=COUNTY,
            role=role.value,
            scope=scope,
            display=display,
            starts_at=LONG_AGO,
            member_id=member_id,
            synthetic=True,
        ).save()
        if self.happened.is_calm or self.chance.random() < 0.85:
            self.wechat.followers.add(member_id)
        self.happened.officials[member_id] = role
        self._accept(member_id, self.chance.randrange(3))
        return Official(actor=actor, role=role, diligence=self.chance.choice((0.0, 0.4, 0.8)))

    def _accept(self, member_id: str, times: int) -> None:
        """He accepts some subscription messages; now and then our count differs from WeChat's."""
        for template_id in TEMPLATES.values():
            for _ in range(times):
                self._number += 1
                at = self.clock.now()
                quotas.add_once(member_id, template_id, event_id=f"cb_{self._number}", at=at)
            off = self.chance.random() < 0.1
            self.wechat.accepted[member_id, template_id] = 0 if off else times

    def _some_outages(self, most: int, longest: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        if self.happened.is_calm:
            return ()
        spans = []
        for _ in range(self.chance.randint(0, most)):
            since = self.begins + timedelta(days=DAYS) * self.chance.random()
            until = since + longest * self.chance.random()
            spans.append((_to_the_second(since), _to_the_second(until)))
        return tuple(spans)

    def _some_plan(self) -> Plan | None:
        """Half of the runs have an engine that fails, too."""
        if self.chance.random() < 0.5:
            return None
        rates = {
            Fault.CRASH_BEFORE: 0.001,
            Fault.CRASH_AFTER: 0.001,
            Fault.REPLY_LOST: 0.003,
            Fault.UNSENT: 0.002,
            Fault.THROTTLED: 0.002,
            Fault.CONFLICT: 0.004,
            Fault.STALE: 0.02,
        }
        return Plan(self.happened.seed, rates)

    # running ------------------------------------------------------------------------------------

    def run(self) -> Happened:
        """Let the days pass, then two without any fault in which everything settles."""
        for day in range(DAYS):
            self._plan_day(self.begins + timedelta(days=day))
        ends = self.closes + SETTLING
        while (due := self._next_due()) is not None and due < ends:
            self._let_pass(due)
        self.clock.set(ends)
        self.happened.ended_at = ends
        self.happened.met = self.wechat.met + Counter(
            died=len(self.happened.deaths), stood_still=len(self._outages)
        )
        return self.happened

    def _let_pass(self, due: datetime) -> None:
        now = max(due, self.clock.now())
        self.clock.set(now)
        self.wechat.is_calm = now >= self.closes
        while self._agenda and self._agenda[0][0] <= now:
            heapq.heappop(self._agenda)[2]()
        self._tick(now)

    def _tick(self, now: datetime) -> None:
        """The schedules that have something to do run, in any order; one in twenty runs twice."""
        jobs = [(name, at) for name, at in self._due_by_job().items() if at <= now]
        if not jobs or any(since <= now < until for since, until in self._outages):
            return
        self.happened.ticks.append(now)
        self.chance.shuffle(jobs)
        run = {"steps": escalation, "outbox": outbox, "digests": digests}
        for name, _ in jobs:
            for _ in range(2 if self.chance.random() < 0.05 else 1):
                self._run(run[name].on_schedule)

    def _run(self, job: Callable[[], object]) -> None:
        self.fake.plan = self._plan if self.clock.now() < self.closes else None
        try:
            job()
        except Died:
            self.happened.deaths.append(self.clock.now())
        except DomainError:
            pass  # the list of what is due could not be read: the next run reads it again
        finally:
            self.fake.plan = None

    def _next_due(self) -> datetime | None:
        """When something happens next: an event at its instant, a schedule in its minute."""
        now = self.clock.now()
        at = [self._agenda[0][0]] if self._agenda else []
        jobs = list(self._due_by_job().values())
        if jobs:
            tick = max(min(jobs), now + timedelta(seconds=self.chance.randint(20, 60)))
            tick = max([tick, *(until for since, until in self._outages if since <= tick < until)])
            at.append(tick)
        return min(at, default=None)

    def _due_by_job(self) -> dict[str, datetime]:
        """When each schedule next has something to do; looked up past the product."""
        found: dict[str, datetime] = {}
        tables = self.fake.database.tables
        wakes = [row["wake_at"]["S"] for row in tables["cases"].rows.values() if "wake_at" in row]
        if wakes:
            found["steps"] = parse_utc(min(wakes))
        waits = [
            max(
                row[name]["S"]
                for name in ("created_at", "not_before", "leased_until")
                if name in row
            )
            for row in tables["outbox"].rows.values()
        ]
        if waits:
            found["outbox"] = parse_utc(min(waits))
        rows = tables["digests"].rows.values()
        desks = {row["member_id"]["S"]: row for row in rows if row["held_id"]["S"] == DESK}
        held = [
            max(row["release_at"]["S"], _paused_until(desks.get(row["member_id"]["S"])))
            for row in rows
            if row["held_id"]["S"].startswith(HELD)
        ]
        if held:
            found["digests"] = parse_utc(min(held))
        return found

    # what people do -----------------------------------------------------------------------------

    def _plan_day(self, day: datetime) -> None:
        for grid in self.grids:
            count = self.chance.choice((0, 1, 1, 1, 1, 2, 2, BURST))
            burst = day + timedelta(hours=24) * self.chance.random()
            for _ in range(count):
                at = burst + timedelta(minutes=self.chance.randrange(90))
                if count < BURST:
                    hour = self.chance.choice((*range(7, 22), *range(7, 22), *range(24)))
                    at = day + timedelta(hours=hour + self.chance.random())
                severity = self.chance.choices("ABC", (8, 14, 78))[0]
                self._at(at, partial(self._reports, grid, BY_SEVERITY[severity]))
        for official in self.officials:
            if self.chance.random() < 0.1:
                at = day + timedelta(hours=24) * self.chance.random()
                self._at(at, partial(self._accept, official.actor.member_id, 2))

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (_to_the_second(at), self._count, act))

    def _reports(self, grid: Grid, category: str) -> None:
        self._number += 1
        rider = _actor(f"mbr_{self._number:026d}", ())
        upload_id = f"up_{self._number:026d}"
        now = self.clock.now()
        UploadRow(
            upload_id,
            schema=1,
            member_id=rider.member_id,
            purpose=Purpose.REPORT.value,
            content_type="image/jpeg",
            size_bytes=1000,
            sha256=f"{self._number:064d}",
            state=UploadState.READY.value,
            public_name=f"ph_{self._number:026d}",
            signed_at=now,
            created_at=now,
            request_hash="0" * 32,
        ).save()
        west, south = grid.polygon[0]
        report = SubmitReport(
            client_request_id=f"crid-{self._number}",
            category=category,
            lon=west + _SIDE * (0.3 + 0.4 * self.chance.random()),
            lat=south + _SIDE * (0.3 + 0.4 * self.chance.random()),
            accuracy_m=12.0,
            captured_at=now,
            photos=(upload_id,),
        )
        self.services.intake.submit(rider, report)

    def _rang(self, ring: Ring) -> None:
        self.happened.rings.append(ring)
        official = next(one for one in self.officials if one.actor.member_id == ring.member_id)
        if official.role not in (RoleName.OFFICER, RoleName.GRID_LEAD):
            return
        for notice_id in ring.notices:
            if self.chance.random() < official.diligence:
                delay = timedelta(minutes=self.chance.expovariate(1 / 30))
                self._at(ring.at + delay, partial(self._claims, official, notice_id))

    def _claims(self, official: Official, notice_id: str) -> None:
        case = self._case_of(official.actor.member_id, notice_id)
        if case is None or not self._acts(official, case, Action.CLAIM):
            return
        limit = timedelta(seconds=case.resolve_limit_s)
        at = self.clock.now() + limit * (0.2 + 2 * self.chance.random())
        self._at(at, partial(self._resolves, official, case.case_id))

    def _resolves(self, official: Official, case_id: str) -> None:
        case = get(CaseRow, case_id)
        assert case is not None
        self._acts(official, case, Action.RESOLVE, reason="gone_on_arrival")

    def _acts(
        self, official: Official, case: CaseRow, action: Action, reason: str | None = None
    ) -> bool:
        self._number += 1
        command = Command(
            client_request_id=f"crid-{self._number}",
            action=action,
            version=case.version,
            reason=reason,
        )
        try:
            self.services.handling.act(official.actor, case.case_id, command)
        except DomainError:  # somebody else was quicker, or it is not his to do
            return False
        return True

    # looking past the product -------------------------------------------------------------------

    def _made_of(self, member_id: str, key: str) -> tuple[str, ...]:
        desk = self.fake.database.tables["digests"].rows.get((member_id, DESK), {})
        for kind in ("urgent", "budgeted"):
            sending = json.loads(desk[kind]["S"]) if kind in desk else None
            if sending and sending["notice_id"] == key:
                return tuple(held.removeprefix(HELD) for held in sending["held"])
        return (key,)

    def _case_of(self, member_id: str, notice_id: str) -> CaseRow | None:
        for (member, message_id), row in self.fake.database.tables["inbox"].rows.items():
            if member == member_id and message_id.endswith(notice_id) and "case_id" in row:
                return get(CaseRow, row["case_id"]["S"])
        return None


@cache
def _tables() -> list[dict[str, Any]]:
    return engines.table_definitions()


def services() -> Services:
    """The product's parts for this process; each run makes them anew."""
    made = Services(Settings(stage="local", region="local", dynamodb_url="http://127.0.0.1:9"))
    wiring.use_services(made)
    return made


def _to_the_second(at: datetime) -> datetime:
    """Stored instants have milliseconds: finer ones would differ from themselves."""
    return at.replace(microsecond=0)


def _recipient(member_id: str) -> Recipient:
    return Recipient(
        member_id=member_id, openid=f"openid-{member_id}", service_openid=f"svc-{member_id}"
    )


def _actor(member_id: str, roles: tuple[Role, ...]) -> Actor:
    return Actor(
        member_id=member_id,
        session_id="proof",
        roles=roles,
        standing=Standing.GUEST,
        county=None,
        consents={"report": "1"},
        confirmed_until=None,
    )


def _grid(number: int) -> Grid:
    west, south = 114.6 + number * 0.006, 31.5
    east, north = west + _SIDE, south + _SIDE
    return Grid(
        grid_id=f"{COUNTY}-p{number}",
        name=f"证明网格{number}",
        county=COUNTY,
        community_id=f"{COUNTY}-c{number // 5}",
        community_name="证明社区",
        polygon=((west, south), (east, south), (east, north), (west, north)),
        area_m2=170_000,
        synthetic=True,
    )


def _paused_until(desk: Any) -> str:
    """The end of the pause of the messages under way; "" when none waits."""
    found = [json.loads(desk[kind]["S"]) for kind in ("urgent", "budgeted") if kind in (desk or {})]
    return max((one["not_before"] or "" for one in found), default="")
