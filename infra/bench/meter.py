"""Count what the product asks of the engine: calls, and the units that AWS bills for them.

A botocore hook on the product's own connection asks the engine to report its consumption, and
reads it from every answer. The engine counts as AWS documents it: a write unit per started KB, two
inside a transaction, and one for each index entry that changes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from models.base.tables import connection

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
REPORTING = WRITES | {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}


@dataclass(slots=True)
class Cost:
    """What was asked while it was watched; ``operations`` in the order of their answers."""

    operations: list[str] = field(default_factory=list)
    write_units: float = 0.0
    read_units: float = 0.0

    @property
    def calls(self) -> int:
        return len(self.operations)

    def count(self, operation: str) -> int:
        """How many calls were of one kind, such as ``Query``."""
        return self.operations.count(operation)


@contextmanager
def metered() -> Iterator[Cost]:
    """Count everything this process asks inside the block, in all of its threads."""
    cost, lock = Cost(), threading.Lock()
    events = connection().client.meta.events

    def ask(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in REPORTING:
            params["ReturnConsumedCapacity"] = "INDEXES"

    def count(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        with lock:
            cost.operations.append(model.name)
            units = _units(parsed.get("ConsumedCapacity"))
            if model.name in WRITES:
                cost.write_units += units
            else:
                cost.read_units += units

    events.register("provide-client-params.dynamodb.*", ask)
    events.register("after-call.dynamodb.*", count)
    try:
        yield cost
    finally:
        events.unregister("provide-client-params.dynamodb.*", ask)
        events.unregister("after-call.dynamodb.*", count)


def _units(consumed: Any) -> float:
    parts = consumed if isinstance(consumed, list) else [consumed] if consumed else []
    return float(sum(part["CapacityUnits"] for part in parts))
