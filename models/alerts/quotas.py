"""Subscription messages a member has left, per template; counted by us, corrected by WeChat."""

from __future__ import annotations

from models.alerts.tables import SCHEMA, QuotaRow
from models.base.store import change, get, update_if


def remaining(member_id: str, template_id: str) -> int:
    """How many are left by our count."""
    row = get(QuotaRow, member_id, template_id)
    return row.remaining if row else 0


def add_once(member_id: str, template_id: str, event_id: str) -> None:
    """Count one acceptance, however often the event that tells of it is worked on."""
    row = QuotaRow(member_id, template_id)
    actions = [
        QuotaRow.remaining.add(1),
        QuotaRow.schema.set(SCHEMA),
        QuotaRow.last_event.set(event_id),
    ]
    is_new = QuotaRow.last_event.does_not_exist() | (QuotaRow.last_event != event_id)
    update_if(row, actions, is_new)


def add(member_id: str, template_id: str, count: int = 1) -> None:
    """Give back what was taken and not used."""
    change(
        QuotaRow(member_id, template_id),
        [QuotaRow.remaining.add(count), QuotaRow.schema.set(SCHEMA)],
    )


def take(member_id: str, template_id: str) -> bool:
    """Use one; False when none is left."""
    row = QuotaRow(member_id, template_id)
    return update_if(row, [QuotaRow.remaining.add(-1)], QuotaRow.remaining >= 1)


def clear(member_id: str, template_id: str) -> None:
    """WeChat says that none is left."""
    change(
        QuotaRow(member_id, template_id),
        [QuotaRow.remaining.set(0), QuotaRow.schema.set(SCHEMA)],
    )
