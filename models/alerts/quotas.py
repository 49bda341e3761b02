"""Subscription messages a member has left, per template; counted by us, corrected by WeChat.

A notice takes one before it is sent, by name, so that a lost reply or a second run does not take
two. What is doubtful counts as left: WeChat's refusal (43101) puts a count that is too high right,
while one that is too low would keep a message back that the member asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pynamodb.expressions.update import Action

from models.alerts.tables import SCHEMA, QuotaRow
from models.base.store import change, get, update_if

FORGET_UNBOUND = timedelta(days=1)
"""WeChat pushes nothing when somebody binds himself: once a day it is worth a try."""


def remaining(member_id: str, template_id: str) -> int:
    """How many are left by our count."""
    row = get(QuotaRow, member_id, template_id)
    return row.remaining if row else 0


def add_once(member_id: str, template_id: str, *, event_id: str, at: datetime) -> None:
    """Count one acceptance, however often the event that tells of it is worked on."""
    actions = [
        QuotaRow.remaining.add(1),
        QuotaRow.schema.set(SCHEMA),
        QuotaRow.accepted_at.set(at),
        QuotaRow.last_event.set(event_id),
    ]
    is_new = QuotaRow.last_event.does_not_exist() | (QuotaRow.last_event != event_id)
    update_if(QuotaRow(member_id, template_id), actions, is_new)


def take(member_id: str, template_id: str, *, notice_id: str) -> bool:
    """Use one for a notice; False when none is left. A notice takes only one at a time."""
    actions = [QuotaRow.remaining.add(-1), QuotaRow.held.add({notice_id})]
    is_free = (QuotaRow.remaining >= 1) & ~QuotaRow.held.contains(notice_id)
    if update_if(QuotaRow(member_id, template_id), actions, is_free):
        return True
    row = get(QuotaRow, member_id, template_id)
    return row is not None and notice_id in (row.held or ())


def use(member_id: str, template_id: str, *, notice_id: str) -> None:
    """The notice was sent with what it took."""
    _let_go(member_id, template_id, notice_id, [])


def give_back(member_id: str, template_id: str, *, notice_id: str) -> None:
    """The notice was not sent, as far as is known."""
    _let_go(member_id, template_id, notice_id, [QuotaRow.remaining.add(1)])


def correct(member_id: str, template_id: str, *, notice_id: str) -> None:
    """WeChat said, when the notice was to be sent, that none is left."""
    _let_go(member_id, template_id, notice_id, [QuotaRow.remaining.set(0)])


def clear(member_id: str, template_id: str, *, at: datetime) -> None:
    """The member turned the template off at ``at``; a later acceptance stands."""
    is_latest = QuotaRow.accepted_at.does_not_exist() | (QuotaRow.accepted_at <= at)
    actions = [QuotaRow.remaining.set(0), QuotaRow.schema.set(SCHEMA)]
    update_if(QuotaRow(member_id, template_id), actions, is_latest)


def correct_lasting(member_id: str, template_id: str, *, since: datetime | None) -> None:
    """WeChat said that a lasting acceptance, given at ``since``, is taken back."""
    unchanged = (
        QuotaRow.accepted_at.does_not_exist() if since is None else QuotaRow.accepted_at == since
    )
    update_if(QuotaRow(member_id, template_id), [QuotaRow.remaining.set(0)], unchanged)


def is_unbound(member_id: str, template_id: str, now: datetime) -> bool:
    """Whether WeChat said within a day that the member has no employment relation."""
    row = get(QuotaRow, member_id, template_id)
    at = row.unbound_at if row else None
    return at is not None and now < at + FORGET_UNBOUND


def note_unbound(member_id: str, template_id: str, now: datetime) -> None:
    """WeChat said that the member has no employment relation."""
    actions = [QuotaRow.unbound_at.set(now), QuotaRow.schema.set(SCHEMA)]
    change(QuotaRow(member_id, template_id), actions)


def note_bound(member_id: str, template_id: str) -> None:
    """The member's client says that he bound himself: worth a try at once."""
    is_noted = QuotaRow.unbound_at.exists()
    update_if(QuotaRow(member_id, template_id), [QuotaRow.unbound_at.remove()], is_noted)


def _let_go(member_id: str, template_id: str, notice_id: str, actions: list[Action]) -> None:
    update_if(
        QuotaRow(member_id, template_id),
        [*actions, QuotaRow.held.delete({notice_id})],
        QuotaRow.held.contains(notice_id),
    )
