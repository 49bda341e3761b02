"""What each use case asks of the engine: the story, told once inside this process."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

from handlers.events import escalation
from infra.bench import crowd, load
from infra.bench.inside import Inside
from infra.bench.trace import Call, sequential, write_units
from infra.local.client import Client, Reply, describe
from infra.local.seed import roster
from infra.local.stack import Stack
from models.base.geometry import CELL_DEGREES, Position

SPOT = Position(lon=114.0853, lat=32.1462)
CASES_IN_LIST = 100
REPORTS_PER_RIDER = 4
DAY_S = 86_400
HAIRCUT_POINTS = 10


class Costs:
    """Counts over a stack whose engine is its own; only engine and simulator need to run."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._inside = Inside(stack)
        self._posts = roster.demo_posts(SPOT)
        self._numbers = random.Random(2)

    def measure(self) -> dict[str, float]:
        """The figures by name. Raises ``RuntimeError`` when a step is refused."""
        self._officer = self._post("officer")
        self._keeper = self._post("keeper")
        rider = self._rider("first")
        self._submit(rider, photos=1)  # fills the caches of places, roster and calendar
        figures = self._submitting(rider)
        figures |= self._handling(rider)
        figures |= self._checking_in(rider)
        figures |= self._redeeming(rider)
        figures |= self._looking(rider)
        return figures | self._going_stale()

    def _submitting(self, rider: Client) -> dict[str, float]:
        _, auth = self._traced(lambda: rider.get("/v1/stations/member-code"))
        _, small = self._submit(rider, photos=1)
        _, large = self._submit(rider, photos=9)
        authentication = sequential(auth)
        return {
            "auth.sequential_calls": authentication,
            "submit.sequential_calls": max(sequential(small), sequential(large)) - authentication,
            "submit.write_units_1_photo": write_units(small),
            "submit.write_units_9_photos": write_units(large),
        }

    def _handling(self, rider: Client) -> dict[str, float]:
        filed, _ = self._submit(rider, photos=1)
        case_id, report_id = filed.body["case"]["id"], filed.body["report"]["id"]
        _, claim = self._act(case_id, "claim")
        after = self._photos(self._officer, 1, purpose="resolution")
        self._act(case_id, "resolve", photos=after)
        _, close = self._traced(
            lambda: rider.post(f"/v1/reports/{report_id}/verdict", {"satisfied": True})
        )
        return {"claim.write_units": write_units(claim), "close.write_units": write_units(close)}

    def _checking_in(self, rider: Client) -> dict[str, float]:
        station_id = self._posts["keeper"].scope.removeprefix("station:")
        station = self._inside.services.stations.station(station_id)
        code = crowd.must(self._keeper.get(f"/v1/stations/{station_id}/code")).body["code"]
        here = {"lon": station.position.lon, "lat": station.position.lat, "accuracy_m": 10}
        _, calls = self._traced(
            lambda: rider.post(f"/v1/stations/{station_id}/check-ins", {**here, "code": code})
        )
        return {"check_in.write_units": write_units(calls)}

    def _redeeming(self, rider: Client) -> dict[str, float]:
        asked = crowd.must(rider.post("/v1/me/verification", {"occupation": "rider"}))
        crowd.must(self._keeper.post(f"/v1/verifications/{asked.body['code']}/confirm"))
        crowd.sign_in(self._stack, rider, "first")
        rewards = crowd.must(rider.get("/v1/rewards")).body["items"]
        haircut = next(item for item in rewards if item["price_points"] == HAIRCUT_POINTS)
        _, calls = self._traced(lambda: rider.post("/v1/redemptions", {"reward_id": haircut["id"]}))
        return {"redeem.write_units": write_units(calls)}

    def _looking(self, rider: Client) -> dict[str, float]:
        for number in range(CASES_IN_LIST // REPORTS_PER_RIDER):
            somebody = self._rider(f"crowd-{number}")
            for _ in range(REPORTS_PER_RIDER):
                self._submit(somebody, photos=1)
        grid = self._posts["officer"].scope.removeprefix("grid:")
        listed, calls = self._traced(
            lambda: self._officer.get(
                "/v1/cases", grid=grid, status="assigned", limit=CASES_IN_LIST
            )
        )
        if len(listed.body["items"]) != CASES_IN_LIST:
            raise RuntimeError(f"a list of {len(listed.body['items'])} is not one of 100")
        return {"list100.calls": len(calls), "nearby.queries": self._nearby(rider)}

    def _nearby(self, rider: Client) -> int:
        """The most queries that any place within a cell makes: middle, edges and corners."""
        shares = (0.02, 0.5, 0.98)
        west = SPOT.lon // CELL_DEGREES * CELL_DEGREES
        south = SPOT.lat // CELL_DEGREES * CELL_DEGREES
        return max(
            self._queries(rider, west + x * CELL_DEGREES, south + y * CELL_DEGREES)
            for x in shares
            for y in shares
        )

    def _queries(self, rider: Client, lon: float, lat: float) -> int:
        _, calls = self._traced(
            lambda: rider.get("/v1/reports/nearby", lon=lon, lat=lat, category="E0493a")
        )
        return sum(call.operation == "Query" for call in calls)

    def _going_stale(self) -> dict[str, float]:
        """The dearest step of any case, a week after it was filed."""
        self._stack.advance(7 * DAY_S)
        self._inside.trace.take()
        escalation.on_schedule()
        steps = [
            call.write_units
            for call in self._inside.trace.take()
            if call.operation == "TransactWriteItems"
        ]
        if not steps:
            raise RuntimeError("nothing went stale")
        return {"escalate.write_units_per_case": max(steps)}

    def _post(self, name: str) -> Client:
        client = self._inside.client()
        return crowd.take_post(self._stack, client, name, self._posts[name].phone)

    def _rider(self, name: str) -> Client:
        return crowd.consent(crowd.sign_in(self._stack, self._inside.client(), name))

    def _photos(self, owner: Client, count: int, purpose: str = "report") -> list[str]:
        items = [describe(crowd.picture(), purpose) for _ in range(count)]
        asked = crowd.must(owner.post("/v1/uploads", {"items": items}))
        upload_ids = [item["upload_id"] for item in asked.body["items"]]
        crowd.make_ready(upload_ids, self._inside.services.clock.now())
        return upload_ids

    def _submit(self, rider: Client, *, photos: int) -> tuple[Reply, tuple[Call, ...]]:
        box = (SPOT.lon - 0.0004, SPOT.lat - 0.0004, SPOT.lon + 0.0004, SPOT.lat + 0.0004)
        uploads = self._photos(rider, photos)
        planned = load.report(str(rider.token), uploads, box=box, numbers=self._numbers)
        return self._traced(lambda: rider.post(planned.path, planned.body))

    def _act(self, case_id: str, action: str, **body: Any) -> tuple[Reply, tuple[Call, ...]]:
        case = crowd.must(self._officer.get(f"/v1/cases/{case_id}")).body
        asked = {"client_request_id": str(uuid.uuid4()), "version": case["version"], **body}
        return self._traced(lambda: self._officer.post(f"/v1/cases/{case_id}/{action}", asked))

    def _traced(self, ask: Callable[[], Reply]) -> tuple[Reply, tuple[Call, ...]]:
        self._inside.trace.take()
        reply = crowd.must(ask())
        return reply, self._inside.trace.take()
