"""One seed, one history: people and schedules over months, and everything that befalls requests.

Up to six commands are in flight at once and change places at every request. Requests are lost
before and after they are carried out, processes die, conflicts are made up, indexes lag; every
command whose outcome nobody knows comes again until somebody does, and some that are known come
again all the same, at once or after eight days.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from typing import Any

from infra.prove.fake.faults import Died, Fault, Plan
from infra.prove.fake.service import Fake, attached
from infra.prove.ledger.allowances import sheets
from infra.prove.ledger.baton import Baton
from infra.prove.ledger.days import DAY_MS, MINUTE_MS, SECOND_MS, instant, ms_of
from infra.prove.ledger.endings import check_ended, digest
from infra.prove.ledger.judge import WATCHED, Judge
from infra.prove.ledger.life import Life
from infra.prove.ledger.stage import SHELF, Stage, refusal, settle, told
from infra.prove.ledger.tasks import Running, Task
from models.base.errors import DomainError, Unavailable
from models.points import checking

PLACES = 6
ASKED_EVERY = 4
"""One history in so many asks the product's own check of everything, which takes its time."""
FIRST_MS = ms_of("2026-01-01T00:00:00.000Z")
STARTS_WITHIN_MS = 4 * 365 * DAY_MS
LONGEST_REQUEST_MS = 40
TROUBLES = {
    Fault.CRASH_BEFORE: 0.003,
    Fault.CRASH_AFTER: 0.004,
    Fault.REPLY_LOST: 0.006,
    Fault.UNSENT: 0.003,
    Fault.THROTTLED: 0.004,
    Fault.CONFLICT: 0.02,
    Fault.STALE: 0.2,
}
Trace = Callable[[str], None]
"""Is told of every delivery's beginning and end."""
COMES_AGAIN_MS = (SECOND_MS, 5 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS)


@dataclass(slots=True)
class Ended:
    """How histories went: deliveries of commands, faults, what was met, and what was wrong."""

    events: int = 0
    faults: int = 0
    met: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    digest: str = ""

    def add(self, other: Ended) -> None:
        """Take in one more."""
        self.events += other.events
        self.faults += other.faults
        self.met += other.met
        self.wrong += other.wrong


@cache
def _settled() -> Fake:
    fake = Fake()
    with attached(fake):
        settle()
    return fake


def live(seed: int, events: int, trace: Trace | None = None) -> Ended:
    """Run one history of so many events; it is the same for the same numbers."""
    fake = _settled().copy()
    with attached(fake):
        return History(seed, fake, trace).run(events)


class History:
    """The heap of what comes, and the baton that decides whose request goes next."""

    def __init__(self, seed: int, fake: Fake, trace: Trace | None = None) -> None:
        self._trace = trace
        self._seed = seed
        self._fake = fake
        self._chance = random.Random(f"ledger:{seed}")
        self.at = FIRST_MS + self._chance.randrange(STARTS_WITHIN_MS)
        self._skew = [0] * (PLACES + 1)
        self._flight: list[Running | None] = [None] * (PLACES + 1)
        self._baton = Baton(self._chance, PLACES)
        self._plan = Plan(f"ledger:{seed}", TROUBLES)
        rules = sheets(self.at)
        self.judge = Judge(lambda: self.at, SHELF, rules, self._stale)
        self._stage = Stage(self._own_now, rules)
        self._life = Life(self._chance, self._stage, self.judge)
        self._ahead: list[tuple[int, int, Task]] = []
        self._numbers = count()
        self._events = 0
        self._is_calm = False

    def run(self, events: int) -> Ended:
        """Live, then let everything that is still unknown come again, without trouble."""
        judge = self.judge
        try:
            with self._overseen():
                while self._events < events and not judge.wrong:
                    self._pass(self._life.step(self.at))
                    self._play(self._due() + self._life.wishes(self.at))
                self._calm_down()
        finally:
            self._baton.close()
        if not judge.wrong and self._seed % ASKED_EVERY == 0:
            for fault in self._found_by_the_product():
                judge.blame("I3", fault)
        wrong = [f"seed {self._seed}, step {self._events}: {line}" for line in judge.wrong[:5]]
        judge.met.update({fault.value: times for fault, times in self._plan.met.items()})
        return Ended(
            events=self._events,
            faults=self._plan.met.total(),
            met=judge.met,
            wrong=wrong,
            digest=digest(self._fake.database.tables) if self._trace else "",
        )

    @contextmanager
    def _overseen(self) -> Iterator[None]:
        """Every request passes here, every write and every answer is seen by the judge."""
        database: Any = self._fake.database
        for name in WATCHED:
            self._fake.watch(name, partial(self._saw, name))
        answer = database.answer

        def answered(operation: str, request: Any, *, lag: int = 0) -> Any:
            result = answer(operation, request, lag=lag)
            self.judge.answered()
            return result

        database.answer = answered
        self._fake.before, self._fake.plan = self._before, self._plan
        yield
        self._fake.before = self._fake.plan = None

    def _saw(self, table: str, _: object, before: Any, after: Any) -> None:
        self.judge.saw(table, before, after)

    def _before(self, *_: object) -> None:
        self.at += self._chance.randrange(LONGEST_REQUEST_MS)
        self._baton.pass_on()
        self.judge.running = self._flight[self._baton.place]

    def _own_now(self) -> int:
        now = self.at + self._skew[self._baton.place]
        self.judge.running = self._flight[self._baton.place]
        self.judge.tells(now)
        return now

    def _play(self, tasks: list[Task]) -> None:
        self._baton.play([partial(self._deliver, task) for task in tasks])

    def _stale(self) -> int:
        return self._plan.met[Fault.STALE]

    def _pass(self, at: int) -> None:
        """Let time pass; each day the table deletes what has run out."""
        is_new_day = at // DAY_MS != self.at // DAY_MS
        self.at = at
        if not is_new_day:
            return
        over = [i for i, record in self.judge.done.items() if 0 < record.ends < at]
        for ident in over:
            transfer = self.judge.done[ident].transfer
            self._delete("transfers", {"transfer_id": {"S": transfer}})
            self.judge.forget(ident)
        for row in list(self._fake.database.tables["reward-limits"].rows.values()):
            if int(row["ttl"]["N"]) * SECOND_MS < at:
                key = {name: row[name] for name in ("member_id", "reward_id")}
                self._delete("reward-limits", key)

    def _delete(self, table: str, key: Any) -> None:
        self._fake.database.answer("DeleteItem", {"TableName": table, "Key": key})

    def _due(self) -> list[Task]:
        found: list[Task] = []
        while self._ahead and self._ahead[0][0] <= self.at and len(found) < 2 * PLACES:
            found.append(heapq.heappop(self._ahead)[2])
        return found

    def _deliver(self, task: Task) -> None:
        place = self._baton.place
        self._events += 1
        self._skew[place] = self._some_skew()
        running = self.judge.begins(task, self.at + self._skew[place])
        self._flight[place] = self.judge.running = running
        self._note(running, "begins")
        answer = self._carried_out(task)
        self.judge.running = running
        self._note(running, f"is told {answer}")
        self.judge.ends(running, answer)
        if task.action == "sweep" and not self.judge.has_lagged(running):
            self.judge.check_swept(running, answer)
        self._flight[place] = None
        self._comes_again(task, answer)

    def _note(self, running: Running, what: str) -> None:
        if self._trace is not None:
            task, at = running.task, instant(running.now).isoformat(timespec="milliseconds")
            step = f"{self._events} at {self._baton.place}, {at}"
            self._trace(f"{step}: {' '.join(task.ident)} ({task.content}) {what}")

    def _carried_out(self, task: Task) -> str | None:
        """Its answer or refusal in words; None when nobody knows."""
        try:
            answer = task.run()
        except (Died, Unavailable):
            return None
        except DomainError as error:
            return refusal(error)
        except Exception as error:
            self.judge.blame("broken", f"{task.ident}: {error!r}")
            return None
        return told(answer)

    def _some_skew(self) -> int:
        if self._is_calm or self._chance.random() < 0.6:
            return 0
        return self._chance.randint(-1, 1) * self._chance.choice((5, 1_000, 60_000))

    def _comes_again(self, task: Task, answer: str | None) -> None:
        """Who does not know asks again; now and then, who knows does so, too."""
        if answer is None and not self.judge.wrong:
            after = self._chance.choice(COMES_AGAIN_MS)
        elif self._chance.random() < 0.06 and not self._is_calm:
            is_late = self._chance.random() < 0.3
            after = 8 * DAY_MS if is_late else self._chance.randrange(SECOND_MS)
            self.judge.met["came again after 8 days" if is_late else "came again at once"] += 1
        else:
            return
        heapq.heappush(self._ahead, (self.at + after, next(self._numbers), task))

    def _calm_down(self) -> None:
        """No more trouble: in the end everything is known, and nothing stays open."""
        self._is_calm = True
        self._fake.plan = None
        while self._ahead and not self.judge.wrong:
            self._pass(max(self.at, self._ahead[0][0]))
            self._play(self._due())
        if self.judge.wrong:
            return
        if self.judge.retired:
            self._play([self._stage.close(0)])
        self._play([self._stage.sweep(0)])
        check_ended(self.judge, self._fake)

    def _found_by_the_product(self) -> list[str]:
        audit = checking.check_all()
        if audit.is_clean and audit.entries == len(self.judge.posted):
            return []
        return [f"the product's own check: {audit.faults[:3]}, {dict(audit.totals)}"]
