"""The alert budget: how often an official's phone has rung today for what is not urgent.

A place is taken in the transaction that begins a message, under the condition that one is free: a
reply that was lost, a kill or a second run never takes two, and the budget is never exceeded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from models.alerts import rules
from models.alerts.entities import AlertDay
from models.alerts.tables import SCHEMA, AlertDayRow
from models.base.clock import business_day
from models.base.store import Transaction, change, get

KEPT = timedelta(days=90)


def spent(member_id: str, now: datetime) -> AlertDay:
    """What today's budget of a member has used."""
    day = business_day(now)
    row = get(AlertDayRow, member_id, day)
    found = AlertDay(day=date.fromisoformat(day))
    return replace(found, sent=row.sent, last_at=row.last_at) if row else found


def take(tx: Transaction, member_id: str, county: str, day: str, now: datetime) -> None:
    """Take a place in a day's budget, in the transaction of the message that is to be sent."""
    actions = [
        AlertDayRow.sent.add(1),
        AlertDayRow.last_at.set(now),
        AlertDayRow.schema.set(SCHEMA),
        AlertDayRow.county.set(county),
        AlertDayRow.ttl.set(int((now + KEPT).timestamp())),
    ]
    is_free = AlertDayRow.sent.does_not_exist() | (AlertDayRow.sent < rules.ALERTS_PER_DAY)
    tx.update("day", AlertDayRow(member_id, day), actions, is_free)


def ring_again(member_id: str, day: str, now: datetime) -> None:
    """Note that a message in today's budget is tried again: 15 minutes count from the last try."""
    change(AlertDayRow(member_id, day), [AlertDayRow.last_at.set(now)])
