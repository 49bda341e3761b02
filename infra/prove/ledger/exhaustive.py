"""Every fault at every request, and every two of them near each other: the end is always the same.

A scenario of all operations runs once without faults. Then it runs again for each request and each
thing that can go wrong with it, and for each pair within eight requests. Whoever gave the command
gives it again until he knows; the tables must then be those of the first run, to the byte. Each
run begins at the command that its first fault hits and ends with the one after which no more
comes, where the tables are compared: from there on everything would be as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from infra.prove.fake.faults import Died, Fault, Plan
from infra.prove.fake.service import Fake, attached
from infra.prove.ledger.allowances import sheets
from infra.prove.ledger.days import DAY_MS, HOUR_MS, MINUTE_MS, day_of, ms_of
from infra.prove.ledger.endings import PASSING
from infra.prove.ledger.stage import RIDERS, Stage, refusal, settle, told
from infra.prove.ledger.tasks import Act, Proposal, Task
from models.base.errors import DomainError, Unavailable
from models.points.proposal_rules import Decision
from models.points.proposals import Proposed
from models.rewards.closings import Fate, Progress

NEAR = 8
KINDS = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.UNSENT,
    Fault.REPLY_LOST,
    Fault.THROTTLED,
    Fault.CONFLICT,
)
READS = ("Get", "BatchGet", "Query", "TransactGet")
_OF_READS = (Fault.CRASH_BEFORE, Fault.UNSENT, Fault.THROTTLED, Fault.CONFLICT)
COUNTING = PASSING | {"merchants"}
"""Tables that count tries: a merchant's row says how many passes found nothing more to close."""
ONCE = ("close",)
"""Long passes of a schedule, in which single faults are tried and no pairs."""
MOST_TIMES = 6
"""A command that two faults hit comes again no more often than this."""
BEGINS = ms_of("2026-01-31T08:00:00.000Z")

Faults = Mapping[int, Fault]
Step = tuple[str, int, Callable[[Stage, Mapping[str, str]], Task]]
"""A command: its name, its instant, and how it is made of the answers to earlier ones."""


def scenario() -> Sequence[Step]:
    """All operations, one after the other, over three years."""
    rider, other, at = RIDERS[1], RIDERS[2], BEGINS

    def award(act: Act, name: str, stage: Stage, _: Mapping[str, str]) -> Task:
        return stage.award(rider, act, name)

    first = Act(rule="report.first", at=at, severity="A", quantity=4)
    pending = Act(rule="report.first", at=at + DAY_MS, ripe=day_of(at) + 8, quantity=3)
    grant = Act(rule="hardship.grant", at=at)
    clean = Act(rule="clean.street", at=at + DAY_MS, grid="grid-1", quantity=2)

    wish = Proposal(
        kind="adjustment",
        member=rider,
        amount=-400,
        reason="doubled",
        reference="ref_1",
        maker="adm_one",
    )
    claw = replace(wish, kind="claw_back", amount=0, reason="staged", reference="trf_1")
    forgive = replace(wish, kind="write_off", amount=100, reason="relief", reference="ref_2")

    def decided(decision: Decision, number: int, stage: Stage, answers: Mapping[str, str]) -> Task:
        name = ("wish", "wish to claw", "wish to forgive", "wish to drop")[number]
        return stage.decide(answers[name], decision, "adm_two")

    def taking(answers: Mapping[str, str], name: str) -> str:
        return answers[name].split()[1]

    day, years = DAY_MS, 2 * 365 * DAY_MS
    return (
        ("award", at, partial(award, first, "trf_1")),
        ("award pending", at + day, partial(award, pending, "t2")),
        ("mature", at + 2 * day, lambda stage, _: stage.mature(rider, "t2")),
        ("grant", at + day, partial(award, grant, "t5")),
        ("award of a campaign", at + day, partial(award, clean, "t6")),
        (
            "award of a week",
            at + 2 * day,
            partial(award, replace(first, rule="activity.attended"), "t7"),
        ),
        ("award none", at + 2 * day, partial(award, replace(first, rule="report.moving"), "t3")),
        ("redeem", at + 2 * day, lambda stage, _: stage.redeem(rider, "rwd_water", "k1")),
        ("too dear", at + 2 * day, lambda stage, _: stage.redeem(rider, "rwd_check", "k2")),
        ("sold out", at + 2 * day, lambda stage, _: stage.redeem(rider, "rwd_none", "k3")),
        ("again", at + 2 * day, lambda stage, _: stage.redeem(rider, "rwd_water", "k1")),
        ("cancel", at + 3 * day, lambda stage, a: stage.cancel(rider, taking(a, "redeem"), "k4")),
        ("last", at + 4 * day, lambda stage, _: stage.redeem(rider, "rwd_helmet", "k5")),
        ("other's", at + 4 * day, lambda stage, a: stage.cancel(other, taking(a, "last"), "k6")),
        (
            "fulfil",
            at + 5 * day,
            lambda stage, a: stage.fulfil(1, taking(a, "last"), "k7", qr_at=None),
        ),
        ("undo", at + 5 * day + MINUTE_MS, lambda stage, a: stage.undo(1, taking(a, "last"), "k8")),
        (
            "fulfil by qr",
            at + 5 * day + HOUR_MS,
            lambda stage, a: stage.fulfil(1, taking(a, "last"), "k9", qr_at=at + 5 * day + HOUR_MS),
        ),
        (
            "ask for a refund",
            at + 6 * day,
            lambda stage, a: stage.propose(taking(a, "last"), "adm_one"),
        ),
        ("refund", at + 6 * day, lambda stage, a: stage.refund(taking(a, "last"), "adm_two")),
        ("freeze", at + 6 * day, lambda stage, _: stage.freeze(rider)),
        ("frozen", at + 6 * day, lambda stage, _: stage.redeem(rider, "rwd_gloves", "k10")),
        ("thaw", at + 6 * day, lambda stage, _: stage.thaw(rider, "adm_one")),
        ("let go", at + 6 * day, lambda stage, _: stage.thaw(rider, "adm_two")),
        ("wish", at + 6 * day, lambda stage, _: stage.wish(wish)),
        ("approve", at + 6 * day, partial(decided, Decision.APPROVE, 0)),
        ("wish to claw", at + 6 * day, lambda stage, _: stage.wish(claw)),
        ("claw back", at + 6 * day, partial(decided, Decision.APPROVE, 1)),
        ("wish to forgive", at + 6 * day, lambda stage, _: stage.wish(forgive)),
        ("forgive", at + 6 * day, partial(decided, Decision.APPROVE, 2)),
        ("earn again", at + 7 * day, partial(award, replace(grant, at=at + 40 * day), "t8")),
        (
            "wish to drop",
            at + 7 * day,
            lambda stage, _: stage.wish(replace(wish, reference="ref_3")),
        ),
        ("decline", at + 7 * day, partial(decided, Decision.DECLINE, 3)),
        ("earn more", at + 7 * day, partial(award, replace(grant, at=at + 80 * day), "t9")),
        ("lunch", at + 7 * day, lambda stage, _: stage.redeem(rider, "rwd_lunch", "k13")),
        ("no lunch", at + 7 * day, lambda stage, a: stage.cancel(rider, taking(a, "lunch"), "k14")),
        ("gloves", at + 7 * day, lambda stage, _: stage.redeem(rider, "rwd_gloves", "k10")),
        ("sweep", at + 9 * day, lambda stage, _: stage.sweep(1)),
        ("ticket", at + 10 * day, lambda stage, _: stage.redeem(rider, "rwd_ticket", "k15")),
        ("reveal", at + 10 * day, lambda stage, a: stage.reveal(rider, taking(a, "ticket"), "k16")),
        ("ask", at + 10 * day, lambda stage, _: stage.redeem(rider, "rwd_room", "k17")),
        ("allot", at + 11 * day, lambda stage, _: stage.allot(1)),
        ("ask again", at + 11 * day, lambda stage, _: stage.redeem(rider, "rwd_room", "k18")),
        ("drop", at + 11 * day, lambda stage, a: stage.drop(taking(a, "ask again"))),
        ("tea", at + 12 * day, lambda stage, _: stage.redeem(rider, "rwd_tea", "k19")),
        ("close", at + 12 * day, lambda stage, _: stage.close(1)),
        ("held over", at + years - day, lambda stage, _: stage.redeem(rider, "rwd_water", "k11")),
        (
            "into grace",
            at + years + 20 * day,
            lambda stage, a: stage.cancel(rider, taking(a, "held over"), "k12"),
        ),
        (
            "award at last",
            at + years + 400 * day,
            partial(award, replace(first, at=at + years), "t4"),
        ),
    )


class Script(Plan):
    """A plan of faults by the number of the request; those that cannot be leave it in peace."""

    def __init__(self, faults: Faults, first: int) -> None:
        super().__init__(0, {})
        self._faults = faults
        self.first = self.next = first
        self.requests: list[str] = []

    def draw(self, operation: str, *, is_index: bool) -> Fault | None:
        """The fault that is planned for the next request."""
        fault = self._faults.get(self.next)
        self.requests.append(operation)
        self.next += 1
        if fault is Fault.CONFLICT and "Transact" not in operation:
            return None
        if fault is not None:
            self.met[fault] += 1
        return fault


@dataclass(frozen=True, slots=True)
class _Before:
    """Where things stood before a step of the run without faults."""

    fake: Fake
    request: int
    answer: str


@dataclass(slots=True)
class Searched:
    """How many runs there were, and what came out different."""

    singles: int = 0
    pairs: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Searched) -> None:
        """Take in another's runs."""
        self.singles += other.singles
        self.pairs += other.pairs
        self.wrong += other.wrong


class Search:
    """The run without faults, and all the others beside it."""

    def __init__(self, steps: Sequence[Step] | None = None) -> None:
        self._steps = steps or scenario()
        self._now = 0
        self._stage = Stage(lambda: self._now, sheets(BEGINS))
        self.answers: dict[str, str] = {}
        self._befores: list[_Before] = []
        self.operations: list[str] = []
        self._run_without()

    def _run_without(self) -> None:
        fake = Fake()
        with attached(fake):
            settle()
            for name, at, make in self._steps:
                fake.plan = None
                before = fake.copy()
                script = fake.plan = Script({}, len(self.operations))
                self._now = at
                answer = _known(make(self._stage, self.answers)) or ""
                self.answers[name] = answer
                self._befores.append(_Before(before, len(self.operations), answer))
                self.operations += script.requests
        fake.plan = None
        self._befores.append(_Before(fake.copy(), len(self.operations), ""))

    def singles(self, requests: range) -> Iterator[Faults]:
        """One fault at each of some requests."""
        for number in requests:
            for kind in KINDS:
                if _can_be(kind, self.operations[number]):
                    yield {number: kind}

    def pairs(self, requests: range) -> Iterator[Faults]:
        """A fault at each of some requests, and a second one at one of the eight that follow it.

        Of a read it is the same whether the process dies, or the reply is lost, before it or after:
        such pairs are tried once.
        """
        for number in (number for number in requests if self._step_of(number) not in ONCE):
            for first in _unlike(self.operations[number]):
                following = self._following({number: first})
                for after, operation in enumerate(following, number + 1):
                    for second in _unlike(operation):
                        yield {number: first, after: second}

    def _step_of(self, number: int) -> str:
        return self._steps[self._index_of(number)][0]

    def _index_of(self, number: int) -> int:
        return max(i for i, before in enumerate(self._befores[:-1]) if before.request <= number)

    def _following(self, faults: Faults) -> Sequence[str]:
        """The requests that come after a fault, for a command that it hit comes again."""
        (number,) = faults
        script = self._play(faults, [], until=number + NEAR)
        start = number + 1 - script.first
        return script.requests[start : start + NEAR]

    def search(self, requests: range) -> Searched:
        """Run them all."""
        found = Searched()
        for faults in self.singles(requests):
            found.singles += self.run(faults, found.wrong) == 1
        for faults in self.pairs(requests):
            found.pairs += self.run(faults, found.wrong) == 2
        return found

    def run(self, faults: Faults, wrong: list[str]) -> int:
        """Run with some faults; how many of them came, and in ``wrong`` what became different."""
        return self._play(faults, wrong, until=max(faults)).met.total()

    def _play(self, faults: Faults, wrong: list[str], *, until: int) -> Script:
        first = min(faults)
        index = self._index_of(first)
        fake = self._befores[index].fake.copy()
        script = fake.plan = Script(faults, self._befores[index].request)
        with attached(fake):
            while index < len(self._steps) and script.next <= until:
                name, at, make = self._steps[index]
                self._now = at
                answer = self._until_known(make(self._stage, self.answers))
                if answer != self._befores[index].answer:
                    wrong.append(f"{_spelled(faults)}: {name} was told {answer}")
                index += 1
        tables = self._befores[index].fake.database.tables
        wrong += [
            f"{_spelled(faults)}: {name} differ after {self._steps[index - 1][0]}"
            for name, table in fake.database.tables.items()
            if name not in COUNTING and table.rows != tables[name].rows
        ]
        return script

    def _until_known(self, task: Task) -> str | None:
        answer, times = None, 0
        while answer is None and times < MOST_TIMES:
            answer, times = _known(task), times + 1
        return answer


def _known(task: Task) -> str | None:
    """What a command is told; None when nobody knows."""
    try:
        answer: Any = task.run()
    except (Died, Unavailable):
        return None
    except DomainError as error:
        return refusal(error)
    if isinstance(answer, Proposed):
        return str(answer.proposals[0]["proposal_id"])
    if isinstance(answer, Progress):
        return None if any(one.fate is Fate.FAILED for one in answer.results) else "done"
    if not task.must_end:
        return None if getattr(answer, "failed", 0) else "done"
    return told(answer)


def _unlike(operation: str) -> Sequence[Fault]:
    """The kinds of fault that differ in what they do at a request."""
    kinds = _OF_READS if operation.startswith(READS) else KINDS
    return [kind for kind in kinds if _can_be(kind, operation)]


def _can_be(kind: Fault, operation: str) -> bool:
    return kind is not Fault.CONFLICT or "Transact" in operation


def _spelled(faults: Faults) -> str:
    return "faults " + " ".join(f"{number}={kind}" for number, kind in faults.items())
