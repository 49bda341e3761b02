"""One seed, one story: forty cases, people, and a schedule that everything happens to.

The schedule is late, doubled, killed in the middle, overlaps with itself and with people, reads an
index that lags behind, loses replies, and is six hours out. Sweeps fall at the very instants at
which steps are due, and a millisecond before.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, Protocol

from handlers.events import escalation as handler
from infra.prove.fake.faults import Died, Fault, Plan
from infra.prove.fake.service import Fake, attached
from infra.prove.schedule.lives import Filed
from infra.prove.schedule.minutes import DAY_MS, HOUR_MS, MINUTE_MS, instant_of, minutes, ms_of
from infra.prove.schedule.people import People, choose
from infra.prove.schedule.records import Records
from infra.prove.schedule.town import LONG_AGO, Town, officials, rider_of, settle
from models.base.clock import FixedClock
from models.base.errors import DomainError
from models.cases.categories import first_version
from models.cases.entities import Severity, Step
from models.cases.escalation import Escalation
from models.cases.told import first_told
from models.people.entities import Actor

CASES = 40
FILED_WITHIN_MS = 2 * DAY_MS
TOLD_FOR_MS = 14 * DAY_MS
MOST_SWEEPS = 24
MOST_ROUNDS = 20
OUTAGE_MS = 6 * HOUR_MS
FIRST_DAY, LAST_DAY = 560, 800
"""Days after the first counted minute between which stories begin: in the years 2026."""
TROUBLES = {
    Fault.REPLY_LOST: 0.03,
    Fault.CONFLICT: 0.03,
    Fault.THROTTLED: 0.02,
    Fault.UNSENT: 0.02,
    Fault.STALE: 0.2,
}
DEADLY = {**TROUBLES, Fault.CRASH_BEFORE: 0.02, Fault.CRASH_AFTER: 0.02}
MISFORTUNES = ("doubled", "killed", "overlapping", "out", *(fault.value for fault in DEADLY))
VISITS_MIN = (5, 20, 60, 200, 700, 2000, 6000)
TOLD_AFTER_MIN = (0, 0, 5, 45, 400, 1300, 1600)


@dataclass(slots=True)
class Ended:
    """How a story went: what was wrong, the steps taken, and what happened to the schedule."""

    stories: int = 0
    wrong: list[str] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, other: Ended) -> None:
        """Take another's story as one more of these."""
        self.stories += other.stories
        self.wrong += other.wrong
        self.steps += other.steps
        self.happened += other.happened


@cache
def _settled() -> Fake:
    """A fake with the town's rows, to be copied for each story."""
    fake = Fake()
    with attached(fake):
        settle()
    return fake


def tell(seed: int, escalation: Escalation | None = None) -> Ended:
    """Run one story. With an ``escalation`` of its own, something else than the product's."""
    fake = _settled().copy()
    with attached(fake):
        story = Story(seed, fake, escalation)
        with served_by(story):
            story.run()
    return story.ended()


class _Served(Protocol):
    clock: FixedClock

    def catch_up(self, case_id: str, now: Any) -> list[Step]: ...


@contextmanager
def served_by(story: _Served) -> Iterator[None]:
    """The schedule's function, as it is deployed, finds its clock and its use case here."""
    real: Any = handler
    before = real.services
    real.services = lambda: SimpleNamespace(clock=story.clock, escalation=story)
    try:
        yield
    finally:
        real.services = before


class Story:
    """A heap of things that happen, each at its time."""

    def __init__(self, seed: int, fake: Fake, escalation: Escalation | None) -> None:
        self._seed = seed
        self._fake = fake
        self._chance = random.Random(seed)
        self.clock = FixedClock(LONG_AGO)
        self._town = Town(self.clock, escalation)
        self._records = Records(minutes())
        self._records.watch(fake, self._now)
        self._people = People(self._town, self._chance, self._set_doer)
        self._ahead: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = iter(range(1_000_000))
        self._riders: dict[str, Actor] = {}
        self._sweeps = 0
        self._happened: Counter[str] = Counter()
        self._broken: list[str] = []
        self._start = self._chance.randrange(FIRST_DAY, LAST_DAY) * DAY_MS
        self._end = self._start + TOLD_FOR_MS
        self._outage = self._start + self._chance.randrange(0, 4 * DAY_MS, MINUTE_MS)

    def run(self) -> None:
        """Let everything happen, then let one sound sweep after the other catch up."""
        for number in range(CASES):
            self._at(
                self._start + self._chance.randrange(0, FILED_WITHIN_MS, MINUTE_MS),
                partial(self._file, number),
            )
        for _ in range(6):
            self._at(self._start + self._chance.randrange(0, TOLD_FOR_MS), self._sweep)
        while self._ahead:
            at, _, happen = heapq.heappop(self._ahead)
            self.clock.set(instant_of(at))
            happen()
        for days in (0, 10, 45):
            self.clock.set(instant_of(self._end + days * DAY_MS))
            self._catch_up()

    def ended(self) -> Ended:
        """What came of it."""
        wrong = [f"seed {self._seed}: {text}" for text in (*self._broken, *self._records.wrong())]
        return Ended(stories=1, wrong=wrong, steps=self._records.steps, happened=self._happened)

    def catch_up(self, case_id: str, now: Any) -> list[Step]:
        """The product's own, but what it breaks with is not only logged."""
        assert self._town.escalation is not None
        try:
            return self._town.escalation.catch_up(case_id, now)
        except DomainError:
            raise
        except Exception as error:
            self._broken.append(f"{case_id}: {error!r}")
            raise

    def _now(self) -> int:
        return ms_of(self.clock.now())

    def _at(self, at: int, happen: Callable[[], None]) -> None:
        if at <= self._end:
            heapq.heappush(self._ahead, (at, next(self._numbers), happen))

    def _set_doer(self, member_id: str | None, until: datetime | None) -> None:
        self._records.doer, self._records.until = member_id, until

    def _file(self, number: int) -> None:
        category = self._chance.choice(first_version().categories)
        has_photo = self._chance.random() < 0.9
        rider = rider_of(f"{self._seed}-{number}")
        self._records.filing = Filed(
            created=self._now(),
            kind=category.kind,
            is_urgent=category.severity is not Severity.C,
            claim_ms=int(category.claim_within.total_seconds() * 1000),
            resolve_ms=int(category.resolve_within.total_seconds() * 1000),
            has_photo=has_photo,
        )
        self._records.doer = rider.member_id
        case_id = self._town.report(rider, category.code, has_photo=has_photo)
        self._riders[case_id] = rider
        if self._chance.random() < (0.2 if category.severity is not Severity.C else 0.85):
            after = self._chance.choice(TOLD_AFTER_MIN) * MINUTE_MS
            self._at(self._now() + after, partial(self._tell, case_id))
        at = self._now()
        for _ in range(self._chance.randint(0, 5)):
            at += self._chance.randrange(1, self._chance.choice(VISITS_MIN)) * MINUTE_MS
            self._at(at, partial(self._visit, case_id))
        self._probe(case_id)

    def _tell(self, case_id: str) -> None:
        """An official is told, as the alerts report it: again and again until it is taken in."""
        member_id = self._chance.choice(officials()[:2]).member_id
        at = self.clock.now()
        with self._meanwhile(TROUBLES, 0.1):
            try:
                first_told(case_id, member_id, at, self._town.working)
            except DomainError:
                self._fake.plan = None
                first_told(case_id, member_id, at, self._town.working)
        self._records.told(case_id, ms_of(at), member_id)
        if self._chance.random() < 0.4:
            # Whose it has become by then is told anew.
            after = self._chance.randrange(1, 3000) * MINUTE_MS
            self._at(self._now() + after, partial(self._tell, case_id))
        self._probe(case_id)

    def _visit(self, case_id: str) -> None:
        row = self._row(case_id)
        is_proposed = "proposal" in row
        action = choose(self._chance, row["status"]["S"], is_proposed=is_proposed)
        if action == "nothing":
            return
        request_id = f"visit-{next(self._numbers)}"
        act = partial(
            self._people.act,
            action,
            case_id=case_id,
            status=row["status"]["S"],
            version=int(row["version"]["N"]),
            claimer_id=row.get("claimer_id", {}).get("S"),
            rider=self._riders[case_id],
            request_id=request_id,
        )
        with self._meanwhile(DEADLY, 0.1):
            try:
                act()
            except (DomainError, Died):
                self._happened["refused"] += 1
        self._probe(case_id)

    def _row(self, case_id: str) -> Any:
        return self._fake.database.tables["cases"].rows[case_id, ""]

    @contextmanager
    def _meanwhile(self, rates: Mapping[Fault, float], share: float) -> Iterator[None]:
        """In a share of the times, things go wrong meanwhile."""
        if self._chance.random() < share and self._fake.plan is None:
            self._fake.plan = Plan(f"{self._seed}:{next(self._numbers)}", rates)
        plan = self._fake.plan
        try:
            yield
        finally:
            self._fake.plan = None
            if plan is not None:
                self._happened.update({fault.value: count for fault, count in plan.met.items()})

    def _probe(self, case_id: str) -> None:
        """A sweep at the very instant of a case's next step, a little before, or much later."""
        due = self._records.lives[case_id].next_due if case_id else None
        if due is None or self._chance.random() < 0.5:
            return
        later = self._chance.choice((-1, -1, 0, 0, 1, self._chance.randrange(3 * HOUR_MS)))
        if due + later >= self._now():
            self._at(due + later, self._sweep)

    def _sweep(self) -> None:
        now = self._now()
        if self._outage <= now < self._outage + OUTAGE_MS:
            self._happened["out"] += 1
            return
        self._sweeps += 1
        if self._sweeps > MOST_SWEEPS:
            return
        manner = self._chance.choice(
            ("calm", "calm", "doubled", "troubled", "killed", "overlapping", "overlapping")
        )
        self._happened[manner] += 1
        getattr(self, f"_{manner}")()
        for case_id in self._chance.choices(sorted(self._records.lives) or [""], k=2):
            self._probe(case_id)

    def _calm(self) -> None:
        handler.on_schedule()
        self._records.check_owed(self._now())

    def _doubled(self) -> None:
        self._calm()
        handler.on_schedule()

    def _troubled(self) -> None:
        self._cut_short(TROUBLES)

    def _killed(self) -> None:
        self._cut_short(DEADLY)

    def _overlapping(self) -> None:
        """Between any two of its requests another sweep may run, or somebody may act."""
        self._fake.before = self._come_between
        try:
            self._cut_short(TROUBLES if self._chance.random() < 0.3 else {})
        finally:
            self._fake.before = None

    def _come_between(self, *_: object) -> None:
        if self._chance.random() >= 0.1:
            return
        self._fake.before, plan = None, self._fake.plan
        self._fake.plan = None
        if self._chance.random() < 0.5 or not self._records.lives:
            handler.on_schedule()
        else:
            self._visit(self._chance.choice(sorted(self._records.lives)))
        self._fake.before, self._fake.plan = self._come_between, plan

    def _cut_short(self, rates: Mapping[Fault, float]) -> None:
        with self._meanwhile(rates, 1.0):
            try:
                handler.on_schedule()
            except (DomainError, Died):
                self._happened["cut short"] += 1

    def _catch_up(self) -> None:
        for _ in range(MOST_ROUNDS):
            if not handler.on_schedule()["steps"]:
                break
        now = self._now()
        self._records.check_owed(now)
        rows = self._fake.database.tables["cases"].rows.values()
        self._records.check_wakes(
            {row["case_id"]["S"]: row.get("wake_at", {}).get("S") for row in rows}, now
        )
