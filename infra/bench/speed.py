"""How fast the server answers, and how much of its processor that takes.

The engine keeps everything in memory, the pump is stopped, photos are ready, and the load comes
from a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median

from infra.bench import crowd, load
from infra.bench.load import Planned, Result
from infra.local import engine as engines
from infra.local.client import Client
from infra.local.seed import roster
from infra.local.stack import ROOT, Stack
from models.base.geometry import Position
from models.base.tables import Database, use_database

RIDERS = 600
REPORTS_PER_RIDER = 4
WARM_UP, ALONE, CROWD, LISTS = 100, 200, 500, 60
"""Requests of a run."""
RUNS = range(3)
CLIENTS = 8
SPOT = Position(lon=114.0853, lat=32.1462)
NEARBY = (SPOT.lon - 0.0005, SPOT.lat - 0.0005, SPOT.lon + 0.0005, SPOT.lat + 0.0005)
"""A box within the grid of the officer whose list is timed."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A run of the load generator, and what the server spent on it."""

    result: Result
    cpu_ms_per_request: float


def cpu_s(group: int) -> float:
    """Processor time, user and system, of all living processes of a group."""
    return sum(ticks for own_group, ticks in _processes() if own_group == group) / _TICKS_PER_S


class Speed:
    """Measures one stack."""

    def __init__(self, stack: Stack, work: Path) -> None:
        self._stack = stack
        self._work = work
        use_database(
            Database(
                region=engines.REGION,
                endpoint_url=stack.engine_url,
                access_key=engines.ACCESS_KEY,
                secret_key=engines.SECRET_KEY,
            )
        )

    def measure(self) -> dict[str, float]:
        """The figures by name, each the median of three runs.

        Raises ``RuntimeError`` when a request was refused.
        """
        plan = iter(self._plan(crowd.riders(self._stack, RIDERS)))
        self._timed("warm-up", list(islice(plan, WARM_UP)), clients=CLIENTS)
        alone = [self._timed("alone", list(islice(plan, ALONE)), clients=1) for _ in RUNS]
        crowded = [self._timed("crowd", list(islice(plan, CROWD)), clients=CLIENTS) for _ in RUNS]
        asked = self._lists()
        lists = [self._timed("lists", asked, clients=1) for _ in RUNS]
        return {
            "submit.cpu_ms": median(run.cpu_ms_per_request for run in alone),
            "list100.cpu_ms": median(run.cpu_ms_per_request for run in lists),
            "http.submit_per_s_8_clients": median(run.result.per_s for run in crowded),
            "http.submit_p50_ms_1_client": median(run.result.p50_ms for run in alone),
        }

    def _plan(self, tokens: Sequence[str]) -> list[Planned]:
        """One turn of reports before one officer's door, for his list; the others all over."""
        url = self._stack.api_url
        plan = [
            *load.prepare(url, tokens, per_rider=REPORTS_PER_RIDER - 1),
            *load.prepare(url, tokens, per_rider=1, box=NEARBY, seed=1),
        ]
        crowd.make_ready(load.upload_ids(plan), datetime.now(UTC))
        return plan

    def _lists(self) -> list[Planned]:
        post = roster.demo_posts(SPOT)["officer"]
        officer = crowd.take_post(self._stack, Client(self._stack.api_url), "officer", post.phone)
        grid = post.scope.removeprefix("grid:")
        path = f"/v1/cases?grid={grid}&status=assigned&limit=100"
        found = crowd.must(officer.get(path)).body["items"]
        if len(found) != 100:
            raise RuntimeError(f"a list of {len(found)} is not one of 100")
        return [Planned(method="GET", path=path, token=str(officer.token))] * LISTS

    def _timed(self, name: str, plan: Sequence[Planned], *, clients: int) -> Timed:
        path = self._work / f"{name}.jsonl"
        load.write_plan(path, plan)
        group = self._stack.processes["api"].pid
        before = cpu_s(group)
        run = subprocess.run(
            [sys.executable, "-m", "infra.bench.load", self._stack.api_url,
             "--plan", str(path), "--clients", str(clients)],
            cwd=ROOT, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        spent = cpu_s(group) - before
        if run.returncode != 0:
            raise RuntimeError(f"{name}: {run.stdout[-500:]} {run.stderr[-2000:]}")
        result = Result(**json.loads(run.stdout))
        return Timed(result=result, cpu_ms_per_request=spent * 1000 / len(plan))


def _processes() -> list[tuple[int, int]]:
    """Group and processor ticks of every process that can be seen."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        # The name stands in brackets and may hold blanks; the fields go on after it.
        fields = text.rpartition(")")[2].split()
        found.append((int(fields[2]), int(fields[11]) + int(fields[12])))
    return found
