"""Watch the calls to the engine one by one: how many, how dear, and how many in a row.

It listens to botocore on the product's own connection. Calls that overlap in time wait for each
other's answers no longer than one; the longest chain of calls that do not is what a caller waits
for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.connection import Connection

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; times in seconds of a monotonic clock, units as the engine reports them."""

    operation: str
    began: float
    ended: float
    units: float

    @property
    def write_units(self) -> float:
        return self.units if self.operation in WRITES else 0.0


def sequential(calls: Iterable[Call]) -> int:
    """The greatest number of calls of which each began after the one before had ended."""
    count, free_at = 0, float("-inf")
    for call in sorted(calls, key=lambda call: call.ended):
        if call.began >= free_at:
            count, free_at = count + 1, call.ended
    return count


def write_units(calls: Iterable[Call]) -> float:
    """What the calls wrote, in write units."""
    return sum(call.write_units for call in calls)


class Trace:
    """The calls of a connection since they were last taken."""

    def __init__(self, connection: Connection) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        events = connection.client.meta.events
        events.register("before-call.dynamodb", self._begin)
        events.register("after-call.dynamodb", self._end)

    def take(self) -> tuple[Call, ...]:
        """The calls so far, which are then forgotten."""
        with self._lock:
            taken, self._calls = tuple(self._calls), []
        return taken

    def _begin(self, context: dict[str, Any], **_: Any) -> None:
        context["trace_began"] = time.perf_counter()

    def _end(self, model: Any, parsed: Mapping[str, Any], context: Any, **_: Any) -> None:
        used = parsed.get("ConsumedCapacity") or []
        parts = [used] if isinstance(used, dict) else used
        call = Call(
            operation=model.name,
            began=context["trace_began"],
            ended=time.perf_counter(),
            units=float(sum(part["CapacityUnits"] for part in parts)),
        )
        with self._lock:
            self._calls.append(call)
