"""What was stored about each case, as it was stored: its life, and what must never be stored.

Every write to the history is seen. An event is written once and never again; a step stands once in
its round; nothing is told of a case that was never filed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.prove.fake.service import Fake
from infra.prove.schedule.lives import Filed, Life
from infra.prove.schedule.minutes import Minutes, ms_of

Row = Mapping[str, Mapping[str, Any]]


class Records:
    """The lives of all cases of one story."""

    def __init__(self, minutes: Minutes) -> None:
        self._minutes = minutes
        self.lives: dict[str, Life] = {}
        self._moving: set[str] = set()
        self.steps: Counter[str] = Counter()
        self._wrong: list[str] = []
        self.filing: Filed | None = None
        """What is being filed at the moment."""
        self.doer: str | None = None
        """Who acts at the moment, or to whom he assigns."""
        self.until: datetime | None = None
        """Until when he wants to put the case off."""

    def watch(self, fake: Fake, now: Any) -> None:
        """See every write of the fake; ``now`` gives the present in ms."""
        fake.watch("case-events", lambda _, before, after: self.event(before, after, now()))
        fake.watch("cases", lambda _, before, after: self.case(before, after, now()))

    def event(self, before: Row | None, after: Row | None, now: int) -> None:
        """An event was written; ``before`` is what stood in its place."""
        if after is None or before is not None:
            self._wrong.append(f"history edited: {_texts(before, 'case_id', 'event_id')}")
            return
        case_id, event_id = after["case_id"]["S"], after["event_id"]["S"]
        action = after["action"]["S"]
        self._moving.add(case_id)
        if ms_of(after["at"]["S"]) != now:
            self._wrong.append(f"{case_id}: {event_id} is dated {after['at']['S']}")
        if action == "submit":
            assert self.filing is not None
            self.lives[case_id] = Life(self.filing, self._minutes)
        elif event_id.startswith("s"):
            self.steps[action] += 1
            round_ = int(event_id[1 : event_id.index("#")])
            self.lives[case_id].step(action, now, round_=round_)
        elif event_id.startswith("v"):
            doer = self.doer if "actor" in after else None
            self.steps[action] += doer is None
            life = self.lives[case_id]
            life.version(action, after["status"]["S"], now, doer)
            if action == "defer" and self.until is not None:
                life.put_off = ms_of(self.until)

    def case(self, before: Row | None, after: Row | None, now: int) -> None:
        """A case's row was written."""
        if before is None or after is None:
            return
        steps = [one["S"] for one in after["steps"]["L"]]
        if len(set(steps)) != len(steps):
            self._wrong.append(f"{after['case_id']['S']}: steps twice in a round: {steps}")
        if "forget" in steps and {"S": "forget"} not in before["steps"]["L"]:
            self.forgotten(after["case_id"]["S"], now)
        is_extended = after.get("extended_s") not in (None, before.get("extended_s"))
        if is_extended:
            self.lives[after["case_id"]["S"]].extended()

    def forgotten(self, case_id: str, now: int) -> None:
        """The one step that leaves no event: a closed case is found nearby no longer."""
        self.steps["forget"] += 1
        self.lives[case_id].step("forget", now)

    def told(self, case_id: str, at: int, member_id: str) -> None:
        """An official was told of a case, and that was taken in."""
        self._moving.add(case_id)
        self.lives[case_id].told(at, member_id)

    def next_due(self) -> int | None:
        """The first instant at which any case owes a step; None: nobody ever will."""
        still = {case_id: self.lives[case_id].next_due for case_id in self._moving}
        dues = {case_id: due for case_id, due in still.items() if due is not None}
        self._moving = set(dues)
        return min(dues.values(), default=None)

    def check_owed(self, now: int) -> None:
        """After a sweep that nothing disturbed, nobody owes a step."""
        first = self.next_due()
        if first is None or first > now:
            return
        for case_id in sorted(self._moving):
            owed = self.lives[case_id].owed(now)
            self._wrong += [f"{case_id}: {step} missing" for _, step in owed]

    def check_wakes(self, rows: Mapping[str, str | None], now: int) -> None:
        """The schedule will look at a case no later than its next step is due."""
        for case_id, life in self.lives.items():
            wake = rows[case_id]
            if life.next_due is None or life.next_due <= now:
                continue
            if wake is None or ms_of(wake) > life.next_due:
                self._wrong.append(f"{case_id}: wakes at {wake}, too late")

    def wrong(self) -> list[str]:
        """Everything that is not as it must be."""
        lives = [
            f"{case_id}: {text}" for case_id, life in self.lives.items() for text in life.wrong
        ]
        return [*self._wrong, *lives]


def _texts(row: Row | None, *names: str) -> list[str]:
    return [row[name]["S"] for name in names] if row else []
