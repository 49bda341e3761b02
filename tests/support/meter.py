"""Counts what a use case costs: calls, and the write units that the engine reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from models.base.tables import connection


@dataclass
class Cost:
    """``calls`` in order; ``units`` sums what writing calls consumed, indexes included."""

    calls: list[str] = field(default_factory=list)
    units: float = 0

    @property
    def writes(self) -> int:
        return round(self.units)


@contextmanager
def metered() -> Iterator[Cost]:
    """Count every call of this process until the block ends, whichever thread makes it."""
    cost = Cost()
    events = connection().client.meta.events

    def note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        cost.calls.append(model.name)
        consumed = parsed.get("ConsumedCapacity") or []
        parts = consumed if isinstance(consumed, list) else [consumed]
        if model.name in {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"}:
            cost.units += sum(part["CapacityUnits"] for part in parts)

    events.register("after-call.dynamodb.*", note)
    try:
        yield cost
    finally:
        events.unregister("after-call.dynamodb.*", note)
