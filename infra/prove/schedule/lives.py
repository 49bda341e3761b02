"""What a case's clock owes, by the rules as they are written and by nothing of the product's code.

A life is told what happened to one case, in the order in which it was stored. From that alone it
says which step is due when: steps of the ladder at 80, 100, 150 and 200 % of the limit to resolve,
of an unclaimed case at 100, 200 and 400 % of the limit to claim. Both are measured from when who
answers for it was first told (an urgent case: from when it was made), not counting the time the
case stood still. Who was told nothing answers after a day, the lead first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.prove.schedule.minutes import DAY_MS, HOUR_MS, Minutes

Steps = tuple[tuple[str, int], ...]
LADDER: Steps = (("remind", 80), ("lead", 100), ("community", 150), ("district", 200))
UNCLAIMED: Steps = (("unclaimed", 100), ("unclaimed_community", 200), ("unclaimed_duty", 400))
RUNNING = frozenset({"assigned", "claimed", "handling", "transferred"})
STANDING = frozenset({"waiting", "deferred", "external"})
WITHHELD_MS = DAY_MS
VERDICT_MS = 72 * HOUR_MS
EVIDENCE_MS = DAY_MS
FORGET_MS = 7 * DAY_MS
WAIT_MS = 48 * HOUR_MS

CLOSINGS = {"lapse": "lapse", "no_evidence": "close_without_evidence", "resume": "resume"}
"""Steps that make a version, by the action their event names."""

Due = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What stands fixed when a case is made; times in ms.

    Urgent is what is dangerous or serious: officials hear of it at once, by day and by night.
    """

    created: int
    kind: str
    is_urgent: bool
    claim_ms: int
    resolve_ms: int
    has_photo: bool


class Life:
    """One case, as far as time is concerned. ``wrong`` is what should not have happened."""

    def __init__(self, filed: Filed, minutes: Minutes) -> None:
        self._filed = filed
        self._minutes = minutes
        self.status = "assigned"
        self.round = 0
        self.taken: set[str] = set()
        self.wrong: list[str] = []
        self._was_claimed = False
        self._given = filed.created
        self._told_to: str | None = None
        self._clock: int | None = filed.created if filed.is_urgent else None
        self._pauses: list[tuple[int, int]] = []
        self._stood_since: int | None = None
        self._resumes_at: int | None = None
        self._waited = 0
        self._extensions = 0
        self.put_off: int | None = None
        """The day that was last proposed for a deferral."""
        self._ended = 0
        self.next_due: int | None = None
        self._look()

    def told(self, at: int, member_id: str) -> None:
        """An official was told of the case."""
        if self._told_to is None and self.status in RUNNING:
            self._hear(at, member_id)
            self._look()

    def step(self, step: str, at: int, *, round_: int | None = None) -> None:
        """The schedule took a step that makes no version."""
        self._judge(step, at, self.round if round_ is None else round_)
        self.taken.add(step)
        self._look()

    def version(self, action: str, status: str, at: int, member_id: str | None) -> None:
        """Something made a new version of the case, which then stood in ``status``.

        ``member_id`` is who did it, or to whom it was assigned; None for nobody known.
        """
        step = next((step for step, name in CLOSINGS.items() if name == action), None)
        if step is not None and member_id is None:
            self._judge(step, at, self.round)
        self._move(status, at)
        if action in ("claim", "transfer"):
            self._was_claimed = True
        if action in ("claim", "transfer") and self._told_to is None:
            self._hear(at, member_id or "")
        elif action in ("assign", "return"):
            self._give(at, member_id if action == "assign" else None)
        elif action in ("contest", "reopen", "appeal"):
            self._begin(at)
        self._look()

    def extended(self) -> None:
        """One more original limit was granted in this round."""
        self._extensions += 1
        self._look()

    def owed(self, now: int) -> list[Due]:
        """The steps that are due and were not taken, the first first."""
        if self.next_due is None or self.next_due > now:
            return []
        return sorted(due for due in self.pending() if due[0] <= now)

    def pending(self) -> Iterator[Due]:
        """Every step that lies ahead if nothing else happens, with its instant."""
        if self.status in RUNNING:
            limit = self._filed.resolve_ms * (1 + self._extensions)
            yield from self._ahead(LADDER, limit)
        if self.status == "assigned":
            if not self._filed.has_photo and not self._was_claimed:
                yield self._filed.created + EVIDENCE_MS, "no_evidence"
            yield from self._unclaimed()
        if self._resumes_at is not None:
            yield self._resumes_at, "resume"
        if self.status == "resolved":
            yield self._ended + VERDICT_MS, "lapse"
        if self.status == "closed" and "forget" not in self.taken:
            yield self._ended + FORGET_MS, "forget"

    def _unclaimed(self) -> Iterator[Due]:
        steps: Steps = UNCLAIMED
        if self._clock is None:
            if "unclaimed" not in self.taken:
                yield self._given + WITHHELD_MS, "unclaimed"
            steps = UNCLAIMED[1:]
        yield from self._ahead(steps, self._filed.claim_ms)

    def _ahead(self, steps: Steps, limit: int) -> Iterator[Due]:
        for step, percent in steps:
            if step not in self.taken:
                yield self._after(limit * percent // 100), step

    def _after(self, ms: int) -> int:
        """When so much has passed on the clock of who answers, without what stood still."""
        start = self._given + WITHHELD_MS if self._clock is None else self._clock
        for stopped, went_on in self._pauses:
            passed = self._minutes.elapsed(start, stopped, self._filed.kind)
            if ms <= passed:
                break
            ms, start = ms - passed, went_on
        return self._minutes.after(start, ms, self._filed.kind)

    def _judge(self, step: str, at: int, round_: int) -> None:
        if round_ != self.round:
            self.wrong.append(f"{step} in round {round_}, not {self.round}")
            return
        due = next((due for due, name in self.pending() if name == step), None)
        if step in self.taken:
            self.wrong.append(f"{step} twice in round {round_}")
        elif due is None:
            self.wrong.append(f"{step} while {self.status}")
        elif at < due:
            self.wrong.append(f"{step} {(due - at) / 1000} s early")

    def _move(self, status: str, at: int) -> None:
        if status in STANDING and self._stood_since is None:
            self._stood_since = at
            self._resumes_at = self._goes_on(status, at)
        elif status not in STANDING and self._stood_since is not None:
            went_on = at if self._resumes_at is None else min(at, self._resumes_at)
            if self._clock is not None:
                self._pauses.append((self._stood_since, went_on))
            if self.status == "waiting":
                self._waited += went_on - self._stood_since
            self._stood_since = self._resumes_at = None
        if status in ("resolved", "closed") and status != self.status:
            self._ended = at
        self.status = status

    def _goes_on(self, status: str, at: int) -> int | None:
        """When a case that stands still goes on by itself; None: somebody must say so."""
        if status == "waiting":
            return at + WAIT_MS - self._waited
        return self.put_off if status == "deferred" else None

    def _hear(self, at: int, member_id: str) -> None:
        self._told_to = member_id
        if self._clock is None:
            self._start(at)

    def _give(self, at: int, member_id: str | None) -> None:
        if self._filed.is_urgent or (member_id is not None and member_id == self._told_to):
            return
        self._given, self._told_to = at, None
        self._start(None)

    def _begin(self, at: int) -> None:
        self.round += 1
        self.taken = set()
        self._extensions = 0
        self._given, self._told_to = at, None
        self._start(at if self._filed.is_urgent else None)

    def _start(self, clock: int | None) -> None:
        self._clock, self._pauses = clock, []

    def _look(self) -> None:
        self.next_due = min((due for due, _ in self.pending()), default=None)
