"""One whole city year on the real engine: 3,413 reports, officers of differing diligence.

Reports come by day and by week as people go about; some officers claim within the hour, some after
days, some never. The schedule sweeps on every full hour at which something is due. What was stored
is seen on its way to the engine and judged by the same oracle as the stories.

*Source:* 3,413 reports are what one city's riders sent in a year.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from handlers.events import escalation as handler
from infra.prove.schedule.lives import Filed
from infra.prove.schedule.minutes import DAY_MS, HOUR_MS, MINUTE_MS, instant_of, minutes, ms_of
from infra.prove.schedule.people import People
from infra.prove.schedule.records import Records
from infra.prove.schedule.stories import served_by
from infra.prove.schedule.town import LONG_AGO, Town, officials, rider_of, settle
from infra.prove.schedule.wire import wired
from models.base.clock import FixedClock
from models.base.errors import DomainError
from models.base.store import get
from models.cases.categories import first_version
from models.cases.entities import Severity, Step
from models.cases.tables import CaseRow
from models.cases.told import first_told

REPORTS = 3_413
NEW_YEAR = ms_of("2025-12-31T16:00:00.000Z")
DAYS = 365
AFTER_DAYS = 20
"""How long the schedule goes on after the last report."""
HOURS = (1, 1, 1, 1, 1, 2, 6, 14, 18, 14, 12, 14, 16, 12, 10, 12, 12, 14, 18, 14, 10, 8, 4, 2)
"""How many reports come in each hour of the day, as weights: most on the way to and from work."""
DILIGENCE_MIN = ((5, 60), (30, 480), (600, 4000), None)
"""Between how many minutes after being told officers claim; None: only when pushed, if at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """How the year ended."""

    reports: int
    steps: int
    sweeps: int
    wrong: tuple[str, ...]


def live(
    url: str, reports: int, seed: int, progress: Callable[[int], None] = lambda _: None
) -> Year:
    """Live through the year on the empty tables of an engine."""
    diary = _Diary(reports, seed, progress)
    with wired(url, diary.look):
        settle()
        return diary.kept()


class _Diary:
    """The year's heap of things that happen, each at its time."""

    def __init__(self, reports: int, seed: int, progress: Callable[[int], None]) -> None:
        self._reports = reports
        self._chance = random.Random(f"year:{seed}")
        self._progress = progress
        self.clock = FixedClock(LONG_AGO)
        self._town = Town(self.clock)
        self._records = Records(minutes())
        self._people = People(self._town, self._chance, self._set_doer)
        self._ahead: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = iter(range(10_000_000))
        self._sweep_at: int | None = None
        self._sweeps = 0
        self._broken: list[str] = []

    def kept(self) -> Year:
        """Let the year go by."""
        with served_by(self):
            for number in range(self._reports):
                self._at(self._moment(), partial(self._file, number))
            self._run()
        return Year(
            reports=len(self._records.lives),
            steps=self._records.steps.total(),
            sweeps=self._sweeps,
            wrong=tuple(f"year: {one}" for one in (*self._broken, *self._records.wrong())),
        )

    def catch_up(self, case_id: str, now: Any) -> list[Step]:
        """The product's own; on a sound engine nothing may fail."""
        assert self._town.escalation is not None
        try:
            return self._town.escalation.catch_up(case_id, now)
        except Exception as error:
            self._broken.append(f"{case_id}: {error!r}")
            raise

    def _run(self) -> None:
        end = NEW_YEAR + (DAYS + AFTER_DAYS) * DAY_MS
        while True:
            at = self._ahead[0][0] if self._ahead else end
            if self._sweep_at is not None and self._sweep_at <= at:
                self._sweep(self._sweep_at)
            elif self._ahead:
                at, _, happen = heapq.heappop(self._ahead)
                self.clock.set(instant_of(at))
                happen()
                self._plan_sweep()
            else:
                break

    def _plan_sweep(self) -> None:
        """The next full hour at which something is due."""
        first = self._records.next_due()
        if first is None:
            self._sweep_at = None
        else:
            first = max(first, ms_of(self.clock.now()) + 1)
            self._sweep_at = -(-first // HOUR_MS) * HOUR_MS

    def _sweep(self, at: int) -> None:
        self.clock.set(instant_of(at))
        self._sweeps += 1
        handler.on_schedule()
        self._records.check_owed(at)
        self._plan_sweep()

    def _moment(self) -> int:
        day = self._chance.randrange(DAYS)
        hour = self._chance.choices(range(24), HOURS)[0]
        return NEW_YEAR + day * DAY_MS + hour * HOUR_MS + self._chance.randrange(60) * MINUTE_MS

    def _at(self, at: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self._ahead, (at, next(self._numbers), happen))

    def _after(self, least: int, most: int, happen: Callable[[], None]) -> None:
        delay = self._chance.randint(least, most) * MINUTE_MS
        self._at(ms_of(self.clock.now()) + delay, happen)

    def _set_doer(self, member_id: str | None, until: datetime | None) -> None:
        self._records.doer, self._records.until = member_id, until

    def look(self, one: Mapping[str, Any]) -> None:
        """A write that the engine acknowledged."""
        ((kind, how),) = one.items()
        now = ms_of(self.clock.now())
        if kind == "Put" and how["TableName"] == "case-events":
            self._records.event(None, how["Item"], now)
        if kind == "Update" and how["TableName"] == "cases":
            steps = [
                value["L"]
                for value in how["ExpressionAttributeValues"].values()
                if {"S": "forget"} in value.get("L", ())
            ]
            if steps:
                self._records.forgotten(how["Key"]["case_id"]["S"], now)

    def _file(self, number: int) -> None:
        category = self._chance.choice(first_version().categories)
        has_photo = self._chance.random() < 0.98
        rider = rider_of(f"year-{number}")
        self._records.filing = Filed(
            created=ms_of(self.clock.now()),
            kind=category.kind,
            is_urgent=category.severity is not Severity.C,
            claim_ms=int(category.claim_within.total_seconds() * 1000),
            resolve_ms=int(category.resolve_within.total_seconds() * 1000),
            has_photo=has_photo,
        )
        self._records.doer = rider.member_id
        case_id = self._town.report(rider, category.code, has_photo=has_photo)
        if category.severity is Severity.C:
            self._after(0, self._chance.choice((1, 60, 900)), partial(self._tell, case_id))
        diligence = self._chance.choice(DILIGENCE_MIN)
        if diligence is not None:
            self._after(*diligence, partial(self._work, case_id, number, "claim"))
        elif self._chance.random() < 0.7:
            self._after(1500, 9000, partial(self._work, case_id, number, "claim"))
        if len(self._records.lives) % 20 == 0:
            self._progress(len(self._records.lives))

    def _tell(self, case_id: str) -> None:
        member_id = officials()[0].member_id
        first_told(case_id, member_id, self.clock.now(), self._town.working)
        self._records.told(case_id, ms_of(self.clock.now()), member_id)

    def _work(self, case_id: str, number: int, action: str) -> None:
        """Do one thing with a case, and plan the next."""
        case = get(CaseRow, case_id)
        assert case is not None
        try:
            self._people.act(
                action,
                case_id=case_id,
                status=case.status,
                version=case.version,
                claimer_id=case.claimer_id,
                rider=rider_of(f"year-{number}"),
                request_id=f"work-{next(self._numbers)}",
            )
        except DomainError:
            return  # the case went another way meanwhile
        work = partial(self._work, case_id, number)
        if action in ("claim", "contest"):
            self._after(10, self._chance.choice((90, 1500, 8000)), partial(work, "resolve"))
        elif action == "resolve":
            said = self._chance.choices(("confirm", "contest", None), (40, 15, 45))[0]
            if said is not None:
                self._after(5, 4000, partial(work, said))
