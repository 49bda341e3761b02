"""Was this history possible, had everything happened one after the other?

The search of Wing and Gong, with Lowe's memory of what was tried: an operation may be next when no
other one had ended before it began. *Source:* Wing and Gong 1993; Lowe 2017, "Testing for
linearizability".
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

State: TypeAlias = Hashable
Outcome: TypeAlias = Hashable
Step = Callable[[State, Hashable], Iterable[tuple[Outcome, State]]]
"""Every outcome that an action may have in a state, with the state it leaves."""

NEVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call: when it was made and answered, and with what.

    ``outcome`` None is unknown: it may have happened at any time after it began, or not at all, so
    it has ``NEVER`` ended.
    """

    action: Hashable
    outcome: Outcome | None
    began: float
    ended: float

    def __str__(self) -> str:
        until = "…" if self.ended == NEVER else f"{self.ended:g}"
        return f"[{self.began:g}–{until}] {self.action} → {self.outcome or 'unknown'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """No order explains the history: the longest one that was found, and who could not be next."""

    explained: int
    state: State
    next: tuple[Operation, ...]

    def __str__(self) -> str:
        told = "; ".join(str(operation) for operation in self.next)
        return f"{self.explained} operations explained, then none of: {told}; in {self.state}"


def explain(history: Sequence[Operation], start: State, step: Step) -> Stuck | None:
    """Look for an order that obeys time and the model; None when there is one.

    Operations with known outcomes must all take place. Exponential in how many overlap, so
    histories are short: fifty operations of six threads take milliseconds.
    """
    operations = sorted(history, key=lambda operation: operation.began)
    known = sum(1 << i for i, one in enumerate(operations) if one.outcome is not None)
    tried: set[tuple[int, State]] = set()
    waiting: list[tuple[int, State]] = [(0, start)]
    best = Stuck(explained=-1, state=start, next=())
    while waiting:
        done, state = waiting.pop()
        if (done, state) in tried:
            continue
        tried.add((done, state))
        if done & known == known:
            return None
        possible = _possible(operations, done)
        if done.bit_count() > best.explained:
            candidates = tuple(operations[i] for i in possible)
            best = Stuck(explained=done.bit_count(), state=state, next=candidates)
        waiting += _followers(operations, possible, done, state, step)
    return best


def _possible(operations: Sequence[Operation], done: int) -> list[int]:
    """Who may be next: nobody else who is not done had ended before he began."""
    left = [i for i in range(len(operations)) if not done >> i & 1]
    first_end = min((operations[i].ended for i in left), default=NEVER)
    return [i for i in left if operations[i].began < first_end]


def _followers(
    operations: Sequence[Operation], possible: Sequence[int], done: int, state: State, step: Step
) -> Iterable[tuple[int, State]]:
    """Where each may lead. Known ones are tried before unknown ones, the first to begin first."""
    in_turn = sorted(possible, key=lambda i: (operations[i].outcome is not None, -i))
    for i in in_turn:
        operation = operations[i]
        for outcome, after in step(state, operation.action):
            if outcome == operation.outcome or (operation.outcome is None and after != state):
                yield done | 1 << i, after
