"""The outbox row by which it becomes known that somebody left an officer's or a lead's post."""

from __future__ import annotations

from models.alerts import outbox
from models.alerts.tables import OutboxRow
from models.base.clock import utc_text
from models.people.entities import Left

TOPIC = "roster.left"


def row(left: Left) -> OutboxRow:
    """The same end of the same entry is the same row; the handler may yet see it twice."""
    payload = {
        "county": left.county,
        "member_id": left.member_id,
        "scopes": list(left.scopes),
        "at": utc_text(left.at),
    }
    return outbox.row(TOPIC, f"{left.entry}#{utc_text(left.at)}", left.county, payload, left.at)
