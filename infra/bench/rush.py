"""Two hundred riders after five pieces, over HTTP: how long does who asks wait for his answer?

Sixteen clients of the load generator send one request a rider for one reward. All but five are told
that it is sold out, which costs the most: what was refused is written down under the request's key.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from infra.bench import crowd, load
from infra.bench.load import Planned, Result
from infra.local.stack import ROOT, Stack
from infra.prove.ledger.counters import COUNTY, Counter
from models.base.clock import SystemClock
from models.base.store import change, scan
from models.people.entities import Actor, Standing
from models.people.tables import SessionRow

RIDERS, CLIENTS, STOCK, PRICE = 200, 16, 5, 1
ROUNDS = 3
POINTS = 10
CONFIRMED_FOR = timedelta(days=30)


def measure(stack: Stack, work: Path) -> dict[str, float]:
    """``redeem.p95_ms_rush``, the median of three rounds.

    The tables must point at the stack's engine. Raises ``RuntimeError`` when a round did not sell
    exactly what there was.
    """
    tokens = crowd.riders(stack, RIDERS)
    counter = Counter(left=(STOCK,) * ROUNDS, price=PRICE, clock=SystemClock()).opened()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda row: _prepare(counter, row), _riders()))
    rounds = [
        _round(stack, work / f"rush-{number}.jsonl", _plan(tokens, reward.reward_id))
        for number, reward in enumerate(counter.rewards)
    ]
    return {"redeem.p95_ms_rush": median(found.p95_ms for found in rounds)}


def _riders() -> list[SessionRow]:
    return [row for row in scan(SessionRow) if isinstance(row.created_at, datetime)]


def _prepare(counter: Counter, row: SessionRow) -> None:
    """Give a signed-in member points, and a confirmed occupation as a keeper's scan would."""
    until = datetime.now(UTC) + CONFIRMED_FOR
    change(row, [SessionRow.confirmed_until.set(until)])
    rider = Actor(
        member_id=row.member_id,
        session_id=row.session_id,
        roles=(),
        standing=Standing.CONFIRMED,
        county=COUNTY,
        consents={},
        confirmed_until=until,
    )
    counter.award(rider, "rush", POINTS)


def _plan(tokens: Sequence[str], reward_id: str) -> list[Planned]:
    return [
        Planned(
            method="POST",
            path="/v1/redemptions",
            token=token,
            body={"client_request_id": str(uuid.uuid4()), "reward_id": reward_id},
        )
        for token in tokens
    ]


def _round(stack: Stack, path: Path, plan: Sequence[Planned]) -> Result:
    load.write_plan(path, plan)
    run = subprocess.run(
        [sys.executable, "-m", "infra.bench.load", stack.api_url,
         "--plan", str(path), "--clients", str(CLIENTS)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if not run.stdout.strip():
        raise RuntimeError(run.stderr[-2000:])
    found = Result(**json.loads(run.stdout))
    wanted = {"201": STOCK, "409": RIDERS - STOCK}
    if dict(found.statuses) != wanted:
        raise RuntimeError(f"a rush answered {dict(found.statuses)}, not {wanted}")
    return found
