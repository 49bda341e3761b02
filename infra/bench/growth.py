"""Does it cost more in a big city? The same questions over 2,000 and over 200,000 open cases.

One dataset, made once: half of its cases lie in 200 cells, the others all over the city. The small
city is a hundredth of it and just as crowded: two of those cells with all their cases, and a corner
with all of the others there. So an answer is as long in both, and what differs is the size of the
table. Every case is a copy of one that was really filed, with a place and an id of its own. Both
cities stand at the same time, each on an engine of its own, and are asked in turns, so that
whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median, quantiles
from typing import Any

from infra.local import engine as engines
from models.base.clock import FixedClock, utc_text
from models.base.geometry import CELL_DEGREES, Position, cell_of
from models.base.ids import new_id
from models.base.store import get, query
from models.base.tables import Database, connection, use_database
from models.calendar.china import working_time
from models.cases.categories import Categories
from models.cases.entities import Purpose, SubmitReport, UploadState
from models.cases.escalation import Escalation, due_cases
from models.cases.intake import Intake
from models.cases.nearby import Neighbourhood
from models.cases.photos import PhotoAddresses
from models.cases.tables import CaseRow, UploadRow, wake_shard_of
from models.people.entities import Actor, Standing
from models.people.roster import Roster
from models.places.entities import Grid
from models.places.service import Places
from models.points.ledger import Ledger

BIG, SMALL = 200_000, 2_000
CELLS = 200
"""These hold half of the cases: 500 each in the big city."""
SEED = 20260318
NOW = datetime(2026, 3, 18, 2, tzinfo=UTC)
WEST, SOUTH, SIDE = 114.0, 32.0, 0.4
OVERDUE, SWEEPS = 100, 5
ASKED, TURNS = 40, 5
NEVER = "2099-01-01T00:00:00.000Z"
COUNTY = "411503"
URGENT = "E0496"
"""The cases that become overdue: told at once, so that their clock runs from the start."""

_Raw = dict[str, dict[str, Any]]


def measure() -> dict[str, float]:
    """``nearby.growth``, ``escalate.growth`` and ``nearby.p95_ms_200k``."""
    big, small = _City(), _City()
    try:
        rows = list(_dataset(big.templates()))
        big.load(rows, "200,000 cases")
        small.templates()
        few = [row for row in rows if row.is_in_small_city]
        small.load(few, "2,000 cases")
        return _compare((big, rows), (small, few))
    finally:
        for city in (big, small):
            city.engine.stop()


def _compare(*cities: tuple[_City, Sequence[_Row]]) -> dict[str, float]:
    asked: list[list[float]] = [[] for _ in cities]
    swept: list[list[float]] = [[] for _ in cities]
    for turn in range(TURNS):
        for (city, rows), seconds in zip(cities, asked, strict=True):
            city.open()
            seconds += city.ask(_questions(rows, turn))
    for sweep in range(SWEEPS):
        for (city, _), seconds in zip(cities, swept, strict=True):
            city.open()
            seconds.append(city.sweep(sweep))
    return {
        "nearby.growth": median(asked[0]) / median(asked[1]),
        "nearby.p95_ms_200k": quantiles(asked[0], n=20)[-1] * 1000,
        "escalate.growth": median(swept[0]) / median(swept[1]),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A case as it is stored, and whether the small city has it too."""

    raw: _Raw
    is_in_small_city: bool

    @property
    def place(self) -> Position:
        return Position(lon=float(self.raw["lon"]["N"]), lat=float(self.raw["lat"]["N"]))


class _City:
    """An engine with cases, and the use cases over it."""

    def __init__(self) -> None:
        self.engine = engines.Engine().start()
        engines.create_tables(self.engine.url)
        self._clock = FixedClock(NOW)
        self.open()
        self._places = Places(self._clock)
        self._places.put_grids([_grid()])
        self._categories = Categories(clock=self._clock)
        self._working = working_time()
        self._nearby = Neighbourhood(
            clock=self._clock,
            places=self._places,
            categories=self._categories,
            addresses=PhotoAddresses(base_url="https://photos.example"),
        )
        self._escalation = Escalation(ledger=Ledger(), working=self._working)

    def open(self) -> None:
        """Let this process's tables be this city's."""
        use_database(
            Database(
                region=engines.REGION,
                endpoint_url=self.engine.url,
                access_key=engines.ACCESS_KEY,
                secret_key=engines.SECRET_KEY,
            )
        )

    def templates(self) -> list[_Raw]:
        """One case of each category, really filed, as its row was stored."""
        self.open()
        intake = Intake(
            clock=self._clock,
            places=self._places,
            roster=Roster(clock=self._clock),
            categories=self._categories,
            working=self._working,
        )
        return [
            self._filed(intake, category.code)
            for category in self._categories.current(COUNTY).categories
        ]

    def _filed(self, intake: Intake, category: str) -> _Raw:
        rider = _rider()
        report = SubmitReport(
            client_request_id=new_id("crid"),
            category=category,
            lon=WEST + SIDE / 2,
            lat=SOUTH + SIDE / 2,
            accuracy_m=10.0,
            captured_at=NOW,
            photos=(_photo(rider),),
        )
        case_id = intake.submit(rider, report)["case"]["id"]
        row = get(CaseRow, case_id)
        assert row is not None
        raw: _Raw = row.serialize()
        row.delete()
        return raw

    def load(self, rows: Sequence[_Row], what: str) -> None:
        """Put the rows, 25 to a request, four requests at a time."""
        self.open()
        client, table = connection().client, CaseRow.Meta.table_name
        batches = [rows[start : start + 25] for start in range(0, len(rows), 25)]

        def put(batch: Sequence[_Row]) -> None:
            answer = client.batch_write_item(
                RequestItems={table: [{"PutRequest": {"Item": row.raw}} for row in batch]}
            )
            if answer["UnprocessedItems"]:
                raise RuntimeError("the engine left rows out")

        with ThreadPoolExecutor(4) as pool:
            for number, _ in enumerate(pool.map(put, batches)):
                if number % 100 == 0:
                    done = number * 100 // len(batches)
                    print(f"\r{what}: {done:3} %", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)

    def ask(self, questions: Sequence[_Row]) -> list[float]:
        """Seconds of each question what like it stands nearby; the first of all only warms up."""

        def look(row: _Row) -> None:
            category, place = row.raw["category"]["S"], row.place
            self._nearby.find(lon=place.lon, lat=place.lat, category=category)

        look(questions[0])
        return [_seconds(partial(look, row)) for row in questions]

    def sweep(self, number: int) -> float:
        """Seconds to escalate the hundred cases that are overdue at the sweep's instant."""
        now = NOW + _after(number)
        query(CaseRow.by_wake, "0", CaseRow.wake_at <= NOW)  # warms the connection up
        found: list[str] = []

        def escalate() -> None:
            found.extend(due_cases(now, 2 * OVERDUE))
            for case_id in found:
                self._escalation.take_step(case_id, now)

        taken = _seconds(escalate)
        if len(found) != OVERDUE:
            raise RuntimeError(f"{len(found)} cases were overdue instead of {OVERDUE}")
        for case_id in found:  # their next steps are not this question's
            CaseRow(case_id).update([CaseRow.wake_at.remove(), CaseRow.wake_shard.remove()])
        return taken


def _dataset(templates: Sequence[_Raw]) -> Iterator[_Row]:
    """All cases of the big city; those that will be overdue lie in both cities."""
    chance = random.Random(SEED)
    columns = int(SIDE / CELL_DEGREES)
    full = [
        Position(
            lon=WEST + square % columns * CELL_DEGREES, lat=SOUTH + square // columns * CELL_DEGREES
        )
        for square in chance.sample(range(columns * columns), CELLS)
    ]
    urgent = next(raw for raw in templates if raw["category"]["S"] == URGENT)
    corner = Position(lon=WEST, lat=SOUTH)
    for number in range(BIG // 2):
        is_shared = number % CELLS < CELLS * SMALL // BIG
        yield _row(chance.choice(templates), full[number % CELLS], CELL_DEGREES, is_shared, chance)
    for number in range(BIG // 2):
        is_shared = number < SMALL // 2
        sweep = number // OVERDUE if number < OVERDUE * SWEEPS else None
        template = chance.choice(templates) if sweep is None else urgent
        side = SIDE * (SMALL / BIG) ** 0.5 if is_shared else SIDE
        yield _row(template, corner, side, is_shared, chance, sweep)


def _row(
    template: _Raw,
    corner: Position,
    side: float,
    is_shared: bool,
    chance: random.Random,
    sweep: int | None = None,
) -> _Row:
    place = Position(
        lon=round(corner.lon + chance.random() * side, 6),
        lat=round(corner.lat + chance.random() * side, 6),
    )
    return _Row(raw=_copy(template, place, sweep), is_in_small_city=is_shared)


def _copy(template: _Raw, place: Position, sweep: int | None) -> _Raw:
    case_id = new_id("case")
    here = Position(lon=WEST + SIDE / 2, lat=SOUTH + SIDE / 2)
    cell = template["cell"]["S"].replace(cell_of(here), cell_of(place))
    raw = {
        **template,
        "case_id": {"S": case_id},
        "lon": {"N": str(place.lon)},
        "lat": {"N": str(place.lat)},
        "cell": {"S": cell},
        "wake_shard": {"S": wake_shard_of(case_id)},
        "wake_at": {"S": NEVER},
    }
    if sweep is not None:
        shift = _after(sweep) - timedelta(minutes=30)
        for name in ("created_at", "started_at", "clock_from", "told_at"):
            if name in raw:
                raw[name] = {"S": utc_text(NOW + shift)}
        raw["claim_due_at"] = raw["wake_at"] = {"S": utc_text(NOW + _after(sweep))}
    return raw


def _after(sweep: int) -> timedelta:
    """When the cases of a sweep become overdue; their claim limit is half an hour."""
    return timedelta(hours=1 + sweep)


def _questions(rows: Sequence[_Row], turn: int) -> list[_Row]:
    """Reports of what stands there already: half of them from the full cells."""
    return random.Random(f"{SEED}:{turn}").sample(rows, ASKED)


def _grid() -> Grid:
    east, north = WEST + SIDE, SOUTH + SIDE
    return Grid(
        grid_id="bench-grid",
        name="测算网格",
        county=COUNTY,
        community_id="bench-community",
        community_name="测算社区",
        polygon=((WEST, SOUTH), (east, SOUTH), (east, north), (WEST, north)),
        area_m2=1.6e9,
        synthetic=True,
    )


def _rider() -> Actor:
    return Actor(
        member_id=new_id("mbr"),
        session_id="bench",
        roles=(),
        standing=Standing.GUEST,
        county=None,
        consents={"report": "1"},
        confirmed_until=None,
    )


def _photo(owner: Actor) -> str:
    upload_id = new_id("up")
    UploadRow(
        upload_id,
        schema=1,
        member_id=owner.member_id,
        purpose=Purpose.REPORT.value,
        content_type="image/jpeg",
        size_bytes=1000,
        sha256=upload_id.ljust(64, "0"),
        state=UploadState.READY.value,
        public_name=new_id("ph"),
        signed_at=NOW,
        created_at=NOW,
        request_hash="0" * 32,
    ).save()
    return upload_id


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
