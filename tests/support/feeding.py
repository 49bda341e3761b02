"""What the outbox holds of a case, handed to the log of changes alone."""

from __future__ import annotations

from models.alerts.entities import Event
from models.alerts.tables import OutboxRow
from models.cases.feeding import Feeding
from models.cases.tables import CaseRow


def events_of(case: CaseRow) -> list[Event]:
    """What stands in the outbox about a case, oldest first, as its handler gets it."""
    rows = [row for row in OutboxRow.scan() if row.payload.get("case_id") == case.case_id]
    return [
        Event(
            outbox_id=row.outbox_id,
            topic=row.topic,
            county=row.county,
            payload=row.payload,
            at=row.created_at,
            attempts=1,
        )
        for row in sorted(rows, key=lambda row: row.created_at)
    ]


def deliver(feeding: Feeding, case: CaseRow) -> None:
    """Log all of it, oldest first."""
    for event in events_of(case):
        feeding.log(event)
