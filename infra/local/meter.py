"""Counts what the product asks of DynamoDB: calls, write units, read units.

It listens to botocore, so nothing of the product needs to know. The units are those that the
engine reports (pynamodb always asks for them).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.connection import Connection

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What some work cost."""

    calls: int
    write_units: float
    read_units: float
    operations: tuple[str, ...] = ()

    def since(self, before: Cost) -> Cost:
        """The cost between two readings."""
        return Cost(
            calls=self.calls - before.calls,
            write_units=self.write_units - before.write_units,
            read_units=self.read_units - before.read_units,
            operations=self.operations[len(before.operations) :],
        )

    def text(self) -> str:
        """Write the figures as the ``X-Cost`` header does."""
        return f"calls={self.calls};write_units={self.write_units:g};read_units={self.read_units:g}"


class Meter:
    """A running count over all threads of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writes = self._reads = 0.0
        self._operations: list[str] = []

    def watch(self, connection: Connection) -> Meter:
        """Count every call of ``connection`` from now on."""
        connection.client.meta.events.register("after-call.dynamodb", self._count)
        return self

    def read(self) -> Cost:
        """The count so far."""
        with self._lock:
            return Cost(
                calls=len(self._operations),
                write_units=self._writes,
                read_units=self._reads,
                operations=tuple(self._operations),
            )

    def _count(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        used = parsed.get("ConsumedCapacity") or []
        units = sum(part["CapacityUnits"] for part in ([used] if isinstance(used, dict) else used))
        with self._lock:
            self._operations.append(model.name)
            if model.name in _WRITES:
                self._writes += units
            else:
                self._reads += units
